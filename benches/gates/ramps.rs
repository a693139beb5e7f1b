//! G-3: nobody changes arms, whatever share takes part and whoever restarts.

use orderlens::domain::assignment::draw;
use orderlens::domain::entity::{EntityKey, EntityKind, EntityRef};
use orderlens::domain::experiment::{Arm, ExperimentPlan, Worth};
use orderlens::domain::money::Currency;
use orderlens::domain::order::{Order, OrderKey};
use orderlens::domain::record::ExperimentStarted;
use orderlens::domain::strategy_version::Signature;
use orderlens::domain::time::{Span, Timestamp};
use orderlens::workflow::experiment_run::ExperimentRun;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::gate::{Row, Suite};

const N_UNITS: u32 = 1_000_000;
/// Percent of the units that take part, one after the other.
const RAMP: [u32; 4] = [10, 50, 20, 50];
const NOBODY: (f64, f64) = (0.0, 0.0);

/// Two halves; the salt is the only thing that the draw depends on beside the unit.
fn plan(salt: &str) -> ExperimentPlan {
    let arm = |name: &str| Arm {
        name: name.into(),
        share: 0.5,
        model: "any".into(),
        model_hash: "any".into(),
        strategy_hash: "any".into(),
        strategy_toml: "any".into(),
    };
    ExperimentPlan {
        id: "ramp".into(),
        salt: salt.into(),
        arms: vec![arm("control"), arm("treatment")],
        holdout_percent: 0,
        guardrails: Vec::new(),
        orders_min: 1_000,
        horizon: Span::days(60),
        worth: Worth {
            minor_per_major: 100.0,
            currency: Currency::CNY,
            unknown_amount: 0.0,
            margin_share: 0.2,
            return_share: 0.0,
            return_fixed: 0.0,
            chargeback_fixed: 0.0,
            abuse_share: 0.0,
            penalty_fixed: 0.0,
            complaint: 0.0,
            review_minute: 0.0,
        },
    }
}

/// An order of a buyer who is a ring alone.
fn order(n: u32) -> (Order, [EntityRef; 1]) {
    let key = OrderKey { channel: "web".into(), order_id: n.to_string().into(), revision: 0 };
    let account = EntityRef { kind: EntityKind::Account, key: EntityKey::Hashed(n.into()) };
    let mut order = Order::new(key);
    order.entities = vec![account.clone()];
    (order, [account])
}

/// Units whose arm is not always the one that they had first.
struct Moved(Vec<Option<usize>>, u32);

impl Moved {
    fn new() -> Self {
        Self(vec![None; N_UNITS as usize], 0)
    }

    fn saw(&mut self, unit: u32, arm: Option<usize>) {
        let first = &mut self.0[unit as usize];
        match (*first, arm) {
            (Some(before), Some(now)) => self.1 += u32::from(before != now),
            (None, _) => *first = arm,
            // It has no order while it takes no part.
            (Some(_), None) => {}
        }
    }
}

/// Every unit orders at every step of the ramp; the experiment is read back from its bytes, as
/// after a restart, between the steps.
fn in_the_product(salt: &str) -> (f64, f64) {
    let signature = Signature { by: "gate".into(), at: Timestamp(0), note: Box::default() };
    let started = ExperimentStarted { plan: plan(salt), percent: RAMP[0], signature };
    let mut run = ExperimentRun::new(&started);
    let (mut moved, mut n_lost) = (Moved::new(), 0_u32);
    for (step, percent) in (0_i64..).zip(RAMP) {
        run.ramp(percent, Timestamp(step));
        for unit in 0..N_UNITS {
            let (order, accounts) = order(unit);
            let found = run.assign(&order, &accounts);
            if let Some((_, assignment)) = &found {
                run.exposed((&order, Timestamp(step)), assignment, &accounts);
            }
            n_lost += u32::from(found.is_none() && moved.0[unit as usize].is_some());
            moved.saw(unit, found.map(|(arm, _)| arm));
        }
        let bytes = postcard::to_stdvec(&run).expect("a run can be written");
        run = postcard::from_bytes(&bytes).expect("what was written reads back");
    }
    (f64::from(moved.1), f64::from(n_lost))
}

/// Arms side by side, without room for those who come in later.
fn packed(salt: &str) -> f64 {
    let mut moved = Moved::new();
    for percent in RAMP {
        let share = f64::from(percent) / 100.0;
        for unit in 0..N_UNITS {
            let at = draw(salt, &format!("account:{unit}"));
            moved.saw(unit, (at < share).then(|| usize::from(share / 2.0 <= at)));
        }
    }
    f64::from(moved.1)
}

/// A salt that knows the percentage.
fn salted_anew(salt: &str) -> f64 {
    let mut moved = Moved::new();
    for percent in RAMP {
        let share = f64::from(percent) / 100.0;
        for unit in 0..N_UNITS {
            let at = draw(&format!("{salt}:{percent}"), &format!("account:{unit}"));
            moved.saw(unit, (at < share).then(|| usize::from(share / 2.0 <= at)));
        }
    }
    f64::from(moved.1)
}

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let measured = suite.measure("ramp of a million units", |dice: &mut ChaCha8Rng| {
        let salt = format!("salt {:016x}", dice.r#gen::<u64>());
        let (moved, lost) = in_the_product(&salt);
        [moved, lost, packed(&salt), salted_anew(&salt)]
    });
    let of = |at: usize| measured.iter().map(|it| it[at]).collect::<Vec<f64>>();
    vec![
        Row::gate("G-3 of 1,000,000 units that change arms in a ramp", of(0), NOBODY),
        Row::gate("G-3 of those in an arm that have none later", of(1), NOBODY),
        Row::mutant("arms side by side", of(2), NOBODY),
        Row::mutant("another salt at every step", of(3), NOBODY),
    ]
}
