//! Ridge regression on products of features, for gates that need a learner.

use ndarray::{Array1, Array2, Axis};

use crate::sim1_truth::{Context, N_ACTIONS};

/// Terms of a regression: 1, seven features, their 28 products and the amount's with each.
const N_TERMS: usize = 44;
/// Penalty of each squared coefficient, in rows.
const PENALTY: f64 = 5.0;

/// What an order looks like to the regression.
pub(crate) fn terms(context: &Context) -> [f64; N_TERMS] {
    // Near one and round zero, so that one penalty fits all.
    let [risk, ln_amount, ln_age, _, delay, ln_ring, repeat, audit] = context.features;
    let near = [
        4.0 * risk - 1.0,
        ln_amount - 3.6,
        0.7 * (ln_age - 5.2),
        8.0 * delay - 1.0,
        ln_ring - 0.5,
        4.0 * repeat - 1.3,
        2.0 * audit - 1.0,
    ];
    let mut terms = [1.0; N_TERMS];
    terms[1..8].copy_from_slice(&near);
    let mut at = 8;
    for (first, a) in near.iter().enumerate() {
        for b in &near[first..] {
            terms[at] = a * b;
            at += 1;
        }
    }
    // Money grows with the amount, not with its logarithm.
    let amount = near[1].exp() - 1.0;
    for (term, feature) in terms[at..].iter_mut().zip([1.0].iter().chain(&near)) {
        *term = amount * feature;
    }
    terms
}

/// Normal equations of several targets at once.
pub(crate) struct Ridge {
    products: Array2<f64>,
    with_targets: Array2<f64>,
}

impl Ridge {
    /// Before the first row.
    pub(crate) fn new(n_targets: usize) -> Self {
        let products = Array2::from_diag(&Array1::from_elem(N_TERMS, PENALTY));
        Self { products, with_targets: Array2::zeros((N_TERMS, n_targets)) }
    }

    /// Takes in a row.
    pub(crate) fn add(&mut self, terms: &[f64; N_TERMS], targets: &[f64]) {
        for (row, a) in terms.iter().enumerate() {
            for (column, b) in terms[..=row].iter().enumerate() {
                self.products[[row, column]] += a * b;
            }
            for (at, target) in targets.iter().enumerate() {
                self.with_targets[[row, at]] += a * target;
            }
        }
    }

    /// Coefficients, a column per target (Cholesky; the lower half of the products is used).
    pub(crate) fn solve(self) -> Array2<f64> {
        let Self { products: mut lower, with_targets: mut found } = self;
        for at in 0..N_TERMS {
            for row in at..N_TERMS {
                let known: f64 = (0..at).map(|k| lower[[row, k]] * lower[[at, k]]).sum();
                let left = lower[[row, at]] - known;
                lower[[row, at]] = if row == at { left.sqrt() } else { left / lower[[at, at]] };
            }
        }
        for mut column in found.axis_iter_mut(Axis(1)) {
            for row in 0..N_TERMS {
                let known: f64 = (0..row).map(|k| lower[[row, k]] * column[k]).sum();
                column[row] = (column[row] - known) / lower[[row, row]];
            }
            for row in (0..N_TERMS).rev() {
                let known: f64 = (row + 1..N_TERMS).map(|k| lower[[k, row]] * column[k]).sum();
                column[row] = (column[row] - known) / lower[[row, row]];
            }
        }
        found
    }
}

/// What a regression with these coefficients says of an order, a number per action.
pub(crate) fn predict(terms: &[f64; N_TERMS], coefficients: &Array2<f64>) -> [f64; N_ACTIONS] {
    let mut found = [0.0; N_ACTIONS];
    for (term, row) in terms.iter().zip(coefficients.rows()) {
        for (sum, coefficient) in found.iter_mut().zip(row) {
            *sum += term * coefficient;
        }
    }
    found
}
