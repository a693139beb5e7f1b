//! Why there is no number.

use serde::Serialize;

/// Why an estimate is refused; several may hold at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Refusal {
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
    /// Logged probabilities do not fit the choices: weights are not 1 on average.
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

/// A number, or every reason against it.
pub type Answer<T> = Result<T, Vec<Refusal>>;
