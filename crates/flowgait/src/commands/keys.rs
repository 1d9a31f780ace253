//! `flowgait keys`: who may ask a service.

use clap::Subcommand;
use flowgait_serve::auth;
use flowgait_serve::store::sqlite::Visit;

use super::service::{self, StoreArgs};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait keys add dashboard --scope predict --scope jobs
  curl -H 'Authorization: Bearer fgk_…' https://flowgait.example/v1/jobs

A key is shown once; the store keeps its digest. Scopes: predict (answers at once), jobs (its own jobs), models (the registry), admin \
(everything, also others' jobs). A running service notices within two seconds.")]
pub struct Args {
    #[command(flatten)]
    store: StoreArgs,

    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a key, and show it once
    Add {
        /// Whose it is; jobs belong to this name
        name: String,
        /// What it may do: predict, jobs, models, admin; may be repeated [default: predict and jobs]
        #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
        scopes: Vec<String>,
    },
    /// Every key's name and scopes
    List,
    /// Take a key away
    Revoke {
        /// Whose it is
        name: String,
    },
}

/// Does it.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    service::runtime()?.block_on(act(args, &mut config))
}

async fn act(args: &Args, config: &mut Config) -> Result<Outcome, Failure> {
    let visit = match &args.what {
        // Before a service may be reached from elsewhere it needs a key, so the first key may be there before it.
        What::Add { .. } => Visit::Prepare,
        _ => Visit::Look,
    };
    let store = args.store.visit(visit, config).await?;
    match &args.what {
        What::Add { name, scopes } => {
            let usual = ["predict".to_owned(), "jobs".to_owned()];
            let scopes = if scopes.is_empty() { &usual[..] } else { scopes };
            let (key, record) = auth::new_key(name, scopes, store.now().await? / 1_000)?;
            if !store.add_key(&record).await? {
                return Err(Failure::work(format!("There is a key '{name}' already")).help(
                    format!(
                        "Take it away first (flowgait keys revoke {name}), or choose another name."
                    ),
                ));
            }
            output::note(&format!(
                "key '{name}' of {} may: {}; it is shown once:",
                flowgait_serve::masked(&args.store.place(config)?),
                scopes.join(", ")
            ));
            output::out(&format!("{key}\n"))?;
        }
        What::List => {
            let keys = store.keys().await?;
            if keys.is_empty() {
                output::note(
                    "no keys: only a service on loopback answers, and anybody on this machine may ask it",
                );
            }
            let width = keys.iter().map(|key| key.name.len()).max().unwrap_or(0).max(4);
            let mut text = String::new();
            for key in &keys {
                text.push_str(&format!("{:width$}  {}\n", key.name, key.scopes.join(", ")));
            }
            output::out(&text)?;
        }
        What::Revoke { name } => {
            if !store.revoke_key(name).await? {
                return Err(Failure::work(format!("There is no key '{name}'"))
                    .help("flowgait keys list shows them."));
            }
            output::note(&format!("key '{name}' is taken away"));
        }
    }
    Ok(Outcome::Done)
}
