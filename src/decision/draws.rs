//! What-if draws: the model's own uncertainty as a fixed set of scenarios.
//!
//! No random numbers: each head takes every one of 127 equally likely strata of
//! the normal distribution exactly once, in an order of its own (a rank-1
//! Korobov lattice: draw `k` of head `j` takes stratum `(k·46^j + 7) mod 127`).
//! 127 is prime, so every order is a permutation; 46 was chosen among 2..126 as
//! the one with the smallest largest correlation between any two of the first 16
//! heads (0.07, measured 2026-11-22). Same scores, same draws, same bytes.

use std::sync::LazyLock;

/// Number of scenarios.
pub const DRAWS: usize = 127;
/// Half the width of a 90 % interval of the standard normal.
const Z_90: f64 = 1.644_853_626_951_472_2;
/// Probabilities nearer to 0 or 1 than this are moved to it before a logit.
const PROBABILITY_MIN: f64 = 1e-9;

/// Medians of the strata, lowest first.
static STRATA: LazyLock<[f64; DRAWS]> =
    LazyLock::new(|| std::array::from_fn(|k| normal_quantile((k as f64 + 0.5) / DRAWS as f64)));

/// Scenarios of a probability: logit-normal in two pieces.
///
/// The median is `point`; the 5 % and 95 % quantiles are the interval's ends. The
/// two sides have their own spread, since calibrated intervals are not symmetric.
pub fn probability_draws(head_idx: usize, point: f64, interval: (f64, f64)) -> [f64; DRAWS] {
    let center = logit(point);
    let down = spread(center, logit(interval.0.min(point)));
    let up = spread(logit(interval.1.max(point)), center);
    scenarios(head_idx, |z| sigmoid(center + z * if z < 0.0 { down } else { up }))
}

/// Scenarios of a value: normal in two pieces, likewise.
pub fn value_draws(head_idx: usize, point: f64, interval: (f64, f64)) -> [f64; DRAWS] {
    let down = spread(point, interval.0.min(point));
    let up = spread(interval.1.max(point), point);
    scenarios(head_idx, |z| point + z * if z < 0.0 { down } else { up })
}

/// The 10 % and 90 % quantiles of some draws.
pub fn p10_p90(draws: &[f64; DRAWS]) -> (f64, f64) {
    const TENTH: usize = DRAWS / 10;
    // Whole numbers in the order of `f64::total_cmp` are found sooner.
    let mut keys = draws.map(|draw| ordered(draw.to_bits().cast_signed()));
    let (_, p10, above) = keys.select_nth_unstable(TENTH);
    let (p10, (_, p90, _)) = (*p10, above.select_nth_unstable(DRAWS - 2 * TENTH - 2));
    (value_of(p10), value_of(*p90))
}

/// The bits of a number as one that sorts alike, and back: see `f64::total_cmp`.
fn ordered(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

fn value_of(key: i64) -> f64 {
    f64::from_bits(ordered(key).cast_unsigned())
}

fn scenarios(head_idx: usize, value: impl Fn(f64) -> f64) -> [f64; DRAWS] {
    // 46 has order 126 or less modulo 127; a bundle has far fewer heads.
    let step = (0..head_idx % (DRAWS - 1)).fold(1_usize, |step, _| step * 46 % DRAWS);
    std::array::from_fn(|k| value(STRATA[(k * step + 7) % DRAWS]))
}

fn spread(above: f64, below: f64) -> f64 {
    (above - below) / Z_90
}

fn logit(p: f64) -> f64 {
    let p = p.clamp(PROBABILITY_MIN, 1.0 - PROBABILITY_MIN);
    (p / (1.0 - p)).ln()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Inverse of the standard normal distribution function, relative error below 1.2e-9.
///
/// Source: P. J. Acklam, "An algorithm for computing the inverse normal cumulative
/// distribution function", 2003.
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    const TAIL: f64 = 0.024_25;
    let polynomial = |coefficients: &[f64], x: f64| {
        coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
    };
    let tail = |p: f64| {
        let q = (-2.0 * p.ln()).sqrt();
        polynomial(&C, q) / polynomial(&D, q)
    };
    if p < TAIL {
        tail(p)
    } else if p <= 1.0 - TAIL {
        let q = p - 0.5;
        let r = q * q;
        polynomial(&A, r) * q / polynomial(&B, r)
    } else {
        -tail(1.0 - p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strata_are_quantiles_of_the_normal_distribution() {
        // Source: standard tables, and Python's statistics.NormalDist().inv_cdf.
        assert!((normal_quantile(0.95) - Z_90).abs() < 1e-8);
        assert!((normal_quantile(0.01) + 2.326_347_874_040_841).abs() < 1e-8);
        assert!(normal_quantile(0.5).abs() < 1e-12);
    }

    #[test]
    fn nineteen_of_twenty_draws_lie_below_the_upper_end_of_the_interval() {
        let draws = probability_draws(3, 0.2, (0.1, 0.5));
        let share_below = |end: f64| draws.iter().filter(|p| **p < end).count() as f64 / 127.0;
        assert!((share_below(0.1) - 0.05).abs() < 0.01);
        assert!((share_below(0.2) - 0.50).abs() < 0.01);
        assert!((share_below(0.5) - 0.95).abs() < 0.01);
    }

    #[test]
    fn draws_of_two_heads_are_nearly_uncorrelated() {
        let draws: Vec<_> = (0..16).map(|head| value_draws(head, 0.0, (-1.0, 1.0))).collect();
        let dot = |a: &[f64; DRAWS], b: &[f64; DRAWS]| -> f64 {
            a.iter().zip(b).map(|(x, y)| x * y).sum()
        };
        for i in 0..draws.len() {
            for j in 0..i {
                let r = dot(&draws[i], &draws[j]) / dot(&draws[i], &draws[i]);
                assert!(r.abs() < 0.08, "heads {i} and {j}: {r}");
            }
        }
    }

    #[test]
    fn an_interval_without_width_gives_one_value() {
        assert!(value_draws(1, 7.0, (7.0, 7.0)).iter().all(|value| (value - 7.0).abs() < 1e-12));
    }
}
