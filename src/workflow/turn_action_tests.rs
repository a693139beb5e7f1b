//! What a counterfactual says comes true for the order that it speaks of.

use std::cell::RefCell;
use std::sync::Arc;

use crate::decision::rule::{Rule, Rules};
use crate::decision::rule_expression::{Comparison, Expression};
use crate::decision::rule_facts::{Facts, OrderFact, OrderView, Variable};
use crate::decision::strategy::{ActionPolicy, Strategy};
use crate::domain::counterfactual::{
    Counterfactual, CounterfactualDirection, CounterfactualProof, CounterfactualSearch, LeverChange,
};
use crate::domain::decision::{ActionKind, Decision};
use crate::domain::feature::{FeatureGroup, FeatureSpec};
use crate::domain::order::Order;
use crate::domain::record::{ReceivedEvent, Record, ScoreRequest, ScoredOrder};
use crate::domain::risk::Probability;
use crate::domain::text::Text;
use crate::feature::catalog::Catalog;
use crate::feature::edits::{OrderEdit, OrderField};
use crate::model::bundle::Bundle;
use crate::store::log::as_recorded;
use crate::workflow::approved_orders::BackgroundRule;
use crate::workflow::fixtures::{
    at, basket_bundle, basket_order, bundle, event, head, judge, new_id, reader, request,
};
use crate::workflow::judge_order::{ActiveStrategy, Judge, Stamp};
use crate::workflow::sight::{Given, Sight};
use crate::workflow::state::State;

/// Orders that the graph knows, then orders that are asked about.
const N_KNOWN: u32 = 60;
const N_ORDERS: u32 = 60;
const DIRECTIONS: [CounterfactualDirection; 2] =
    [CounterfactualDirection::TowardRelease, CounterfactualDirection::TowardStopping];

struct Shop {
    judge: Judge,
    catalog: Catalog,
    state: RefCell<State>,
}

struct Case<'a> {
    shop: &'a Shop,
    request: ScoreRequest,
    sight: Sight,
    decision: Decision,
}

impl Shop {
    fn new(bundle: Arc<Bundle>) -> Self {
        let mut state = State::empty(BackgroundRule::OFF);
        for n in 0..N_KNOWN {
            let placed = crate::domain::event::Fact::OrderPlaced(basket_order(n));
            let event = event(format!("placed {n}"), at(n.into()), placed);
            state.fold(&Record::Event(ReceivedEvent { event, received_time: at(n.into()) }));
        }
        let manifest = bundle.manifest();
        let ids: Vec<Arc<str>> = manifest.features.iter().map(|spec| spec.id.clone()).collect();
        let catalog = Catalog::new(&manifest.schema).select(&ids).unwrap();
        Self { judge: judge(bundle, "plain"), catalog, state: RefCell::new(state) }
    }

    fn under(bundle: Arc<Bundle>, change: impl Fn(&mut Strategy)) -> Self {
        let mut strategy = (reader())("plain").unwrap().strategy;
        change(&mut strategy);
        let active = Arc::new(ActiveStrategy { strategy, toml: "".into() });
        let shop = Self::new(bundle.clone());
        Self { judge: Judge::new(bundle, active, "test").unwrap(), ..shop }
    }

    fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        (N_KNOWN..N_KNOWN + N_ORDERS).map(|n| self.case(basket_order(n), n, &[]))
    }

    fn case(&self, order: Order, n: u32, given: &[Given]) -> Case<'_> {
        let request = ScoreRequest { order, ..request(n) };
        let stamp = Stamp { decision_id: new_id(at(0)), received_time: at(0) };
        let sight = self.judge.see(&mut self.state.borrow_mut(), &request, given, || 0);
        let decision = self.judge.decide(&sight, &request, &stamp, || 0);
        Case { shop: self, request, sight, decision }
    }

    fn specs(&self) -> &[FeatureSpec] {
        self.catalog.specs()
    }
}

