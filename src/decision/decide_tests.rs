//! Laws and hand-computed examples of a decision.

use proptest::prelude::*;

use crate::decision::decide::{DecideInput, decide, first_action};
use crate::decision::fixtures::{
    action, four_specs, head, impact_score, input, order, risk_score, strategy, sure_score,
};
use crate::decision::impact::MONEY_PARTS;
use crate::decision::strategy::{Eligibility, RiskPolicy, Strategy};
use crate::domain::decision::{ActionKind, DecisionState};
use crate::domain::entity::EntityKind;
use crate::domain::feature::FeatureGroup;
use crate::domain::head::{HeadKind, HeadScore};
use crate::domain::impact::{ActionImpact, ImpactKind};
use crate::domain::risk::RiskBand;

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}

fn mean_of(impact: &ActionImpact, kind: ImpactKind) -> f64 {
    impact.parts.iter().find(|part| part.kind == kind).map_or(0.0, |part| part.value.mean)
}

fn decided_kinds(strategy: &Strategy, scores: &[HeadScore]) -> Vec<ActionKind> {
    let order = order();
    let decided = decide(strategy, &input(scores, &[], &order));
    decided.actions.iter().map(|action| action.action).collect()
}

/// 1,000 yuan, risk 0.2. Release loses .2·(100,000+10,000); review catches 0.9 of the
/// bad, loses .05 of the good: passes .82 − .04 = .78.
#[test]
fn two_actions_cost_what_a_hand_computation_says() {
    let (scores, order) = ([sure_score("payment_fraud", 0.2)], order());
    let decided = decide(&strategy(), &input(&scores, &[], &order));
    let expected = [
        (
            ActionKind::Approve,
            [-22_000.0, 0.0, 20_000.0, -1_100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4_000.0],
            900.0,
        ),
        (
            ActionKind::Review,
            [-2_200.0, 0.0, 15_600.0, -858.0, -80.0, -40.0, 0.0, -500.0, -50.0, 4_000.0],
            15_872.0,
        ),
    ];
    for (impact, (kind, parts, total)) in decided.impacts.iter().zip(expected) {
        assert_eq!(impact.action, kind);
        for (part, mean) in MONEY_PARTS.into_iter().zip(parts) {
            assert_near(mean_of(impact, part), mean);
        }
        assert_near(impact.total.mean, total);
    }
    let first = &decided.actions[0];
    assert_eq!(first.action, ActionKind::Review);
    assert_near(first.value.mean, 14_972.0);
    // Once the truth is known, a good order had better been released, a bad one declined.
    assert_near(first.p_best.value(), 0.0);
    assert_near(decided.actions[1].p_best.value() + decided.actions[2].p_best.value(), 1.0);
}

#[test]
fn a_safe_order_is_released_and_a_surely_bad_one_is_not() {
    let safe = decided_kinds(&strategy(), &[sure_score("payment_fraud", 0.001)]);
    assert_eq!(safe[0], ActionKind::Approve);
    let bad = decided_kinds(&strategy(), &[sure_score("payment_fraud", 0.999)]);
    assert_eq!(bad[0], ActionKind::Decline);
}

#[test]
fn a_head_that_the_strategy_does_not_name_uses_the_default_policy() {
    let mut strategy = strategy();
    let own = RiskPolicy { review_above: 0.05, ..strategy.default_risk.clone() };
    strategy.risks.insert(head("return_abuse"), own);
    let (scores, order) =
        ([sure_score("return_abuse", 0.1), sure_score("wardrobing", 0.1)], order());
    let decided = decide(&strategy, &input(&scores, &[], &order));
    let bands: Vec<RiskBand> = decided.risks.iter().map(|risk| risk.band).collect();
    assert_eq!(bands, [RiskBand::Elevated, RiskBand::Low]);
}

#[test]
fn a_risk_that_is_reported_half_the_time_costs_as_one_twice_as_probable() {
    let whole = strategy();
    let mut half = strategy();
    half.risks.clear();
    half.default_risk.reported_share = 0.5;
    let order = order();
    let values = |strategy: &Strategy, p: f64| {
        let scores = [sure_score("payment_fraud", p)];
        let decided = decide(strategy, &input(&scores, &[], &order));
        decided.impacts.iter().map(|impact| impact.total).collect::<Vec<_>>()
    };
    assert_eq!(values(&half, 0.2), values(&whole, 0.4));
    // Never more than certain.
    assert_eq!(values(&half, 0.7), values(&whole, 1.0));
}

