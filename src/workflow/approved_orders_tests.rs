//! Which orders make the service's background, and for how long.

use crate::domain::decision::{ActionKind, Decision, DecisionState};
use crate::domain::event::{
    CancelLevel, CancelReason, CancelSource, CancelType, Fact, OrderAmount, OrderCancelled,
};
use crate::domain::feedback::{OperatorChoice, Outcome, OutcomeKind, OutcomeSource};
use crate::domain::folded_order::FoldedDecision;
use crate::domain::head::HeadId;
use crate::workflow::approved_orders::{ApprovedOrders, BackgroundRule, LastBackground};
use crate::workflow::fixtures::{at, bundle, judge, label, new_id, order, request};
use crate::workflow::judge_order::Stamp;
use crate::workflow::state::State;

const RULE: BackgroundRule = BackgroundRule { every_approved: 40, rows_min: 3, rows_max: 10 };

/// The approved order with this number; its first feature is the number.
pub(super) fn approved(n: u16) -> Decision {
    let mut state = State::empty(BackgroundRule::OFF);
    let stamp = Stamp { decision_id: new_id(at(0)), received_time: at(10_000) };
    let mut decision = judge(bundle(), "plain").judge(&mut state, &request(n.into()), &stamp, || 0);
    decision.state = DecisionState::Final;
    decision.actions[0].action = ActionKind::Approve;
    decision.features[0] = n.into();
    decision
}

fn is_due(orders: &ApprovedOrders, last: LastBackground) -> bool {
    orders.is_due(bundle().hash(), last)
}

fn numbers(orders: &ApprovedOrders) -> Vec<f32> {
    orders.features().chunks(bundle().manifest().features.len()).map(|row| row[0]).collect()
}

fn after(decisions: &[Decision]) -> ApprovedOrders {
    let mut orders = ApprovedOrders::new(RULE);
    for decision in decisions {
        orders.decided(&FoldedDecision::of(decision));
    }
    orders
}

#[test]
fn only_orders_approved_in_full_knowledge_are_taken_in_each_once() {
    let mut decisions = vec![approved(1), approved(2), approved(3), approved(4), approved(1)];
    decisions[1].state = DecisionState::Degraded;
    decisions[2].actions[0].action = ActionKind::ApproveAndWatch;
    decisions[3].actions.clear();
    decisions[4].order.revision = 1;
    decisions[4].features[0] = 10.0;
    assert_eq!(numbers(&after(&decisions)), [10.0]);
    // Judged anew and no longer approved: out again.
    decisions[4].actions[0].action = ActionKind::Review;
    assert_eq!(after(&decisions).n_rows(), 0);
}

fn outcome(kind: OutcomeKind, decision: &Decision) -> Outcome {
    Outcome {
        outcome_id: "o".into(),
        decision_id: Some(decision.decision_id),
        order: None,
        kind,
        amount: None,
        occurred_at: at(900),
        source: OutcomeSource::Network,
        source_ref: None,
        retracts: None,
        told_by: None,
    }
}

fn choice(action: ActionKind, decision: &Decision) -> Fact {
    Fact::Choice(OperatorChoice {
        choice_id: "c".into(),
        decision_id: decision.decision_id,
        operator_id: "op".into(),
        action,
        chosen_rank: None,
        override_reason: None,
        note: None,
        opened_at: None,
        decided_at: at(900),
        review: None,
    })
}

fn cancelled(r#type: CancelType) -> Fact {
    let reason =
        CancelReason { source: CancelSource::Merchant, r#type, level: CancelLevel::BeforePayment };
    Fact::OrderCancelled(OrderCancelled { order: order(2).key, reason })
}

#[test]
fn an_order_that_proves_not_to_be_ordinary_leaves_and_others_stay() {
    let decisions = [approved(1), approved(2), approved(3)];
    let told = &decisions[1];
    let mut of_revision = order(2).key;
    of_revision.revision = 3;
    let of_order =
        |kind| Outcome { decision_id: None, order: Some(order(2).key), ..outcome(kind, told) };
    let mut of_value_head = label(2, 30.0, 900);
    if let Fact::Label(label) = &mut of_value_head.fact {
        label.head = HeadId("days_late".into());
    }
    let leaves = [
        choice(ActionKind::Decline, told),
        choice(ActionKind::ApproveAndWatch, told),
        Fact::Outcome(outcome(OutcomeKind::ChargebackOpened, told)),
        Fact::Outcome(of_order(OutcomeKind::ConfirmedFraud)),
        Fact::OrderChargedBack(OrderAmount { order: of_revision, amount: None }),
        cancelled(CancelType::Risk),
        label(2, 1.0, 900).fact,
    ];
    let stays = [
        choice(ActionKind::Approve, told),
        Fact::Outcome(outcome(OutcomeKind::ChargebackWon, told)),
        Fact::Outcome(of_order(OutcomeKind::Refund)),
        cancelled(CancelType::ChangedMind),
        label(2, 0.0, 900).fact,
        of_value_head.fact,
    ];
    let all = after(&decisions);
    for fact in &leaves {
        let mut orders = all.clone();
        orders.told(fact);
        assert_eq!(numbers(&orders), [1.0, 3.0], "{fact:?}");
    }
    for fact in &stays {
        let mut orders = all.clone();
        orders.told(fact);
        assert_eq!(numbers(&orders), [1.0, 2.0, 3.0], "{fact:?}");
    }
}

#[test]
fn a_background_is_due_when_it_is_the_first_or_enough_orders_were_approved() {
    let mut orders = ApprovedOrders::new(RULE);
    let first_due = (1..=3).map(|n: u16| {
        orders.decided(&FoldedDecision::of(&approved(n)));
        is_due(&orders, LastBackground::None)
    });
    assert_eq!(first_due.collect::<Vec<_>>(), [false, false, true]);
    orders.restart_count();
    let next_due = (4..=43).map(|n: u16| {
        orders.decided(&FoldedDecision::of(&approved(n)));
        is_due(&orders, LastBackground::Active)
    });
    assert_eq!(next_due.filter(|due| *due).count(), 1, "only after the fortieth");
    assert!(!orders.is_due("another schema", LastBackground::None));
    orders.follow(BackgroundRule::OFF);
    assert!(!is_due(&orders, LastBackground::None));
    assert_eq!(orders.n_rows(), 0);
    orders.decided(&FoldedDecision::of(&approved(44)));
    assert_eq!(orders.n_rows(), 0);
}

#[test]
fn the_sample_is_bounded_and_renewed_at_the_pace_of_the_rule() {
    let mut orders = ApprovedOrders::new(RULE);
    let one = approved(1);
    let mut n_kept = 0;
    for n in 1..=2_000_u16 {
        let mut decision = one.clone();
        decision.order.order_id = n.to_string().into();
        decision.features[0] = n.into();
        orders.decided(&FoldedDecision::of(&decision));
        assert_eq!(orders.n_rows(), usize::from(n).min(10));
        n_kept += u32::from(numbers(&orders).contains(&f32::from(n)));
    }
    // 10 of every 40: 500 of 2,000, standard deviation 19.
    assert!((420..580).contains(&n_kept), "{n_kept}");
    // Ages fall off with mean 40: one beyond 400 has chance e⁻¹⁰.
    assert!(numbers(&orders).iter().all(|number| 1_600.0 < *number), "{:?}", numbers(&orders));
    let mut other = one;
    other.versions.model_hash = "another".into();
    orders.decided(&FoldedDecision::of(&other));
    assert_eq!(orders.n_rows(), 1, "rows of another schema do not mix");
}
