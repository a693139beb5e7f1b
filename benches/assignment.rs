//! How long does it take to find an order's arm?
//!
//! `cargo bench --bench assignment`: an experiment of 100,000 rings; every call is timed by
//! itself, for an account that has an arm, for one of a ring that has one, and for a new ring.
//! Budget: p99 at most 50 us each.
#![expect(clippy::print_stdout, reason = "a bench")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use orderlens::domain::assignment::AssignmentReason;
use orderlens::domain::entity::{EntityKind, EntityRef, IdentityKey};
use orderlens::domain::experiment::{Arm, ExperimentPlan, Harm, Worth};
use orderlens::domain::money::Currency;
use orderlens::domain::order::{Order, OrderKey};
use orderlens::domain::record::ExperimentStarted;
use orderlens::domain::strategy_version::Signature;
use orderlens::domain::time::{Span, Timestamp};
use orderlens::workflow::experiment_run::ExperimentRun;

const N_RINGS: u32 = 100_000;
const N_CALLS: u32 = 100_000;
/// Accounts of a large ring.
const RING_SIZE: u32 = 20;
const P99_MAX_NS: u64 = 50_000;

fn plan() -> ExperimentPlan {
    let arm = |name: &str| Arm {
        name: name.into(),
        share: 0.5,
        model: "any".into(),
        model_hash: "any".into(),
        strategy_hash: "any".into(),
        strategy_toml: "any".into(),
    };
    let worth = Worth {
        minor_per_major: 100.0,
        currency: Currency::CNY,
        unknown_amount: 20_000.0,
        margin_share: 0.25,
        return_share: 0.08,
        return_fixed: 1_500.0,
        chargeback_fixed: 12_000.0,
        abuse_share: 0.35,
        penalty_fixed: 30_000.0,
        complaint: 3_000.0,
        review_minute: 150.0,
    };
    ExperimentPlan {
        id: "bench".into(),
        salt: "bench:v1".into(),
        arms: vec![arm("control"), arm("treatment")],
        holdout_percent: 2,
        guardrails: Harm::ALL.to_vec(),
        orders_min: 1_000,
        horizon: Span::days(60),
        worth,
    }
}

/// An order of an account that is a ring by itself.
fn order(identity: &IdentityKey, n: u32) -> (Order, Vec<EntityRef>) {
    let key = OrderKey { channel: "web".into(), order_id: n.to_string().into(), revision: 0 };
    let account = |n: u32| identity.entity(EntityKind::Account, &format!("account {n}"));
    let mut order = Order::new(key);
    order.entities = vec![account(n)];
    (order, vec![account(n)])
}

/// p50 and p99 of a call in nanoseconds, and whether the arm was found as expected each time.
fn measure(
    run: &ExperimentRun,
    orders: &[(Order, Vec<EntityRef>)],
    expected: AssignmentReason,
) -> ([u64; 2], bool) {
    let (mut nanos, mut is_as_expected) = (Vec::new(), true);
    for (order, accounts) in orders {
        let started = Instant::now();
        let found = black_box(run.assign(black_box(order), black_box(accounts)));
        nanos.push(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX));
        // A held-out ring has no arm.
        is_as_expected &= found.is_none_or(|(_, it)| it.reason == expected);
    }
    nanos.sort_unstable();
    ([50, 99].map(|percent| nanos[nanos.len() * percent / 100]), is_as_expected)
}

fn main() -> ExitCode {
    let identity = IdentityKey::from_secret(b"bench");
    let signature = Signature { by: "bench".into(), at: Timestamp(0), note: Box::default() };
    let mut run = ExperimentRun::new(&ExperimentStarted { plan: plan(), percent: 100, signature });
    for n in 0..N_RINGS {
        let (order, accounts) = order(&identity, n);
        if let Some((_, assignment)) = run.assign(&order, &accounts) {
            run.exposed((&order, Timestamp(0)), &assignment, &accounts);
        }
    }
    let known: Vec<_> = (0..N_CALLS).map(|n| order(&identity, n % N_RINGS)).collect();
    let new: Vec<_> = (0..N_CALLS).map(|n| order(&identity, N_RINGS + n)).collect();
    // A new account in a ring of others, the last of which has an arm.
    let large = |n: u32| {
        let (order, mut accounts) = order(&identity, N_RINGS + n);
        let others = (0..RING_SIZE).map(|other| format!("stranger {n} {other}"));
        accounts.extend(others.map(|name| identity.entity(EntityKind::Account, &name)));
        accounts.extend(self::order(&identity, n % N_RINGS).1);
        (order, accounts)
    };
    // Held out rings hand nothing on.
    let is_assigned = |it: &(Order, Vec<EntityRef>)| run.assign(&it.0, &it.1).is_some();
    let known: Vec<_> = known.into_iter().filter(is_assigned).collect();
    let last_has_an_arm = |n: &u32| is_assigned(&order(&identity, n % N_RINGS));
    let inherited: Vec<_> = (0..N_CALLS).filter(last_has_an_arm).map(large).collect();
    let mut is_sound = true;
    for (name, orders, reason) in [
        ("an account that has an arm", known, AssignmentReason::Kept),
        ("one of 22 accounts of a ring that has one", inherited, AssignmentReason::Inherited),
        ("a new ring", new, AssignmentReason::Drawn),
    ] {
        let ([half, most], is_as_expected) = measure(&run, &orders, reason);
        let is_ok = most <= P99_MAX_NS && is_as_expected;
        let verdict = if is_ok { "ok" } else { "RED" };
        println!("{name}: p50 {half} ns, p99 {most} ns (at most {P99_MAX_NS}) {verdict}");
        is_sound &= is_ok;
    }
    if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
