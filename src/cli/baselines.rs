//! Baselines of an evaluation: what simpler learners make of the same history.
//!
//! They learn in the same run, from orders older than the judged ones and from what was
//! known of these by the time that the first one is judged.

use serde::Serialize;

use crate::cli::train::{LEARNING_RATE, TREES_MAX, fit, trees};
use crate::cli::windows::WindowArgs;
use crate::domain::feature::CatalogSchema;
use crate::domain::head::HeadKind;
use crate::domain::time::Timestamp;
use crate::model::bundle::{Bundle, Head};
use crate::training::baseline::{Learner, ROWS_MAX, order_only};
use crate::training::bundle::BundleParams;
use crate::training::evaluate::HeadReport;
use crate::training::forest::{N_TREES, ROWS_PER_LABEL_MAX};
use crate::training::params::ObliviousParams;
use crate::training::set::TrainingSet;
use crate::training::slices::Slicing;
use crate::workflow::evaluate_bundle::{KnownAccounts, judge_learner, judge_window};
use crate::workflow::play_history::{History, Window};

/// Number of the judged window in the plan of a history; it comes first because it always
/// exists.
pub const TEST: usize = 0;
/// Number of the window that baselines learn from.
const LEARNING: usize = 1;

/// How one baseline did.
#[derive(Debug, Serialize)]
pub struct Baseline {
    /// Which learner, and its limits.
    pub name: String,
    /// Its report per head.
    pub heads: Vec<HeadReport>,
}

/// What baselines learn from: the training window, by default that of the bundle, but
/// nothing that is judged. `None` when that leaves no time.
pub fn learning_window(windows: &WindowArgs, bundle_from: Timestamp) -> Option<Window> {
    let from = windows.train_from.unwrap_or(bundle_from);
    let to = windows.train().to.min(windows.test().from);
    (from < to).then_some(Window { from, to })
}

/// The orders of the learning window with the labels that were known when judging starts.
fn learning_set(windows: &WindowArgs, history: &History, schema: &CatalogSchema) -> TrainingSet {
    history.training_set(LEARNING, windows.test().from, schema)
}

/// Baselines of the same run, for the classes with labels enough in their window; empty
/// when there are none.
///
/// # Errors
/// A report of a learner that gave up.
pub fn baselines(
    windows: &WindowArgs,
    bundle: &Bundle,
    history: &History,
    known: KnownAccounts,
) -> miette::Result<Vec<Baseline>> {
    let params = BundleParams {
        name: "order-only".into(),
        trees: ObliviousParams::new(trees(TREES_MAX, LEARNING_RATE)),
        ..BundleParams::default()
    };
    let mut set = learning_set(windows, history, &bundle.manifest().schema);
    // Baselines are classifiers: beside values alone they have nothing to say.
    set.heads.retain(|target| {
        let is_class = |head: &Head| head.kind() != HeadKind::ImpactValue;
        bundle.head(&target.id).is_some_and(is_class) && params.has_enough(target)
    });
    if set.heads.is_empty() {
        return Ok(Vec::new());
    }
    let judge = |learner| {
        judge_learner(learner, (bundle, history), &set, TEST, known)
            .map_err(|error| miette::miette!("{error}"))
    };
    let (line, forest) = (judge(Learner::Line)?, judge(Learner::Forest)?);
    let order_only = fit(&order_only(&set), &params)?;
    let judged =
        judge_window(&order_only, history, (TEST, known), &Slicing::default(), &mut |_| {});
    Ok(vec![
        Baseline {
            name: format!("logistic regression (linfa, about {ROWS_MAX} rows at most)"),
            heads: line,
        },
        Baseline {
            name: format!(
                "random forest (linfa, {N_TREES} trees, about {ROWS_PER_LABEL_MAX} rows of each label at most)"
            ),
            heads: forest,
        },
        Baseline { name: "same trees, order-only features".to_owned(), heads: judged.reports },
    ])
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::domain::event::Event;
    use crate::domain::time::Span;
    use crate::feature::catalog::Catalog;
    use crate::graph::settings::GraphSettings;
    use crate::workflow::fixtures::{at, label, placed, schema};
    use crate::workflow::play_history::{HistoryPlan, play_history};

    /// An order a minute.
    const ORDERS: u32 = 60;
    /// Minutes until the truth about an order comes out.
    const TRUTH_DELAY: u32 = 10;
    /// Minute of the first order that is judged.
    const JUDGED_FROM: u32 = 40;

    fn windows(train_to: Option<u32>, test_from: Option<u32>) -> WindowArgs {
        WindowArgs {
            train_from: None,
            train_to: train_to.map(|minute| at(minute.into())),
            test_from: test_from.map(|minute| at(minute.into())),
            test_to: None,
            label_delay: Span(0),
        }
    }

    fn play(args: &WindowArgs) -> History {
        let truth = |n| label(n, f64::from(n % 2), i64::from(n + TRUTH_DELAY));
        let mut events: Vec<Event> = (0..ORDERS).flat_map(|n| [placed(n), truth(n)]).collect();
        events.sort_by_key(Event::known_at);
        let mut windows = vec![args.test()];
        windows.extend(learning_window(args, at(0)));
        let graph = GraphSettings::default();
        let plan = HistoryPlan { windows, label_delay: args.label_delay, graph };
        let events = events.into_iter().map(Ok::<_, Infallible>);
        play_history(events, Catalog::new(&schema()), &plan, &mut |_| {}).unwrap()
    }

    /// Checks which orders teach, and that exactly those teach something whose truth was out
    /// when the first order is judged.
    fn check(args: &WindowArgs, n_lessons: u32, delay: u32) {
        let history = play(args);
        let set = learning_set(args, &history, &schema());
        let expected: Vec<Timestamp> = (0..n_lessons).map(|minute| at(minute.into())).collect();
        assert_eq!(set.times, expected);
        let judged: Vec<Timestamp> =
            history.rows_of(TEST).into_iter().map(|row| history.rows[row].event_time).collect();
        assert!(judged.iter().all(|time| !set.times.contains(time)) && judged[0] == at(40));
        let values = &set.heads[0].values;
        let known: Vec<bool> = values.iter().map(|value| !value.is_nan()).collect();
        let was_out: Vec<bool> = (0..n_lessons).map(|n| n + delay <= JUDGED_FROM).collect();
        assert_eq!(known, was_out);
    }

    #[test]
    fn baselines_learn_from_nothing_that_is_judged_or_was_not_yet_known() {
        let judged = Some(JUDGED_FROM);
        check(&windows(None, judged), 40, TRUTH_DELAY);
        check(&windows(judged, None), 40, TRUTH_DELAY);
        // A training window that reaches into the judged orders ends before them.
        check(&windows(Some(50), judged), 40, TRUTH_DELAY);
        check(&windows(Some(20), judged), 20, TRUTH_DELAY);
        // Labels that are held back are not known either.
        let label_delay = Span(25 * 60_000_000);
        check(&WindowArgs { label_delay, ..windows(judged, None) }, 40, 25);
    }

    #[test]
    fn where_every_order_is_judged_none_is_learned_from() {
        assert_eq!(learning_window(&windows(None, None), at(0)), None);
        assert_eq!(learning_window(&windows(None, Some(0)), at(0)), None);
    }
}
