//! What made an answer, and what people have chosen about it.

use crate::console::format::minute;
use crate::console::pages::decision::layers::{Sight, Told};
use crate::console::pages::decision::number::Number;
use crate::console::words::Words;
use crate::domain::feedback::{OperatorChoice, OverrideReason};

/// What made an answer.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// What the program said of itself: name, text that is written like code.
    pub versions: Vec<(String, String)>,
    /// Journal position that the graph had folded.
    pub graph_position: Number,
    /// Probability with which its judge was assigned.
    pub propensity: Number,
    /// Name of a stage, its nanoseconds.
    pub timings: Vec<(String, Number)>,
    /// What people have chosen; empty while that is hidden.
    pub choices: Vec<ChoiceLine>,
}

/// What somebody chose.
#[derive(Clone, Debug)]
pub struct ChoiceLine {
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// What.
    pub action: String,
    /// Why not the first; empty when nothing was said.
    pub reason: String,
    /// What they wrote.
    pub note: String,
}

impl Provenance {
    /// The provenance of a decision.
    pub fn new(told: &Told<'_>) -> Self {
        let (words, decision) = (told.words, told.decision());
        let made = &decision.versions;
        let arm = made.assignment.as_ref().map_or_else(
            || words.t("why-arm-none"),
            |it| format!("{} / {} ({})", it.experiment, it.arm, it.unit),
        );
        let times = decision.times;
        let versions = [
            ("why-made-decision", decision.decision_id.to_string()),
            ("why-made-received", times.received_time.to_string()),
            ("why-made-placed", times.event_time.to_string()),
            ("why-made-model", format!("{} {}", made.model, made.model_hash)),
            ("why-made-strategy", format!("{} {}", made.strategy, made.strategy_hash)),
            ("why-made-schema", made.schema_hash.to_string()),
            ("why-made-background", format!("{} {}", made.background, made.background_hash)),
            ("why-made-arm", arm),
            ("why-made-build", made.build.to_string()),
        ];
        let said = versions.into_iter().filter(|(_, text)| !text.trim().is_empty());
        let timing = |(at, it): (usize, &crate::domain::decision::StageTiming)| {
            let path = format!("decision.stage_timings.{at}.nanos");
            (words.stage(it.stage), Number::count(path, it.nanos))
        };
        Self {
            versions: said.map(|(key, text)| (words.t(key), text)).collect(),
            graph_position: Number::count("decision.versions.graph_position", made.graph_position),
            propensity: Number::percent("decision.versions.propensity", made.propensity.value()),
            timings: decision.stage_timings.iter().enumerate().map(timing).collect(),
            choices: match told.sight {
                Sight::Open => {
                    told.dossier.choices.iter().map(|it| choice_line(words, it)).collect()
                }
                Sight::Blind => Vec::new(),
            },
        }
    }
}

fn choice_line(words: Words, choice: &OperatorChoice) -> ChoiceLine {
    let reason = choice.override_reason.map(|reason| match reason {
        OverrideReason::KnownCustomer => "known_customer",
        OverrideReason::EvidenceWrong => "evidence_wrong",
        OverrideReason::OutsideInformation => "outside_information",
        OverrideReason::PolicyRequires => "policy_requires",
        OverrideReason::CustomerConfirmed => "customer_confirmed",
        OverrideReason::Other => "other",
    });
    ChoiceLine {
        at: minute(choice.decided_at),
        by: choice.operator_id.to_string(),
        action: words.action(choice.action),
        reason: reason.map_or_else(String::new, |name| words.reason(name)),
        note: choice.note.as_deref().unwrap_or_default().to_owned(),
    }
}
