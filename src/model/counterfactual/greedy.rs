//! A quick change without proof, for searches that run out of budget.

use crate::model::counterfactual::cubes::Cubes;
use crate::model::counterfactual::question::Question;
use crate::model::counterfactual::search::CHANGES_MAX;
use crate::model::counterfactual::search_forest::SearchForest;
use crate::model::counterfactual::singles::Singles;

/// Takes the setting that helps most, then again with the order as it is then; `None`
/// when three of them do not do. Settings by lever, ascending.
pub(super) fn best_by_steps(
    forest: &SearchForest,
    question: &Question<'_>,
) -> Option<Vec<(usize, usize)>> {
    let levers = question.levers;
    let mut ranks = question.ranks.to_vec();
    let mut chosen: Vec<(usize, usize)> = Vec::new();
    while chosen.len() < CHANGES_MAX {
        let now = Question { ranks: &ranks, ..*question };
        let cubes = Cubes::new(forest, &now);
        let singles = Singles::new(&cubes);
        let free = (0..levers.n_levers()).filter(|lever| chosen.iter().all(|(at, _)| at != lever));
        let best_of = |lever| {
            let shifts = singles.of(lever).iter().zip(0..);
            shifts.map(|(shift, position)| (*shift, lever, position)).min()
        };
        let (_, lever, position) = free.filter_map(best_of).min()?;
        levers.apply(&levers.settings(lever)[position], &mut ranks);
        chosen.push((lever, position));
        chosen.sort_unstable();
        if question.goal.is_met(forest.margin(&ranks)) {
            return question.is_plausible(&chosen).then_some(chosen);
        }
    }
    None
}