impl<'a> Case<'a> {
    fn other_action(&self, direction: CounterfactualDirection) -> CounterfactualSearch {
        let Self { shop, request, sight, decision } = self;
        shop.judge.judged(sight, request, &decision.risks).other_action(direction).unwrap()
    }

    fn given_probability(&self, target: Probability) -> CounterfactualSearch {
        let Self { shop, request, sight, decision } = self;
        let judged = shop.judge.judged(sight, request, &decision.risks);
        judged.given_probability(&head(), target).unwrap()
    }

    /// The order that a counterfactual speaks of, read and judged from the start.
    fn with(&self, found: &Counterfactual) -> Case<'a> {
        let mut order = self.request.order.clone();
        let edits = found.levers.iter().map(|lever| self.edit(lever, lever.features[0].to));
        edits.for_each(|edit| edit.apply(&mut order));
        let n = u32::try_from((self.request.event_time - at(0)).0 / 60_000_000).unwrap();
        self.shop.case(order, n, &[])
    }

    fn edit(&self, lever: &LeverChange, to: Option<f64>) -> OrderEdit {
        let specs = self.shop.specs();
        let at = specs.iter().position(|spec| spec.id == lever.lever).unwrap();
        assert_eq!(lever.lever, lever.features[0].feature);
        self.shop.catalog.edit(at, to.unwrap(), &self.request.order).unwrap()
    }

    fn first_action(&self) -> ActionKind {
        self.decision.actions[0].action
    }

    fn probability(&self) -> Probability {
        self.decision.risks[0].probability
    }

    /// Features and values that differ from another order's.
    fn differences(&self, other: &Self) -> Vec<(Arc<str>, Option<f64>, Option<f64>)> {
        let known = |value: f32| (!value.is_nan()).then(|| f64::from(value));
        let values = self.decision.features.iter().zip(&other.decision.features);
        let pairs = self.shop.specs().iter().zip(values);
        let named = pairs.map(|(spec, (a, b))| (spec.id.clone(), known(*a), known(*b)));
        named.filter(|(_, a, b)| a != b).collect()
    }
}

/// Judges every listed change from the start; gives how many there were.
fn check(case: &Case<'_>, search: &CounterfactualSearch) -> usize {
    for found in &search.counterfactuals {
        let again = case.with(found);
        let changes = found.levers.iter().flat_map(|lever| &lever.features);
        let mut told: Vec<_> =
            changes.map(|change| (change.feature.clone(), change.from, change.to)).collect();
        let mut is = case.differences(&again);
        told.sort_by(|a, b| a.0.cmp(&b.0));
        is.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(told, is, "{}", found.text.en);
        assert_eq!(again.first_action(), found.first_action);
        assert_eq!(again.probability(), found.probability);
        assert!((1..=3).contains(&found.levers.len()));
        check_ranges(case, found);
    }
    search.counterfactuals.len()
}

/// At both ends of every range the order that is meant does as well.
fn check_ranges(case: &Case<'_>, found: &Counterfactual) {
    for (at, lever) in found.levers.iter().enumerate() {
        let Some(range) = lever.range else { continue };
        let to = lever.features[0].to.unwrap();
        assert!(range.lowest <= to && to <= range.highest, "{range:?} {to}");
        for end in [range.lowest, range.highest] {
            let mut other = found.clone();
            other.levers[at].features[0].to = Some(end);
            assert_ne!(case.with(&other).first_action(), case.first_action(), "{range:?}");
        }
    }
}

