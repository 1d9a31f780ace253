//! `flowgait serve`: the service and its page, alone or with workers elsewhere.

use std::sync::Arc;

use flowgait_serve::config::ServeParams;
use flowgait_serve::server::{self, Given, Listening};

use super::service::{self, Own, StoreArgs};
use super::starter;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait serve
  curl -F file=@office.pcap http://127.0.0.1:8080/v1/jobs

  flowgait serve --store redis://127.0.0.1:6379/0 --blobs /srv/flowgait --workers 0
  flowgait worker --store redis://127.0.0.1:6379/0 --blobs /srv/flowgait

http://127.0.0.1:8080/ is the dashboard, /docs shows every route. What is accepted (202) is on disk: it outlasts this process.")]
pub struct Args {
    /// Where to listen; any but loopback needs keys (flowgait keys add) or --trusted-header [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    bind: Option<String>,

    #[command(flatten)]
    store: StoreArgs,

    /// Where uploads, results and models are: a folder or s3://BUCKET/PREFIX [default: the store's folder]
    #[arg(long, value_name = "DIR|S3")]
    blobs: Option<String>,

    /// Parts of jobs at a time in this process; 0 leaves them to `flowgait worker` [default: one a core]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,

    /// Where health and metrics are, without a key [default: with the rest]
    #[arg(long, value_name = "ADDRESS:PORT")]
    management: Option<String>,

    /// A certificate chain, PEM; with --tls-key the service speaks TLS
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<String>,

    /// Its key, PEM
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,

    /// A file of keys beside those of the store, one a line: NAME:SCOPE,SCOPE:KEY
    #[arg(long, value_name = "FILE")]
    keys_file: Option<String>,

    /// The header in which a proxy that everything comes through says who asks
    #[arg(long, value_name = "NAME")]
    trusted_header: Option<String>,

    /// How long what runs may take to end on SIGTERM [default: 30s]
    #[arg(long, value_name = "TIME")]
    grace: Option<String>,
}

/// Serves until SIGTERM or SIGINT.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    config.flag("serve.bind", "--bind", args.bind.as_ref())?;
    config.flag("serve.management", "--management", args.management.as_ref())?;
    config.flag("serve.tls_certificate", "--tls-certificate", args.tls_certificate.as_ref())?;
    config.flag("serve.tls_key", "--tls-key", args.tls_key.as_ref())?;
    config.flag("serve.keys_file", "--keys-file", args.keys_file.as_ref())?;
    config.flag("serve.trusted_header", "--trusted-header", args.trusted_header.as_ref())?;
    config.flag("serve.grace", "--grace", args.grace.as_ref())?;
    let _log = output::install_service_log(config.text("serve.log") == "json", output::SERVICE_LOG);
    let params = service::params(&args.store, args.blobs.as_ref(), args.workers, &mut config)?;
    let told = params.clone();
    let given = Given {
        starter: Some(starter::for_service()?),
        programs: Arc::new(Own::find()?),
        first: Vec::new(),
        announce: Box::new(move |listening| announce(listening, &told)),
    };
    until_told(params, given)?;
    Ok(Outcome::Done)
}

/// Serves until it is told to end.
pub fn until_told(params: ServeParams, given: Given) -> Result<(), Failure> {
    let runtime = service::runtime()?;
    runtime.block_on(async {
        let ends = server::until_told()?;
        server::serve(params, given, ends).await
    })?;
    // Work that did not end in time must not hold the process up: its leases were given back, or end by themselves.
    runtime.shutdown_background();
    Ok(())
}

fn announce(listening: &Listening, params: &ServeParams) {
    let scheme = if listening.tls { "https" } else { "http" };
    let key = if listening.is_open { "" } else { " -H 'Authorization: Bearer KEY'" };
    output::note(&format!("flowgait listens on {scheme}://{}", listening.bind));
    output::note(&format!(
        "  try      curl{key} -F file=@YOURS.pcap {scheme}://{}/v1/jobs",
        listening.bind
    ));
    output::note(&format!("  page     {scheme}://{}/", listening.bind));
    output::note(&format!("  routes   {scheme}://{}/docs", listening.bind));
    output::note(&format!("  jobs     {}", flowgait_serve::masked(&params.store)));
    let is_shared = params.store.starts_with("sqlite:") || params.blobs.contains("://");
    let shared = if is_shared { "" } else { " (every worker must see this same folder)" };
    output::note(&format!("  blobs    {}{shared}", params.blobs));
    output::note(&match params.workers {
        0 if params.store.starts_with("sqlite:") => {
            "  workers  none: what is taken in waits until this is started with some".to_owned()
        }
        0 => "  workers  none here: start some by flowgait worker".to_owned(),
        workers => format!("  workers  {workers}"),
    });
    if let Some(management) = listening.management {
        output::note(&format!(
            "  health   http://{management}/readyz, metrics http://{management}/metrics"
        ));
    }
    for note in &listening.notes {
        output::warn(note);
    }
}
