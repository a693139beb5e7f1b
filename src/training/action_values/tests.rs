//! Laws of the learner of action values.

use ndarray::{Array2, Axis};
use rand::Rng as _;

use super::*;
use crate::training::action_values::confidence::{Confidence, JudgedAction};
use crate::training::action_values::log::ActionLogError;
use crate::training::action_values::settings::Weighting;
use crate::training::params::ParamsError;

/// Action 0 is worth nothing; action 1 is worth 6 above a half of the first feature and −6
/// below it; action 2 would be worth 3, but is hardly ever taken.
fn worth(action: usize, x: f32) -> f32 {
    match action {
        0 => 0.0,
        1 if 0.5 < x => 6.0,
        1 => -6.0,
        _ => 3.0,
    }
}

/// Mostly action 0 below a half and 1 above it, where chance does not say otherwise.
fn drawn_log(n_rows: usize, seed: u64) -> ActionLog {
    let mut dice = generator(seed, 0);
    let features = Array2::from_shape_simple_fn((n_rows, 3), || dice.r#gen::<f32>());
    let (mut actions, mut propensities, mut rewards) = (vec![], vec![], vec![]);
    for row in features.rows() {
        let usual = usize::from(0.5 < row[0]);
        let chances = [0.285, 0.285, 0.01].iter().enumerate();
        let chances: Vec<f64> =
            chances.map(|(at, share)| if at == usual { share + 0.42 } else { *share }).collect();
        let draw: f64 = dice.r#gen();
        let action = if draw < chances[0] {
            0
        } else if draw < chances[0] + chances[1] {
            1
        } else {
            2
        };
        actions.push(action);
        propensities.push(chances[action]);
        // What every action earns besides: most of the noise is what they share.
        let besides = 10.0 * row[1] + dice.gen_range(-4.0_f32..4.0);
        rewards.push(worth(action, row[0]) + besides);
    }
    ActionLog { features, n_actions: 3, actions, propensities, rewards }
}

fn learned(log: &ActionLog, settings: &LearnerSettings) -> ActionValues {
    learn(log, settings).unwrap()
}

fn quick() -> LearnerSettings {
    let mut settings = LearnerSettings { n_members: 4, ..LearnerSettings::default() };
    settings.shared.n_trees_max = 60;
    settings
}

#[test]
fn the_better_action_is_found_where_it_was_rarely_taken() {
    let log = drawn_log(2_000, 1);
    for weighting in [Weighting::Even, Weighting::InversePropensity] {
        let values = learned(&log, &LearnerSettings { weighting, ..quick() });
        for x in [0.1, 0.25, 0.4, 0.6, 0.75, 0.9] {
            let by_member = values.by_member(&[x, 0.5, 0.5]);
            let mean = by_member.mean_axis(Axis(0)).unwrap();
            let (found, truth) = (mean[1] - mean[0], f64::from(worth(1, x)));
            assert!((found - truth).abs() < 2.0, "{weighting:?} at {x}: {found} for {truth}");
        }
    }
}

#[test]
fn the_largest_value_comes_first_with_its_own_vote() {
    let values = learned(&drawn_log(1_500, 2), &quick());
    let mut dice = generator(9, 0);
    for _ in 0..50 {
        let ranked = values.ranked(&[dice.r#gen(), dice.r#gen(), dice.r#gen()]);
        assert!(ranked.windows(2).all(|pair| pair[1].value <= pair[0].value), "{ranked:?}");
        let mut actions: Vec<usize> = ranked.iter().map(|it| it.action).collect();
        actions.sort_unstable();
        assert_eq!(actions, [0, 1, 2]);
        let votes: f64 = ranked.iter().map(|it| it.vote).sum();
        assert!((votes - 1.0).abs() < 1e-12, "{ranked:?}");
    }
}

#[test]
fn votes_are_surer_far_from_a_tie_than_at_one() {
    let values = learned(&drawn_log(2_000, 3), &quick());
    let vote = |x: f32| values.votes(&values.by_member(&[x, 0.5, 0.5]));
    let (below, above) = (vote(0.1), vote(0.9));
    assert!(10.0 * below[1] < below[0] && 10.0 * above[0] < above[1], "{below:?} {above:?}");
    let tie = Array2::from_shape_fn((4, 3), |(member, action)| match action {
        2 => -1_000.0,
        _ => ((member + action) % 2) as f64,
    });
    let vote = values.votes(&tie)[1];
    assert!((0.35..0.65).contains(&vote), "{vote}");
}

#[test]
fn votes_are_less_sure_of_actions_that_were_tried_less() {
    let [few, many] = [300, 6_000].map(|n_rows| learned(&drawn_log(n_rows, 3), &quick()));
    // No bootstrap disagrees, so all doubt is about what they cannot show.
    let agreed = Array2::from_shape_fn((4, 3), |(_, action)| [0.0, 0.4, -1_000.0][action]);
    let [of_few, of_many] = [few, many].map(|values| values.votes(&agreed)[1]);
    assert!(0.5 < of_few && of_few + 0.1 < of_many, "{of_few} {of_many}");
}

#[test]
fn values_depend_on_the_seed_but_not_on_the_number_of_threads() {
    let log = drawn_log(600, 4);
    let with = |n_threads, seed| learned(&log, &LearnerSettings { n_threads, seed, ..quick() });
    let one = with(1, 7);
    assert_eq!(one, with(3, 7));
    assert_ne!(one, with(1, 8));
}

#[test]
fn an_action_with_few_rows_has_no_trees_of_its_own() {
    let mut log = drawn_log(1_000, 5);
    assert!(log.n_effective(2) < 30.0, "{}", log.n_effective(2));
    let values = learned(&log, &quick());
    let [known, rare] = [1, 2].map(|action| values.n_effective(action));
    assert!(100.0 < known && rare < 30.0, "{known} {rare}");
    let own = |action: usize| values.members.iter().filter(|it| it.has_own(action)).count();
    assert_eq!([own(0), own(1), own(2)], [4, 4, 0]);
    log.propensities.fill(0.5);
    let n_taken = log.actions.iter().filter(|it| **it == 1).count();
    assert!((log.n_effective(1) - n_taken as f64).abs() < 1e-6);
}

#[test]
fn p_best_is_the_share_of_hits_of_each_first_action() {
    let mut dice = generator(6, 0);
    let truth = |action: usize, vote: f64| [0.3, 0.5, 0.9][action] + [0.4, 0.2, 0.0][action] * vote;
    let rows: Vec<JudgedAction> = (0..40_100)
        .map(|at| {
            // Action 2 is first too rarely for a map of its own.
            let action = if at < 100 { 2 } else { at % 2 };
            let vote: f64 = dice.r#gen();
            JudgedAction { action, vote, is_best: dice.r#gen::<f64>() < truth(action, vote) }
        })
        .collect();
    let confidence = Confidence::fit(&rows);
    let p_best = |action, vote| {
        confidence.p_best(&ActionValue { action, value: 0.0, standard_error: 1.0, vote })
    };
    for vote in [0.1, 0.3, 0.5, 0.7, 0.9] {
        let shown = [0, 1].map(|action| p_best(action, vote));
        let far = [0, 1].map(|action| (shown[action] - truth(action, vote)).abs());
        assert!(far.into_iter().all(|it| it < 0.06), "{shown:?} at {vote}");
        let of_all = f64::midpoint(truth(0, vote), truth(1, vote));
        assert!((p_best(2, vote) - of_all).abs() < 0.06, "{} at {vote}", p_best(2, vote));
    }
}

#[test]
fn a_log_that_does_not_fit_together_is_refused() {
    let refused = |change: &dyn Fn(&mut ActionLog)| {
        let mut log = drawn_log(50, 7);
        change(&mut log);
        match learn(&log, &quick()) {
            Err(FitError::ActionLog(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let of_length = |what| ActionLogError::Length { what, n_rows: 50, n_values: 49 };
    assert_eq!(refused(&|log| log.actions.truncate(49)), of_length("actions"));
    assert_eq!(refused(&|log| log.propensities.truncate(49)), of_length("propensities"));
    assert_eq!(refused(&|log| log.rewards.truncate(49)), of_length("rewards"));
    let action = ActionLogError::Action { row: 3, action: 3, n_actions: 3 };
    assert_eq!(refused(&|log| log.actions[3] = 3), action);
    for propensity in [0.0, -0.1, 1.1] {
        let error = ActionLogError::Propensity { row: 4, propensity };
        assert_eq!(refused(&|log| log.propensities[4] = propensity), error);
    }
    let reward = ActionLogError::Reward { row: 5, reward: f32::INFINITY };
    assert_eq!(refused(&|log| log.rewards[5] = f32::INFINITY), reward);
}

#[test]
fn one_bootstrap_and_no_rows_are_refused() {
    let one = learn(&drawn_log(50, 8), &LearnerSettings { n_members: 1, ..quick() });
    let allowed = "2 to 1,000";
    let error = ParamsError { name: "n_members", value: 1.0, allowed };
    assert!(matches!(&one, Err(FitError::Params(found)) if *found == error), "{one:?}");
    let none = learn(&drawn_log(0, 8), &quick());
    assert!(matches!(none, Err(FitError::NoRows)), "{none:?}");
}
