//! The demo's last step: a service of its own with what was made, whose page shows it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use flowgait_model::registry::{Import, LIVE, Reference, Registry, Which};
use flowgait_serve::config::ServeParams;
use flowgait_serve::first::Form;
use flowgait_serve::server::{Given, Listening};

use crate::commands::service::{self, Own, StoreArgs};
use crate::commands::{serve, starter};
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// What the demo's model is called in its registry.
const MODEL: &str = "demo";
/// Where the page is, where nobody says and nobody else is there.
const PORT: u16 = 8080;
/// A federation worth watching: unlike clients, each protected by noise.
const PRIVATE: &str = "\
seed = 7
rounds = 40
cohort = { poisson = { rate = 0.5 } }

[clients]
count = 20
partition = { dirichlet = { alpha = 0.5 } }

[strategy]
name = \"fed-prox\"
mu = 0.01

[privacy]
epsilon = 8.0
delta = 1e-5
clip_norm = 1.0
";
/// And the least one: three skewed clients, five rounds.
const SKEWED: &str = "\
rounds = 5

[clients]
count = 3
partition = { favourite = { share = 0.7 } }
";

/// Puts the model into a registry, promoted, with its evaluation.
pub(super) fn register(service: &Path, model: &Path, evaluation: &[u8]) -> Result<(), Failure> {
    let registry = Registry::new(&service.join("models"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let entry = match registry.import(MODEL, model, now as i64)? {
        Import::New(entry) | Import::Known(entry) => entry,
    };
    let version = Reference { name: entry.name, which: Which::Version(entry.version) };
    registry.attach(&version, evaluation)?;
    registry.promote(&version, LIVE)?;
    Ok(())
}

/// Serves until told to end; at the first time it classifies a sample and runs two federations.
pub(super) fn serve(folder: &Path, port: Option<u16>, mut config: Config) -> Result<(), Failure> {
    let given = Given {
        starter: Some(starter::for_service()?),
        programs: Arc::new(Own::find()?),
        first: first(),
        announce: Box::new(announce),
    };
    let _log = output::install_service_log(false, "warn");
    // The demo's service is its own: of what is set for others only limits hold.
    let folder = folder.display();
    let store = StoreArgs { store: Some(format!("sqlite:{folder}")) };
    let blobs = folder.to_string();
    let params = ServeParams {
        bind: SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or_else(free))),
        registry: None,
        model: Some(MODEL.to_owned()),
        management: None,
        tls: None,
        keys_file: None,
        trusted_header: None,
        ..service::params(&store, Some(&blobs), None, &mut config)?
    };
    serve::until_told(params, given)
}

/// The usual port, or any where somebody is there already.
fn free() -> u16 {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)) {
        Ok(_) => PORT,
        Err(_) => 0,
    }
}

fn first() -> Vec<Form> {
    let form = |fields: &[(&str, &str)]| -> BTreeMap<String, String> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    vec![
        form(&[("kind", "predict"), ("sample", "homes"), ("proba", "true")]),
        form(&[("kind", "simulate"), ("configuration", SKEWED), ("name", "four-classes")]),
        form(&[("kind", "simulate"), ("configuration", PRIVATE), ("name", "four-classes-private")]),
    ]
}

fn announce(listening: &Listening) {
    output::note(&format!("5  the dashboard: http://{}/ (Ctrl C ends it)", listening.bind));
}
