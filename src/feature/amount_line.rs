//! How a comparison with history follows from the order's amount alone.
//!
//! The past is read once; then every other amount costs two operations, and gives
//! the same bits as reading the past again for an order of that amount.

/// What a feature makes of an amount.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AmountLine {
    of: AmountForm,
    shift: f64,
    scale: f64,
}

/// What of the amount enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AmountForm {
    Plain,
    Ln,
}

impl AmountLine {
    /// `(amount + shift) / scale`.
    pub(super) fn plain(shift: f64, scale: f64) -> Self {
        Self { of: AmountForm::Plain, shift, scale }
    }

    /// `(ln(1 + amount) + shift) / scale`.
    pub(super) fn ln(shift: f64, scale: f64) -> Self {
        Self { of: AmountForm::Ln, shift, scale }
    }

    /// The feature's value at an amount in major units.
    pub(super) fn at(self, amount: f64) -> f64 {
        let amount = match self.of {
            AmountForm::Plain => amount,
            AmountForm::Ln => amount.max(0.0).ln_1p(),
        };
        (amount + self.shift) / self.scale
    }
}

/// The features of one order that compare its amount with history: positions and lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AmountLines(pub(super) Vec<(usize, AmountLine)>);
