//! How the service is set up.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::store::Limits;
use crate::work::TableLimits;

/// How the service is set up.
#[derive(Clone, Debug)]
pub struct ServeParams {
    /// Where it listens.
    pub bind: SocketAddr,
    /// Where health and metrics are, apart from the rest; there they need no key.
    pub management: Option<SocketAddr>,
    /// `sqlite:DIR` or `redis://…`.
    pub store: String,
    /// A folder or `s3://BUCKET/PREFIX`.
    pub blobs: String,
    /// The folder of the registry, if it is not `models` among the blobs.
    pub registry: Option<PathBuf>,
    /// The model that answers where none is named; without one it is the starter.
    pub model: Option<String>,
    /// Parts at a time; 0 for none here.
    pub workers: usize,
    /// Certificate and key, PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// A file of keys, beside those of the store.
    pub keys_file: Option<PathBuf>,
    /// A header in which a proxy that everything comes through says who asks.
    pub trusted_header: Option<String>,
    /// How long it may take to end.
    pub grace: Duration,
    /// Requests a second of one key; 0 for no limit.
    pub rate: u32,
    /// What the store allows.
    pub limits: Limits,
    /// What the API allows.
    pub api: ApiLimits,
    /// How large tables may be.
    pub tables: TableLimits,
    /// Octets of a chunk, as a rule.
    pub chunk_octets: u64,
    /// How long a program that trains may take.
    pub training_time: Duration,
    /// Task types of the original routes, and the models they mean.
    pub tasks: Vec<(String, String)>,
}

/// What the API allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiLimits {
    /// Octets of an upload, as it comes.
    pub upload_octets: u64,
    /// Octets of a request that is not an upload.
    pub body_octets: usize,
    /// Rows of a synchronous prediction.
    pub rows: usize,
    /// How long nothing may come of a request's body.
    pub idle: Duration,
    /// Streams of events at a time.
    pub streams: usize,
    /// How long a signed link holds.
    pub link: Duration,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self {
            upload_octets: 10 << 30,
            body_octets: 16 << 20,
            rows: 1_000,
            idle: Duration::from_secs(30),
            streams: 256,
            link: Duration::from_secs(3600),
        }
    }
}

impl ServeParams {
    /// The usual ones, over a folder on this machine.
    #[must_use]
    pub fn in_folder(folder: &std::path::Path) -> Self {
        let folder = folder.display();
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            management: None,
            store: format!("sqlite:{folder}"),
            blobs: folder.to_string(),
            registry: None,
            model: None,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            tls: None,
            keys_file: None,
            trusted_header: None,
            grace: Duration::from_secs(30),
            rate: 100,
            limits: Limits::default(),
            api: ApiLimits::default(),
            tables: TableLimits::default(),
            chunk_octets: 8 << 20,
            training_time: Duration::from_secs(24 * 3600),
            tasks: vec![("app".into(), "app".into()), ("att".into(), "att".into())],
        }
    }
}