#[test]
fn thin_support_abstains_and_puts_review_first() {
    let thin = HeadScore { n_support: 29, ..sure_score("payment_fraud", 0.001) };
    let order = order();
    let decided = decide(&strategy(), &input(&[thin], &[], &order));
    assert_eq!(decided.state, DecisionState::Abstained);
    assert_eq!(decided.actions[0].action, ActionKind::Review);
    assert!(decided.actions[0].p_best.value() <= 0.0);
    let without_heads = decide(&strategy(), &input(&[], &[], &order));
    assert_eq!(without_heads.state, DecisionState::Abstained);
}

#[test]
fn an_action_is_offered_only_where_its_conditions_hold() {
    let mut strategy = strategy();
    strategy.actions.push(crate::decision::strategy::ActionPolicy {
        when: Eligibility {
            needs: vec![EntityKind::Phone],
            risks: vec![head("reseller_hoarding")],
            band_at_least: Some(RiskBand::Elevated),
            ..Eligibility::default()
        },
        ..action(ActionKind::PhoneCheck, 0.99, 0.0)
    });
    let has_call = |scores: &[HeadScore], order: &crate::domain::order::Order| {
        decide(&strategy, &input(scores, &[], order))
            .impacts
            .iter()
            .any(|impact| impact.action == ActionKind::PhoneCheck)
    };
    let silent = order();
    let mut reachable = order();
    let key = crate::domain::entity::IdentityKey::from_secret(b"test");
    reachable.entities.push(key.entity(EntityKind::Phone, "555"));
    let hoarding = [sure_score("reseller_hoarding", 0.5)];
    assert!(has_call(&hoarding, &reachable));
    assert!(!has_call(&hoarding, &silent));
    assert!(!has_call(&[sure_score("reseller_hoarding", 0.1)], &reachable));
    assert!(!has_call(&[sure_score("payment_fraud", 0.5)], &reachable));
}

#[test]
fn impact_heads_replace_the_assumptions_and_say_how_many_rows_back_them() {
    let scores = [
        sure_score("promo_abuse", 0.0),
        impact_score("chargeback", HeadKind::ImpactProbability, 0.2, (0.2, 0.2)),
        impact_score("return", HeadKind::ImpactProbability, 0.5, (0.4, 0.6)),
        impact_score("repurchase_value", HeadKind::ImpactValue, 80.0, (40.0, 120.0)),
        impact_score("price_index", HeadKind::ImpactValue, 1.5, (1.2, 1.8)),
    ];
    let order = order();
    let decided = decide(&strategy(), &input(&scores, &[], &order));
    let release = &decided.impacts[0];
    assert_near(mean_of(release, ImpactKind::RiskLoss), -22_000.0);
    assert_near(mean_of(release, ImpactKind::ReturnCost), -5_500.0);
    assert_near(mean_of(release, ImpactKind::FuturePurchases), 0.8 * 8_000.0);
    assert_near(mean_of(release, ImpactKind::PriceIndex), 1.5);
    let supports: Vec<u64> = release.parts.iter().map(|part| part.n_support).collect();
    assert_eq!(supports, [50, 0, 50, 50, 50]);
    assert_eq!(&*release.parts[0].drivers[0], "chargeback");
    let declined = decided.impacts.last().unwrap();
    assert_near(mean_of(declined, ImpactKind::PriceIndex), 1.0);
}

#[test]
fn a_chargeback_counts_only_where_no_head_predicts_the_fraud() {
    let chargeback = impact_score("chargeback", HeadKind::ImpactProbability, 0.2, (0.2, 0.2));
    let order = order();
    let loss = |scores: &[HeadScore]| {
        mean_of(&decide(&strategy(), &input(scores, &[], &order)).impacts[0], ImpactKind::RiskLoss)
    };
    assert_near(loss(&[sure_score("payment_fraud", 0.1), chargeback.clone()]), -11_000.0);
    assert_near(loss(&[sure_score("promo_abuse", 0.0), chargeback]), -22_000.0);
}

