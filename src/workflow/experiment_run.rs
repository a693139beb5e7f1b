//! One experiment as it runs: who is in which arm, and what followed. A fold.
//!
//! Units are rings, frozen at their first order: the smallest account of the ring names the unit,
//! and whoever joins later inherits its arm. Money and harm are summed per unit, since orders of
//! a ring are no independent trials.

use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::assignment::{Assignment, AssignmentReason, draw, unit_of_account};
use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::experiment::{Epoch, ExperimentEnd, ExperimentPlan, HOLDOUT_SALT, Harm};
use crate::domain::experiment_draft::ExperimentSummary;
use crate::domain::money::Money;
use crate::domain::order::{Order, OrderKey};
use crate::domain::record::ExperimentStarted;
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;
use crate::experiment::arms::Arms;
use crate::experiment::split::SplitWatch;
use crate::workflow::experiment_looks::LookLog;
use crate::workflow::state::{Digest, text_digest};

/// How far from the planned shares others are thought of by the watch over the split: with 1,000
/// a shift of two points is seen after some ten thousand units.
const SPLIT_CONCENTRATION: f64 = 1_000.0;

/// An experiment, running or ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExperimentRun {
    /// What was registered.
    pub plan: ExperimentPlan,
    /// From when on how many took part, oldest first.
    pub epochs: Vec<Epoch>,
    /// Who started it.
    pub started: Signature,
    /// Why it ended and who ended it; `None` while it runs.
    pub ended: Option<(ExperimentEnd, Signature)>,
    pub(super) units: Vec<UnitRow>,
    /// What each unit is called.
    names: Vec<Box<str>>,
    /// Units per arm.
    n_units: Vec<u64>,
    /// Units per arm that each harm has come to, by its place in [`Harm::ALL`].
    pub(super) n_harmed: Vec<[u64; Harm::ALL.len()]>,
    /// Accounts by digest, and the unit of each.
    members: IndexMap<Digest, u32, FxBuildHasher>,
    /// By digest of channel and order id.
    pub(super) orders: IndexMap<Digest, OrderRow, FxBuildHasher>,
    /// Smallest p so far that the split is as planned; holds at every look.
    pub(super) split_p: f64,
    /// How often a unit's money or harm changed.
    pub(super) n_changes: u64,
    /// What it showed on the way.
    pub(super) looks: LookLog,
}

/// A unit and what its orders brought.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct UnitRow {
    /// Place of its arm in the plan.
    pub arm: u8,
    /// Place of the epoch in which it came in.
    pub epoch: u32,
    /// Its orders.
    pub n_orders: u32,
    /// What they brought so far, minor units.
    pub net: i64,
    /// A bit per harm, by its place in [`Harm::ALL`].
    pub harms: u8,
    /// True when its ring met one of another arm.
    pub is_mixed: bool,
}

/// An order of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OrderRow {
    /// Place of its unit.
    pub unit: u32,
    /// Its amount, minor units of the plan's currency.
    pub amount: f64,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// A bit per kind of fact that was counted: each counts once.
    pub counted: u16,
}

impl ExperimentRun {
    /// An experiment before its first order.
    pub fn new(started: &ExperimentStarted) -> Self {
        let ExperimentStarted { plan, percent, signature } = started;
        Self {
            plan: plan.clone(),
            epochs: vec![Epoch { from: signature.at, percent: *percent }],
            started: signature.clone(),
            ended: None,
            units: Vec::new(),
            names: Vec::new(),
            n_units: vec![0; plan.arms.len()],
            n_harmed: vec![[0; Harm::ALL.len()]; plan.arms.len()],
            members: IndexMap::default(),
            orders: IndexMap::default(),
            split_p: 1.0,
            n_changes: 0,
            looks: LookLog::default(),
        }
    }

    /// What a list says about it.
    pub fn summary(&self) -> ExperimentSummary {
        ExperimentSummary {
            id: self.plan.id.clone(),
            arms: self.plan.arms.iter().map(|arm| arm.name.clone()).collect(),
            units: self.n_units.clone(),
            orders_min: self.plan.orders_min,
            epochs: self.epochs.clone(),
            started: self.started.clone(),
            ended: self.ended.clone(),
        }
    }

    /// True until it ends.
    pub fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// Percent of the units that take part now.
    pub fn percent(&self) -> u32 {
        self.epochs.last().map_or(0, |epoch| epoch.percent)
    }

    /// The arm of an order whose accounts are these, its own among them, and how it was found;
    /// `None` when it takes no part.
    pub fn assign(&self, order: &Order, accounts: &[EntityRef]) -> Option<(usize, Assignment)> {
        let own = order.entity(EntityKind::Account)?;
        let assigned = |unit: u32, reason| {
            let arm = usize::from(self.units[unit as usize].arm);
            (arm, self.assignment(arm, self.names[unit as usize].clone(), reason))
        };
        if let Some(unit) = self.member(own) {
            return Some(assigned(unit, AssignmentReason::Kept));
        }
        // The unit that was there first.
        if let Some(unit) = accounts.iter().filter_map(|account| self.member(account)).min() {
            return Some(assigned(unit, AssignmentReason::Inherited));
        }
        let unit = unit_of_account(accounts.iter().min()?);
        if draw(HOLDOUT_SALT, &unit) < f64::from(self.plan.holdout_percent) / 100.0 {
            return None;
        }
        let arm = self.arms()?.arm(draw(&self.plan.salt, &unit))?;
        Some((arm, self.assignment(arm, unit.into(), AssignmentReason::Drawn)))
    }

