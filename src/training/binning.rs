//! Finding borders: even in the body, fine in both tails.
//!
//! Rare events sit in tails. Plain quantiles spend one border on the top 0.4 % of
//! the rows, so quantiles at halving shares are added on both ends (four points of
//! average precision on the development data).

use ndarray::ArrayView1;

use crate::model::binning::BORDER_LOWEST;

/// Share of the first tail border; the next ones divide it by √2.
const TAIL_SHARE_FIRST: f64 = 1.0 / 64.0;
/// Fewest rows beyond a tail border.
const TAIL_ROWS_MIN: f64 = 4.0;
/// Most rows that are sorted; more are thinned evenly.
const ROWS_SORTED_MAX: usize = 500_000;

/// The borders of one column, ascending, at most `n_borders_max`.
pub(crate) fn find_borders(column: ArrayView1<'_, f32>, n_borders_max: usize) -> Vec<f32> {
    let stride = column.len().div_ceil(ROWS_SORTED_MAX).max(1);
    let mut values: Vec<f32> = column.iter().copied().step_by(stride).collect();
    let n_all = values.len();
    values.retain(|value| value.is_finite());
    let has_missing = values.len() < n_all;
    values.sort_unstable_by(f32::total_cmp);
    let steps = count_steps(&values);
    let n_borders = n_borders_max - usize::from(has_missing).min(n_borders_max);
    let mut borders = if steps.len() <= n_borders + 1 {
        steps.windows(2).map(|pair| between(pair[0].value, pair[1].value)).collect()
    } else {
        cuts(&steps, values.len(), n_borders)
    };
    if has_missing && !steps.is_empty() && n_borders < n_borders_max {
        borders.insert(0, BORDER_LOWEST);
    }
    borders.dedup();
    borders
}

/// A distinct value and how many rows have it.
#[derive(Clone, Copy)]
struct Step {
    value: f32,
    n: usize,
}

fn count_steps(sorted: &[f32]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for &value in sorted {
        match steps.last_mut() {
            Some(last) if last.value >= value => last.n += 1,
            _ => steps.push(Step { value, n: 1 }),
        }
    }
    steps
}

/// Cut positions (the step above which to cut): tails first, the rest even.
fn cuts(steps: &[Step], n_rows: usize, n_borders: usize) -> Vec<f32> {
    let mut is_cut = vec![false; steps.len() - 1];
    let n_tail = mark_tails(steps, n_rows, n_borders / 2, &mut is_cut);
    mark_body(steps, n_rows, n_borders - n_tail, &mut is_cut);
    let marked = is_cut.iter().enumerate().filter(|(_, is_cut)| **is_cut);
    let mut borders: Vec<f32> =
        marked.map(|(at, _)| between(steps[at].value, steps[at + 1].value)).collect();
    borders.truncate(n_borders);
    borders
}

/// Marks quantiles at shares 2^-6, 2^-6.5 … on both ends; returns how many.
fn mark_tails(steps: &[Step], n_rows: usize, n_max: usize, is_cut: &mut [bool]) -> usize {
    let mut shares = Vec::new();
    let mut rows = n_rows as f64 * TAIL_SHARE_FIRST;
    while TAIL_ROWS_MIN <= rows && shares.len() < n_max / 2 {
        shares.push(rows);
        rows /= std::f64::consts::SQRT_2;
    }
    let n_cuts = is_cut.len();
    let mut marked = 0;
    let mut mark = |at: usize| {
        if !is_cut[at] {
            is_cut[at] = true;
            marked += 1;
        }
    };
    let (mut below, mut next) = (0, shares.len());
    for (at, step) in steps.iter().enumerate().take(n_cuts) {
        below += step.n;
        while 0 < next && shares[next - 1] <= below as f64 {
            next -= 1;
            mark(at);
        }
    }
    let (mut above, mut next) = (0, shares.len());
    for at in (0..n_cuts).rev() {
        above += steps[at + 1].n;
        while 0 < next && shares[next - 1] <= above as f64 {
            next -= 1;
            mark(at);
        }
    }
    marked
}

/// Cuts so that bins hold as many rows as possible alike; a heavy value gets its own
/// bin and does not use up the share of the others (as in `LightGBM`).
fn mark_body(steps: &[Step], n_rows: usize, n_cuts: usize, is_cut: &mut [bool]) {
    let mut rows_left = n_rows;
    let mut cuts_left = n_cuts;
    let heavy = n_rows.div_ceil(n_cuts + 1);
    let mut in_bin = 0;
    for at in 0..is_cut.len() {
        if cuts_left == 0 {
            return;
        }
        in_bin += steps[at].n;
        let target = rows_left / (cuts_left + 1);
        let is_full = target <= in_bin || heavy <= steps[at].n || heavy <= steps[at + 1].n;
        if is_full || is_cut[at] {
            cuts_left -= usize::from(!is_cut[at]);
            is_cut[at] = true;
            rows_left -= in_bin;
            in_bin = 0;
        }
    }
}

/// The number with the fewest digits that is at least `low` and below `high`: easy to
/// read in an explanation and short in a file.
fn between(low: f32, high: f32) -> f32 {
    let middle = low / 2.0 + high / 2.0;
    for digits in 0..7 {
        let rounded = format!("{middle:.digits$e}").parse().unwrap_or(middle);
        if low <= rounded && rounded < high {
            return rounded;
        }
    }
    if low <= middle && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;

    fn check(values: Vec<f32>, n_max: usize, expected: &[f32]) {
        assert_eq!(find_borders(Array1::from(values).view(), n_max), expected);
    }

    #[test]
    fn few_values_are_cut_between_each_pair() {
        check(vec![3.0, 1.0, 2.0, 1.0], 254, &[1.5, 2.0]);
        check(vec![1.0, 1.0], 254, &[]);
        check(vec![f32::NAN, f32::NAN], 254, &[]);
        check(vec![f32::NAN, 1.0], 254, &[BORDER_LOWEST]);
    }

    #[test]
    fn a_heavy_value_leaves_borders_for_the_rest() {
        let mut values = vec![0.0; 90_000];
        values.extend((0..10_000).map(|i| 1.0 + i as f32));
        let borders = find_borders(Array1::from(values).view(), 254);
        assert!(200 <= borders.len() && borders.len() <= 254);
    }

    #[test]
    fn the_far_tail_is_cut_finely() {
        let values: Vec<f32> = (0..100_000).map(|i| i as f32).collect();
        let borders = find_borders(Array1::from(values).view(), 254);
        assert!(borders.len() <= 254);
        assert!(8 <= borders.iter().filter(|border| 99_900.0 < **border).count());
        assert!(8 <= borders.iter().filter(|border| **border < 100.0).count());
        assert!(borders.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
