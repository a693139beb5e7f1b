//! How far two samples of a score are apart.

/// Parts of equal size that the earlier sample is cut into.
const PARTS: usize = 10;
/// Fewest values of each sample: below, a part would have fewer than 10.
pub const VALUES_MIN: usize = 100;

/// From here on a shift of a score is called large, by custom.
pub const LARGE_SHIFT: f64 = 0.25;
/// From here on it is called a shift, by custom.
pub const SMALL_SHIFT: f64 = 0.1;

/// The population stability index, Σ (now − before) · ln(now / before) over tenths of the
/// earlier sample; `None` when there are fewer than [`VALUES_MIN`] values of either.
///
/// A part that is empty counts as half a value, so that one missing part is not infinite.
/// By custom less than 0.1 is no shift and more than 0.25 a large one; for equal samples of
/// n and m values it is about 9 · (1/n + 1/m) by chance (Yurdakul, "Statistical properties of
/// the population stability index", 2018).
pub fn stability_index(before: &[f64], now: &[f64]) -> Option<f64> {
    if before.len() < VALUES_MIN || now.len() < VALUES_MIN {
        return None;
    }
    let mut sorted = before.to_vec();
    sorted.sort_by(f64::total_cmp);
    let edges: Vec<f64> = (1..PARTS).map(|part| sorted[part * sorted.len() / PARTS]).collect();
    let shares = |values: &[f64]| {
        let mut counts = [0_u32; PARTS];
        for value in values {
            counts[edges.partition_point(|edge| edge <= value)] += 1;
        }
        counts.map(|count| f64::from(count).max(0.5) / values.len() as f64)
    };
    let (before, now) = (shares(before), shares(now));
    Some(before.iter().zip(&now).map(|(b, n)| (n - b) * (n / b).ln()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_samples_are_not_apart_and_moved_ones_are() {
        let sample: Vec<f64> = (0..1_000).map(|n| f64::from(n) / 1_000.0).collect();
        assert_eq!(stability_index(&sample, &sample), Some(0.0));
        let moved: Vec<f64> = sample.iter().map(|it| it * it).collect();
        // By hand: a tenth [a, b) of the square roots holds √b − √a of the values.
        let expected: f64 = (0..10)
            .map(|part| {
                let (low, high) = (f64::from(part) / 10.0, f64::from(part + 1) / 10.0);
                let now = high.sqrt() - low.sqrt();
                (now - 0.1) * (now / 0.1).ln()
            })
            .sum();
        let found = stability_index(&sample, &moved).unwrap();
        assert!((found - expected).abs() < 0.01, "{found} {expected}");
        assert_eq!(stability_index(&sample, &sample[..VALUES_MIN - 1]), None);
    }

    #[test]
    fn a_part_that_is_empty_is_far_but_not_infinite() {
        let before: Vec<f64> = (0..100).map(f64::from).collect();
        let now = vec![1.0; 100];
        let found = stability_index(&before, &now).unwrap();
        assert!(found.is_finite() && 1.0 < found);
    }
}
