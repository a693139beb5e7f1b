//! Values that tell a family from a gang: the accounts of an entity's last day.

use std::cell::OnceCell;

use crate::domain::entity::EntityKind;
use crate::feature::row::CohortRead;
use crate::graph::cohort_read::{Cohort, PurchaseMix};
use crate::graph::history::{History, Window};

/// The cohort of one entity; each walk is done when the first row asks for it.
#[derive(Debug, Default)]
pub(super) struct CohortPast {
    cohort: OnceCell<Cohort>,
    mix: OnceCell<PurchaseMix>,
}

impl CohortPast {
    /// The value of a read; NaN while there are too few accounts or purchases to tell.
    pub(super) fn value(&self, past: &History<'_>, read: CohortRead) -> f64 {
        match read {
            CohortRead::AgeMedian => self.cohort(past).median_age_days().unwrap_or(f64::NAN),
            CohortRead::SettledShare => self.share(past, Cohort::n_settled),
            CohortRead::CustomerShare => self.share(past, |cohort| cohort.n_customers),
            CohortRead::AcquaintedShare => self.share(past, |cohort| cohort.n_acquainted),
            CohortRead::SignupBurstShare => {
                // One account was always opened at one time.
                let cohort = self.cohort(past);
                if cohort.ages.len() < 2 {
                    return f64::NAN;
                }
                share(cohort.n_opened_together(), cohort.ages.len() as u64)
            }
            CohortRead::NewAddressShare => {
                let cohort = self.cohort(past);
                share(cohort.n_new_addresses, cohort.n_customers)
            }
            CohortRead::PerAccount(kind) => {
                let n_accounts = past.n_distinct(EntityKind::Account, Window::Day);
                share(past.n_distinct(kind, Window::Day), n_accounts)
            }
            CohortRead::TopSkuShare => {
                let mix = self.mix(past);
                share(mix.n_top, mix.n_purchases)
            }
            CohortRead::SkuVariety => {
                // Simpson's unbiased index (Nature 163, 1949).
                let mix = self.mix(past);
                1.0 - share(mix.n_alike, mix.n_purchases * mix.n_purchases.saturating_sub(1))
            }
            CohortRead::AmountSpread => amount_spread(past),
        }
    }

    fn cohort(&self, past: &History<'_>) -> &Cohort {
        self.cohort.get_or_init(|| past.cohort())
    }

    fn mix(&self, past: &History<'_>) -> PurchaseMix {
        *self.mix.get_or_init(|| past.purchase_mix(Window::Day))
    }

    fn share(&self, past: &History<'_>, count: impl Fn(&Cohort) -> u64) -> f64 {
        let cohort = self.cohort(past);
        share(count(cohort), cohort.n_accounts)
    }
}

/// Standard deviation of ln(1 + amount) over the last day, from two amounts on.
fn amount_spread(past: &History<'_>) -> f64 {
    let day = past.totals(Window::Day);
    if day.n_amounts < 2 {
        return f64::NAN;
    }
    let n = day.n_amounts as f64;
    let mean = day.ln / n;
    (day.ln_squared / n - mean * mean).max(0.0).sqrt()
}

/// `part / whole`; NaN of nothing.
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
