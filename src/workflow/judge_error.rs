//! Why a bundle, a strategy and this build cannot judge together.

use crate::decision::rule::UnknownRuleFeature;
use crate::feature::catalog::UnknownFeature;

/// A bundle, a strategy and this build that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JudgeError {
    /// The bundle uses a feature that this build does not have.
    #[error(transparent)]
    Feature(#[from] UnknownFeature),
    /// A rule asks for a feature that the bundle does not have.
    #[error(transparent)]
    Rule(#[from] UnknownRuleFeature),
}
