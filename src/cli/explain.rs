//! `orderlens explain`: one recorded decision, also as a file for an auditor.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use miette::{Context as _, IntoDiagnostic as _, miette};
use uuid::Uuid;

use crate::cli::ask::{Lang, ink};
use crate::cli::output::say;
use crate::cli::render::Page;
use crate::cli::settings::{ServiceFiles, newest_bundle};
use crate::console::pages::decision::layers::features_of;
use crate::console::pages::decision::paper::{Shown, decision_file};
use crate::domain::decision::DecisionId;
use crate::domain::text::Language;
use crate::model::bundle::Bundle;
use crate::workflow::dossier_service::specs_named;
use crate::workflow::error::{Error, ErrorKind};
use crate::workflow::kept_dossier::{KeptDossier, kept_dossier};

/// Which decision, and how to show it.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Id of the decision
    decision_id: Uuid,
    /// Write one HTML file that stands alone, for an auditor, instead of the terminal page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    files: ServiceFiles,
    /// Language of the page
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

/// Runs the command; it reads the data folder beside a running server and changes nothing.
///
/// # Errors
/// When the folder cannot be read, does not have the decision, or the file cannot be written.
pub fn run(args: &ExplainArgs) -> miette::Result<()> {
    let settings = args.files.load()?;
    let id = DecisionId(args.decision_id);
    let place = &settings.records.place;
    let kept = kept_dossier(&settings.paths.data, place, id).map_err(|error| unread(&error))?;
    let language = Language::from(args.lang);
    let Some(path) = &args.html else {
        say(Page { language, ink: ink() }.decision(&kept.dossier.scored.decision));
        return Ok(());
    };
    let bundle = Bundle::load(&newest_bundle(&settings.paths.models)?).into_diagnostic()?;
    let KeptDossier { dossier, notes } = &kept;
    let names = features_of(&dossier.scored.decision);
    let specs = specs_named(&bundle.manifest().features, &names);
    let shown = Shown { dossier, notes, specs: &specs, language };
    let html = decision_file(&shown).into_diagnostic()?;
    fs::write(path, &html)
        .into_diagnostic()
        .wrap_err_with(|| format!("writing {}", path.display()))?;
    say(format!("{} bytes in {}", html.len(), path.display()));
    Ok(())
}

fn unread(error: &Error) -> miette::Report {
    let help = match error.kind() {
        ErrorKind::NotFound => {
            "name the data folder of a server with --data; after a crash start the server once, \
             so that its records catch up"
        }
        ErrorKind::Invalid
        | ErrorKind::Conflict
        | ErrorKind::Refused
        | ErrorKind::Late
        | ErrorKind::Exhausted
        | ErrorKind::Unavailable
        | ErrorKind::Internal => "name the data folder of a server with --data",
    };
    let source = std::error::Error::source(error).map(|it| format!(": {it}")).unwrap_or_default();
    miette!(help = help, "{error}{source}")
}
