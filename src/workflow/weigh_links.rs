//! What each link of the evidence does to the leading risk.

use crate::decision::attribution::{Recalibrate, weigh};
use crate::decision::told::raised;
use crate::domain::evidence::{DeltaIfRemoved, Evidence};
use crate::domain::head::HeadScore;
use crate::domain::record::ScoreRequest;
use crate::domain::risk::Probability;
use crate::graph::knowledge::KnowledgeGraph;
use crate::model::engine::Scratch;
use crate::workflow::judge_order::Judge;
use crate::workflow::sight::Given;

impl Judge {
    /// Works out for each link of the evidence what the leading risk would be without it,
    /// unless that risk is low: most orders are released, and nobody looks at their links.
    pub(super) fn weigh_links(
        &self,
        graph: &mut KnowledgeGraph,
        (request, given): (&ScoreRequest, &[Given]),
        scores: &[HeadScore],
        evidence: &mut Evidence,
    ) {
        let (specs, strategy) = (self.catalog.specs(), &self.strategy().strategy);
        let Some(leading) = raised(strategy, scores, &**self.bundle(), specs) else { return };
        let weighed = |scores: &[HeadScore]| {
            let calibrate = |log_odds| self.bundle().calibrate(leading, log_odds);
            weigh(&strategy.weights, &scores[leading], specs, calibrate)
        };
        let (as_is, _) = weighed(scores);
        let (mut values, mut scratch) = (Vec::with_capacity(specs.len()), Scratch::default());
        let Evidence { nodes, edges, .. } = evidence;
        for edge in edges {
            let [from, to] = [edge.from, edge.to].map(|at| &nodes[at as usize].entity);
            edge.delta_if_removed = graph.without_link((from, to), request.event_time, |graph| {
                values.clear();
                self.catalog.extract(graph, &request.order, request.event_time, &mut values);
                for given in given {
                    values[given.at] = given.value;
                }
                let scores = self.bundle().score_with(self.engine(), &mut scratch, &values);
                let (log_odds, calibrated) = weighed(&scores);
                DeltaIfRemoved {
                    log_odds: log_odds - as_is,
                    probability: Probability::clamped(calibrated.probability),
                }
            });
        }
    }
}
