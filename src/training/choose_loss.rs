//! Which loss the trees of a head descend on.
//!
//! The squared error follows the largest targets: one return of 77,184 GBP among 6,573
//! orders makes trees that expect it again. Amounts that are never negative and often 0
//! also get trees on the Tweedie deviance (Jørgensen 1987), whose steps are shares of the
//! prediction and so stay small. Both are judged on the rows that stop the trees, by the
//! squared error, so by what the first of them descends on.

use crate::domain::head::HeadKind;
use crate::training::boost::{Boosted, TreeDone};
use crate::training::error::FitError;
use crate::training::head::{HeadFit, raw_scores};
use crate::training::loss::Loss;
use crate::training::params::ObliviousValidParams;
use crate::training::parts::Parts;

/// For amounts that are often 0: midway between counts (1) and gamma-distributed ones (2).
const TWEEDIE: Loss = Loss::Tweedie { power: 1.5 };
/// Share of the targets that must be 0.
const ZERO_SHARE_MIN: f64 = 0.05;

/// The trees of a head, and the settings that made them.
pub(crate) struct Chosen {
    pub(crate) trees: ObliviousValidParams,
    pub(crate) boosted: Boosted,
}

impl HeadFit<'_> {
    /// Grows the trees of the head on the loss that serves it best.
    pub(crate) fn choose(
        &self,
        trees: &ObliviousValidParams,
        parts: &Parts<'_>,
        on_tree: &mut dyn FnMut(TreeDone),
    ) -> Result<Chosen, FitError> {
        let mut grow = |loss: Loss| {
            let trees = trees.with_loss(loss);
            let boosted = self.boost(&trees, (parts.fit, parts.stop), on_tree)?;
            Ok::<Chosen, FitError>(Chosen { trees, boosted })
        };
        let first = match self.target.kind {
            HeadKind::Risk | HeadKind::ImpactProbability => return grow(Loss::Logistic),
            HeadKind::ImpactValue => grow(Loss::Squared)?,
        };
        if !is_often_zero(parts.fit.iter().map(|&row| self.target.values[row as usize])) {
            return Ok(first);
        }
        let second = grow(TWEEDIE)?;
        let error = |chosen: &Chosen| self.squared_error(chosen, parts.stop);
        Ok(if error(&second) < error(&first) { second } else { first })
    }

    /// Weighted sum of squared errors of the predicted values.
    fn squared_error(&self, chosen: &Chosen, rows: &[u32]) -> f64 {
        let map = chosen.trees.settings().loss.value_map();
        let raw = raw_scores(self.columns, &chosen.boosted.ensemble, rows);
        let errors = rows.iter().zip(raw).map(|(&row, raw)| {
            let row = row as usize;
            let error = map.apply(raw) - f64::from(self.target.values[row]);
            f64::from(self.set.weights[row]) * error * error
        });
        errors.sum()
    }
}

/// True for targets that are never negative and to a good part 0.
fn is_often_zero(targets: impl Iterator<Item = f32>) -> bool {
    let (mut n, mut n_zero) = (0_u32, 0_u32);
    for target in targets {
        if target < 0.0 {
            return false;
        }
        n += 1;
        n_zero += u32::from(target <= 0.0);
    }
    ZERO_SHARE_MIN * f64::from(n) <= f64::from(n_zero) && 0 < n
}
