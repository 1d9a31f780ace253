//! What `serve`, `worker`, `jobs` and `keys` share: where the store is, and how the service is set up.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use flowgait_serve::config::{ApiLimits, ServeParams};
use flowgait_serve::server;
use flowgait_serve::store::sqlite::Visit;
use flowgait_serve::store::{JobStore, Limits};
use flowgait_serve::work::{Programs, Sample, TableLimits};

use super::flow_table::Columns;
use crate::config::Config;
use crate::failure::Failure;
use crate::{areas, parent, progress};

/// Where jobs and data are, as flags.
#[derive(Debug, Default, clap::Args)]
pub struct StoreArgs {
    /// Where jobs are: sqlite:DIR, or redis://HOST:PORT/0 for many machines [default: a folder among your own data]
    #[arg(long, global = true, value_name = "STORE")]
    pub store: Option<String>,
}

impl StoreArgs {
    /// Where jobs are.
    pub fn place(&self, config: &mut Config) -> Result<String, Failure> {
        config.flag("serve.store", "--store", self.store.as_ref())?;
        match config.text("serve.store") {
            "" => Ok(format!("sqlite:{}", folder(config)?.display())),
            place => Ok(place.to_owned()),
        }
    }

    /// Opens it to look at it, or change a little, while a service may run.
    pub async fn visit(
        &self,
        visit: Visit,
        config: &mut Config,
    ) -> Result<Arc<dyn JobStore>, Failure> {
        let place = self.place(config)?;
        let limits = limits(config);
        let (store, _) = server::open_store(&place, &limits, visit).await?;
        Ok(store)
    }
}

fn folder(config: &Config) -> Result<PathBuf, Failure> {
    config.service_folder().ok_or_else(|| {
        Failure::usage("There is no place for jobs: neither HOME nor XDG_DATA_HOME is set")
            .help("Name one by --store sqlite:DIR and --blobs DIR.")
    })
}

fn limits(config: &Config) -> Limits {
    Limits {
        lease: config.duration("serve.lease"),
        deliveries: config.count("serve.deliveries").try_into().unwrap_or(u32::MAX),
        jobs: config.count("serve.queue_jobs") as u64,
        rows: config.count("serve.queue_rows") as u64,
        octets: config.count("serve.queue_octets") as u64,
        keep: config.duration("serve.keep"),
        ..Limits::default()
    }
}

/// How the service is set up, by all settings.
pub fn params(
    store: &StoreArgs,
    blobs: Option<&String>,
    workers: Option<usize>,
    config: &mut Config,
) -> Result<ServeParams, Failure> {
    config.flag("serve.blobs", "--blobs", blobs)?;
    config.flag("serve.workers", "--workers", workers)?;
    let store = store.place(config)?;
    let blobs = match (config.text("serve.blobs"), store.strip_prefix("sqlite:")) {
        ("", Some(folder)) => folder.to_owned(),
        ("", None) => folder(config)?.display().to_string(),
        (place, _) => place.to_owned(),
    };
    let workers = match config.text("serve.workers") {
        "" => std::thread::available_parallelism().map_or(1, usize::from),
        text => crate::units::count(text)
            .map_err(|why| Failure::usage(format!("Setting serve.workers: {why}")))?,
    };
    let path = |key: &str| Some(config.text(key)).filter(|p| !p.is_empty()).map(PathBuf::from);
    let tls = match (path("serve.tls_certificate"), path("serve.tls_key")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => {
            return Err(Failure::usage("TLS needs both a certificate and its key").help(
                "Set serve.tls_certificate and serve.tls_key, or --tls-certificate and --tls-key.",
            ));
        }
    };
    let usual = ServeParams::in_folder(Path::new("."));
    if config.count("serve.deliveries") == 0 || config.count("serve.chunk_octets") == 0 {
        return Err(Failure::usage("serve.deliveries and serve.chunk_octets are at least 1"));
    }
    if config.duration("serve.lease").as_millis() < 100 {
        return Err(Failure::usage("serve.lease is at least 100ms"));
    }
    Ok(ServeParams {
        bind: config.address("serve.bind").unwrap_or(usual.bind),
        management: config.address("serve.management"),
        store,
        blobs,
        registry: path("models.registry"),
        model: Some(config.text("serve.model")).filter(|m| !m.is_empty()).map(str::to_owned),
        workers,
        tls,
        keys_file: path("serve.keys_file"),
        trusted_header: Some(config.text("serve.trusted_header"))
            .filter(|header| !header.is_empty())
            .map(str::to_owned),
        grace: config.duration("serve.grace"),
        rate: config.count("serve.rate").try_into().unwrap_or(u32::MAX),
        limits: limits(config),
        api: ApiLimits {
            upload_octets: config.count("serve.upload_octets") as u64,
            idle: config.duration("serve.idle"),
            ..ApiLimits::default()
        },
        tables: TableLimits {
            octets: config.count("serve.unpacked_octets") as u64,
            rows: config.count("serve.rows") as u64,
            columns: config.count("serve.columns"),
            row_octets: config.count("serve.row_octets"),
            cell_octets: config.count("serve.cell_octets"),
        },
        chunk_octets: config.count("serve.chunk_octets") as u64,
        training_time: config.duration("serve.training_time"),
        tasks: usual.tasks,
    })
}

