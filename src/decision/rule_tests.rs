//! Rules: what a condition is for an order, and which rules take hold.
//!
//! Both ways of finding the first action must agree about them.

use proptest::prelude::*;
use proptest::strategy::Strategy as _;

use crate::decision::attribution::Inputs;
use crate::decision::decide::{DecideInput, Decided, decide, first_action};
use crate::decision::fixtures::{action, four_specs, input, order, strategy, sure_score};
use crate::decision::rule::{Rule, Rules};
use crate::decision::rule_expression::{Comparison, Expression, Missing, Operation, Search};
use crate::decision::rule_facts::{Facts, ItemFact, OrderFact, OrderView, Variable};
use crate::decision::strategy::{Eligibility, Strategy};
use crate::domain::decision::{ActionKind, DecisionState};
use crate::domain::entity::{EntityKind, IdentityKey};
use crate::domain::head::{HeadId, HeadScore};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{AttributeValue, ITEMS_MAX, Order, OrderItem};
use crate::domain::risk::RiskBand;
use crate::domain::rule::{RuleObstacle, RuleOutcome};
use crate::domain::text::Text;
use crate::domain::time::{Span, Timestamp};

const ANSWERS: [Result<bool, Missing>; 3] = [Ok(false), Ok(true), Err(Missing)];

/// A condition with a given answer.
fn answering(answer: Result<bool, Missing>) -> Expression {
    match answer {
        Ok(flag) => Expression::Flag(flag),
        // No order of the fixtures has a phone.
        Err(Missing) => Expression::Variable(Variable::Order(OrderFact::Names(EntityKind::Phone))),
    }
}

fn of_order(fact: OrderFact) -> Expression {
    Expression::Variable(Variable::Order(fact))
}

fn compare(a: Expression, comparison: Comparison, b: Expression) -> Expression {
    Expression::Compare(comparison, Box::new([a, b]))
}

fn more_than(a: Expression, number: f64) -> Expression {
    compare(a, Comparison::More, Expression::Number(number))
}

fn is_word(a: Expression, word: &str) -> Expression {
    compare(a, Comparison::Equal, Expression::Text(word.into()))
}

/// A basket of one item per given price, of 3 pieces each.
fn with_items(prices: &[Option<i64>]) -> Order {
    let mut order = order();
    let key = IdentityKey::from_secret(b"test");
    let price = |minor_units| Money { currency: Currency::CNY, minor_units };
    let item = |minor: &Option<i64>| OrderItem {
        sku: key.entity(EntityKind::Sku, "LIM-001"),
        quantity: 3,
        unit_price: minor.map(price),
    };
    order.items = prices.iter().map(item).collect();
    order
}

fn holds(expression: &Expression, order: &Order) -> Result<bool, Missing> {
    let strategy = strategy();
    let event_time = Timestamp(0) + Span::hours(31);
    let view =
        OrderView { order, event_time, values: &[f32::NAN, 2.5], places: &[Some(0), Some(1)] };
    expression.holds(&Facts::new(&strategy, view, &[]))
}

fn rule(id: &str, when: Expression, priority: i64, force: Option<ActionKind>) -> Rule {
    Rule {
        id: id.into(),
        when,
        priority,
        force,
        tags: vec!["seen".into(), id.into()],
        emit: vec![format!("{id}_notice").into()],
        title: Text::new(id, id),
    }
}

fn under(rules: Vec<Rule>) -> Strategy {
    let mut strategy = strategy();
    strategy.actions.push(action(ActionKind::Hold, 0.6, 0.01));
    let elevated = Eligibility { band_at_least: Some(RiskBand::High), ..Eligibility::default() };
    strategy.actions.push(crate::decision::strategy::ActionPolicy {
        when: elevated,
        ..action(ActionKind::Challenge, 0.6, 0.01)
    });
    strategy.rules = Rules { rules, features: Vec::new() };
    strategy
}

fn decided(rules: Vec<Rule>, score: HeadScore) -> Decided {
    decide(&under(rules), &input(&[score], &[], &order()))
}

fn safe() -> HeadScore {
    sure_score("payment_fraud", 0.001)
}

fn told(outcomes: &[RuleOutcome]) -> Vec<(&str, Option<RuleObstacle>)> {
    outcomes.iter().map(|outcome| (&*outcome.rule, outcome.obstacle)).collect()
}

