//! Laws of evidence: it shows what the feature counted, on random streams.

use proptest::prelude::*;

use crate::domain::evidence::Evidence;
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::Catalog;
use crate::feature::laws::{graph_of, order, schema, stream};
use crate::graph::evidence::Shows;
use crate::graph::history::Window;

/// Counterparts that evidence shows of one entity at most.
const SHOWN_MAX: usize = 6;

fn is_met_in(evidence: &Evidence, window: Window, as_of: Timestamp) -> bool {
    evidence.edges.iter().all(|edge| {
        let is_known = edge.first_seen <= edge.last_seen && edge.last_seen <= as_of;
        is_known && window.span().is_none_or(|span| as_of - span < edge.last_seen)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn evidence_links_exactly_what_a_feature_counts_or_says_that_it_is_cut(
        events in stream(), hour in 0_i64..1_010, picks in prop::array::uniform6(0_u8..7),
    ) {
        let as_of = Timestamp(Span::hours(hour).0);
        let (graph, catalog) = (graph_of(&events), Catalog::new(&schema(&events)));
        let order = order(255, picks, 90);
        let mut values = Vec::new();
        catalog.extract(&graph, &order, as_of, &mut values);
        for (at, spec) in catalog.specs().iter().enumerate() {
            let Some(want) = catalog.evidence_want(at) else { continue };
            let evidence = graph.evidence(&order, as_of, std::slice::from_ref(&want));
            let n_links = evidence.edges.iter().filter(|it| it.features.contains(&spec.id)).count();
            if let Shows::Met(_, window) | Shows::FreshAccounts(window) = want.shows {
                prop_assert!(is_met_in(&evidence, window, as_of), "{}", spec.id);
            }
            let is_count = spec.id.contains("_distinct_") || spec.id.contains("fresh_accounts");
            if is_count && !spec.id.starts_with("sku_") && !values[at].is_nan() {
                let counted = f64::from(values[at]);
                let n_hidden = counted - n_links as f64;
                prop_assert!(n_links == SHOWN_MAX || n_hidden == 0.0, "{}", spec.id);
                prop_assert_eq!(evidence.is_truncated, 0.0 < n_hidden, "{}", spec.id);
            }
            if spec.id.ends_with("_pair_is_new") && !spec.id.contains("_sku_") {
                prop_assert!(n_links == 0 || values[at] == 0.0, "{}", spec.id);
            }
        }
    }
}
