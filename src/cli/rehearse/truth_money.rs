//! What the service earned against a model that never learned.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::decision::strategy::{ActionPolicy, Strategy};
use crate::domain::decision::{ActionKind, Decision};
use crate::domain::head::HeadId;
use crate::domain::record::Record;
use crate::domain::risk::RiskAssessment;
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::Catalog;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::settings::GraphSettings;
use crate::model::bundle::Bundle;
use crate::model::engine::Scratch;
use crate::simulator::truth::OrderTruth;
use crate::store::journal::reader::JournalReader;
use crate::store::log::read_from;
use crate::training::metrics::bootstrap::{Measured, measure};
use crate::workflow::price_actions::{answer, earned};
use crate::workflow::state::placed_event;

/// Seed of the resamples.
const SEED: u64 = 20_261_127;

/// Money per 1,000 orders, major units, by the synthetic truth.
#[derive(Clone, Debug, Serialize)]
pub struct TruthMoney {
    /// Orders judged.
    pub n_orders: u64,
    /// Rings, campaigns and people that they are of: what is resampled together.
    pub n_clusters: u64,
    /// Of the service as it was.
    pub live: Measured,
    /// Of the model of day 0, under the same strategy, on the same orders.
    pub frozen: Measured,
    /// Live minus frozen.
    pub gain: Measured,
    /// Live minus frozen by day, major units in sum.
    pub by_day: Vec<f64>,
}

/// What never changes.
#[derive(Clone, Copy, Debug)]
pub struct Frozen<'a> {
    /// The model of day 0.
    pub bundle: &'a Bundle,
    /// The strategy that both are priced by.
    pub strategy: &'a Strategy,
    /// How the graph remembers.
    pub graph: &'a GraphSettings,
}

struct Row {
    day: usize,
    cluster: u64,
    live: f64,
    frozen: f64,
}

/// Plays a journal again and lets the frozen model judge every order beside the recorded answer.
///
/// # Errors
/// When the journal cannot be read, or the bundle needs a feature that this build has not.
pub fn truth_money<'t>(
    reader: &JournalReader,
    frozen: Frozen<'_>,
    day_0: Timestamp,
    truth: impl Fn(&Decision) -> Option<&'t OrderTruth>,
    progress: &mut dyn FnMut(u64),
) -> miette::Result<TruthMoney> {
    let manifest = frozen.bundle.manifest();
    let ids: Vec<Arc<str>> = manifest.features.iter().map(|spec| spec.id.clone()).collect();
    let catalog =
        Catalog::new(&manifest.schema).select(&ids).map_err(|error| miette::miette!("{error}"))?;
    let mut graph = KnowledgeGraph::new(frozen.graph.clone());
    let (mut values, mut scratch, mut rows) = (Vec::new(), Scratch::default(), Vec::new());
    for entry in read_from(reader, 1) {
        let (position, record) = entry.map_err(|error| miette::miette!("{error}"))?;
        if position.is_multiple_of(4_096) {
            progress(position);
        }
        match &record {
            Record::Event(told) => graph.apply_received(&told.event, told.received_time),
            Record::Decision(scored) => {
                let (request, decision) = (&scored.request, &scored.decision);
                values.clear();
                catalog.extract(&graph, &request.order, request.event_time, &mut values);
                let placed = (&request.order, request.event_time);
                let mut answered =
                    answer((frozen.bundle, frozen.strategy), placed, &values, &mut scratch);
                let live = first_of(frozen.strategy, decision);
                if let (Some(first), Some(live), Some(truth)) =
                    (answered.first, live, truth(decision))
                {
                    add_unknown_risks(&mut answered.risks, truth);
                    let is_real = |head: &HeadId| {
                        truth.labels.iter().any(|(risk, is_real)| *is_real && risk == head)
                    };
                    let pair = [live, first];
                    let money = earned(frozen.strategy, &request.order, &answered, pair, is_real);
                    rows.push(row(day_0, request.event_time, truth, money, frozen.strategy));
                }
                graph.apply_received(&placed_event(request), decision.times.received_time);
            }
            Record::StrategyProposed(_)
            | Record::StrategyApproved(_)
            | Record::StrategyActivated(_)
            | Record::ModelActivated(_)
            | Record::BackgroundActivated(_)
            | Record::GraphActivated(_)
            | Record::ExperimentStarted(_)
            | Record::ExperimentRamped(_)
            | Record::ExperimentEnded(_)
            | Record::PersonChanged(_)
            | Record::ApiKeyChanged(_)
            | Record::Audited(_)
            | Record::Noted(_)
            | Record::RotationStarted(_)
            | Record::Followed(_) => {}
            Record::IdentifierErased(erased) => graph.erase(&erased.entity, &erased.shown()),
            Record::PseudonymLinked(linked) => graph.unite(&linked.pseudonym, &linked.known_as),
        }
    }
    Ok(summed(&rows))
}

/// A loss by a risk that the frozen model never learned of is a loss all the same: what the
/// truth names is priced, by whoever is right about it.
fn add_unknown_risks(risks: &mut Vec<RiskAssessment>, truth: &OrderTruth) {
    let Some(known) = risks.first().cloned() else { return };
    for (head, _) in &truth.labels {
        if risks.iter().all(|risk| risk.head != *head) {
            // Only its name counts: the truth takes the place of every probability.
            risks.push(RiskAssessment { head: head.clone(), ..known.clone() });
        }
    }
}

fn row(
    day_0: Timestamp,
    at: Timestamp,
    truth: &OrderTruth,
    [live, frozen]: [f64; 2],
    strategy: &Strategy,
) -> Row {
    let minor = strategy.minor_per_major();
    // A ring's orders share one fate; whoever is in none is a person with all their orders.
    let cluster = truth.ring.map_or(truth.person | 1 << 63, u64::from);
    let day = usize::try_from((at - day_0).0 / Span::DAY.0).unwrap_or(0);
    Row { day, cluster, live: live / minor, frozen: frozen / minor }
}

/// What the service recommended first, in the catalog of the pricing strategy.
fn first_of<'s>(strategy: &'s Strategy, decision: &Decision) -> Option<&'s ActionPolicy> {
    let first = decision.actions.first()?;
    let plan = decision
        .impacts
        .iter()
        .find(|it| it.action == first.action && it.plan == first.plan)
        .map_or("", |it| &*it.plan);
    let of_kind = |kind: ActionKind| strategy.actions.iter().filter(move |it| it.kind == kind);
    of_kind(first.action).find(|it| it.plan_id() == plan).or_else(|| of_kind(first.action).next())
}

fn summed(rows: &[Row]) -> TruthMoney {
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    for row in rows {
        let next = places.len();
        places.entry(row.cluster).or_insert(next);
    }
    let place: Vec<usize> = rows.iter().map(|row| places[&row.cluster]).collect();
    let [live, frozen, gain] = measure(places.len(), SEED, |weights| {
        let (mut n, mut live, mut frozen) = (0.0, 0.0, 0.0);
        for (row, at) in rows.iter().zip(&place) {
            n += weights[*at];
            live += weights[*at] * row.live;
            frozen += weights[*at] * row.frozen;
        }
        [live, frozen, live - frozen].map(|sum| 1_000.0 * sum / n)
    });
    let n_days = rows.iter().map(|row| row.day + 1).max().unwrap_or(0);
    let mut by_day = vec![0.0; n_days];
    for row in rows {
        by_day[row.day] += row.live - row.frozen;
    }
    TruthMoney {
        n_orders: rows.len() as u64,
        n_clusters: places.len() as u64,
        live,
        frozen,
        gain,
        by_day,
    }
}