#[test]
fn every_counterfactual_turns_the_first_action_of_the_order_that_it_speaks_of() {
    let shop = Shop::new(basket_bundle());
    let (mut n_found, mut n_joint, mut n_ranges) = ([0, 0], 0, 0);
    for case in shop.cases() {
        for (direction, n_found) in DIRECTIONS.into_iter().zip(&mut n_found) {
            let search = case.other_action(direction);
            *n_found += check(&case, &search);
            assert_eq!(search.proof, CounterfactualProof::Complete);
            assert!(search.counterfactuals.iter().all(|found| found.is_proven_minimal));
            let levers = search.counterfactuals.iter().flat_map(|found| &found.levers);
            n_joint += levers.clone().filter(|lever| 2 < lever.features.len()).count();
            n_ranges +=
                levers.filter_map(|it| it.range).filter(|it| it.lowest < it.highest).count();
            assert_eq!(search, case.other_action(direction));
            let starts = |it: &Counterfactual| {
                it.text.en.starts_with("With ") && it.text.zh.starts_with('若')
            };
            assert!(search.counterfactuals.iter().all(starts));
        }
    }
    let n_wanted = usize::try_from(N_ORDERS).unwrap() / 10;
    assert!(n_found.iter().all(|n| n_wanted < *n), "found {n_found:?}");
    assert!(n_wanted < n_joint, "only {n_joint} levers move more than two features");
    assert!(n_wanted < n_ranges, "only {n_ranges} ranges are wider than a value");
}

#[test]
fn a_given_probability_is_reached_or_passed() {
    let shop = Shop::new(basket_bundle());
    let mut n_found = 0;
    for case in shop.cases() {
        for target in [0.2, 0.6].map(Probability::clamped) {
            let is_down = target < case.probability();
            for found in &case.given_probability(target).counterfactuals {
                let reached = case.with(found).probability();
                assert_eq!(reached, found.probability);
                assert!(if is_down { reached <= target } else { target <= reached });
                n_found += 1;
            }
        }
    }
    assert!(usize::try_from(N_ORDERS).unwrap() / 2 < n_found, "found {n_found}");
}

#[test]
fn a_strategy_that_weighs_themes_gets_changes_but_no_proof() {
    let shop = Shop::under(basket_bundle(), |strategy| {
        for group in FeatureGroup::ALL {
            strategy.weights = strategy.weights.with(group, 1.5);
        }
    });
    let mut n_found = 0;
    for case in shop.cases() {
        let search = case.other_action(CounterfactualDirection::TowardRelease);
        n_found += check(&case, &search);
        assert_eq!(search.proof, CounterfactualProof::Reweighted);
        assert!(search.counterfactuals.iter().all(|found| !found.is_proven_minimal));
    }
    assert!(0 < n_found);
}

/// Rules over what a search moves: the score, its band, a fact and a feature.
fn forcing_rules() -> Rules {
    let more = |variable, number| {
        let pair = [Expression::Variable(variable), Expression::Number(number)];
        Expression::Compare(Comparison::More, Box::new(pair))
    };
    let rule = |id: &str, priority, force, when| Rule {
        id: id.into(),
        when,
        priority,
        force: Some(force),
        tags: Vec::new(),
        emit: Vec::new(),
        title: Text::new(id, id),
    };
    Rules {
        rules: vec![
            rule("risky", 1, ActionKind::Review, more(Variable::Risk(head()), 0.4)),
            rule("dear", 3, ActionKind::Decline, more(Variable::Order(OrderFact::Amount), 450.0)),
            rule("many", 2, ActionKind::Approve, more(Variable::Feature(0), 4.0)),
        ],
        features: vec!["order_quantity_sum".into()],
    }
}

#[test]
fn a_search_sees_what_rules_force() {
    let shop = Shop::under(basket_bundle(), |strategy| strategy.rules = forcing_rules());
    let (mut n_forced, mut n_found) = (0, 0);
    for case in shop.cases() {
        n_forced += usize::from(case.decision.actions[0].forced_by.is_some());
        for direction in DIRECTIONS {
            n_found += check(&case, &case.other_action(direction));
        }
    }
    let n_wanted = usize::try_from(N_ORDERS).unwrap() / 6;
    assert!(n_wanted < n_forced && n_wanted < n_found, "{n_forced} forced, {n_found} found");
}