#[test]
fn what_is_missing_matters_only_where_the_rest_does_not_decide() {
    for a in ANSWERS {
        for b in ANSWERS {
            let pair = || Box::new([answering(a), answering(b)]);
            let both = if a == Ok(false) || b == Ok(false) { Ok(false) } else { a.and(b) };
            assert_eq!(holds(&Expression::And(pair()), &order()), both, "{a:?} && {b:?}");
            let any = if a == Ok(true) || b == Ok(true) {
                Ok(true)
            } else {
                a.and_then(|a| b.map(|b| a || b))
            };
            assert_eq!(holds(&Expression::Or(pair()), &order()), any, "{a:?} || {b:?}");
        }
        let not = Expression::Not(Box::new(answering(a)));
        assert_eq!(holds(&not, &order()), a.map(|a| !a));
        let is_known = Expression::Has(Box::new(answering(a)));
        assert_eq!(holds(&is_known, &order()), Ok(a.is_ok()));
    }
}

#[test]
fn facts_are_in_the_units_that_the_table_names() {
    let mut order = with_items(&[Some(1_999), None]);
    order.account_created_at = Some(Timestamp(0) - Span::days(1));
    order.attributes.insert("lane".into(), AttributeValue::Number(4.0));
    order.attributes.insert("kind".into(), AttributeValue::Category("gift".into()));
    let lane = |name: &str| Expression::Variable(Variable::NumberAttribute(name.into()));
    let cases = [
        (more_than(of_order(OrderFact::Amount), 999.0), Ok(true)),
        (more_than(of_order(OrderFact::Amount), 1_000.0), Ok(false)),
        (more_than(of_order(OrderFact::AmountMinor), 99_999.0), Ok(true)),
        (more_than(of_order(OrderFact::Quantity), 5.0), Ok(true)),
        (more_than(of_order(OrderFact::Discount), 0.0), Err(Missing)),
        (is_word(of_order(OrderFact::Channel), "app"), Ok(true)),
        (is_word(of_order(OrderFact::Currency), "CNY"), Ok(true)),
        (more_than(of_order(OrderFact::AccountAgeDays), 2.29), Ok(true)),
        (more_than(of_order(OrderFact::AccountAgeDays), 2.30), Ok(false)),
        // 1970-01-02 07:00, a Friday.
        (
            compare(of_order(OrderFact::HourOfDay), Comparison::Equal, Expression::Number(7.0)),
            Ok(true),
        ),
        (
            compare(of_order(OrderFact::DayOfWeek), Comparison::Equal, Expression::Number(4.0)),
            Ok(true),
        ),
        (more_than(lane("lane"), 3.0), Ok(true)),
        (more_than(lane("kind"), 3.0), Err(Missing)),
        (more_than(Expression::Variable(Variable::Feature(0)), 3.0), Err(Missing)),
        (more_than(Expression::Variable(Variable::Feature(1)), 2.0), Ok(true)),
        (more_than(Expression::Variable(Variable::Feature(2)), 2.0), Err(Missing)),
        (more_than(Expression::Variable(Variable::Risk(HeadId("x".into()))), 0.0), Err(Missing)),
        (more_than(Expression::ItemCount, 1.0), Ok(true)),
        (
            more_than(
                Expression::Calculate(
                    Operation::Divide,
                    Box::new([of_order(OrderFact::Amount), Expression::Number(0.0)]),
                ),
                1e300,
            ),
            Ok(true),
        ),
        (
            Expression::Search(
                Search::Anywhere,
                Box::new([of_order(OrderFact::Channel), Expression::Text("pp".into())]),
            ),
            Ok(true),
        ),
    ];
    for (expression, expected) in cases {
        assert_eq!(holds(&expression, &order), expected, "{expression:?}");
    }
}

#[test]
fn a_look_through_the_basket_stops_where_an_item_decides() {
    let dear =
        || Box::new(more_than(Expression::Item { fact: ItemFact::UnitPrice, outer: 0 }, 10.0));
    let any = |prices: &[Option<i64>]| holds(&Expression::AnyItem(dear()), &with_items(prices));
    let every = |prices: &[Option<i64>]| holds(&Expression::EveryItem(dear()), &with_items(prices));
    assert_eq!((any(&[]), every(&[])), (Ok(false), Ok(true)));
    assert_eq!((any(&[None]), every(&[None])), (Err(Missing), Err(Missing)));
    let (cheap, dear) = (Some(900), Some(1_100));
    assert_eq!((any(&[None, dear]), every(&[None, dear])), (Ok(true), Err(Missing)));
    assert_eq!((any(&[None, cheap]), every(&[None, cheap])), (Err(Missing), Ok(false)));
}

