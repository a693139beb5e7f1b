//! Orders that the model explains alike: what was done, and what followed.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Html;

use crate::console::failure::Failure;
use crate::console::form::decision_id;
use crate::console::format::{minute, percent};
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::decision::layers::Sight;
use crate::console::pages::decision::sight_of;
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::query::DecisionKey;
use crate::domain::similar::{ActionSummary, SimilarCases, SimilarQuery};
use crate::workflow::case_service::CaseService as _;
use crate::workflow::dossier_service::DossierService as _;
use crate::workflow::error::ErrorKind;

/// Cases that are named.
const NAMED: usize = 5;
/// Cases that shares are counted over: of five, hardly any share could be told.
const COUNTED: u32 = 50;
/// Days after the action that are counted.
const DAYS: u32 = 90;

/// Cases like a case, as a page shows them.
#[derive(Clone, Debug)]
pub struct SimilarView {
    /// The nearest.
    pub cases: Vec<CaseLine>,
    /// What followed each action, of all that are counted.
    pub by_action: Vec<ActionLine>,
    /// How many are counted.
    pub n_counted: usize,
    /// What was looked at.
    pub searched: String,
    /// What the figures do not say.
    pub caveat: String,
}

/// A similar case.
#[derive(Clone, Debug)]
pub struct CaseLine {
    /// Its decision.
    pub id: String,
    /// Its order.
    pub order: String,
    /// How far away it is, log-odds.
    pub distance: String,
    /// What was done, and whether a person did it.
    pub action: String,
    /// When.
    pub at: String,
    /// What followed.
    pub text: String,
}

/// What followed an action.
#[derive(Clone, Debug)]
pub struct ActionLine {
    /// The action.
    pub action: String,
    /// Cases, and those whose window is complete.
    pub counts: String,
    /// Shares of what happened; empty when there are too few.
    pub shares: Vec<String>,
}

impl SimilarView {
    fn new(words: Words, similar: &SimilarCases) -> Self {
        let named = similar.neighbors.iter().take(NAMED);
        let searched = similar.searched;
        let mut told = vec![words.t2(
            "why-similar-searched",
            "n",
            searched.n_compared,
            "model",
            &similar.model,
        )];
        if 0 < searched.n_other_model {
            told.push(words.t1("why-similar-other-model", "n", searched.n_other_model));
        }
        if searched.is_truncated {
            told.push(words.t("why-similar-truncated"));
        }
        Self {
            cases: named
                .map(|case| CaseLine {
                    id: case.decision_id.to_string(),
                    order: format!("{}/{}", case.order.channel, case.order.order_id),
                    distance: format!("{:.2}", case.distance),
                    action: words.t1(
                        if case.choice_id.is_some() {
                            "why-similar-chosen"
                        } else {
                            "why-similar-taken"
                        },
                        "action",
                        words.action(case.action),
                    ),
                    at: minute(case.acted_at),
                    text: words.of(&case.text).to_owned(),
                })
                .collect(),
            by_action: similar.by_action.iter().map(|it| action_line(words, it)).collect(),
            n_counted: similar.neighbors.len(),
            searched: told.join(" "),
            caveat: words.of(&similar.caveat).to_owned(),
        }
    }
}

fn action_line(words: Words, summary: &ActionSummary) -> ActionLine {
    let shares = summary.shares.iter().map(|it| {
        let between = format!("{}–{}", percent(it.share.low), percent(it.share.high));
        let counts = format!("{} / {}", it.share.count, it.share.of);
        format!("{} {} ({counts}; {between})", words.outcome(it.kind), percent(it.share.share))
    });
    ActionLine {
        action: words.action(summary.action),
        counts: words.t2(
            "why-similar-counts",
            "n",
            summary.n_cases,
            "complete",
            summary.n_complete,
        ),
        shares: shares.collect(),
    }
}

#[derive(Template)]
#[template(path = "decision_similar.html", config = ".config/askama.toml")]
struct SimilarPart {
    words: Words,
    similar: SimilarView,
}

#[derive(Template)]
#[template(
    source = "<p class=\"quiet\" role=\"status\" data-again>{{ words.t(\"why-similar-busy\") }}</p>",
    ext = "html",
    config = ".config/askama.toml"
)]
struct BusyPart {
    words: Words,
}

#[derive(Template)]
#[template(path = "decision_similar_page.html", config = ".config/askama.toml")]
struct SimilarPage {
    frame: Frame,
    words: Words,
    id: String,
    order_id: String,
    similar: SimilarView,
}

/// Similar cases, as a part of the decision's page or as a page.
///
/// # Errors
/// `ChooseFirst` for a blind decision, `NoPage`, or as the engine's.
pub async fn show(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Html<String>, Failure> {
    let (id, words) = (decision_id(&id)?, visit.preferences.words);
    let key = DecisionKey::Id(id);
    let dossier = console.engine.get_dossier(key.clone()).await?;
    // What is near depends on the score's parts, and says what others did.
    if sight_of(&console, &dossier) == Sight::Blind {
        return Err(Failure::ChooseFirst);
    }
    let query = SimilarQuery { key, n_max: COUNTED, days: DAYS };
    let is_part = headers.contains_key("x-part");
    let found = match console.engine.find_similar_cases(query, console.now()).await {
        // One search runs at a time: the page's script asks for the part again.
        Err(error) if error.kind() == ErrorKind::Exhausted && is_part => {
            return page(&BusyPart { words });
        }
        found => found?,
    };
    let similar = SimilarView::new(words, &found);
    // The page's script asks for the part alone.
    if is_part {
        return page(&SimilarPart { words, similar });
    }
    page(&SimilarPage {
        frame: Frame::new(&console, &visit, Place::Queue),
        words,
        id: id.to_string(),
        order_id: dossier.scored.decision.order.order_id.to_string(),
        similar,
    })
}
