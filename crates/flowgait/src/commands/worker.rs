//! `flowgait worker`: one more worker, on any machine that reaches the store and the blobs.

use std::net::SocketAddr;
use std::sync::Arc;

use flowgait_serve::server::{self, Given};

use super::service::{self, Own, StoreArgs};
use super::starter;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait worker --store redis://10.0.0.5:6379/0 --blobs s3://flowgait/prod

It needs the store and the blobs of the service, and no address that others reach. SIGTERM lets it finish what it has, within --grace.")]
pub struct Args {
    #[command(flatten)]
    store: StoreArgs,

    /// Where uploads, results and models are: the same place as the service's
    #[arg(long, value_name = "DIR|S3")]
    blobs: Option<String>,

    /// Parts of jobs at a time [default: one a core]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,

    /// Where to show /livez, /readyz and /metrics, without a key [default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    bind: Option<SocketAddr>,

    /// How long what runs may take to end on SIGTERM [default: 30s]
    #[arg(long, value_name = "TIME")]
    grace: Option<String>,
}

/// Works until SIGTERM or SIGINT.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    config.flag("serve.grace", "--grace", args.grace.as_ref())?;
    let _log = output::install_service_log(config.text("serve.log") == "json", output::SERVICE_LOG);
    let params = service::params(&args.store, args.blobs.as_ref(), args.workers, &mut config)?;
    if params.store.starts_with("sqlite:") {
        return Err(Failure::usage("A worker of its own needs a store that many machines reach")
            .help("Name it by --store redis://HOST:PORT/0; flowgait serve has workers of its own for sqlite."));
    }
    let told = (flowgait_serve::masked(&params.store), params.blobs.clone(), params.workers.max(1));
    let given = Given {
        starter: Some(starter::for_service()?),
        programs: Arc::new(Own::find()?),
        first: Vec::new(),
        announce: Box::new(move |listening| {
            let (store, blobs, workers) = told;
            output::note(&format!(
                "flowgait works for {store}, {workers} at a time; blobs {blobs}"
            ));
            if let Some(health) = listening.management {
                output::note(&format!("  health   http://{health}/readyz"));
            }
            for note in &listening.notes {
                output::warn(note);
            }
        }),
    };
    let runtime = service::runtime()?;
    runtime.block_on(async {
        let ends = server::until_told()?;
        server::work(params, args.bind, given, ends).await
    })?;
    runtime.shutdown_background();
    Ok(Outcome::Done)
}
