//! `orderlens probe`: whether a server serves, asked without a shell.

use std::time::Duration;

use clap::Args;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::cli::output::say;

/// Whom to ask about what.
#[derive(Clone, Debug, Args)]
pub struct ProbeArgs {
    /// Address of the server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50051")]
    server: String,
    /// Service to ask about; the whole server otherwise
    #[arg(long, default_value = "")]
    service: String,
    /// Longest time, milliseconds
    #[arg(long, default_value_t = 2_000)]
    timeout_ms: u64,
}

/// Asks by gRPC health v1; the process ends with 0 when it serves and with 1 otherwise.
///
/// # Errors
/// When the server cannot be reached in time, does not know the service or does not serve it.
pub fn run(args: &ProbeArgs) -> miette::Result<()> {
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    let longest = Duration::from_millis(args.timeout_ms);
    let asked = runtime.block_on(async { tokio::time::timeout(longest, ask(args)).await });
    let status = asked.map_err(|_| miette!("no answer within {} ms", args.timeout_ms))??;
    match status {
        ServingStatus::Serving => {
            say("serving");
            Ok(())
        }
        ServingStatus::Unknown | ServingStatus::NotServing | ServingStatus::ServiceUnknown => {
            Err(miette!("not serving: {}", status.as_str_name()))
        }
    }
}

async fn ask(args: &ProbeArgs) -> miette::Result<ServingStatus> {
    let endpoint = Endpoint::from_shared(args.server.clone()).into_diagnostic()?;
    let channel = endpoint
        .connect()
        .await
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot reach a server at {}", args.server))?;
    let request = HealthCheckRequest { service: args.service.clone() };
    let answer = HealthClient::new(channel).check(request).await;
    let answer = answer.map_err(|status| miette!("{:?}: {}", status.code(), status.message()))?;
    Ok(answer.into_inner().status())
}
