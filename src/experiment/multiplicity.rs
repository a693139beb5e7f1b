//! Several metrics of one experiment: what one p means among others.

/// Adjusted p that keep the chance of any false finding (Holm, "A simple sequentially rejective
/// multiple test procedure", 1979); for metrics that decide. In the order of the input.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let mut adjusted = vec![0.0; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, at) in order.into_iter().enumerate() {
        largest = largest.max((p.len() - rank) as f64 * p[at]).min(1.0);
        adjusted[at] = largest;
    }
    adjusted
}

/// Adjusted p that keep the share of false findings among findings (Benjamini and Hochberg,
/// "Controlling the false discovery rate", 1995); for metrics that are only looked at.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let mut adjusted = vec![0.0; p.len()];
    let mut least: f64 = 1.0;
    for (rank, at) in order.into_iter().enumerate().rev() {
        least = least.min(p.len() as f64 / (rank + 1) as f64 * p[at]);
        adjusted[at] = least;
    }
    adjusted
}

/// The same when p hang together in any way (Benjamini and Yekutieli, "The control of the false
/// discovery rate in multiple testing under dependency", 2001).
pub fn benjamini_yekutieli(p: &[f64]) -> Vec<f64> {
    let price: f64 = (1..=p.len()).map(|rank| 1.0 / rank as f64).sum();
    benjamini_hochberg(p).into_iter().map(|it| (price * it).min(1.0)).collect()
}

/// Positions by rising p; equal ones in their order.
fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed_ones_come_back_in_the_order_given() {
        let p = [0.04, 0.01, 0.03];
        let near = |found: Vec<f64>, expected: [f64; 3]| {
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 1e-12, "{found:?}");
            }
        };
        near(holm(&p), [0.06, 0.03, 0.06]);
        near(benjamini_hochberg(&p), [0.04, 0.03, 0.04]);
        // The harmonic sum of three is 11/6.
        near(benjamini_yekutieli(&p), [0.04 * 11.0 / 6.0, 0.03 * 11.0 / 6.0, 0.04 * 11.0 / 6.0]);
        assert!(holm(&[]).is_empty() && benjamini_yekutieli(&[]).is_empty());
    }
}
