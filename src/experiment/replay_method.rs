//! The value of a policy that never draws, from the choices that it shares.

use crate::experiment::logged::LoggedChoices;

/// Mean reward of the rows whose action the target is certain to take (Li, Chu, Langford and
/// Wang, "Unbiased offline evaluation of contextual-bandit-based news article recommendation
/// algorithms", 2011). Without bias only where the log drew evenly, since it has no weights.
/// `None` when it is certain to take none of them.
pub fn replayed_value(log: &LoggedChoices) -> Option<f64> {
    let rows = log.actions.iter().zip(&log.rewards).enumerate();
    let shared = rows.filter(|(row, (action, _))| 1.0 <= log.target[[*row, **action]]);
    let rewards: Vec<f64> = shared.map(|(_, (_, reward))| *reward).collect();
    (!rewards.is_empty()).then(|| rewards.iter().sum::<f64>() / rewards.len() as f64)
}

#[cfg(test)]
mod tests {
    use ndarray::arr2;

    use super::*;

    #[test]
    fn rows_count_where_the_target_is_certain_to_do_the_same() {
        let mut log = LoggedChoices {
            rewards: vec![1.0, 2.0, 4.0, 8.0],
            actions: vec![0, 1, 1, 0],
            propensities: vec![0.5; 4],
            target: arr2(&[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.9, 0.1]]),
            predicted: arr2(&[[0.0; 2]; 4]),
            rings: vec![0, 1, 2, 3],
        };
        assert_eq!(replayed_value(&log), Some(2.5));
        log.actions = vec![1, 1, 0, 0];
        assert_eq!(replayed_value(&log), None);
    }
}