/// What runs the service.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("flowgait-serve")
        .build()
        .map_err(|error| Failure::work("Cannot start the service's threads").because(error))
}

/// This program, for work that is done in a process of its own.
pub struct Own {
    program: PathBuf,
}

impl Own {
    /// It.
    pub fn find() -> Result<Self, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::work("Cannot find this program's own file").because(error))?;
        Ok(Self { program })
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(name)
            .env(parent::ENDS, "1")
            .env(progress::LINES, "lines")
            // What is good for a service of days is not for a fit.
            .env_remove(areas::VARIABLE)
            .env("COLUMNS", "10000")
            .env("NO_COLOR", "1");
        command
    }
}

impl Programs for Own {
    fn meter(&self, schema: &str, name: &str) -> Command {
        let mut command = self.command("meter");
        command.env_remove(progress::LINES);
        command.args(["-", "-o", "-", "--schema", Columns::of_model(schema).word()]);
        command.arg(format!("--capture-name={name}"));
        command
    }

    fn fit(&self, table: &Path, model: &Path, flags: &[(String, String)]) -> Command {
        let mut command = self.command("fit");
        command.arg(table).arg("-o").arg(model);
        // In one word, so that no value is taken for a flag.
        command.args(flags.iter().map(|(flag, value)| format!("{flag}={value}")));
        command
    }

    fn simulate(&self, configuration: &Path, folder: &Path) -> Command {
        let mut command = self.command("simulate");
        command.arg(configuration).arg("-o").arg(folder);
        command
    }

    fn samples(&self) -> &[Sample] {
        SAMPLES
    }

    fn sample(&self, sample: &Sample, table: &Path) -> Command {
        let mut command = self.command("synth");
        command.env_remove(progress::LINES);
        command
            .args([scenario_of(sample), "--labelled", "--seed", SAMPLE_SEED])
            .arg("-o")
            .arg(table);
        command.arg(format!("--flows={}", sample.flows));
        command
    }
}

/// Another seed than the demo's, which its model has learnt from.
const SAMPLE_SEED: &str = "11";

/// What a service offers to whoever has no capture at hand.
const SAMPLES: &[Sample] = &[
    Sample {
        name: "homes",
        title: "Sixteen homes",
        says: "six kinds of use, labelled",
        flows: 5_000,
    },
    Sample { name: "poor-lines", title: "Poor lines", says: "slow, far and lossy", flows: 2_000 },
    Sample {
        name: "something-new",
        title: "Something new",
        says: "one kind was never trained",
        flows: 800,
    },
];

/// The scenario that a sample is made by.
fn scenario_of(sample: &Sample) -> &'static str {
    match sample.name {
        "something-new" => "mixed",
        "poor-lines" => "poor-lines",
        _ => "demo",
    }
}
