//! The process: a store, blobs, models, listeners, workers and a collector, begun together and ended in order.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::sync::watch;

use crate::api::{self, App};
use crate::auth::{self, Auth, Gate, Rate};
use crate::backlog::Backlog;
use crate::blobs::Blobs;
use crate::collect;
use crate::config::ServeParams;
use crate::error::Error;
use crate::first::{self, Form};
use crate::models::{Models, Starter};
use crate::store::redis::RedisStore;
use crate::store::sqlite::{SqliteStore, Visit};
use crate::store::{JobStore, Limits};
use crate::work::{Programs, Shop};
use crate::worker::{self, ShopHands, WorkerParams};

/// How long a client may take over the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(20);

/// What the binary brings.
pub struct Given {
    /// The model that ships with it.
    pub starter: Option<Starter>,
    /// What some work is done by.
    pub programs: Arc<dyn Programs>,
    /// What it is to do where it never had a job.
    pub first: Vec<Form>,
    /// Told once it listens.
    pub announce: Box<dyn FnOnce(&Listening) + Send>,
}

/// Where it listens, once it does.
#[derive(Clone, Debug)]
pub struct Listening {
    /// The service.
    pub bind: SocketAddr,
    /// Health and metrics, where they are apart.
    pub management: Option<SocketAddr>,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Whether anybody who reaches it may ask.
    pub is_open: bool,
    /// What an operator should know.
    pub notes: Vec<String>,
}

/// Opens a store by its name.
///
/// # Errors
/// [`Error::Place`] when it names none; what the store says.
pub async fn open_store(
    place: &str,
    limits: &Limits,
    visit: Visit,
) -> Result<(Arc<dyn JobStore>, Vec<String>), Error> {
    if let Some(folder) = place.strip_prefix("sqlite:") {
        let store = SqliteStore::open(&PathBuf::from(folder), limits.clone(), visit)?;
        return Ok((Arc::new(store), Vec::new()));
    }
    if place.starts_with("redis://")
        || place.starts_with("rediss://")
        || place.starts_with("unix://")
    {
        let store = RedisStore::open(place, limits.clone()).await?;
        let notes = store.warning().map(str::to_owned).into_iter().collect();
        return Ok((Arc::new(store), notes));
    }
    let problem = "sqlite:FOLDER, or redis://HOST:PORT/DATABASE".to_owned();
    Err(Error::Place { what: "--store", text: place.to_owned(), problem })
}

/// The models of a service.
fn models(params: &ServeParams, blobs: &Blobs, starter: Option<Starter>) -> Result<Models, Error> {
    let models = match (&params.registry, blobs.folder()) {
        (Some(folder), _) => Models::in_folder(folder.clone(), starter)?,
        (None, Some(folder)) => Models::in_folder(folder.join("models"), starter)?,
        (None, None) => Models::in_bucket(blobs.clone(), starter)?,
    };
    Ok(models.with_usual(params.model.clone()))
}

/// What is counted, from the first moment on: a counter that appears with its first count would hide that count from whoever looks at increases.
fn count_from_nothing() {
    for name in ["flowgait_redeliveries_total", "flowgait_leases_lost_total"] {
        metrics::counter!(name).increment(0);
    }
    for kind in ["predict", "fit", "simulate"] {
        for state in ["succeeded", "failed", "cancelled", "dead"] {
            metrics::counter!("flowgait_jobs_ended_total", "kind" => kind, "state" => state)
                .increment(0);
        }
    }
    for what in ["jobs", "blobs", "idempotency-keys"] {
        metrics::counter!("flowgait_collected_total", "what" => what).increment(0);
    }
    metrics::gauge!("flowgait_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// Begins to count; only the first call of a process has an effect.
fn recorder() -> Result<PrometheusHandle, Error> {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    let seconds = [
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
        300.0, 1800.0,
    ];
    let unfit = |error: metrics_exporter_prometheus::BuildError| Error::Configuration {
        problem: format!("what is counted cannot be set up: {error}"),
    };
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new().set_buckets(&seconds).map_err(unfit)?.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() {
        let _ = HANDLE.set(handle.clone());
    }
    count_from_nothing();
    Ok(HANDLE.get().cloned().unwrap_or(handle))
}

/// A name unlike any other worker's.
fn worker_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let host = if host.is_empty() { "worker" } else { host };
    format!("{host}-{}-{:08x}", std::process::id(), rand::random::<u32>())
}

/// True once the process is told to end: by SIGTERM or SIGINT. A second time it ends at once.
///
/// # Errors
/// When signals cannot be listened to.
pub fn until_told() -> Result<watch::Receiver<bool>, Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| {
        signal(kind).map_err(|source| Error::System { doing: "listen for signals".into(), source })
    };
    let (mut terminate, mut interrupt) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        let mut times = 0;
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            times += 1;
            if times > 1 {
                std::process::exit(130);
            }
            let _ = tell.send(true);
        }
    });
    Ok(told)
}

