//! `orderlens key`: keys by which programs speak to a server.
//!
//! A running server is asked with an admin key. The first key is made in the data folder itself,
//! while no server has it open: whoever may write there needs no key.

use clap::{Args, Subcommand};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use serde_json::{Value, json};

use crate::cli::ask::{AskArgs, refused};
use crate::cli::clock;
use crate::cli::experiment_json::time;
use crate::cli::output::{say, say_json};
use crate::cli::paint::{Align, Cell, Tone, table};
use crate::cli::render::Page;
use crate::cli::serve::open_engine;
use crate::cli::settings::ServiceFiles;
use crate::cli::words::word;
use crate::domain::api_key::{ApiKeyDraft, KeyChange, KeySecret, Scope};
use crate::domain::strategy_version::Signer;
use crate::domain::text::Language;
use crate::domain::time::Timestamp;
use crate::wire::access::key_to_pb;
use crate::wire::check::time_to_pb;
use crate::wire::pb::v1 as pb;
use crate::workflow::engine::Engine;
use crate::workflow::key_service::KeyService as _;

/// Who signs what is done in the data folder itself.
const AT_THE_FOLDER: &str = "command line";

/// What to do with keys.
#[derive(Clone, Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    step: Step,
}

#[derive(Clone, Debug, Subcommand)]
enum Step {
    /// Make a key and show its secret, once
    Add(AddArgs),
    /// List every key there ever was
    List(ListArgs),
    /// Give a key another secret and show it, once; the one before ends at once
    Rotate(NamedArgs),
    /// End a key for good
    Revoke(NamedArgs),
}

/// The server to ask, or the folder to work in when one is named.
#[derive(Clone, Debug, Args)]
struct Target {
    #[command(flatten)]
    asking: AskArgs,
    #[command(flatten)]
    files: ServiceFiles,
}

#[derive(Clone, Debug, Args)]
struct AddArgs {
    /// Its name: a to z, 0 to 9, dot, underscore, dash
    name: String,
    /// What it may do: score, review, feedback, strategy.author, strategy.approve, audit.read,
    /// admin
    #[arg(long, value_delimiter = ',', required = true, value_parser = parse_scope)]
    scopes: Vec<Scope>,
    /// Who answers for it, and signs what is done with it; its name otherwise
    #[arg(long, default_value = "")]
    owner: String,
    /// Most calls and items of streams per second; no limit otherwise
    #[arg(long, value_name = "N")]
    calls_per_second: Option<u32>,
    /// When it ends, as 2026-11-28T12:00:00Z; never otherwise
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    expires: Option<Timestamp>,
    /// Why, for those who read it later
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    target: Target,
}

#[derive(Clone, Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    target: Target,
}

