//! What nobody may do: wrong keys, and connections that mean harm.

mod attribution;
mod erasure;
mod gate;
mod privacy;
mod rotation;
mod sockets;
pub(crate) mod tls;

use std::path::{Path, PathBuf};
use std::process::Output;

use orderlens::wire::pb::v1 as pb;
use orderlens::wire::pb::v1::access_service_client::AccessServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::server::orderlens;

/// The shipped service file.
const SHIPPED: &str = include_str!("../../../config/orderlens.toml");

/// A connection on which every call shows a key.
type Line = InterceptedService<Channel, Show>;

/// Shows a key.
#[derive(Clone)]
struct Show(Option<MetadataValue<Ascii>>);

impl Show {
    fn new(secret: &str) -> Self {
        Self(Some(format!("Bearer {secret}").parse().expect("plain letters")))
    }
}

impl Interceptor for Show {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(shown) = &self.0 {
            request.metadata_mut().insert("authorization", shown.clone());
        }
        Ok(request)
    }
}

/// The shipped service file with other lines, written into a folder.
fn config(dir: &Path, changes: &[(&str, &str)]) -> PathBuf {
    let mut text = SHIPPED.to_owned();
    for (before, after) in changes {
        assert!(text.contains(before), "the service file has no `{before}`");
        text = text.replacen(before, after, 1);
    }
    let path = dir.join("service.toml");
    std::fs::write(&path, text).expect("the folder can be written");
    path
}

/// Requires keys.
const WITH_KEYS: (&str, &str) = ("keys_required = false", "keys_required = true");

/// A report to the terminal in one line, without its frame.
fn unwrapped(report: &[u8]) -> String {
    let report = String::from_utf8_lossy(report);
    report.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

fn key_command(arguments: &[&str], config: &Path, data: &Path) -> Output {
    let mut command = orderlens();
    command.arg("key").args(arguments).arg("--json");
    command.arg("--config").arg(config).arg("--data").arg(data);
    command.output().expect("the built binary starts")
}

/// Makes a key in a data folder that no server has open; its secret.
fn first_key(name: &str, scopes: &str, config: &Path, data: &Path) -> String {
    let made = key_command(&["add", name, "--scopes", scopes], config, data);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let told: serde_json::Value = serde_json::from_slice(&made.stdout).expect("JSON");
    told[0]["secret"].as_str().expect("a secret").to_owned()
}

async fn connect(url: &str) -> Channel {
    Channel::from_shared(url.to_owned()).expect("an address").connect().await.expect("a server")
}

async fn line(url: &str, secret: &str) -> Line {
    InterceptedService::new(connect(url).await, Show::new(secret))
}

/// Makes a key at a server; its secret.
async fn make_key(
    admin: &mut AccessServiceClient<Line>,
    (name, owner): (&str, &str),
    scopes: &[&str],
) -> String {
    let request = pb::CreateApiKeyRequest {
        name: name.to_owned(),
        owner: owner.to_owned(),
        scopes: scopes.iter().map(|it| (*it).to_owned()).collect(),
        ..Default::default()
    };
    admin.create_api_key(request).await.expect("a key").into_inner().secret
}
