//! Other intervals of shares and of their differences than the usual ones.
//!
//! `shares` has those that reports show (Wilson; Newcombe). These are for comparison with what
//! others report, and for readers who ask for one by name.

use crate::experiment::distributions::{BISECTIONS, beta_quantile, normal_tail_quantile};
use crate::experiment::shares::Count;

/// Interval that holds at least as often as it says (Clopper and Pearson, "The use of confidence
/// or fiducial limits", 1934).
pub fn exact_interval(share: Count, alpha: f64) -> (f64, f64) {
    let (count, rest) = parts(share);
    let low = if share.count == 0 { 0.0 } else { beta_quantile(alpha / 2.0, count, rest + 1.0) };
    let high = if share.count == share.of {
        1.0
    } else {
        beta_quantile(1.0 - alpha / 2.0, count + 1.0, rest)
    };
    (low, high)
}

/// Interval of the posterior with the prior of Jeffreys, a beta of two halves (Brown, Cai and
/// `DasGupta`, "Interval estimation for a binomial proportion", 2001).
pub fn jeffreys_interval(share: Count, alpha: f64) -> (f64, f64) {
    let (count, rest) = parts(share);
    let quantile = |chance| beta_quantile(chance, count + 0.5, rest + 0.5);
    (quantile(alpha / 2.0), quantile(1.0 - alpha / 2.0))
}

/// Normal interval with z² more trials, half of them successes (Agresti and Coull, "Approximate
/// is better than exact", 1998).
pub fn agresti_coull_interval(share: Count, alpha: f64) -> (f64, f64) {
    let z = normal_tail_quantile(alpha / 2.0);
    let n = share.of as f64 + z * z;
    let center = (share.count as f64 + z * z / 2.0) / n;
    let half = z * (center * (1.0 - center) / n).sqrt();
    ((center - half).max(0.0), (center + half).min(1.0))
}

/// Normal interval of the treatment's share less the control's.
pub fn wald_difference(control: Count, treatment: Count, alpha: f64) -> (f64, f64) {
    normal_difference(control, treatment, alpha)
}

/// The same with one more success and one more failure in each arm (Agresti and Caffo, "Simple
/// and effective confidence intervals", 2000).
pub fn agresti_caffo_difference(control: Count, treatment: Count, alpha: f64) -> (f64, f64) {
    let more = |it: Count| Count { count: it.count + 1, of: it.of + 2 };
    normal_difference(more(control), more(treatment), alpha)
}

fn normal_difference(control: Count, treatment: Count, alpha: f64) -> (f64, f64) {
    let difference = treatment.share() - control.share();
    let variance = |it: Count| it.share() * (1.0 - it.share()) / it.of as f64;
    let error = (variance(control) + variance(treatment)).sqrt();
    let half = normal_tail_quantile(alpha / 2.0) * error;
    (difference - half, difference + half)
}

/// Differences that the score test does not reject (Miettinen and Nurminen, "Comparative analysis
/// of two rates", 1985).
pub fn score_difference(control: Count, treatment: Count, alpha: f64) -> (f64, f64) {
    let z = normal_tail_quantile(alpha / 2.0);
    let end = |limit: f64| {
        let (mut kept, mut rejected) = (treatment.share() - control.share(), limit);
        for _ in 0..BISECTIONS {
            let middle = f64::midpoint(kept, rejected);
            if score(control, treatment, middle).abs() < z {
                kept = middle;
            } else {
                rejected = middle;
            }
        }
        f64::midpoint(kept, rejected)
    };
    (end(-1.0), end(1.0))
}

/// Standard errors between the difference seen and this one, the errors being those of the
/// likeliest shares that are so far apart.
fn score(control: Count, treatment: Count, difference: f64) -> f64 {
    let in_control = likeliest_share(control, treatment, difference);
    let in_treatment = in_control + difference;
    let n = (control.of + treatment.of) as f64;
    let variance = in_control * (1.0 - in_control) / control.of as f64
        + in_treatment * (1.0 - in_treatment) / treatment.of as f64;
    let seen = treatment.share() - control.share();
    (seen - difference) / (variance * n / (n - 1.0)).sqrt()
}

/// The control's likeliest share when the treatment's is so much larger.
fn likeliest_share(control: Count, treatment: Count, difference: f64) -> f64 {
    /// Of nothing nothing follows, not even where it would be infinite.
    fn pull(count: f64, share: f64) -> f64 {
        if count > 0.0 { count / share } else { 0.0 }
    }
    let ((yes_c, no_c), (yes_t, no_t)) = (parts(control), parts(treatment));
    let (mut low, mut high) = ((-difference).max(0.0), (1.0 - difference).min(1.0));
    for _ in 0..BISECTIONS {
        let share = f64::midpoint(low, high);
        let up = pull(yes_c, share) + pull(yes_t, share + difference);
        let down = pull(no_c, 1.0 - share) + pull(no_t, 1.0 - share - difference);
        if down < up {
            low = share;
        } else {
            high = share;
        }
    }
    f64::midpoint(low, high)
}

/// How many, and how many not.
fn parts(share: Count) -> (f64, f64) {
    (share.count as f64, share.of.saturating_sub(share.count) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: (f64, f64), expected: (f64, f64), tolerance: f64) {
        let is_near = |a: f64, b: f64| (a - b).abs() <= tolerance;
        assert!(is_near(found.0, expected.0) && is_near(found.1, expected.1), "{found:?}");
    }

    /// statsmodels 0.15.0.
    #[test]
    fn intervals_of_a_share_are_those_of_statsmodels() {
        let one = Count { count: 1, of: 50 };
        let expected = (0.000_506_227_983_040_829, 0.106_469_545_711_499_93);
        check(exact_interval(one, 0.05), expected, 1e-9);
        let expected = (0.002_166_494_175_293_633_5, 0.089_680_351_056_964_05);
        check(jeffreys_interval(one, 0.05), expected, 1e-9);
        check(agresti_coull_interval(one, 0.05), (0.0, 0.114_748_304_550_083_96), 1e-9);
        check(exact_interval(Count { count: 0, of: 4 }, 0.05), (0.0, 0.602_364_635_616_15), 1e-9);
    }

    /// Newcombe, "Interval estimation for the difference between independent proportions", 1998,
    /// table II, examples (a) and (b), method 6.
    #[test]
    fn differences_by_the_score_are_those_of_the_literature() {
        let of = |count, of| Count { count, of };
        let found = score_difference(of(48, 80), of(56, 70), 0.05);
        check(found, (0.0528, 0.3382), 0.000_05);
        let found = score_difference(of(3, 10), of(9, 10), 0.05);
        check(found, (0.1700, 0.8406), 0.000_05);
    }

    #[test]
    fn differences_turn_round_with_their_arms() {
        let (a, b) = (Count { count: 3, of: 40 }, Count { count: 0, of: 25 });
        for interval in [score_difference, wald_difference, agresti_caffo_difference] {
            let (low, high) = interval(a, b, 0.1);
            check(interval(b, a, 0.1), (-high, -low), 1e-9);
            assert!(low < -0.075 && -0.075 < high);
        }
    }
}
