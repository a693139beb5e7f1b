//! What an experiment has shown: arms, harms, money, or why there is no number.

use serde::{Deserialize, Serialize};

use crate::domain::experiment::{Epoch, ExperimentEnd, Harm};
use crate::domain::money::Currency;
use crate::domain::time::Timestamp;

/// What an experiment has shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExperimentReport {
    /// Its name.
    pub id: Box<str>,
    /// BLAKE3 of the plan as it was registered.
    pub plan_hash: Box<str>,
    /// Journal position that the report has folded: the same position gives the same report.
    pub position: u64,
    /// As of when.
    pub as_of: Timestamp,
    /// When it started.
    pub started_at: Timestamp,
    /// Why and when it ended; `None` while it runs.
    pub ended: Option<(ExperimentEnd, Timestamp)>,
    /// From when on how many took part.
    pub epochs: Vec<Epoch>,
    /// The arms, the control first.
    pub arms: Vec<ArmReport>,
    /// What money is counted in.
    pub currency: Currency,
    /// p that the split is as planned: at every look, and of this look alone.
    pub split_p: f64,
    /// The same by chi-square, valid for one look; `None` without units.
    pub split_p_one_look: Option<f64>,
    /// Share of orders whose ring met a ring of another arm.
    pub mixed_share: f64,
    /// Units that the sizes of all units are worth, (Σn)² / Σn².
    pub effective_units: f64,
    /// Whether its numbers may be used.
    pub status: ReportStatus,
    /// Why nothing can be compared; empty when it can.
    pub refusals: Vec<EstimateRefusal>,
    /// Every arm but the control against it.
    pub comparisons: Vec<Comparison>,
    /// What it showed on the way, oldest first; the last look is this report's.
    pub looks: Vec<Look>,
    /// What to do.
    pub advice: Advice,
}

/// What an experiment had shown at an instant, by what was known then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The instant, never before that of an earlier look.
    pub at: Timestamp,
    /// Every arm but the control against it.
    pub arms: Vec<ArmLook>,
}

/// What an arm had shown at an instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmLook {
    /// Money per 1,000 orders, major units, arm minus control; `None` where it was refused.
    pub money: Option<MoneyLook>,
    /// Units that each guardrail's harm had come to, in the order of the plan: of the control,
    /// then of the arm.
    pub harmed: Vec<(u64, u64)>,
}

/// A difference and its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoneyLook {
    /// Arm minus control.
    pub difference: f64,
    /// Interval that holds at every look.
    pub at_every_look: (f64, f64),
}

/// An arm by itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArmReport {
    /// Its name.
    pub name: Box<str>,
    /// Its bundle.
    pub model: Box<str>,
    /// Its strategy.
    pub strategy_hash: Box<str>,
    /// Its planned share of those who take part.
    pub share: f64,
    /// Units in it.
    pub units: u64,
    /// Their orders.
    pub orders: u64,
    /// Share of the orders that are older than the horizon; `None` without orders.
    pub matured_share: Option<f64>,
}

/// An arm against the control.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The arm.
    pub arm: Box<str>,
    /// Money per 1,000 orders, major units: arm minus control.
    pub money: MoneyComparison,
    /// Harms, in the order of the plan.
    pub harms: Vec<HarmComparison>,
}

/// Money of an arm against the control, per 1,000 orders, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyComparison {
    /// The numbers.
    Told(Box<MoneyDifference>),
    /// Why there are none.
    Refused(Vec<EstimateRefusal>),
}

/// Money per 1,000 orders, major units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MoneyDifference {
    /// Of the control.
    pub control: f64,
    /// Of the arm.
    pub arm: f64,
    /// Arm minus control.
    pub difference: f64,
    /// Interval that holds at every look: decide by this one while it runs.
    pub at_every_look: (f64, f64),
    /// p against no difference that holds at every look.
    pub p_at_every_look: f64,
    /// Interval that holds for one look, planned before.
    pub at_one_look: (f64, f64),
    /// The difference as a share of what the control brings, to be read and never decided on;
    /// `None` when the control could bring nothing, or less.
    pub relative: Option<RelativeDifference>,
    /// The least difference that this many units would show at one look, four times in five.
    pub least_seen: f64,
    /// p of the final look, by redrawn assignments; `None` while it runs.
    pub p_final: Option<f64>,
}

/// A difference as a share of the control.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RelativeDifference {
    /// Arm over control, less 1.
    pub effect: f64,
    /// Interval that holds for one look, planned before (Fieller).
    pub at_one_look: (f64, f64),
}

/// A harm in an arm and in the control.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HarmComparison {
    /// Which.
    pub harm: Harm,
    /// Units of the control that it came to.
    pub control_units: u64,
    /// Units of the arm that it came to.
    pub arm_units: u64,
    /// How often it comes to a unit of the arm for once that it comes to one of the control: an
    /// interval that holds at every look. `None` before it came to anybody, and when nothing
    /// can be compared.
    pub times_at_every_look: Option<TimesAsOften>,
    /// p against "not more frequent in the arm" that holds at every look; `None` when nothing
    /// can be compared. The guardrail goes on all the same.
    pub p_at_every_look: Option<f64>,
    /// The p at which it ends the experiment.
    pub stops_at: f64,
}

/// How often something comes to the arm for once that it comes to the control.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TimesAsOften {
    /// Lower end.
    pub low: f64,
    /// Upper end; `None` when the control has none, so that it may be any number.
    pub high: Option<f64>,
}

/// What to do about an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Advice {
    /// An arm earns more, and no guardrail is crossed.
    Ship,
    /// An arm did harm.
    StopHarm,
    /// Nothing is sure yet.
    KeepRunning,
    /// It ended, and no difference was shown.
    NoDifferenceShown,
    /// Nothing can be compared.
    Refused,
}

/// Whether the numbers of a report may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReportStatus {
    /// They may.
    Ok,
    /// They may, with care: many rings met rings of other arms.
    Warn,
    /// There are none of money: see the refusals.
    Refused,
}

/// Why an estimate is refused; several may hold at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EstimateRefusal {
    /// Too few units, or none.
    TooFewUnits,
    /// Too few events in an arm.
    TooFewEvents,
    /// The control's mean could be zero: nothing is relative to it.
    BaselineNearZero,
    /// All values of an arm are equal: there is no spread to measure doubt with.
    NoSpread,
    /// Too few effective clusters for an interval.
    TooFewClusters,
    /// Too few effective rows once they are weighted.
    TooFewEffectiveRows,
    /// Single rows weigh too much.
    WeightConcentrated,
    /// The target chooses what was never chosen.
    NoOverlap,
    /// Logged probabilities do not fit the choices.
    PropensitiesWrong,
    /// Two estimates of one value disagree.
    EstimatesDisagree,
    /// Arms are not as large as they were drawn.
    SampleRatioMismatch,
    /// A unit is in an arm that nobody is drawn into.
    UnitInEmptyArm,
    /// Too many orders of rings that met a ring of another arm.
    UnitsMixed,
}

impl ExperimentReport {
    /// Names the report: BLAKE3 of it as JSON. Two reports of one position are one.
    pub fn hash(&self) -> Box<str> {
        // JSON cannot fail on our own types.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        blake3::hash(&bytes).to_hex().as_str().into()
    }
}
