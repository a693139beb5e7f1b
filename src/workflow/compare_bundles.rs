//! Compares how two bundles explain the same orders.

use crate::domain::head::{HeadId, HeadKind, HeadScore};
use crate::model::bundle::Bundle;
use crate::model::engine::Scratch;
use crate::training::stability::{Comparison, Explained, Stability};
use crate::workflow::evaluate_bundle::columns_of;
use crate::workflow::play_history::History;

/// The stability of every head that both bundles have, over the orders of a window.
///
/// Each bundle explains against its own background, as it does in service. The history's
/// catalog must hold the features of both.
pub fn compare_bundles(
    bundle: &Bundle,
    other: &Bundle,
    history: &History,
    window: usize,
) -> Vec<Stability> {
    let mut comparisons = shared_heads(bundle, other);
    let mut ours = Explainer::new(bundle, history);
    let mut others = Explainer::new(other, history);
    for row in history.rows_of(window) {
        let (a, b) = (ours.explain(history, row), others.explain(history, row));
        for (head, comparison) in &mut comparisons {
            let score_in = |scores: &'_ [HeadScore]| scores.iter().position(|it| it.head == *head);
            if let (Some(at), Some(at_other)) = (score_in(&a), score_in(&b)) {
                comparison.add(explained(&a[at]), explained(&b[at_other]));
            }
        }
    }
    comparisons.into_iter().map(|(_, comparison)| comparison.finish()).collect()
}

fn shared_heads(bundle: &Bundle, other: &Bundle) -> Vec<(HeadId, Comparison)> {
    let ids = |bundle: &Bundle| -> Vec<Box<str>> {
        bundle.manifest().features.iter().map(|spec| (&*spec.id).into()).collect()
    };
    let (ours, others) = (ids(bundle), ids(other));
    let is_shared = |head: &HeadId, kind: HeadKind| {
        other.head(head).is_some_and(|other_head| other_head.kind() == kind)
    };
    let heads = bundle.heads().iter().filter(|head| is_shared(head.id(), head.kind()));
    heads.map(|head| (head.id().clone(), Comparison::new(head.id(), [&ours, &others]))).collect()
}

fn explained(score: &HeadScore) -> Explained<'_> {
    Explained { raw: score.raw, contributions: &score.contributions }
}

/// A bundle with what it needs to explain one order after the other.
struct Explainer<'a> {
    bundle: &'a Bundle,
    columns: Vec<usize>,
    values: Vec<f32>,
    scratch: Scratch,
}

impl<'a> Explainer<'a> {
    fn new(bundle: &'a Bundle, history: &History) -> Self {
        let columns = columns_of(bundle, history);
        let values = vec![f32::NAN; columns.len()];
        Self { bundle, columns, values, scratch: Scratch::default() }
    }

    fn explain(&mut self, history: &History, row: usize) -> Vec<HeadScore> {
        for (value, column) in self.values.iter_mut().zip(&self.columns) {
            *value = history.features[[row, *column]];
        }
        self.bundle.score_with(self.bundle.engine(), &mut self.scratch, &self.values)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::domain::time::{Span, Timestamp};
    use crate::graph::settings::GraphSettings;
    use crate::workflow::evaluate_bundle::evaluation_catalog;
    use crate::workflow::fixtures::{bundle, other_bundle, placed};
    use crate::workflow::play_history::{HistoryPlan, Window, play_history};

    #[test]
    fn the_same_trees_in_another_version_explain_every_order_alike() {
        let (ours, other) = (bundle(), other_bundle());
        let catalog = evaluation_catalog(&ours, Some(&other)).unwrap();
        let windows = vec![Window { from: Timestamp(i64::MIN), to: Timestamp(i64::MAX) }];
        let plan = HistoryPlan { windows, label_delay: Span(0), graph: GraphSettings::default() };
        let events = (1..=3).map(|n| Ok::<_, Infallible>(placed(n)));
        let history = play_history(events, catalog, &plan, &mut |_| {}).unwrap();
        let compared = compare_bundles(&ours, &other, &history, 0);
        assert_eq!(compared.len(), ours.heads().len());
        assert_eq!(compared[0].n_orders, 3);
        assert!(compared[0].mean_score_change.abs() < 1e-12);
        assert!((compared[0].rank_correlation - 1.0).abs() < 1e-9);
        assert!(compared[0].movers.is_empty());
    }
}
