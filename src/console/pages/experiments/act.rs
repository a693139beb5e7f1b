//! What people do with experiments: start, let more take part, end.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::guard::Visit;
use crate::console::pages::experiments::address;
use crate::console::parts::Console;
use crate::domain::access::Permission;
use crate::domain::experiment::Harm;
use crate::domain::experiment_draft::{ArmDraft, Ending, ExperimentDraft, check_percent};
use crate::domain::strategy_version::Signer;
use crate::domain::time::Span;
use crate::workflow::error::FieldMistake;
use crate::workflow::experiment_service::ExperimentService as _;

/// Names and values of a form whose boxes have one name.
type Pairs = Vec<(String, String)>;

/// Starts an experiment and shows it.
///
/// # Errors
/// `Forbidden`, `Fields`, or as the engine's: `Refused` while another one runs.
pub async fn start(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Form(pairs): Form<Pairs>,
) -> Result<Redirect, Failure> {
    visit.need(Permission::Author)?;
    let mut form = StartedForm::new(&pairs);
    let draft = form.draft();
    if !form.mistakes.is_empty() {
        return Err(Failure::Fields(form.mistakes));
    }
    let signer = signer(&visit, form.text("why"));
    let started = console.engine.start_experiment(draft, signer, console.now()).await?;
    let plan = started.plan;
    let detail = format!("plan {}", plan.hash());
    console.audit(&visit.person.person_id, "experiment.started", &plan.id, &detail).await?;
    Ok(Redirect::to(&address(&plan.id)))
}

/// The form of a start, and what is wrong with it so far.
pub(super) struct StartedForm<'p> {
    pairs: &'p Pairs,
    /// Everything that is wrong, by field.
    pub(super) mistakes: Vec<FieldMistake>,
}

impl<'p> StartedForm<'p> {
    pub(super) fn new(pairs: &'p Pairs) -> Self {
        Self { pairs, mistakes: Vec::new() }
    }

    /// What the form asks for; numbers that cannot be read are noted, and then not checked.
    pub(super) fn draft(&mut self) -> ExperimentDraft {
        let draft = ExperimentDraft {
            id: self.text("id").into(),
            arms: vec![
                self.arm(["control_name", "control_share", "control_model", "control_strategy"]),
                self.arm(["arm_name", "arm_share", "arm_model", "arm_strategy"]),
            ],
            percent: self.number("percent", 1),
            holdout_percent: self.number("holdout_percent", 0),
            guardrails: self.guardrails(),
            orders_min: self.number("orders_min", 0),
            horizon: Span::days(self.number::<u32>("horizon_days", 1).into()),
        };
        if draft.id.contains(char::is_control) {
            self.note("id", "must not hold control characters".into());
        }
        draft.check(&mut |field, description| self.note(field, description));
        draft
    }

    fn arm(&mut self, [name, share, model, strategy]: [&str; 4]) -> ArmDraft {
        let chosen = |text: &str| (!text.is_empty()).then(|| text.into());
        ArmDraft {
            name: self.text(name).into(),
            share: self.number(share, 0.5),
            model: chosen(self.text(model)),
            strategy: chosen(self.text(strategy)),
        }
    }

    fn guardrails(&mut self) -> Vec<Harm> {
        let pairs = self.pairs;
        let ticked = pairs.iter().filter(|(field, _)| field == "guardrails");
        let mut harms = Vec::new();
        for (_, name) in ticked {
            match Harm::parse(name) {
                Some(harm) => harms.push(harm),
                None => self.note("guardrails", format!("has no `{name}`")),
            }
        }
        if harms.is_empty() {
            // To the engine none is all; a form where nobody ticked any has not said so.
            self.note("guardrails", "must name at least one".into());
        }
        harms
    }

    fn text(&self, field: &str) -> &'p str {
        self.pairs.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value.trim())
    }

    fn number<T: std::str::FromStr>(&mut self, field: &str, instead: T) -> T {
        let Ok(number) = self.text(field).parse() else {
            self.note(field, "is not a number".into());
            return instead;
        };
        number
    }

    fn note(&mut self, field: &str, description: String) {
        let description = description.into();
        self.mistakes.push(FieldMistake { field: field.into(), description });
    }
}

/// The form of another percentage.
#[derive(Clone, Debug, Deserialize)]
pub struct Ramped {
    pub(super) percent: String,
    #[serde(default)]
    pub(super) why: String,
}

/// Lets another percentage of the rings take part.
///
/// # Errors
/// `Forbidden`, `Fields`, or as the engine's: `Refused` when it has ended.
pub async fn ramp(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
    Form(ramped): Form<Ramped>,
) -> Result<Redirect, Failure> {
    visit.need(Permission::Author)?;
    let read = ramped.percent.trim().parse();
    let percent: u32 = read.map_err(|_| Failure::field("percent", "is not a whole number"))?;
    let mut mistakes = Vec::new();
    check_percent(percent, &mut |field, description| {
        mistakes.push(FieldMistake { field: field.into(), description: description.into() });
    });
    if !mistakes.is_empty() {
        return Err(Failure::Fields(mistakes));
    }
    let (name, signer) = (id.as_str().into(), signer(&visit, &ramped.why));
    console.engine.ramp_experiment(name, percent, signer, console.now()).await?;
    let detail = format!("{percent} %");
    console.audit(&visit.person.person_id, "experiment.ramped", &id, &detail).await?;
    Ok(Redirect::to(&address(&id)))
}

/// The form of an end.
#[derive(Clone, Debug, Deserialize)]
pub struct Ended {
    pub(super) ending: String,
    #[serde(default)]
    pub(super) why: String,
}

/// Ends an experiment: it has been read, or something is wrong.
///
/// # Errors
/// `Forbidden`, `Fields`, or as the engine's.
pub async fn end(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
    Form(ended): Form<Ended>,
) -> Result<Redirect, Failure> {
    let ending = match ended.ending.as_str() {
        "finished" => Ending::Finished,
        "killed" => Ending::Killed,
        _ => return Err(Failure::field("ending", "is not `finished` or `killed`")),
    };
    // Whoever may let a strategy judge may also take it off at once.
    let may_kill = ending == Ending::Killed && visit.may(Permission::Approve);
    if !may_kill {
        visit.need(Permission::Author)?;
    }
    let (name, signer) = (id.as_str().into(), signer(&visit, &ended.why));
    console.engine.end_experiment(name, ending, signer, console.now()).await?;
    console.audit(&visit.person.person_id, "experiment.ended", &id, &ended.ending).await?;
    Ok(Redirect::to(&address(&id)))
}

fn signer(visit: &Visit, why: &str) -> Signer {
    Signer { by: visit.person.person_id.clone(), note: why.trim().into() }
}