#[test]
fn two_actions_within_the_noise_are_a_close_call() {
    let mut strategy = strategy();
    strategy.actions.push(action(ActionKind::Hold, 0.899, 0.05));
    strategy.trust.close_call_minor = 0.0;
    let wide = HeadScore { interval: (0.01, 0.9), ..sure_score("payment_fraud", 0.11) };
    let order = order();
    let decided = decide(&strategy, &input(&[wide], &[], &order));
    assert!(decided.actions.iter().any(|action| action.is_close_call));
    let sure = decide(&strategy, &input(&[sure_score("payment_fraud", 0.5)], &[], &order));
    assert!(!sure.actions[0].is_close_call);
}

/// Sum over every set of risks: an order passes when none of its risks is caught.
fn lost_by_enumeration(risks: &[(f64, f64, f64)]) -> f64 {
    let mut lost = 0.0;
    for set in 0_u32..1 << risks.len() {
        let (mut chance, mut kept) = (1.0, 1.0);
        for (r, (p, catches, share)) in risks.iter().enumerate() {
            if set & (1 << r) == 0 {
                chance *= 1.0 - p;
            } else {
                chance *= p * (1.0 - catches);
                kept *= 1.0 - share;
            }
        }
        lost += chance * (1.0 - kept);
    }
    lost
}

