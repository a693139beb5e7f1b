//! Values as places: scales with round ticks.

/// Most ticks of an axis.
const TICKS_MAX: usize = 7;

/// How values are spread over an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// Equal differences, equal distances.
    Linear,
    /// Equal quotients, equal distances; values must be above 0.
    Logarithmic,
}

/// One axis of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What is shown, with its unit.
    pub label: String,
    /// Value at the left or bottom end.
    pub min: f64,
    /// Value at the right or top end; above `min`.
    pub max: f64,
    /// How values are spread.
    pub spacing: Spacing,
}

impl Axis {
    /// A linear axis; an empty range is widened.
    pub fn linear(label: &str, min: f64, max: f64) -> Self {
        let max = if min < max { max } else { min + 1.0 };
        Self { label: label.to_owned(), min, max, spacing: Spacing::Linear }
    }

    /// A logarithmic axis between powers of ten that hold `min` and `max`.
    pub fn logarithmic(label: &str, min: f64, max: f64) -> Self {
        let min = min.max(f64::MIN_POSITIVE).log10().floor();
        let max = max.max(f64::MIN_POSITIVE).log10().ceil().max(min + 1.0);
        let (min, max) = (10_f64.powf(min), 10_f64.powf(max));
        Self { label: label.to_owned(), min, max, spacing: Spacing::Logarithmic }
    }

    /// Where a value lies, 0 at `min` and 1 at `max`; values beyond lie on the end.
    pub fn share(&self, value: f64) -> f64 {
        let share = match self.spacing {
            Spacing::Linear => (value - self.min) / (self.max - self.min),
            Spacing::Logarithmic => {
                let value = value.max(self.min);
                (value / self.min).ln() / (self.max / self.min).ln()
            }
        };
        share.clamp(0.0, 1.0)
    }

    /// Round values inside the axis with their texts, ascending.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        match self.spacing {
            Spacing::Linear => self.linear_ticks(),
            Spacing::Logarithmic => self.powers_of_ten(),
        }
    }

    fn linear_ticks(&self) -> Vec<(f64, String)> {
        let rough = (self.max - self.min) / (TICKS_MAX as f64 - 1.0);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
        let step = step.into_iter().find(|step| rough <= *step * (1.0 + 1e-9)).unwrap_or(rough);
        let first = (self.min / step).ceil();
        let ticks = (0..=TICKS_MAX).map(|k| (first + k as f64) * step);
        let inside = ticks.take_while(|tick| *tick <= self.max + 1e-9 * step);
        // −0 would be written with its sign.
        inside.map(|tick| (tick, number(tick + 0.0, step))).collect()
    }

    fn powers_of_ten(&self) -> Vec<(f64, String)> {
        let n_decades = (self.max / self.min).log10().round().max(1.0);
        let stride = (n_decades / (TICKS_MAX as f64 - 1.0)).ceil();
        let ticks = (0..TICKS_MAX).map(|k| self.min * 10_f64.powf(k as f64 * stride));
        let inside = ticks.take_while(|tick| *tick <= self.max * (1.0 + 1e-9));
        inside.map(|tick| (tick, power_of_ten(tick))).collect()
    }
}

/// As many decimals as the step needs.
fn number(value: f64, step: f64) -> String {
    let decimals = (0..=6).find(|decimals| {
        let scaled = step * 10_f64.powi(*decimals);
        (scaled - scaled.round()).abs() < 1e-6
    });
    let decimals = usize::try_from(decimals.unwrap_or(6)).unwrap_or(0);
    format!("{value:.decimals$}")
}

fn power_of_ten(value: f64) -> String {
    let exponent = value.log10().round();
    if -4.5 < exponent && exponent < 5.5 {
        let decimals = if exponent < 0.0 { -exponent } else { 0.0 };
        return number(value, 10_f64.powf(-decimals));
    }
    format!("1e{exponent:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(axis: &Axis, expected: &[&str]) {
        let texts: Vec<String> = axis.ticks().into_iter().map(|tick| tick.1).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn ticks_are_round_and_inside() {
        check(&Axis::linear("", 0.0, 1.0), &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        check(&Axis::linear("", -7.3, 4.9), &["-5.0", "-2.5", "0.0", "2.5"]);
        check(&Axis::linear("", 0.0, 0.031), &["0.00", "0.01", "0.02", "0.03"]);
        check(&Axis::linear("", 3.0, 3.0), &["3.0", "3.2", "3.4", "3.6", "3.8", "4.0"]);
        check(&Axis::logarithmic("", 2e-4, 0.7), &["0.0001", "0.001", "0.01", "0.1", "1"]);
        check(&Axis::logarithmic("", 3.0, 4e6), &["1", "100", "10000", "1e6"]);
    }

    #[test]
    fn values_beyond_an_end_lie_on_it() {
        let axis = Axis::logarithmic("", 1e-3, 1.0);
        let shares = [0.0, 1e-3, 1e-2, 1.0, 5.0].map(|value| axis.share(value));
        for (ours, expected) in shares.into_iter().zip([0.0, 0.0, 1.0 / 3.0, 1.0, 1.0]) {
            assert!((ours - expected).abs() < 1e-12, "{ours} is not {expected}");
        }
    }
}
