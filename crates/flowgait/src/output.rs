//! The only place that prints: results on standard output, everything else on standard error.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::path::Path;

use flowgait_flow::export::AtomicFile;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::failure::Failure;

/// Writes to standard output. A reader that went away is told as an [`io::Error`], never as a panic.
pub fn out(text: &str) -> Result<(), Failure> {
    let mut stream = io::stdout().lock();
    stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush())
        .map_err(|source| Failure::work("Cannot write to standard output").because(source))
}

/// Writes a line for the person to standard error; when even that is gone there is nobody to tell.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes a warning, one sentence, to standard error.
pub fn warn(text: &str) {
    note(&format!("{} {text}", bold("warning:")));
}

/// Shows why a command failed.
pub fn failure(failure: Failure) {
    let mut text = String::new();
    // Whoever reads it elsewhere may say how wide a line is: a service wants whole ones.
    let width = if io::stderr().is_terminal() { terminal_width() } else { console_columns() };
    let handler = miette::GraphicalReportHandler::new_themed(theme()).with_width(width);
    let _ = handler.render_report(&mut text, &failure);
    let mut shown = String::new();
    let _ = write!(shown, "{}", text.trim_end());
    note(&shown);
}

/// Columns of the terminal that reports are laid out for.
pub fn terminal_width() -> usize {
    console_columns().clamp(60, 120)
}

fn console_columns() -> usize {
    std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).unwrap_or(100)
}

fn theme() -> miette::GraphicalTheme {
    if colour() {
        miette::GraphicalTheme::unicode()
    } else {
        miette::GraphicalTheme::unicode_nocolor()
    }
}

fn colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

fn bold(text: &str) -> String {
    if colour() { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Installs the log subscriber: `FLOWGAIT_LOG=debug` or `FLOWGAIT_LOG=flowgait_flow=trace`; warnings by default.
pub fn install_log() {
    // A way to a graphics card that is not there is looked for as one of several; what becomes of all is told by ourselves.
    let usual = || EnvFilter::new("warn,wgpu_hal=off,wgpu_core=off");
    let filter = EnvFilter::try_from_env("FLOWGAIT_LOG").unwrap_or_else(|_| usual());
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).try_init();
}

/// What a service tells where nobody says: what it does, and of others what goes wrong.
pub const SERVICE_LOG: &str = "warn,flowgait=info,flowgait_serve=info";

/// Installs the log of a service: what happens, by time, with the ids of requests and jobs. What it gives is held until the process ends.
pub fn install_service_log(json: bool, usual: &str) -> ServiceLog {
    let filter = EnvFilter::try_from_env("FLOWGAIT_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = if json {
        layer.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        layer.with_ansi(io::stderr().is_terminal()).boxed()
    };
    let log = tracing_subscriber::registry().with(filter).with(lines);
    #[cfg(feature = "otel")]
    {
        let (spans, telemetry) = crate::telemetry::layer();
        let _ = log.with(spans).try_init();
        ServiceLog { _telemetry: telemetry }
    }
    #[cfg(not(feature = "otel"))]
    {
        let _ = log.try_init();
        ServiceLog {}
    }
}

/// A service's log while it runs.
pub struct ServiceLog {
    #[cfg(feature = "otel")]
    _telemetry: crate::telemetry::Telemetry,
}

/// Writes a text to a file that appears under its name only when it is whole.
pub fn save(path: &Path, text: &str) -> Result<(), Failure> {
    let cannot =
        |e: io::Error| Failure::work(format!("Cannot write {}", path.display())).because(e);
    let mut file = AtomicFile::create(path).map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)?;
    file.commit().map_err(cannot)
}