/// What both a server and a worker have.
struct Base {
    app: Arc<App>,
    shop: Arc<Shop>,
    notes: Vec<String>,
}

async fn base(
    params: &ServeParams,
    starter: Option<Starter>,
    programs: Arc<dyn Programs>,
    ends: watch::Receiver<bool>,
) -> Result<Base, Error> {
    let metrics = recorder()?;
    let (store, notes) = open_store(&params.store, &params.limits, Visit::Serve).await?;
    let blobs = Blobs::open(&params.blobs)?;
    let models = Arc::new(models(params, &blobs, starter)?);
    let fixed = params.keys_file.as_deref().map(auth::keys_of).transpose()?.unwrap_or_default();
    let has_keys = !fixed.is_empty() || !store.keys().await?.is_empty();
    let has_gate = has_keys || params.trusted_header.is_some();
    if !params.bind.ip().is_loopback() && !has_gate {
        return Err(no_gate(params.bind));
    }
    let open = params.bind.ip().is_loopback()
        && params.keys_file.is_none()
        && params.trusted_header.is_none();
    let gate = Gate { open, trusted_header: params.trusted_header.clone(), fixed };
    let auth = Auth::new(gate, store.clone()).await?;
    let shop = Arc::new(Shop {
        store: store.clone(),
        blobs: blobs.clone(),
        models: models.clone(),
        programs: programs.clone(),
        limits: params.tables.clone(),
        chunk_octets: params.chunk_octets,
        time: params.training_time,
    });
    let app = Arc::new(App {
        store,
        blobs,
        models,
        programs,
        making: tokio::sync::Mutex::default(),
        auth,
        rate: Rate::new(params.rate),
        limits: params.api.clone(),
        tables: params.tables.clone(),
        ends,
        is_overdue: AtomicBool::new(false),
        looking: crate::api::jobs::looking::Looking::default(),
        backlog: Backlog::default(),
        metrics,
        tasks: params.tasks.clone(),
        is_encrypted: params.tls.is_some(),
        shows_metrics: params.management.is_none(),
    });
    Ok(Base { app, shop, notes })
}

fn no_gate(bind: SocketAddr) -> Error {
    Error::Configuration {
        problem: format!(
            "{bind} can be reached from other machines, and anybody there could ask: make a key first (flowgait keys add NAME), name a file of keys \
             (--keys-file), or the header in which your proxy says who asks (--trusted-header); or bind to 127.0.0.1"
        ),
    }
}

fn listen(what: &'static str, bind: SocketAddr) -> Result<TcpListener, Error> {
    let listener = TcpListener::bind(bind).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener
        .map_err(|source| Error::System { doing: format!("listen on {bind} for {what}"), source })
}

/// Serves until `ends` says so, then drains: `/readyz` says no first, nothing new is claimed, what runs may finish within the grace time.
///
/// # Errors
/// What keeps it from beginning.
pub async fn serve(
    params: ServeParams,
    given: Given,
    ends: watch::Receiver<bool>,
) -> Result<(), Error> {
    let Given { starter, programs, first, announce } = given;
    let Base { app, shop, notes } = base(&params, starter, programs, ends.clone()).await?;
    let listener = listen("the service", params.bind)?;
    let management = params.management.map(|bind| listen("management", bind)).transpose()?;
    let address = |listener: &TcpListener| {
        listener
            .local_addr()
            .map_err(|source| Error::System { doing: "ask where it listens".into(), source })
    };
    let listening = Listening {
        bind: address(&listener)?,
        management: management.as_ref().map(address).transpose()?,
        tls: params.tls.is_some(),
        is_open: app.auth.is_open(),
        notes,
    };
    let tls = match &params.tls {
        Some((certificate, key)) => Some(tls(certificate, key).await?),
        None => None,
    };
    let handle = Handle::new();
    let mut tasks = tokio::task::JoinSet::new();
    let router = api::router(app.clone()).into_make_service();
    let server = |listener: TcpListener| {
        axum_server::from_tcp(listener)
            .map_err(|source| Error::System { doing: "serve".into(), source })
    };
    match tls {
        Some(tls) => {
            tasks.spawn(reload(tls.clone(), params.tls.clone(), ends.clone()));
            let acceptor = RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor::new());
            let mut server = server(listener)?.acceptor(acceptor).handle(handle.clone());
            set_up(server.http_builder());
            tasks.spawn(async move { ended(server.serve(router).await) });
        }
        None => {
            // Else the second half of an answer waits until the first was acknowledged, which clients put off for 40 ms.
            let server = server(listener)?.acceptor(NoDelayAcceptor::new());
            let mut server: Server<SocketAddr, _> = server.handle(handle.clone());
            set_up(server.http_builder());
            tasks.spawn(async move { ended(server.serve(router).await) });
        }
    }
    let management_handle = Handle::new();
    if let Some(listener) = management {
        let router = api::health::management(app.clone()).into_make_service();
        let mut server = server(listener)?.handle(management_handle.clone());
        set_up(server.http_builder());
        tasks.spawn(async move { ended(server.serve(router).await) });
    }
    let collector = tokio::spawn(collect::run(app.clone(), ends.clone()));
    let workers = (params.workers > 0).then(|| {
        let hands = Arc::new(ShopHands(shop));
        let params = WorkerParams {
            name: worker_name(),
            slots: params.workers,
            lease: params.limits.lease,
            grace: params.grace,
        };
        tokio::spawn(worker::run(app.store.clone(), hands, params, ends.clone()))
    });
    announce(&listening);
    first::submit(&app, first).await;
    let mut ending = ends.clone();
    tokio::select! {
        _ = ending.wait_for(|ends| *ends) => {}
        Some(ended) = tasks.join_next() => {
            // A listener that fails takes the process with it: whoever started it is to know.
            return Err(Error::System { doing: "go on serving".into(), source: std::io::Error::other(format!("{ended:?}")) });
        }
    }
    tracing::info!("draining");
    // Requests that are under way end; event streams end by themselves.
    let begun = Instant::now();
    handle.graceful_shutdown(Some(params.grace));
    if let Some(workers) = workers {
        let _ = workers.await;
    }
    let rest = params.grace.saturating_sub(begun.elapsed()).max(Duration::from_secs(1));
    while handle.connection_count() > 0 && begun.elapsed() < params.grace + rest {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if begun.elapsed() > params.grace {
            break;
        }
    }
    management_handle.shutdown();
    handle.shutdown();
    collector.abort();
    tracing::info!("drained");
    Ok(())
}