    /// Takes in an order that one of the arms judged.
    pub fn exposed(
        &mut self,
        (order, placed_at): (&Order, Timestamp),
        assignment: &Assignment,
        accounts: &[EntityRef],
    ) {
        let Some(own) = order.entity(EntityKind::Account) else { return };
        let Some(arm) = self.plan.arms.iter().position(|arm| arm.name == assignment.arm) else {
            return;
        };
        let met: IndexSet<u32> = accounts.iter().filter_map(|it| self.member(it)).collect();
        let own_unit = self.member(own).or_else(|| met.iter().min().copied());
        let unit = own_unit.unwrap_or_else(|| self.add_unit(arm, &assignment.unit));
        for account in accounts {
            self.members.entry(account_digest(account)).or_insert(unit);
        }
        let arm_of = |at: &u32| self.units[*at as usize].arm;
        if met.iter().any(|at| arm_of(at) != arm_of(&unit)) {
            for at in met.iter().chain([&unit]) {
                self.units[*at as usize].is_mixed = true;
            }
        }
        let amount = self.amount_of(order);
        let row = OrderRow { unit, amount, placed_at, counted: 0 };
        // A revision is the same order.
        if self.orders.insert(order_digest(&order.key), row).is_none() {
            self.units[unit as usize].n_orders += 1;
        }
    }

    /// Another share of the units takes part from here on.
    pub fn ramp(&mut self, percent: u32, from: Timestamp) {
        self.epochs.push(Epoch { from, percent });
    }

    /// Units per arm.
    pub fn units_by_arm(&self) -> &[u64] {
        &self.n_units
    }

    /// Units per arm that a harm has come to.
    pub fn harmed(&self, harm: Harm) -> Vec<u64> {
        self.n_harmed.iter().map(|of_arm| of_arm[harm as usize]).collect()
    }

    fn arms(&self) -> Option<Arms> {
        let shares: Vec<f64> = self.plan.arms.iter().map(|arm| arm.share).collect();
        Arms::new(&shares, f64::from(self.percent()) / 100.0)
    }

    fn add_unit(&mut self, arm: usize, name: &str) -> u32 {
        let epoch = u32::try_from(self.epochs.len() - 1).unwrap_or(u32::MAX);
        self.names.push(name.into());
        self.n_units[arm] += 1;
        let arm = u8::try_from(arm).unwrap_or(u8::MAX);
        self.units.push(UnitRow { arm, epoch, n_orders: 0, net: 0, harms: 0, is_mixed: false });
        let shares: Vec<f64> = self.plan.arms.iter().map(|arm| arm.share).collect();
        let mut watch = SplitWatch::new(&shares, SPLIT_CONCENTRATION);
        if let Ok(p) = watch.add(&self.n_units) {
            self.split_p = self.split_p.min(p);
        }
        u32::try_from(self.units.len() - 1).unwrap_or(u32::MAX)
    }

    /// Forgets an account, and names a unit that had its name by what is shown instead.
    pub fn erase(&mut self, account: &EntityRef, shown: &EntityRef) {
        self.members.swap_remove(&account_digest(account));
        let name = unit_of_account(account);
        for unit in self.names.iter_mut().filter(|unit| ***unit == *name) {
            *unit = unit_of_account(shown).into();
        }
    }

    /// Keeps the arm of an account that is known by another name now; one that this name has is
    /// kept instead, and units of two arms that met are mixed.
    pub fn rename(&mut self, account: &EntityRef, known_as: &EntityRef) {
        let Some(unit) = self.members.swap_remove(&account_digest(account)) else { return };
        let kept = *self.members.entry(account_digest(known_as)).or_insert(unit);
        let arm_of = |at: u32| self.units[at as usize].arm;
        if arm_of(kept) != arm_of(unit) {
            for at in [kept, unit] {
                self.units[at as usize].is_mixed = true;
            }
        }
    }

    fn member(&self, account: &EntityRef) -> Option<u32> {
        self.members.get(&account_digest(account)).copied()
    }

    fn assignment(&self, arm: usize, unit: Box<str>, reason: AssignmentReason) -> Assignment {
        let arm = self.plan.arms[arm].name.clone();
        Assignment { experiment: self.plan.id.clone(), arm, unit, reason }
    }

    fn amount_of(&self, order: &Order) -> f64 {
        let worth = &self.plan.worth;
        let known = |money: Money| (money.currency == worth.currency).then_some(money.minor_units);
        order.amount.and_then(known).map_or(worth.unknown_amount, |minor| minor as f64)
    }
}

/// The bit of a harm.
pub(super) fn bit_of(harm: Harm) -> u8 {
    1 << harm as u8
}

fn account_digest(account: &EntityRef) -> Digest {
    text_digest(&unit_of_account(account))
}

/// An order whatever its revision.
pub(super) fn order_digest(key: &OrderKey) -> Digest {
    text_digest(&format!("{}\u{0}{}", key.channel, key.order_id))
}
