//! `orderlens erase`: takes a person out of all that is shown or computed.
//!
//! The server hashes what it gets. A raw identifier on a command line is seen by other programs
//! of the machine, so it is read from the input instead.

use std::io::{BufRead as _, stdin};

use clap::Args;
use miette::{IntoDiagnostic as _, miette};
use serde_json::json;

use crate::cli::ask::{AskArgs, refused};
use crate::cli::experiment_json::time;
use crate::cli::output::{say, say_json};
use crate::domain::entity::EntityKind;
use crate::wire::enums::WireEnum as _;
use crate::wire::pb::v1 as pb;

/// What to erase.
#[derive(Clone, Debug, Args)]
pub struct EraseArgs {
    /// Pseudonyms as pages show them, `account=h1_…`; without any, lines like
    /// `phone=+8613800138000` are read from the input
    #[arg(value_name = "KIND=ID", value_parser = parse_pseudonym)]
    pseudonyms: Vec<pb::Entity>,
    /// Why, for those who read it later; must not name the person
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    asking: AskArgs,
}

fn parse(text: &str) -> Result<pb::Entity, String> {
    let (kind, id) = text.split_once('=').ok_or("must be a kind, `=` and an identifier")?;
    let kind = EntityKind::parse(kind).ok_or_else(|| format!("`{kind}` is no kind"))?;
    Ok(pb::Entity { kind: kind.to_wire(), id: id.to_owned() })
}

fn parse_pseudonym(text: &str) -> Result<pb::Entity, String> {
    let entity = parse(text)?;
    if entity.id.starts_with("h1_") {
        Ok(entity)
    } else {
        Err("is no pseudonym: other programs see what is written here, so give it as input".into())
    }
}

/// Erases identifiers and shows under which numbers.
///
/// # Errors
/// A report with the refusal, the line that does not read, or the address of a server that does
/// not answer.
pub fn run(args: &EraseArgs) -> miette::Result<()> {
    let mut entities = args.pseudonyms.clone();
    if entities.is_empty() {
        for (idx, line) in stdin().lock().lines().enumerate() {
            let line = line.into_diagnostic()?;
            if !line.trim().is_empty() {
                let entity = parse(line.trim());
                entities.push(entity.map_err(|why| miette!("line {}: {why}", idx + 1))?);
            }
        }
    }
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    let erased = runtime.block_on(async {
        let request = pb::EraseIdentifiersRequest { entities, note: args.note.clone() };
        let mut client = args.asking.connect_access().await?;
        let answer = client.erase_identifiers(request).await.map_err(|it| refused(&it))?;
        Ok::<_, miette::Report>(answer.into_inner().erased)
    })?;
    let kind =
        |it: &pb::ErasedIdentifier| EntityKind::from_wire(it.kind).map_or("", EntityKind::as_str);
    if args.asking.json {
        let told = |it: &pb::ErasedIdentifier| json!({"kind": kind(it), "shown_as": it.shown_as, "erased_at": time(it.erased_at)});
        return say_json(&erased.iter().map(told).collect::<Vec<_>>());
    }
    for it in &erased {
        say(format!("{} {}", kind(it), it.shown_as));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_identifier_is_taken_from_the_input_alone() {
        assert!(parse_pseudonym("phone=+8613800138000").unwrap_err().contains("input"));
        assert_eq!(parse_pseudonym("phone=h1_00").unwrap(), parse("phone=h1_00").unwrap());
        assert_eq!(parse("email=a=b").unwrap().id, "a=b");
        assert!(parse("planet=x").is_err() && parse("phone").is_err());
    }
}