#[test]
fn steps_are_bounded_by_the_largest_basket() {
    let body = || Box::new(more_than(Expression::Item { fact: ItemFact::Quantity, outer: 0 }, 1.0));
    assert_eq!(Expression::AnyItem(body()).steps_max(), 3 * ITEMS_MAX as u64 + 1);
    let nested = Expression::AnyItem(Box::new(Expression::AnyItem(body())));
    assert_eq!(nested.steps_max(), (3 * ITEMS_MAX as u64 + 1) * ITEMS_MAX as u64 + 1);
}

#[test]
fn a_rule_adds_tags_notices_and_priority_and_leaves_the_actions_alone() {
    let always = || Expression::Flag(true);
    let rules = vec![rule("a", always(), 5, None), rule("b", always(), -2, None)];
    let plain = decided(Vec::new(), safe());
    let with_rules = decided(rules, safe());
    assert_eq!(with_rules.actions, plain.actions);
    assert_eq!(with_rules.impacts, plain.impacts);
    assert_eq!(*with_rules.ruling.tags, ["seen".into(), "a".into(), "b".into()]);
    assert_eq!(*with_rules.ruling.notices, ["a_notice".into(), "b_notice".into()]);
    assert_eq!(with_rules.ruling.priority, 3);
}

#[test]
fn a_rule_that_cannot_be_judged_says_what_was_missing_and_does_nothing() {
    let price = Expression::Item { fact: ItemFact::UnitPrice, outer: 0 };
    let when = Expression::And(Box::new([
        more_than(of_order(OrderFact::Discount), 1.0),
        Expression::Or(Box::new([
            more_than(of_order(OrderFact::Discount), 9.0),
            Expression::AnyItem(Box::new(more_than(price, 1.0))),
        ])),
    ]));
    let strategy = under(vec![rule("a", when, 5, Some(ActionKind::Hold))]);
    let order = with_items(&[None]);
    let decided = decide(&strategy, &input(&[safe()], &[], &order));
    assert_eq!(told(&decided.ruling.outcomes), [("a", Some(RuleObstacle::MissingInput))]);
    let missing = &decided.ruling.outcomes[0].missing_inputs;
    assert_eq!(**missing, ["order.discount".into(), "order.items.unit_price".into()]);
    assert_eq!((decided.ruling.priority, decided.ruling.tags.len()), (0, 0));
    assert_eq!(decided.actions[0].action, ActionKind::Approve);
}

#[test]
fn of_rules_that_force_the_highest_priority_wins_then_the_earliest() {
    let always = || Expression::Flag(true);
    let rules = vec![
        rule("first", always(), 1, Some(ActionKind::Review)),
        rule("second", always(), 7, Some(ActionKind::Hold)),
        rule("third", always(), 7, Some(ActionKind::Decline)),
        rule("same", always(), 0, Some(ActionKind::Hold)),
        rule("closed", always(), 9, Some(ActionKind::Challenge)),
        rule("absent", Expression::Flag(false), 99, Some(ActionKind::Decline)),
    ];
    let decided = decided(rules, safe());
    let expected = [
        ("first", Some(RuleObstacle::Overruled)),
        ("second", None),
        ("third", Some(RuleObstacle::Overruled)),
        ("same", None),
        ("closed", Some(RuleObstacle::NotEligible)),
    ];
    assert_eq!(told(&decided.ruling.outcomes), expected);
    assert_eq!(decided.actions[0].action, ActionKind::Hold);
    assert_eq!(decided.actions[0].forced_by.as_deref(), Some("second"));
    assert!(decided.actions[1..].iter().all(|action| action.forced_by.is_none()));
    assert_eq!(decided.ruling.priority, 7);
    assert_eq!(*decided.ruling.tags, ["seen".into(), "second".into(), "same".into()]);
}