/// Works for others until `ends` says so; health and metrics are at `params.bind`, if that is wanted.
///
/// # Errors
/// What keeps it from beginning.
pub async fn work(
    params: ServeParams,
    health: Option<SocketAddr>,
    given: Given,
    ends: watch::Receiver<bool>,
) -> Result<(), Error> {
    let Given { starter, programs, announce, .. } = given;
    // It has no door of its own that needs a gate.
    let params = ServeParams { bind: SocketAddr::from(([127, 0, 0, 1], 0)), ..params };
    let Base { app, shop, notes } = base(&params, starter, programs, ends.clone()).await?;
    let handle = Handle::new();
    let mut bound = params.bind;
    if let Some(health) = health {
        let listener = listen("health", health)?;
        bound = listener
            .local_addr()
            .map_err(|source| Error::System { doing: "ask where it listens".into(), source })?;
        let router = api::health::management(app.clone()).into_make_service();
        let mut server = axum_server::from_tcp(listener)
            .map_err(|source| Error::System { doing: "serve".into(), source })?
            .handle(handle.clone());
        set_up(server.http_builder());
        tokio::spawn(async move { ended(server.serve(router).await) });
    }
    let collector = tokio::spawn(collect::run(app.clone(), ends.clone()));
    let (bind, management) = (bound, health.map(|_| bound));
    announce(&Listening { bind, management, tls: false, is_open: false, notes });
    let worker = WorkerParams {
        name: worker_name(),
        slots: params.workers.max(1),
        lease: params.limits.lease,
        grace: params.grace,
    };
    worker::run(app.store.clone(), Arc::new(ShopHands(shop)), worker, ends).await?;
    collector.abort();
    handle.shutdown();
    Ok(())
}

fn ended(outcome: std::io::Result<()>) {
    if let Err(error) = outcome {
        tracing::error!(%error, "a listener ended");
    }
}

/// Clients that are slow over the head of a request are let go.
fn set_up(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
    builder.http1().timer(hyper_util::rt::TokioTimer::new()).header_read_timeout(HEAD_TIME);
}

async fn tls(certificate: &PathBuf, key: &PathBuf) -> Result<RustlsConfig, Error> {
    // A second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    RustlsConfig::from_pem_file(certificate, key).await.map_err(|source| Error::System {
        doing: format!(
            "use the certificate {} with the key {}",
            certificate.display(),
            key.display()
        ),
        source,
    })
}

/// How soon a renewed certificate is used.
const RENEWAL: Duration = Duration::from_secs(5);

/// Certificates are renewed while the service runs.
async fn reload(
    config: RustlsConfig,
    files: Option<(PathBuf, PathBuf)>,
    mut ends: watch::Receiver<bool>,
) {
    let Some((certificate, key)) = files else { return };
    let written = |path: &PathBuf| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let mut known = (written(&certificate), written(&key));
    loop {
        let ended = tokio::select! {
            _ = ends.wait_for(|ends| *ends) => true,
            () = tokio::time::sleep(RENEWAL) => false,
        };
        if ended {
            // The end of this task would be taken for that of a listener.
            std::future::pending::<()>().await;
        }
        let now = (written(&certificate), written(&key));
        if now != known {
            match config.reload_from_pem_file(&certificate, &key).await {
                Ok(()) => tracing::info!("certificate renewed"),
                Err(error) => {
                    tracing::error!(%error, "the new certificate cannot be used; the old one stays")
                }
            }
            known = now;
        }
    }
}
