//! What happened when: a picture, and a list that says the same.

use crate::console::format::{amount, minute, percent};
use crate::console::pages::decision::layers::{Medium, Sight, Told};
use crate::domain::feedback::OutcomeKind;
use crate::domain::risk::TopRisk;
use crate::domain::time::Span;
use crate::domain::timeline::{TimelineEntry, TimelineKind, TimelineRelation};
use crate::plot::svg::Caption;
use crate::plot::timeline::{Happening, Lane, ScorePoint, Timeline, timeline};

/// What happened when.
#[derive(Clone, Debug)]
pub struct Story {
    /// The picture; empty when nothing happened.
    pub svg: String,
    /// Everything, oldest first.
    pub lines: Vec<StoryLine>,
    /// True when there was more.
    pub is_truncated: bool,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct StoryLine {
    /// When.
    pub at: String,
    /// What sort of thing.
    pub kind: String,
    /// What.
    pub text: String,
    /// The score of the order, where it is one and may be seen.
    pub score: String,
    /// Where to see it; empty when nowhere.
    pub href: String,
    /// True when it is the decision of the page.
    pub is_this: bool,
}

/// The lanes of the picture, in their order.
const LANES: [&str; 4] =
    ["why-lane-event", "why-lane-decision", "why-lane-choice", "why-lane-outcome"];

impl Story {
    /// The story of a decision's order and account.
    pub fn new(told: &Told<'_>) -> Self {
        let entries: Vec<&TimelineEntry> =
            told.dossier.timeline.iter().filter(|entry| is_shown(told, entry)).collect();
        Self {
            svg: if entries.is_empty() { String::new() } else { picture(told, &entries) },
            lines: entries.iter().map(|entry| line(told, entry)).collect(),
            is_truncated: told.dossier.is_timeline_truncated,
        }
    }
}

/// What others chose about the order would say what to choose.
fn is_shown(told: &Told<'_>, entry: &TimelineEntry) -> bool {
    told.sight == Sight::Open || !matches!(entry.what, TimelineKind::Choice { .. })
}

fn line(told: &Told<'_>, entry: &TimelineEntry) -> StoryLine {
    let (text, class) = said(told, &entry.what);
    let (mut score, mut href, mut is_this) = (String::new(), String::new(), false);
    if let TimelineKind::Decision { decision_id, top_risk, relation, .. } = &entry.what {
        score = seen(told, top_risk.as_ref()).map_or_else(String::new, |risk| {
            format!("{} {}", told.words.head(&risk.head), percent(risk.probability.value()))
        });
        is_this = *relation == TimelineRelation::This;
        if !is_this && told.medium == Medium::Page {
            href = format!("/decisions/{decision_id}");
        }
    }
    StoryLine { at: minute(entry.at), kind: told.words.t(LANES[class]), text, score, href, is_this }
}

/// The score of a decision, unless scores are hidden.
fn seen<'a>(told: &Told<'_>, risk: Option<&'a TopRisk>) -> Option<&'a TopRisk> {
    risk.filter(|_| told.sight == Sight::Open)
}

/// What happened in words, and its lane.
fn said(told: &Told<'_>, what: &TimelineKind) -> (String, usize) {
    let words = told.words;
    match what {
        TimelineKind::Event { kind } => (words.fact(kind), 0),
        TimelineKind::Decision { order, first_action, amount: paid, relation, .. } => {
            let key = match relation {
                TimelineRelation::This => "why-story-this",
                TimelineRelation::SameOrder => "why-story-same-order",
                TimelineRelation::SameAccount => "why-story-same-account",
            };
            let name = format!("{}/{}", order.channel, order.order_id);
            let mut text = words.t2(key, "order", name, "revision", order.revision);
            if let Some(paid) = paid {
                text = format!("{text} · {}", amount(*paid));
            }
            if let (Sight::Open, Some(action)) = (told.sight, first_action) {
                text = format!("{text} → {}", words.action(*action));
            }
            (text, 1)
        }
        TimelineKind::Choice { operator_id, action, .. } => {
            (words.t2("why-story-choice", "who", operator_id, "action", words.action(*action)), 2)
        }
        TimelineKind::Outcome { kind, amount: moved, stands, retracts, .. } => {
            let mut text = words.outcome(*kind);
            if let Some(moved) = moved {
                text = format!("{text} · {}", amount(*moved));
            }
            let remark = match (retracts, stands) {
                (Some(_), _) => Some("why-story-takes-back"),
                (None, false) => Some("why-story-not-standing"),
                (None, true) => None,
            };
            (remark.map_or(text.clone(), |key| format!("{text} ({})", words.t(key))), 3)
        }
    }
}

fn picture(told: &Told<'_>, entries: &[&TimelineEntry]) -> String {
    let words = told.words;
    let second = |entry: &TimelineEntry| entry.at.0.div_euclid(Span::SECOND.0);
    let mut lanes = LANES.map(|key| Lane { label: words.t(key), happenings: Vec::new() });
    let mut scores = Vec::new();
    for entry in entries {
        let (text, class) = said(told, &entry.what);
        let title = format!("{} · {text}", minute(entry.at));
        if let TimelineKind::Decision { top_risk, relation, .. } = &entry.what
            && let Some(risk) = seen(told, top_risk.as_ref())
        {
            let p = percent(risk.probability.value());
            scores.push(ScorePoint {
                time_s: second(entry),
                probability: risk.probability.value(),
                title: format!("{title} · {} {p}", words.head(&risk.head)),
                class: if *relation == TimelineRelation::This { "this" } else { "" }.to_owned(),
            });
        }
        lanes[class].happenings.push(Happening {
            time_s: second(entry),
            label: short_label(told, &entry.what),
            title,
            class: tone(&entry.what).to_owned(),
        });
    }
    let shown = Timeline {
        score_label: words.t("why-lane-score"),
        scores,
        lanes: lanes.into_iter().filter(|lane| !lane.happenings.is_empty()).collect(),
    };
    let title = words.t("why-story");
    let desc = words.n("why-story-desc", i64::try_from(entries.len()).unwrap_or(i64::MAX));
    timeline(Caption { id: "story-svg", title: &title, desc: &desc }, &shown)
}

fn short_label(told: &Told<'_>, what: &TimelineKind) -> String {
    match what {
        TimelineKind::Event { kind } => told.words.fact(kind),
        TimelineKind::Decision { order, relation, .. } => match relation {
            TimelineRelation::This => told.words.t("why-story-this-short"),
            TimelineRelation::SameOrder | TimelineRelation::SameAccount => {
                order.order_id.to_string()
            }
        },
        TimelineKind::Choice { action, .. } => told.words.action(*action),
        TimelineKind::Outcome { kind, .. } => told.words.outcome(*kind),
    }
}

fn tone(what: &TimelineKind) -> &'static str {
    match what {
        TimelineKind::Event { .. } | TimelineKind::Decision { .. } => "",
        TimelineKind::Choice { .. } => "choice",
        TimelineKind::Outcome { kind, .. } => outcome_tone(*kind),
    }
}

fn outcome_tone(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::ChargebackOpened
        | OutcomeKind::ChargebackLost
        | OutcomeKind::PlatformPenalty
        | OutcomeKind::Complaint
        | OutcomeKind::AccountClosed
        | OutcomeKind::ConfirmedFraud => "bad",
        OutcomeKind::ChargebackWon
        | OutcomeKind::DeliveredOk
        | OutcomeKind::Repurchase
        | OutcomeKind::ConfirmedLegit => "good",
        OutcomeKind::Refund
        | OutcomeKind::Return
        | OutcomeKind::DeliveryFailed
        | OutcomeKind::PlatformAudit => "",
    }
}
