//! The search against going through everything, on small forests.

use proptest::prelude::*;

use crate::model::counterfactual::answer::{Change, Found, Proof};
use crate::model::counterfactual::feature_levers::{Present, Way, feature_levers};
use crate::model::counterfactual::lever::Levers;
use crate::model::counterfactual::plausibility::{Plausibility, SeenFeature, pair_position};
use crate::model::counterfactual::question::{Goal, Limits, Question};
use crate::model::counterfactual::region::settings_around;
use crate::model::counterfactual::search::{CHANGES_MAX, smallest_changes};
use crate::model::counterfactual::search_forest::SearchForest;
use crate::model::ensemble::{DEPTH_MAX, Ensemble, MissingSide, Split, Tree};

const N_FEATURES: u16 = 6;
const N_BORDERS: u8 = 5;
const LIMITS: Limits = Limits { answers_max: 3, work_max: u64::MAX };

prop_compose! {
    fn any_split()(feature in 0..N_FEATURES, border in 0..N_BORDERS, above: bool) -> Split {
        let missing = if above { MissingSide::Above } else { MissingSide::Below };
        Split { feature, border, missing }
    }
}

fn any_tree() -> impl Strategy<Value = Tree> {
    prop::collection::vec(any_split(), 0..=DEPTH_MAX).prop_flat_map(|splits| {
        let leaves = prop::collection::vec(-1.0_f32..1.0, 1 << splits.len());
        leaves.prop_map(move |leaves| {
            Tree::new(splits.clone(), &leaves, &vec![1.0; leaves.len()]).unwrap()
        })
    })
}

fn any_forest() -> impl Strategy<Value = SearchForest> {
    prop::collection::vec(any_tree(), 1..12)
        .prop_map(|trees| SearchForest::compile(&Ensemble::new(0.1, trees), N_FEATURES.into()))
}

/// Values are the ranks themselves; some ranks and some pairs were never seen.
fn any_plausibility() -> impl Strategy<Value = Plausibility> {
    let n_ranks = usize::from(N_BORDERS) + 1;
    let n = usize::from(N_FEATURES);
    let seen = prop::collection::vec(prop::bool::weighted(0.8), n * n_ranks);
    let n_pairs = pair_position(n, n - 2, n - 1) + 1;
    let rows = prop::collection::vec(0_u32..128, n_ranks + 1);
    let dense = rows.prop_map(|rows| rows.into_iter().map(|row| row | 0b101_0110).collect());
    let pairs = prop::collection::vec(dense, n_pairs);
    (seen, pairs, prop::collection::vec(0.3_f32..3.0, n)).prop_map(move |(seen, pairs, scales)| {
        let feature = |(seen, scale): (&[bool], f32)| SeenFeature {
            scale,
            values: (1_u8..).zip(seen).map(|(rank, seen)| seen.then_some(rank.into())).collect(),
            cells: (0..=N_BORDERS + 1).collect(),
        };
        let features = seen.chunks(n_ranks).zip(scales).map(feature).collect();
        Plausibility { features, linked: (0..N_FEATURES).collect(), pairs }
    })
}

/// Every plausible change of at most three levers that meets the goal, by number of levers
/// and cost.
fn all_changes(forest: &SearchForest, question: &Question<'_>) -> Vec<(usize, u32)> {
    let mut found = Vec::new();
    go_on(forest, question, 0, &mut Vec::new(), &mut found);
    found.sort_unstable();
    found
}

fn go_on(
    forest: &SearchForest,
    question: &Question<'_>,
    from: usize,
    chosen: &mut Vec<(usize, usize)>,
    found: &mut Vec<(usize, u32)>,
) {
    let levers = question.levers;
    let mut ranks = question.ranks.to_vec();
    for &(lever, setting) in &*chosen {
        levers.apply(&levers.settings(lever)[setting], &mut ranks);
    }
    if !chosen.is_empty()
        && question.goal.is_met(forest.margin(&ranks))
        && is_seen(question, &ranks, chosen)
    {
        found.push((chosen.len(), question.cost(chosen)));
    }
    if chosen.len() == CHANGES_MAX {
        return;
    }
    for lever in from..levers.n_levers() {
        for setting in 0..levers.settings(lever).len() {
            chosen.push((lever, setting));
            go_on(forest, question, lever + 1, chosen, found);
            chosen.pop();
        }
    }
}

/// Said without conflicts: what moved was seen with the final value of everything else.
fn is_seen(question: &Question<'_>, ranks: &[u8], chosen: &[(usize, usize)]) -> bool {
    let levers = question.levers;
    let moved = chosen
        .iter()
        .flat_map(|&(lever, setting)| levers.moves(&levers.settings(lever)[setting]))
        .collect::<Vec<_>>();
    moved.iter().all(|step| {
        (0..N_FEATURES).zip(ranks).all(|(other, &rank)| {
            question.plausibility.is_seen_together((step.feature, step.rank), (other, rank))
        })
    })
}