#[test]
fn a_forced_action_comes_before_the_review_of_thin_support() {
    let thin = HeadScore { n_support: 3, ..safe() };
    let force = vec![rule("a", Expression::Flag(true), 0, Some(ActionKind::Decline))];
    let decided = decided(force, thin);
    assert_eq!(decided.state, DecisionState::Abstained);
    let kinds: Vec<ActionKind> = decided.actions.iter().map(|it| it.action).collect();
    assert_eq!(kinds[..2], [ActionKind::Decline, ActionKind::Review]);
}

#[test]
fn a_feature_that_the_bundle_lacks_is_named_with_its_rule_and_a_near_one() {
    let feature = || Expression::Variable(Variable::Feature(0));
    let rules = |when| Rules {
        rules: vec![rule("busy", when, 0, None)],
        features: vec!["ip_order".into()],
    };
    let error = rules(more_than(feature(), 1.0)).check_features(&four_specs()).unwrap_err();
    let expected = "rule `busy` asks for feature `ip_order`, which the model bundle does not read; \
                    did you mean `ip_orders`?";
    assert_eq!(error.to_string(), expected);
    let guarded = Expression::And(Box::new([
        Expression::Has(Box::new(feature())),
        more_than(feature(), 1.0),
    ]));
    assert_eq!(rules(guarded).check_features(&four_specs()), Ok(()));
}

/// Conditions over all that a counterfactual may move: scores, bands, facts and features.
fn any_condition() -> impl proptest::strategy::Strategy<Value = Expression> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Expression::Flag),
        (0.0..1.0_f64).prop_map(|cut| {
            more_than(Expression::Variable(Variable::Risk(HeadId("risk0".into()))), cut)
        }),
        Just(is_word(Expression::Variable(Variable::Band(HeadId("risk1".into()))), "high")),
        (0.0..2_000.0_f64).prop_map(|cut| more_than(of_order(OrderFact::Amount), cut)),
        (0_usize..4, -1.0..2.0_f64)
            .prop_map(|(at, cut)| more_than(Expression::Variable(Variable::Feature(at)), cut)),
        Just(answering(Err(Missing))),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Expression::And(Box::new([a, b]))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Expression::Or(Box::new([a, b]))),
            inner.prop_map(|a| Expression::Not(Box::new(a))),
        ]
    })
}

proptest! {
    #[test]
    fn the_first_action_agrees_with_the_decision_whatever_the_rules_force(
        risks in prop::collection::vec((0.001..0.999_f64, 0_u64..60), 1..3),
        values in prop::collection::vec(prop_oneof![Just(f32::NAN), -1.0..2.0_f32], 4),
        minor_units in 0_i64..200_000,
        drawn in prop::collection::vec(
            (any_condition(), -3_i64..3, prop::option::of(0..ActionKind::ALL.len())), 0..6
        ),
    ) {
        let rules = drawn.into_iter().enumerate().map(|(idx, (when, priority, force))| {
            rule(&format!("r{idx}"), when, priority, force.map(|at| ActionKind::ALL[at]))
        });
        let mut strategy = under(rules.collect());
        let specs = four_specs();
        strategy.rules.features = specs.iter().map(|spec| (&*spec.id).into()).collect();
        let places = strategy.rules.places(&specs);
        let scores: Vec<HeadScore> = risks.iter().enumerate().map(|(idx, (probability, n))| {
            HeadScore { n_support: *n, ..sure_score(&format!("risk{idx}"), *probability) }
        }).collect();
        let mut order = order();
        order.amount = Some(Money { currency: Currency::CNY, minor_units });
        let input = DecideInput {
            inputs: Inputs { specs: &specs, values: &values },
            rule_places: &places,
            ..input(&scores, &[], &order)
        };
        let decided = decide(&strategy, &input);
        let first = decided.actions.first().map(|first| first.action);
        prop_assert_eq!(first_action(&strategy, input.view(), &scores, &decided.risks), first);
        let selected = decided.ruling.outcomes.iter().filter(|it| it.is_selected());
        let forced: Vec<ActionKind> = selected.filter_map(|it| it.force).collect();
        prop_assert!(forced.iter().all(|action| Some(*action) == first));
        let forced_by = decided.actions.first().and_then(|first| first.forced_by.clone());
        prop_assert_eq!(forced_by.is_some(), !forced.is_empty());
    }
}
