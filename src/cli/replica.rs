//! `orderlens serve` as one of many replicas: which stream, and who says so.

use miette::{Context, IntoDiagnostic as _};
use tracing::info;

use crate::config::secret::{from_environment, secret_text};
use crate::config::service::ServiceSettings;
use crate::stream::settings::{Servers, StreamSettings};
use crate::workflow::engine::Engine;
use crate::workflow::replica::start_replica::ReplicaSettings;
use crate::workflow::service::OrderService as _;

/// Name of a replica that has none.
const NAMELESS: &str = "replica";

/// The stream that the environment names; `None` when the service is alone.
///
/// # Errors
/// When the address does not read.
pub fn replica_settings(settings: &ServiceSettings) -> miette::Result<Option<ReplicaSettings>> {
    let replica = &settings.replica;
    let Some(url) = secret_text(&replica.url_variable).into_diagnostic()? else {
        return Ok(None);
    };
    let servers = Servers::parse(&url)
        .into_diagnostic()
        .wrap_err_with(|| format!("reading {}", replica.url_variable))?;
    let name = from_environment(&replica.name_variable);
    Ok(Some(ReplicaSettings {
        name: name.unwrap_or_else(|| NAMELESS.to_owned()).into(),
        stream: StreamSettings {
            servers,
            name: replica.stream.as_str().into(),
            n_copies: replica.n_copies,
            ack_within: replica.ack,
        },
    }))
}

/// Waits until an engine takes what changes something; at once when it is alone.
pub async fn takes_part(engine: &Engine) {
    let Some(mut status) = engine.replica() else { return };
    info!("waiting until this replica has caught up");
    // The engine holds the sender, so waiting ends only with the condition.
    drop(status.wait_for(|status| status.obstacle().is_none()).await);
}
