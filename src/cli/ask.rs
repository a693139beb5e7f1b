//! What commands that ask a running server share: flags, connection, refusals.

use std::io::{self, IsTerminal as _};

use clap::{Args, ValueEnum};
use miette::{IntoDiagnostic as _, Report, WrapErr as _, miette};
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt as _;

use crate::cli::paint::Ink;
use crate::cli::render::Page;
use crate::domain::text::Language;
use crate::wire::pb::v1::decision_service_client::DecisionServiceClient;
use crate::wire::pb::v1::experiment_service_client::ExperimentServiceClient;
use crate::wire::pb::v1::model_service_client::ModelServiceClient;
use crate::wire::pb::v1::review_service_client::ReviewServiceClient;
use crate::wire::pb::v1::strategy_service_client::StrategyServiceClient;

/// Whom to ask, and how to show the answer.
#[derive(Clone, Debug, Args)]
pub struct AskArgs {
    /// Address of the server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50051")]
    pub server: String,
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
    /// Your name, as it is kept in the journal
    #[arg(long)]
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
    pub async fn connect(&self) -> miette::Result<DecisionServiceClient<Channel>> {
        DecisionServiceClient::connect(self.server.clone())
            .await
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot reach a server at {}", self.server))
    }

    /// A connection to the server's strategies.
    ///
    /// # Errors
    /// A report with the address of a server that does not answer.
    pub async fn connect_strategies(&self) -> miette::Result<StrategyServiceClient<Channel>> {
        StrategyServiceClient::connect(self.server.clone())
            .await
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot reach a server at {}", self.server))
    }

    /// A connection to the server's experiments.
    ///
    /// # Errors
    /// A report with the address of a server that does not answer.
    pub async fn connect_experiments(&self) -> miette::Result<ExperimentServiceClient<Channel>> {
        ExperimentServiceClient::connect(self.server.clone())
            .await
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot reach a server at {}", self.server))
    }

    /// A connection to the server's models.
    ///
    /// # Errors
    /// A report with the address of a server that does not answer.
    pub async fn connect_models(&self) -> miette::Result<ModelServiceClient<Channel>> {
        ModelServiceClient::connect(self.server.clone())
            .await
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot reach a server at {}", self.server))
    }

    /// A connection to the server's reviews.
    ///
    /// # Errors
    /// A report with the address of a server that does not answer.
    pub async fn connect_reviews(&self) -> miette::Result<ReviewServiceClient<Channel>> {
        ReviewServiceClient::connect(self.server.clone())
            .await
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot reach a server at {}", self.server))
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
