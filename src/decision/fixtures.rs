//! Small inputs for the tests of this folder.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::decision::attribution::{Calibrated, Inputs, Recalibrate};
use crate::decision::decide::DecideInput;
use crate::decision::rule::Rules;
use crate::decision::strategy::{
    ActionPolicy, Eligibility, GroupWeights, MoneyPolicy, ReviewerPolicy, RiskPolicy, Strategy,
    TrustPolicy,
};
use crate::domain::confirmation::{ConfirmPrior, Confirmations};
use crate::domain::decision::ActionKind;
use crate::domain::entity::EntityKind;
use crate::domain::feature::{FeatureGroup, FeatureSpec, FeatureUnit, Monotone};
use crate::domain::head::{HeadId, HeadKind, HeadScore};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Order, OrderKey};
use crate::domain::text::Text;
use crate::domain::time::Timestamp;

/// A calibration that is the logistic function, with half a log-odds of doubt.
#[derive(Debug)]
pub(crate) struct Logistic;

impl Recalibrate for Logistic {
    fn calibrate(&self, _head_idx: usize, log_odds: f64) -> Calibrated {
        let interval = (logistic(log_odds - 0.5), logistic(log_odds + 0.5));
        Calibrated { probability: logistic(log_odds), interval, n_support: 100 }
    }
}

pub(crate) fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

pub(crate) fn head(name: &str) -> HeadId {
    HeadId(name.into())
}

/// A risk head that says `base + Σ contributions`.
pub(crate) fn risk_score(name: &str, base: f64, contributions: &[f64]) -> HeadScore {
    let raw = base + contributions.iter().sum::<f64>();
    HeadScore {
        head: head(name),
        kind: HeadKind::Risk,
        base,
        raw,
        contributions: contributions.to_vec(),
        calibrated: logistic(raw),
        interval: (logistic(raw - 0.5), logistic(raw + 0.5)),
        n_support: 100,
    }
}

/// A risk head that is sure of one probability.
pub(crate) fn sure_score(name: &str, probability: f64) -> HeadScore {
    HeadScore {
        calibrated: probability,
        interval: (probability, probability),
        ..risk_score(name, 0.0, &[])
    }
}

/// An impact head with support 50.
pub(crate) fn impact_score(
    name: &str,
    kind: HeadKind,
    value: f64,
    interval: (f64, f64),
) -> HeadScore {
    HeadScore { kind, calibrated: value, interval, n_support: 50, ..risk_score(name, 0.0, &[]) }
}

/// An action that stops `catches` of the bad and `loses` of the good orders.
pub(crate) fn action(kind: ActionKind, catches: f64, loses: f64) -> ActionPolicy {
    ActionPolicy {
        kind,
        cost_minor: 0.0,
        review_minutes: 0.0,
        delay_hours: 0.0,
        catches: BTreeMap::new(),
        catches_default: catches,
        loses,
        future_uplift: 0.0,
        requires_approval: false,
        when: Eligibility::default(),
        title: Text::new(kind.as_str(), kind.as_str()),
        customer_message: Text::default(),
        plan: None,
    }
}

pub(crate) fn strategy() -> Strategy {
    let risk = RiskPolicy {
        weight: 1.0,
        loss_share: 1.0,
        loss_fixed_minor: 10_000.0,
        penalty_minor: 0.0,
        reported_share: 1.0,
        review_above: 0.3,
        decline_above: 0.8,
    };
    let review = ActionPolicy {
        cost_minor: 50.0,
        review_minutes: 5.0,
        ..action(ActionKind::Review, 0.9, 0.05)
    };
    Strategy {
        name: "test".into(),
        hash: "".into(),
        currency: Currency::CNY,
        weights: GroupWeights::ONE,
        risks: BTreeMap::new(),
        default_risk: risk,
        money: MoneyPolicy {
            margin_share: 0.2,
            unknown_amount_minor: 20_000.0,
            exchange: BTreeMap::new(),
            return_share: 0.1,
            return_fixed_minor: 1_000.0,
            return_rate: 0.1,
            future_purchases_minor: 5_000.0,
            churn_share: 0.4,
            complaint_minor: 1_000.0,
            review_minute_minor: 100.0,
            delay_hour_minor: 10.0,
            price_index_alarm: 1.15,
        },
        trust: TrustPolicy {
            n_support_min: 30,
            close_call_minor: 100.0,
            close_call_share: 0.1,
            confirm_prior: ConfirmPrior { shares: [0.8, 0.1, 0.05], n: 20.0 },
            confirm_choices_min: 30,
        },
        reviewers: ReviewerPolicy { hours_per_day: 40.0, random_share: 0.05, blind_share: 0.0 },
        exploration: None,
        actions: vec![
            action(ActionKind::Approve, 0.0, 0.0),
            review,
            action(ActionKind::Decline, 1.0, 1.0),
        ],
        rules: Rules::default(),
    }
}

/// Nobody has chosen yet.
pub(crate) static NOBODY: LazyLock<Confirmations> = LazyLock::new(Confirmations::default);

/// An order of 1,000 yuan.
pub(crate) fn order() -> Order {
    let mut order =
        Order::new(OrderKey { channel: "app".into(), order_id: "1".into(), revision: 0 });
    order.amount = Some(Money { currency: Currency::CNY, minor_units: 100_000 });
    order
}

pub(crate) fn spec(id: &str, group: FeatureGroup, unit: FeatureUnit) -> FeatureSpec {
    FeatureSpec {
        id: id.into(),
        group,
        unit,
        monotone: Monotone::Free,
        is_changeable: false,
        is_graph: false,
        entity: None,
        counterpart: None,
        name: Text::new(id, id),
    }
}

pub(crate) fn graph_spec(id: &str, entity: EntityKind, name: Text) -> FeatureSpec {
    FeatureSpec {
        is_graph: true,
        entity: Some(entity),
        name,
        ..spec(id, FeatureGroup::Ip, FeatureUnit::Count)
    }
}

/// Four features of three groups.
pub(crate) fn four_specs() -> Vec<FeatureSpec> {
    vec![
        spec("amount", FeatureGroup::Order, FeatureUnit::Money),
        spec("hour", FeatureGroup::Order, FeatureUnit::Hour),
        spec("ip_orders", FeatureGroup::Ip, FeatureUnit::Count),
        spec("ring_share", FeatureGroup::Network, FeatureUnit::Share),
    ]
}

pub(crate) fn input<'a>(
    scores: &'a [HeadScore],
    specs: &'a [FeatureSpec],
    order: &'a Order,
) -> DecideInput<'a> {
    DecideInput {
        scores,
        recalibrate: &Logistic,
        inputs: Inputs { specs, values: &[] },
        order,
        event_time: Timestamp(0),
        rule_places: &[],
        evidence: None,
        is_without_graph: false,
        confirmations: &NOBODY,
        room: None,
        actions_max: 3,
        contributions_max: 10,
    }
}
