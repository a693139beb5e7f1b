//! D: arms that are not as large as they were drawn.

use orderlens::experiment::split::{SplitWatch, one_look_p};
use rand_chacha::ChaCha8Rng;

use crate::differences::count;
use crate::gate::{Row, Suite, median, share};

const N_RUNS: u32 = 2_000;
const ALPHA: f64 = 0.001;
const CONCENTRATION: f64 = 1_000.0;
const PER_LOOK: u32 = 100;
const FALSE_ALARMS: (f64, f64) = (0.0, 0.003);

/// Units until an alarm, if any; and whether a chi-square at every look would have given one.
fn watch(share: f64, n_units: u32, dice: &mut ChaCha8Rng) -> (Option<u32>, bool) {
    let mut watch = SplitWatch::new(&[0.5, 0.5], CONCENTRATION);
    let (mut units, mut alarm, mut by_chi_square) = ([0; 2], None, false);
    for look in 1..=n_units / PER_LOOK {
        let first = count(PER_LOOK, share, dice);
        let batch = [first, u64::from(PER_LOOK) - first];
        units = [units[0] + batch[0], units[1] + batch[1]];
        let p = watch.add(&batch).expect("no arm is empty");
        if alarm.is_none() && p < ALPHA {
            alarm = Some(look * PER_LOOK);
        }
        by_chi_square |= one_look_p(&units, &[0.5, 0.5]).is_ok_and(|p| p < ALPHA);
    }
    (alarm, by_chi_square)
}

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let even = suite.measure("even", |dice| {
        let mut n_by_chi_square = 0;
        let alarms = share(N_RUNS, || {
            let (alarm, by_chi_square) = watch(0.5, 20_000, dice);
            n_by_chi_square += u32::from(by_chi_square);
            alarm.is_some()
        });
        (alarms, f64::from(n_by_chi_square) / f64::from(N_RUNS))
    });
    let uneven = suite.measure("uneven", |dice| {
        let mut units = Vec::new();
        let alarms = share(N_RUNS, || {
            let alarm = watch(0.52, 20_000, dice).0;
            units.push(alarm.map_or(f64::INFINITY, f64::from));
            alarm.is_some()
        });
        (alarms, median(units))
    });
    // One arm loses 3 % of its exposures.
    let lost = suite.measure("lost", |dice| {
        share(N_RUNS / 10, || watch(1.0 / 1.97, 200_000, dice).0.is_some())
    });
    let empty = one_look_p(&[500, 500, 30], &[0.5, 0.5, 0.0]).is_err();
    vec![
        Row::gate("D-1 false alarms over 200 looks", of(&even, 0), FALSE_ALARMS),
        Row::mutant("chi-square at every look", of(&even, 1), FALSE_ALARMS),
        Row::gate("D-2 52 to 48 found within 20,000", of(&uneven, 0), (0.9, 1.0)),
        Row::gate("D-2 units until then", of(&uneven, 1), (0.0, 11_000.0)),
        Row::gate("D-3 3 % of one arm lost, 200,000 units: refused", lost, (0.9, 1.0)),
        Row::gate(
            "D-3 units in an empty arm: refused",
            vec![f64::from(u8::from(empty))],
            (1.0, 1.0),
        ),
    ]
}

fn of(pairs: &[(f64, f64)], at: usize) -> Vec<f64> {
    pairs.iter().map(|it| if at == 0 { it.0 } else { it.1 }).collect()
}
