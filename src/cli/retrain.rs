//! `orderlens retrain`: a challenger from the journal, and its gate.

use miette::{Context as _, IntoDiagnostic as _, miette};

use crate::cli::ask::Lang;
use crate::cli::gate_page::retrain_page;
use crate::cli::output::{say, say_json, spinner};
use crate::cli::settings::{ServiceFiles, graph_settings, load_judge};
use crate::cli::train::{LEARNING_RATE, TREES_MAX, trees};
use crate::cli::windows::{parse_instant, parse_span};
use crate::domain::time::{Span, Timestamp};
use crate::store::journal::reader::JournalReader;
use crate::training::bundle::{BundleParams, RowOrigin};
use crate::training::params::ObliviousParams;
use crate::workflow::learn_from_journal::span_of;
use crate::workflow::retrain_model::{RetrainStep, Retraining};

/// Learn a challenger from the journal and judge it against the champion
///
/// Works on the data folder of a running server as well; nothing there is changed. The bundle
/// is written beside the champion: start an experiment with it, or promote it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: ServiceFiles,
    /// Version of the challenger; its name is that of the champion
    #[arg(long, value_name = "VERSION")]
    version: String,
    /// Learn only what was received until this day or instant; the last fact otherwise
    #[arg(long, value_parser = parse_instant)]
    as_of: Option<Timestamp>,
    /// Learn from orders placed from this day or instant on; the first order otherwise
    #[arg(long, value_parser = parse_instant)]
    from: Option<Timestamp>,
    /// Time after which every label is final
    #[arg(long, value_parser = parse_span, default_value = "45d")]
    maturity: Span,
    /// Most trees of a head
    #[arg(long, default_value_t = TREES_MAX)]
    max_trees: u32,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Language of the report
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

/// Runs the command.
///
/// # Errors
/// When the journal cannot be read, no head has enough labels, or the version exists.
pub fn run(args: &Args) -> miette::Result<()> {
    let settings = args.files.load()?;
    let judge = load_judge(&settings)?;
    let champion = judge.bundle();
    let manifest = champion.manifest();
    let folder = settings.paths.models.join(&*manifest.name).join(&args.version);
    if folder.exists() {
        return Err(miette!(help = "name another --version", "{} exists", folder.display()));
    }
    let reader = JournalReader::open(&settings.paths.data.join("journal"))
        .into_diagnostic()
        .wrap_err_with(|| {
            format!(
                "nothing to learn from: name the data folder of a server with --data (now {})",
                settings.paths.data.display()
            )
        })?;
    let (first, last) =
        span_of(&reader).into_diagnostic()?.ok_or_else(|| miette!("the journal holds no order"))?;
    let graph = graph_settings(&settings);
    let retraining = Retraining {
        reader: &reader,
        champion,
        strategy: &judge.strategy().strategy,
        graph: &graph,
        from: args.from.unwrap_or(first),
        as_of: args.as_of.unwrap_or(last),
        maturity: args.maturity,
    };
    let origin = if manifest.is_synthetic { RowOrigin::Synthetic } else { RowOrigin::Observed };
    let params = BundleParams {
        name: manifest.name.clone(),
        version: args.version.as_str().into(),
        origin,
        trees: ObliviousParams::new(trees(args.max_trees, LEARNING_RATE)),
        label_delay: Span(0),
        ..BundleParams::default()
    };
    let progress = spinner("events");
    let challenger = retraining.challenger(&params, &mut |step| match step {
        RetrainStep::Playing(n) => progress.set_position(n),
        RetrainStep::Fitting(_) => progress.set_message("fitting"),
        RetrainStep::Judging => progress.set_message("judging"),
    });
    progress.finish_and_clear();
    let challenger = challenger.into_diagnostic()?;
    challenger.bundle.save(&folder).map_err(|error| miette!("{error}"))?;
    let report = challenger.report();
    let json = serde_json::to_string_pretty(&report).into_diagnostic()?;
    let file = folder.join("retraining.json");
    std::fs::write(&file, json)
        .into_diagnostic()
        .wrap_err_with(|| format!("writing {}", file.display()))?;
    if args.json {
        return say_json(&report);
    }
    say(retrain_page(args.lang.into(), &report));
    say(format!("{}", folder.display()));
    Ok(())
}