fn changed_ranks(question: &Question<'_>, change: &Change) -> Vec<u8> {
    let mut ranks = question.ranks.to_vec();
    for choice in &change.choices {
        let settings = question.levers.settings(choice.lever);
        question.levers.apply(&settings[choice.setting], &mut ranks);
    }
    ranks
}

/// Whatever is said must be so; how it was found does not matter.
fn check_claims(forest: &SearchForest, question: &Question<'_>, found: &Found) {
    for change in &found.answers {
        let ranks = changed_ranks(question, change);
        assert_eq!(forest.margin(&ranks), change.margin);
        assert!(question.goal.is_met(change.margin));
        let chosen: Vec<_> = change.choices.iter().map(|it| (it.lever, it.setting)).collect();
        assert!(is_seen(question, &ranks, &chosen));
        for at in 0..change.choices.len() {
            check_region(forest, question, change, at);
        }
    }
}

/// Every setting in the region does as well; the ones just outside do not.
fn check_region(forest: &SearchForest, question: &Question<'_>, change: &Change, at: usize) {
    let choice = change.choices[at];
    let levers = question.levers;
    let n_settings = levers.settings(choice.lever).len();
    let region = settings_around(forest, question, change, at, 0..n_settings);
    assert!(region.contains(&choice.setting) && region.end <= n_settings);
    let does = |position: usize| {
        let mut other = change.clone();
        other.choices[at].setting = position;
        let ranks = changed_ranks(question, &other);
        let chosen: Vec<_> = other.choices.iter().map(|it| (it.lever, it.setting)).collect();
        question.goal.is_met(forest.margin(&ranks)) && is_seen(question, &ranks, &chosen)
    };
    assert!(region.clone().all(does));
    assert!(region.start == 0 || !does(region.start - 1));
    assert!(region.end == n_settings || !does(region.end));
    let narrow = choice.setting..choice.setting + 1;
    assert_eq!(settings_around(forest, question, change, at, narrow.clone()), narrow);
}

fn levers_of(
    forest: &SearchForest,
    plausibility: &Plausibility,
    ranks: &[u8],
    n_levers: u16,
) -> Levers {
    let values: Vec<f32> = ranks.iter().map(|&rank| f32::from(rank)).collect();
    let present = Present { values: &values, ranks };
    let features = (0..n_levers).map(|feature| (feature, Way::Either));
    feature_levers(forest, plausibility, present, features)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_smaller_change_exists_than_the_one_found(
        forest in any_forest(),
        plausibility in any_plausibility(),
        ranks in prop::collection::vec(0..=N_BORDERS + 1, usize::from(N_FEATURES)),
        n_levers in 3..=N_FEATURES,
        raw in 0.0..4.0_f64,
        is_toward_release: bool,
    ) {
        let levers = levers_of(&forest, &plausibility, &ranks, n_levers);
        let margin = forest.margin(&ranks);
        let goal = if is_toward_release {
            Goal::AtMost(margin - 1 - forest.steps(raw))
        } else {
            Goal::AtLeast(margin + 1 + forest.steps(raw))
        };
        let question =
            Question { ranks: &ranks, levers: &levers, plausibility: &plausibility, goal, limits: LIMITS };
        let found = smallest_changes(&forest, &question);
        prop_assert_eq!(found.proof, Proof::Complete);
        check_claims(&forest, &question, &found);
        let first = found.answers.first().map(|change| (change.choices.len(), change.cost));
        prop_assert_eq!(first, all_changes(&forest, &question).first().copied());
    }

    #[test]
    fn a_search_cut_short_claims_nothing_that_is_not_so(
        forest in any_forest(),
        plausibility in any_plausibility(),
        ranks in prop::collection::vec(0..=N_BORDERS + 1, usize::from(N_FEATURES)),
        raw in 0.0..4.0_f64,
        work_max in 0_u64..2_000,
    ) {
        let levers = levers_of(&forest, &plausibility, &ranks, N_FEATURES);
        let goal = Goal::AtMost(forest.margin(&ranks) - 1 - forest.steps(raw));
        let limits = Limits { work_max, ..LIMITS };
        let question =
            Question { ranks: &ranks, levers: &levers, plausibility: &plausibility, goal, limits };
        let found = smallest_changes(&forest, &question);
        check_claims(&forest, &question, &found);
        let first = found.answers.first().map(|change| (change.choices.len(), change.cost));
        let best = all_changes(&forest, &question).first().copied();
        match found.proof {
            Proof::Complete => prop_assert_eq!(first, best),
            Proof::Budget => {
                prop_assert!(found.answers.iter().all(|change| !change.is_proven_minimal));
                prop_assert!(first.is_none() || best <= first);
            }
        }
    }
}
