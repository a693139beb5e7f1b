//! A bundle calibrates scores that a strategy re-weighted.

use crate::decision::attribution::{Calibrated, Recalibrate};
use crate::model::bundle::Bundle;

impl Recalibrate for Bundle {
    fn calibrate(&self, head_idx: usize, log_odds: f64) -> Calibrated {
        let head = &self.heads()[head_idx];
        Calibrated {
            probability: head.calibrate(log_odds),
            interval: head.interval(log_odds),
            n_support: head.n_support(log_odds),
        }
    }
}
