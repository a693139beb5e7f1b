//! What commands that ask a running server share: flags, connection, refusals.

use std::io::{self, IsTerminal as _};

use clap::{Args, ValueEnum};
use miette::{Report, miette};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::cli::call::{CallArgs, Line};
use crate::cli::paint::Ink;
use crate::cli::render::Page;
use crate::domain::text::Language;
use crate::wire::pb::v1::access_service_client::AccessServiceClient;
use crate::wire::pb::v1::case_service_client::CaseServiceClient;
use crate::wire::pb::v1::decision_service_client::DecisionServiceClient;
use crate::wire::pb::v1::experiment_service_client::ExperimentServiceClient;
use crate::wire::pb::v1::model_service_client::ModelServiceClient;
use crate::wire::pb::v1::review_service_client::ReviewServiceClient;
use crate::wire::pb::v1::strategy_service_client::StrategyServiceClient;

/// Whom to ask, and how to show the answer.
#[derive(Clone, Debug, Args)]
pub struct AskArgs {
    /// The server.
    #[command(flatten)]
    pub call: CallArgs,
    /// Print the whole answer as JSON.
    #[arg(long)]
    pub json: bool,
    /// Language of the answer.
    #[arg(long, value_enum, default_value_t = Lang::En)]
    pub lang: Lang,
}

/// Who does it, and why.
#[derive(Clone, Debug, Args)]
pub struct SignerArgs {
    /// Your name, as it is kept in the journal; behind an API key its owner signs
    #[arg(long, default_value = "")]
    pub by: String,
    /// Why, for those who read it later
    #[arg(long, default_value = "")]
    pub note: String,
}

/// Languages by their codes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Lang {
    /// English.
    En,
    /// Chinese.
    #[value(alias = "zh-CN")]
    Zh,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => Self::English,
            Lang::Zh => Self::Chinese,
        }
    }
}

impl AskArgs {
    /// A connection to the server.
    ///
    /// # Errors
    /// A report with the address of a server that does not answer.
    pub async fn connect(&self) -> miette::Result<DecisionServiceClient<Line>> {
        self.call.connect().await.map(DecisionServiceClient::new)
    }

    /// A connection to the server's strategies.
    ///
    /// # Errors
    /// A report with the address of a server that does not answer.
    pub async fn connect_strategies(&self) -> miette::Result<StrategyServiceClient<Line>> {
        self.call.connect().await.map(StrategyServiceClient::new)
    }

    /// A connection to the server's experiments.
    ///
    /// # Errors
    /// A report with the address of a server that does not answer.
    pub async fn connect_experiments(&self) -> miette::Result<ExperimentServiceClient<Line>> {
        self.call.connect().await.map(ExperimentServiceClient::new)
    }

    /// A connection to the server's models.
    ///
    /// # Errors
    /// A report with the address of a server that does not answer.
    pub async fn connect_models(&self) -> miette::Result<ModelServiceClient<Line>> {
        self.call.connect().await.map(ModelServiceClient::new)
    }

    /// A connection to the server's cases.
    ///
    /// # Errors
    /// A report with the address of a server that does not answer.
    pub async fn connect_cases(&self) -> miette::Result<CaseServiceClient<Line>> {
        self.call.connect().await.map(CaseServiceClient::new)
    }

    /// A connection to the server's keys and audit log.
    ///
    /// # Errors
    /// A report with the address of a server that does not answer.
    pub async fn connect_access(&self) -> miette::Result<AccessServiceClient<Line>> {
        self.call.connect().await.map(AccessServiceClient::new)
    }

    /// A connection to the server's reviews.
    ///
    /// # Errors
    /// A report with the address of a server that does not answer.
    pub async fn connect_reviews(&self) -> miette::Result<ReviewServiceClient<Line>> {
        self.call.connect().await.map(ReviewServiceClient::new)
    }

    /// How an answer is shown to people.
    pub fn page(&self) -> Page {
        Page { language: self.lang.into(), ink: ink() }
    }
}

/// Colors, unless the output is no terminal or the user wants none (no-color.org).
pub fn ink() -> Ink {
    let is_wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if is_wanted && io::stdout().is_terminal() { Ink::Ansi } else { Ink::Plain }
}

/// What the server found wrong, every violation of it.
pub fn refused(status: &Status) -> Report {
    let mut text = format!("the server refused: {:?}", status.code());
    if let Some(info) = status.get_details_error_info() {
        text = format!("{text} ({})", info.reason);
    }
    match status.get_details_bad_request() {
        Some(bad) => {
            for violation in bad.field_violations {
                text = format!("{text}\n  {} {}", violation.field, violation.description);
            }
        }
        None => text = format!("{text}\n  {}", status.message()),
    }
    miette!("{text}")
}
