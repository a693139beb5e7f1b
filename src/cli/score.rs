//! `orderlens score`: an order file goes in, the explained answer comes out.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use clap::Args;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::cli::ask::{AskArgs, refused};
use crate::cli::clock;
use crate::cli::output::{say, say_json};
use crate::domain::event::{Event, Fact};
use crate::domain::order::Order;
use crate::domain::time::Timestamp;
use crate::wire::check::time_to_pb;
use crate::wire::pb::v1 as pb;
use crate::wire::{order, stored_decision};

/// Ask a running server about the orders of a file and show its answers.
#[derive(Clone, Debug, Args)]
pub struct ScoreArgs {
    /// JSON file of `order_placed` events, as `orderlens import` writes them, or of
    /// bare orders (placed now); `-` reads standard input.
    #[arg(value_name = "FILE")]
    pub file: String,
    /// Record nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    asking: AskArgs,
}

/// One order of a file.
#[derive(Debug)]
pub(super) struct Question {
    /// Empty leaves it to the server: the order's natural key.
    pub(super) request_id: String,
    pub(super) event_time: Timestamp,
    pub(super) order: Order,
}

/// Scores every order of the file and prints the answers.
///
/// # Errors
/// A report naming file, line and column of a mistake in the file, the address of
/// a server that does not answer, or every violation that the server found.
pub fn run(args: &ScoreArgs) -> miette::Result<()> {
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    runtime.block_on(ask(args))
}

async fn ask(args: &ScoreArgs) -> miette::Result<()> {
    let text = read(&args.file)?;
    let mut client = args.asking.connect().await?;
    let page = args.asking.page();
    for Question { request_id, event_time, order } in questions(&args.file, &text)? {
        let request = pb::ScoreOrderRequest {
            request_id,
            event_time: Some(time_to_pb(event_time)),
            order: Some(order::to_pb(&order)),
            dry_run: args.dry_run,
            ..Default::default()
        };
        let answer = client.score_order(request).await.map_err(|status| refused(&status))?;
        let answer = answer.into_inner();
        let decision = answer.decision.ok_or_else(|| miette!("the server sent no decision"))?;
        let decision = stored_decision::of_answer(decision).into_diagnostic()?;
        if args.asking.json {
            say_json(&decision)?;
        } else {
            say(page.decision(&decision));
        }
    }
    Ok(())
}

/// The text of a file, or of standard input for `-`.
pub(super) fn read(file: &str) -> miette::Result<String> {
    if file == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).into_diagnostic()?;
        return Ok(text);
    }
    fs::read_to_string(Path::new(file))
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {file}"))
}

/// The orders of a text; there is at least one.
pub(super) fn questions(file: &str, text: &str) -> miette::Result<Vec<Question>> {
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>() {
        let value = value.map_err(|error| miette!("{file}: {error}"))?;
        found.extend(question(file, value)?);
    }
    if found.is_empty() {
        return Err(miette!("{file} holds no `order_placed` event and no order"));
    }
    Ok(found)
}

fn question(file: &str, value: serde_json::Value) -> miette::Result<Option<Question>> {
    // Read as what it claims to be, so that the mistake named is the right one.
    if value.get("fact").is_none() {
        let order = serde_json::from_value(value).map_err(|error| miette!("{file}: {error}"))?;
        // Placed now, hence another question every time.
        let event_time = clock::now();
        let request_id = format!("score-{}", event_time.0);
        return Ok(Some(Question { request_id, event_time, order }));
    }
    let event: Event = serde_json::from_value(value).map_err(|error| miette!("{file}: {error}"))?;
    Ok(match event.fact {
        Fact::OrderPlaced(order) => {
            Some(Question { request_id: String::new(), event_time: event.event_time, order })
        }
        Fact::OrderPaid(_)
        | Fact::OrderCancelled(_)
        | Fact::StockReserved(_)
        | Fact::OrderShipped(_)
        | Fact::OrderDelivered(_)
        | Fact::OrderReturned(_)
        | Fact::OrderRefunded(_)
        | Fact::OrderChargedBack(_)
        | Fact::AccountCreated(_)
        | Fact::StockLevel(_)
        | Fact::MarketPrice(_)
        | Fact::Label(_)
        | Fact::Choice(_)
        | Fact::Outcome(_) => None,
    })
}