#[derive(Clone, Debug, Args)]
struct NamedArgs {
    /// Its name
    name: String,
    /// Why, for those who read it later
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    target: Target,
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    let names = Scope::ALL.map(Scope::as_str).join(", ");
    Scope::parse(text).ok_or_else(|| format!("`{text}` is no scope: {names}"))
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

/// A key, and its secret when it is new.
type Shown = (pb::ApiKey, Option<String>);

/// Takes one step and shows what came of it.
///
/// # Errors
/// A report with the refusal, the address of a server that does not answer, or why the data
/// folder cannot be opened.
pub fn run(args: &KeyArgs) -> miette::Result<()> {
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    let (asking, keys) = runtime.block_on(async {
        let target = match &args.step {
            Step::Add(args) => &args.target,
            Step::List(args) => &args.target,
            Step::Rotate(args) | Step::Revoke(args) => &args.target,
        };
        let keys = if target.files.are_named() {
            at_the_folder(&args.step, &target.files).await?
        } else {
            at_the_server(&args.step, &target.asking).await?
        };
        Ok::<_, miette::Report>((&target.asking, keys))
    })?;
    if asking.json {
        return say_json(&keys.iter().map(as_json).collect::<Vec<_>>());
    }
    say(page(asking.page(), &keys));
    Ok(())
}

async fn at_the_server(step: &Step, asking: &AskArgs) -> miette::Result<Vec<Shown>> {
    let mut client = asking.connect_access().await?;
    let shown = match step {
        Step::Add(args) => {
            let request = pb::CreateApiKeyRequest {
                name: args.name.clone(),
                owner: args.owner.clone(),
                scopes: args.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
                calls_per_second: args.calls_per_second,
                expires: args.expires.map(time_to_pb),
                note: args.note.clone(),
            };
            let answer = client.create_api_key(request).await.map_err(|it| refused(&it))?;
            let pb::CreateApiKeyResponse { key, secret } = answer.into_inner();
            (key.unwrap_or_default(), Some(secret))
        }
        Step::Rotate(NamedArgs { name, note, .. }) => {
            let request = pb::RotateApiKeyRequest { name: name.clone(), note: note.clone() };
            let answer = client.rotate_api_key(request).await.map_err(|it| refused(&it))?;
            let pb::RotateApiKeyResponse { key, secret } = answer.into_inner();
            (key.unwrap_or_default(), Some(secret))
        }
        Step::Revoke(NamedArgs { name, note, .. }) => {
            let request = pb::RevokeApiKeyRequest { name: name.clone(), note: note.clone() };
            let answer = client.revoke_api_key(request).await.map_err(|it| refused(&it))?;
            (answer.into_inner().key.unwrap_or_default(), None)
        }
        Step::List(_) => {
            let answer = client.list_api_keys(pb::ListApiKeysRequest {}).await;
            let keys = answer.map_err(|it| refused(&it))?.into_inner().keys;
            return Ok(keys.into_iter().map(|key| (key, None)).collect());
        }
    };
    Ok(vec![shown])
}

async fn at_the_folder(step: &Step, files: &ServiceFiles) -> miette::Result<Vec<Shown>> {
    let settings = files.load()?;
    let engine = open_engine(&settings).wrap_err_with(|| {
        let data = settings.paths.data.display();
        format!("opening {data}; when a server has it open, ask that one: --server and a key")
    })?;
    let shown = change(step, &engine).await;
    tokio::task::block_in_place(|| engine.stop());
    shown
}

async fn change(step: &Step, engine: &Engine) -> miette::Result<Vec<Shown>> {
    let secret = KeySecret::new(clock::random());
    let key_hash = secret.hash();
    let (change, note, is_new) = match step {
        Step::List(_) => {
            let keys = engine.list_keys().await.into_diagnostic()?;
            return Ok(keys.iter().map(|key| (key_to_pb(key), None)).collect());
        }
        Step::Add(args) => {
            let owner = if args.owner.is_empty() { &args.name } else { &args.owner };
            let draft = ApiKeyDraft {
                name: args.name.as_str().into(),
                owner: owner.as_str().into(),
                scopes: args.scopes.iter().copied().collect(),
                calls_per_second: args.calls_per_second,
                expires: args.expires,
            };
            (KeyChange::Create { draft, key_hash }, &args.note, true)
        }
        Step::Rotate(args) => {
            (KeyChange::Rotate { name: args.name.as_str().into(), key_hash }, &args.note, true)
        }
        Step::Revoke(args) => {
            (KeyChange::Revoke { name: args.name.as_str().into() }, &args.note, false)
        }
    };
    let signer = Signer { by: AT_THE_FOLDER.into(), note: note.as_str().into() };
    let key = engine.change_key(change, signer, clock::now()).await;
    let key = key.map_err(|error| miette!("{error}"))?;
    Ok(vec![(key_to_pb(&key), is_new.then(|| secret.expose().to_owned()))])
}

fn as_json((key, secret): &Shown) -> Value {
    let mut told = json!({
        "name": key.name,
        "owner": key.owner,
        "scopes": key.scopes,
        "calls_per_second": key.calls_per_second,
        "is_active": key.is_active,
        "expires": time(key.expires),
    });
    if let Some(secret) = secret {
        told["secret"] = json!(secret);
    }
    told
}

fn page(Page { language, ink }: Page, keys: &[Shown]) -> String {
    let heading = [
        word(language, "key", "密钥"),
        word(language, "owner", "负责人"),
        word(language, "scopes", "权限范围"),
        word(language, "calls/s", "每秒调用"),
        word(language, "until", "有效期至"),
        word(language, "state", "状态"),
    ];
    let mut rows = vec![heading.map(|name| Cell::new(Tone::Quiet, name)).to_vec()];
    rows.extend(keys.iter().map(|(key, _)| row(language, key)));
    let start = Align::Start;
    let aligns = [start, start, start, Align::End, start, start];
    let mut text = table(ink, &aligns, &rows);
    if let Some(secret) = keys.iter().find_map(|(_, secret)| secret.as_deref()) {
        let once = word(
            language,
            "It is shown this once. Commands take it from ORDERLENS_API_KEY or --key-file.",
            "仅显示这一次。命令行从 ORDERLENS_API_KEY 或 --key-file 读取。",
        );
        text = format!("{text}\n{secret}\n{once}");
    }
    text
}

fn row(language: Language, key: &pb::ApiKey) -> Vec<Cell> {
    let (tone, state) = if key.is_active {
        (Tone::Good, word(language, "active", "有效"))
    } else {
        (Tone::Bad, word(language, "revoked", "已吊销"))
    };
    let end = time(key.expires);
    vec![
        Cell::new(Tone::Strong, key.name.as_str()),
        Cell::new(Tone::Normal, key.owner.as_str()),
        Cell::new(Tone::Normal, key.scopes.join(", ")),
        Cell::new(
            Tone::Normal,
            key.calls_per_second.map_or_else(|| "-".to_owned(), |n| n.to_string()),
        ),
        Cell::new(Tone::Quiet, end.unwrap_or_else(|| "-".to_owned())),
        Cell::new(tone, state),
    ]
}
