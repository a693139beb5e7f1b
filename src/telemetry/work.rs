//! What the service decided and what people and the world said about it.

use std::fmt;

use crate::domain::decision::ActionKind;
use crate::domain::feedback::OutcomeKind;
use crate::domain::histogram::Histogram;
use crate::domain::review_trace::Explanation;
use crate::grpc::call_counts::SECONDS;
use crate::telemetry::page::{Family, Labels, Page, family};
use crate::workflow::work_tally::{Agreement, JudgeTally, WorkTally};

const DECISIONS: Family =
    family("orderlens_decisions", "Recorded decisions by first action, strategy and arm.");
const SCORE: Family =
    family("orderlens_score", "Calibrated probability of a risk under the strategy.");
const STAGE: Family = family(
    "orderlens_stage_seconds",
    "Time of a decision in a stage; `wait` is its turn at the engine and the disk.",
);
const DEGRADED: Family =
    family("orderlens_degraded", "Answers that lacked something, by what was missing.");
const CHOICES: Family = family(
    "orderlens_choices",
    "What people did, and whether it was what had been recommended first.",
);
const REVIEW: Family =
    family("orderlens_review_seconds", "Attention per review, by what was seen of the answer.");
const OUTCOMES: Family = family("orderlens_outcomes", "What the world did later.");
const LABELS: Family = family("orderlens_labels", "Labels that were told.");
const LABEL_DELAY: Family =
    family("orderlens_label_delay_seconds", "From a decision to what the world said about it.");

/// Writes a tally; `waits` are cells and sum of the time that orders waited.
pub(super) fn write(page: &mut Page<'_>, tally: &WorkTally, waits: (Vec<u64>, f64)) -> fmt::Result {
    page.counters(DECISIONS, tally.judges.iter().flat_map(decisions))?;
    let scores = tally.scores.iter();
    page.histograms(SCORE, scores.map(|(head, it)| (vec![("head", (&*head.0).into())], it)))?;
    let waited = Histogram::of_cells(&SECONDS, waits.0, waits.1);
    let stages = tally.stages.iter().map(|(stage, it)| (stage.as_str(), it));
    let stages = stages.chain([("wait", &waited)]);
    page.histograms(STAGE, stages.map(|(stage, it)| (vec![("stage", stage.into())], it)))?;
    let degraded = tally.degraded.iter();
    page.counters(DEGRADED, degraded.map(|(why, n)| (vec![("reason", why.as_str().into())], *n)))?;
    page.counters(CHOICES, choices(tally))?;
    let seen = |it: Explanation| match it {
        Explanation::Full => "full",
        Explanation::Blind => "blind",
        Explanation::EvidenceOnly => "evidence_only",
    };
    let reviews = Explanation::ALL.into_iter().zip(&tally.reviews);
    page.histograms(REVIEW, reviews.map(|(it, all)| (vec![("seen", seen(it).into())], all)))?;
    let outcomes = OutcomeKind::ALL.into_iter().zip(tally.outcomes).filter(|(_, n)| 0 < *n);
    page.counters(OUTCOMES, outcomes.map(|(it, n)| (vec![("kind", it.as_str().into())], n)))?;
    page.counter(LABELS, tally.n_labels)?;
    page.histograms(LABEL_DELAY, [(Vec::new(), &tally.label_delay)])
}

fn decisions(judge: &JudgeTally) -> impl Iterator<Item = (Labels<'_>, u64)> {
    let names = ActionKind::ALL.iter().map(|action| action.as_str()).chain(["none"]);
    let made = names.zip(judge.first_actions).filter(|(_, n)| 0 < *n);
    made.map(|(action, n)| {
        let labels = vec![
            ("action", action.into()),
            ("strategy", (&*judge.strategy).into()),
            ("arm", (&*judge.arm).into()),
        ];
        (labels, n)
    })
}

fn choices(tally: &WorkTally) -> impl Iterator<Item = (Labels<'static>, u64)> {
    let all = ActionKind::ALL.into_iter().zip(tally.choices);
    let all = all.flat_map(|(action, counts)| {
        Agreement::ALL.into_iter().zip(counts).map(move |(agreement, n)| (action, agreement, n))
    });
    all.filter(|(_, _, n)| 0 < *n).map(|(action, agreement, n)| {
        let (action, agreement) = (action.as_str().into(), agreement.as_str().into());
        (vec![("action", action), ("agreement", agreement)], n)
    })
}