proptest! {
    #[test]
    fn weights_of_one_leave_the_score_as_it_is(phi in prop::array::uniform4(-3.0..3.0_f64)) {
        let (scores, specs, order) = ([risk_score("a", -1.0, &phi)], four_specs(), order());
        let risk = &decide(&strategy(), &input(&scores, &specs, &order)).risks[0];
        prop_assert_eq!(risk.weighted_log_odds.to_bits(), risk.raw_log_odds.to_bits());
        prop_assert_eq!(risk.probability, risk.model_probability);
    }

    #[test]
    fn a_group_weight_moves_the_score_by_exactly_that_groups_share(
        phi in prop::array::uniform4(-3.0..3.0_f64), weight in 0.0..10.0_f64
    ) {
        let (scores, specs, order) = ([risk_score("a", -1.0, &phi)], four_specs(), order());
        let mut strategy = strategy();
        strategy.weights = strategy.weights.with(FeatureGroup::Order, weight);
        let risk = &decide(&strategy, &input(&scores, &specs, &order)).risks[0];
        let expected = scores[0].raw + (weight - 1.0) * (phi[0] + phi[1]);
        prop_assert_eq!(risk.weighted_log_odds.to_bits(), expected.to_bits());
    }

    #[test]
    fn listed_contributions_and_the_rest_sum_to_both_scores(
        phi in prop::array::uniform4(-3.0..3.0_f64), weight in 0.0..10.0_f64, listed in 0_usize..6
    ) {
        let (scores, specs, order) = ([risk_score("a", -1.0, &phi)], four_specs(), order());
        let mut strategy = strategy();
        strategy.weights = strategy.weights.with(FeatureGroup::Ip, weight);
        let input = DecideInput { contributions_max: listed, ..input(&scores, &specs, &order) };
        let risk = &decide(&strategy, &input).risks[0];
        let model: f64 = risk.contributions.iter().map(|c| c.log_odds).sum();
        let weighted: f64 = risk.contributions.iter().map(|c| c.weight * c.log_odds).sum();
        prop_assert!((risk.base + model + risk.rest.log_odds - risk.raw_log_odds).abs() < 1e-9);
        let total = risk.base + weighted + risk.rest.weighted_log_odds;
        prop_assert!((total - risk.weighted_log_odds).abs() < 1e-9);
        let shifts: Vec<f64> =
            risk.contributions.iter().map(|c| (c.weight * c.log_odds).abs()).collect();
        prop_assert!(shifts.is_sorted_by(|a, b| b <= a));
        let by_group: f64 = risk.groups.iter().map(|share| share.weighted_log_odds).sum();
        let by_entity: f64 = risk.entities.iter().map(|share| share.weighted_log_odds).sum();
        prop_assert!((risk.base + by_group - risk.weighted_log_odds).abs() < 1e-9);
        prop_assert!((by_group - by_entity).abs() < 1e-9);
    }

    #[test]
    fn the_first_action_is_the_same_when_it_is_all_that_is_asked(
        raw in prop::collection::vec(-6.0..6.0_f64, 1..4),
        chargeback in 0.0..1.0_f64,
        future in 0.0..200.0_f64,
        n_support in 0_u64..60,
        can_review: bool,
    ) {
        let mut strategy = strategy();
        strategy.actions.push(action(ActionKind::Hold, 0.6, 0.01));
        strategy.actions.retain(|it| can_review || it.kind != ActionKind::Review);
        let risk = |(idx, raw): (usize, &f64)| {
            HeadScore { n_support, ..risk_score(&format!("risk{idx}"), *raw, &[]) }
        };
        let mut scores: Vec<HeadScore> = raw.iter().enumerate().map(risk).collect();
        let near = (chargeback / 2.0, chargeback);
        scores.push(impact_score("chargeback", HeadKind::ImpactProbability, chargeback, near));
        let later = (0.0, future);
        scores.push(impact_score("repurchase_value", HeadKind::ImpactValue, future, later));
        let order = order();
        let decided = decide(&strategy, &input(&scores, &[], &order));
        let first = decided.actions.first().map(|first| first.action);
        let view = input(&scores, &[], &order).view();
        prop_assert_eq!(first_action(&strategy, view, &scores, &decided.risks), first);
    }

    #[test]
    fn p_best_is_shared_out_among_all_eligible_actions(
        raw in prop::collection::vec(-6.0..6.0_f64, 1..4)
    ) {
        let scores: Vec<HeadScore> = raw
            .iter()
            .enumerate()
            .map(|(idx, raw)| risk_score(&format!("risk{idx}"), *raw, &[]))
            .collect();
        let order = order();
        let all = DecideInput { actions_max: 99, ..input(&scores, &[], &order) };
        let decided = decide(&strategy(), &all);
        let chances: Vec<f64> =
            decided.actions.iter().map(|action| action.p_best.value()).collect();
        prop_assert!(chances.iter().all(|share| (0.0..=1.0).contains(share)));
        prop_assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert_eq!(&decided, &decide(&strategy(), &all));
    }

    #[test]
    fn a_total_is_the_sum_of_its_money_parts_and_lies_in_its_interval(
        raw in -6.0..6.0_f64, index in 0.5..3.0_f64
    ) {
        let scores = [
            risk_score("payment_fraud", raw, &[]),
            impact_score("price_index", HeadKind::ImpactValue, index, (index, index)),
        ];
        let order = order();
        for impact in decide(&strategy(), &input(&scores, &[], &order)).impacts {
            let sum: f64 = MONEY_PARTS.iter().map(|kind| mean_of(&impact, *kind)).sum();
            prop_assert!((sum - impact.total.mean).abs() < 1e-6);
            for value in impact.parts.iter().map(|part| part.value).chain([impact.total]) {
                prop_assert!(value.p10 <= value.mean && value.mean <= value.p90);
            }
        }
    }

    #[test]
    fn risk_loss_equals_the_sum_over_every_set_of_risks(
        risks in prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64, 0.0..1.0_f64), 1..5)
    ) {
        let mut strategy = strategy();
        let mut review = action(ActionKind::Review, 0.0, 0.3);
        let mut scores = Vec::new();
        for (idx, (p, catches, share)) in risks.iter().enumerate() {
            let name = format!("risk{idx}");
            scores.push(sure_score(&name, *p));
            review.catches.insert(head(&name), *catches);
            let policy = RiskPolicy {
                loss_share: *share, loss_fixed_minor: 0.0, ..strategy.default_risk.clone()
            };
            strategy.risks.insert(head(&name), policy);
        }
        strategy.actions = vec![action(ActionKind::Approve, 0.0, 0.0), review];
        let order = order();
        let decided = decide(&strategy, &input(&scores, &[], &order));
        let expected = -100_000.0 * lost_by_enumeration(&risks);
        let found = mean_of(&decided.impacts[1], ImpactKind::RiskLoss);
        prop_assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        prop_assert!(-100_000.0 <= mean_of(&decided.impacts[0], ImpactKind::RiskLoss));
    }
}
