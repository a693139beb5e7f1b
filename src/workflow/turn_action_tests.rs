//! Whatever a counterfactual says must come true when its values are judged.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::decision::attribution::Inputs;
use crate::decision::decide::{DecideInput, Decided, decide};
use crate::decision::fixtures::strategy;
use crate::decision::strategy::Strategy;
use crate::domain::counterfactual::{
    Counterfactual, CounterfactualDirection, CounterfactualProof, CounterfactualSearch,
};
use crate::domain::decision::ActionKind;
use crate::domain::feature::FeatureGroup;
use crate::domain::head::HeadScore;
use crate::domain::order::Order;
use crate::domain::risk::Probability;
use crate::model::bundle::Bundle;
use crate::workflow::fixtures::{bundle, changeable_bundle, head, order};
use crate::workflow::turn_action::Judged;

const N_ORDERS: usize = 40;
const DIRECTIONS: [CounterfactualDirection; 2] =
    [CounterfactualDirection::TowardRelease, CounterfactualDirection::TowardStopping];

struct Case<'a> {
    bundle: &'a Bundle,
    strategy: &'a Strategy,
    order: Order,
    values: Vec<f32>,
    scores: Vec<HeadScore>,
    decided: Decided,
}

impl<'a> Case<'a> {
    fn new(bundle: &'a Bundle, strategy: &'a Strategy, values: Vec<f32>) -> Self {
        let (order, scores) = (order(1), bundle.score(&values));
        let input = DecideInput {
            scores: &scores,
            recalibrate: bundle,
            inputs: Inputs { specs: &bundle.manifest().features, values: &values },
            order: &order,
            evidence: None,
            actions_max: 3,
            contributions_max: 0,
        };
        let decided = decide(strategy, &input);
        Self { bundle, strategy, order, values, scores, decided }
    }

    fn judged(&self) -> Judged<'_> {
        Judged {
            bundle: self.bundle,
            engine: self.bundle.engine(),
            strategy: self.strategy,
            order: &self.order,
            values: &self.values,
            scores: &self.scores,
            risks: &self.decided.risks,
        }
    }

    /// The whole decision about the order with the values of a counterfactual.
    #[expect(clippy::cast_possible_truncation, reason = "what was widened is narrowed")]
    fn with(&self, found: &Counterfactual) -> Case<'a> {
        let mut values = self.values.clone();
        for change in found.levers.iter().flat_map(|lever| &lever.features) {
            let specs = &self.bundle.manifest().features;
            let at = specs.iter().position(|spec| spec.id == change.feature).unwrap();
            assert_eq!(change.from, Some(f64::from(values[at])));
            values[at] = change.to.unwrap() as f32;
        }
        Case::new(self.bundle, self.strategy, values)
    }

    fn first_action(&self) -> ActionKind {
        self.decided.actions[0].action
    }

    fn probability(&self) -> Probability {
        self.decided.risks[0].probability
    }
}

fn cases<'a>(bundle: &'a Bundle, strategy: &'a Strategy) -> Vec<Case<'a>> {
    let mut dice = ChaCha8Rng::seed_from_u64(11);
    let n_features = bundle.manifest().features.len();
    let mut row = || (0..n_features).map(|_| dice.gen_range(0_u8..6).into()).collect();
    (0..N_ORDERS).map(|_| Case::new(bundle, strategy, row())).collect()
}

/// Judges every listed change again; gives how many there were.
fn check_other_action(case: &Case<'_>, search: &CounterfactualSearch) -> usize {
    for found in &search.counterfactuals {
        let again = case.with(found);
        assert_eq!(again.first_action(), found.first_action);
        assert_ne!(again.first_action(), case.first_action());
        assert_eq!(again.probability(), found.probability);
        assert!((1..=3).contains(&found.levers.len()));
        assert!(found.text.en.starts_with("With ") && found.text.zh.starts_with('若'));
    }
    search.counterfactuals.len()
}

#[test]
fn every_counterfactual_turns_the_first_action_when_it_is_judged() {
    let (bundle, strategy) = (changeable_bundle(), strategy());
    let mut n_found = [0, 0];
    for case in cases(&bundle, &strategy) {
        for (direction, n_found) in DIRECTIONS.into_iter().zip(&mut n_found) {
            let search = case.judged().other_action(direction).unwrap();
            *n_found += check_other_action(&case, &search);
            assert_eq!(search.proof, CounterfactualProof::Complete);
            assert!(search.counterfactuals.iter().all(|found| found.is_proven_minimal));
            assert_eq!(Some(search), case.judged().other_action(direction));
        }
    }
    assert!(n_found.iter().all(|n| N_ORDERS / 4 < *n), "found {n_found:?}");
}

#[test]
fn a_given_probability_is_reached_or_passed() {
    let (bundle, strategy) = (changeable_bundle(), strategy());
    let mut n_found = 0;
    for case in cases(&bundle, &strategy) {
        for target in [0.2, 0.6].map(Probability::clamped) {
            let search = case.judged().given_probability(&head(), target).unwrap();
            let is_down = target < case.probability();
            for found in &search.counterfactuals {
                let reached = case.with(found).probability();
                assert_eq!(reached, found.probability);
                assert!(if is_down { reached <= target } else { target <= reached });
                n_found += 1;
            }
        }
    }
    assert!(N_ORDERS / 2 < n_found, "found {n_found}");
}

#[test]
fn a_strategy_that_weighs_themes_gets_changes_but_no_proof() {
    let (bundle, mut strategy) = (changeable_bundle(), strategy());
    for group in FeatureGroup::ALL {
        strategy.weights = strategy.weights.with(group, 1.5);
    }
    let mut n_found = 0;
    for case in cases(&bundle, &strategy) {
        let search = case.judged().other_action(CounterfactualDirection::TowardRelease).unwrap();
        n_found += check_other_action(&case, &search);
        assert_eq!(search.proof, CounterfactualProof::Reweighted);
        assert!(search.counterfactuals.iter().all(|found| !found.is_proven_minimal));
    }
    assert!(0 < n_found);
}

#[test]
fn what_an_order_cannot_change_is_left_as_it_is() {
    let (bundle, strategy) = (bundle(), strategy());
    for case in cases(&bundle, &strategy) {
        let search = case.judged().other_action(CounterfactualDirection::TowardRelease).unwrap();
        for change in search.counterfactuals.iter().flat_map(|it| &it.levers) {
            let specs = &bundle.manifest().features;
            let spec = specs.iter().find(|spec| spec.id == change.lever).unwrap();
            assert!(spec.is_changeable);
        }
    }
}