#[test]
fn a_record_alone_tells_again_what_its_rules_did() {
    let shop = Shop::under(basket_bundle(), |strategy| strategy.rules = forcing_rules());
    let strategy = &shop.judge.strategy().strategy;
    let places = strategy.rules.places(shop.specs());
    let mut n_outcomes = 0;
    for Case { request, decision, .. } in shop.cases() {
        let scored = ScoredOrder { request, decision: Arc::new(decision) };
        let recorded = as_recorded(Arc::new(scored)).unwrap();
        let (request, decision) = (&recorded.request, &recorded.decision);
        let view = OrderView {
            order: &request.order,
            event_time: request.event_time,
            values: &decision.features,
            places: &places,
        };
        let facts = Facts::new(strategy, view, &decision.risks);
        let is_eligible = |policy: &&ActionPolicy| {
            decision.impacts.iter().any(|impact| impact.action == policy.kind)
        };
        let eligible: Vec<&ActionPolicy> = strategy.actions.iter().filter(is_eligible).collect();
        assert_eq!(strategy.rules.apply(&facts, &eligible).outcomes, decision.rules);
        n_outcomes += decision.rules.len();
    }
    assert!(usize::try_from(N_ORDERS).unwrap() / 2 < n_outcomes, "{n_outcomes}");
}

#[test]
fn a_judge_refuses_a_rule_about_a_feature_that_its_bundle_does_not_read() {
    let mut strategy = (reader())("plain").unwrap().strategy;
    strategy.rules = forcing_rules();
    strategy.rules.features = vec!["order_quantity_sun".into()];
    let active = Arc::new(ActiveStrategy { strategy, toml: "".into() });
    let error = Judge::new(basket_bundle(), active, "test").unwrap_err().to_string();
    assert!(error.contains("rule `many`") && error.ends_with("`order_quantity_sum`?"), "{error}");
}

#[test]
fn a_field_is_one_lever_however_many_features_read_it() {
    let shop = Shop::new(basket_bundle());
    for case in shop.cases() {
        for direction in DIRECTIONS {
            for found in &case.other_action(direction).counterfactuals {
                let to = |lever: &LeverChange| lever.features[0].to;
                let mut fields: Vec<OrderField> =
                    found.levers.iter().map(|lever| case.edit(lever, to(lever)).field()).collect();
                fields.dedup();
                assert_eq!(fields.len(), found.levers.len(), "{}", found.text.en);
                assert!(fields.is_sorted());
            }
        }
    }
}

#[test]
fn a_feature_that_is_given_is_not_moved() {
    let shop = Shop::new(basket_bundle());
    let specs = shop.specs();
    let given: Vec<Given> = (0..specs.len())
        .filter(|at| specs[*at].id.starts_with("order_amount"))
        .map(|at| Given { at, value: 300.0 })
        .collect();
    assert!(!given.is_empty());
    let mut n_found = 0;
    for n in N_KNOWN..N_KNOWN + N_ORDERS {
        let case = shop.case(basket_order(n), n, &given);
        let release = case.other_action(CounterfactualDirection::TowardRelease);
        let levers = release.counterfactuals.iter().flat_map(|found| &found.levers);
        for change in levers.flat_map(|lever| &lever.features) {
            assert!(!change.feature.starts_with("order_amount"), "{}", change.feature);
            n_found += 1;
        }
    }
    assert!(0 < n_found);
}

#[test]
fn what_an_order_cannot_change_is_left_as_it_is() {
    let shop = Shop::new(bundle());
    for case in shop.cases() {
        let search = case.other_action(CounterfactualDirection::TowardRelease);
        let levers = search.counterfactuals.iter().flat_map(|it| &it.levers);
        for change in levers.filter_map(|lever| lever.features.first()) {
            let spec = shop.specs().iter().find(|spec| spec.id == change.feature).unwrap();
            assert!(spec.is_changeable);
        }
    }
}
