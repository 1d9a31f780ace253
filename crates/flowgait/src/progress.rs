//! Progress bars: on a terminal with rate and time left, elsewhere nothing.

use std::io::{self, IsTerminal, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// Set to `lines`, this has progress told as lines of JSON: how a service follows the programs that it starts.
pub const LINES: &str = "FLOWGAIT_PROGRESS";
/// At most four lines a second.
const LINE_EVERY: Duration = Duration::from_millis(250);

/// A bar on standard error, or nothing when that is no terminal.
#[derive(Clone, Debug)]
pub struct Progress(ProgressBar, Option<Arc<Lines>>);

/// Progress as lines of JSON.
#[derive(Debug)]
struct Lines {
    what: String,
    total: u64,
    done: AtomicU64,
    begun: Instant,
    /// Milliseconds since then when a line was last told.
    told: AtomicU64,
}

impl Lines {
    fn new(what: &str, total: u64) -> Option<Arc<Self>> {
        if std::env::var_os(LINES).is_none_or(|value| value != "lines") {
            return None;
        }
        let lines = Self {
            what: what.to_owned(),
            total,
            done: AtomicU64::new(0),
            begun: Instant::now(),
            told: AtomicU64::new(0),
        };
        lines.tell(0);
        Some(Arc::new(lines))
    }

    fn advance(&self, by: u64) {
        let done = self.done.fetch_add(by, Ordering::Relaxed) + by;
        let (now, told) =
            (self.begun.elapsed().as_millis() as u64, self.told.load(Ordering::Relaxed));
        let due = now.saturating_sub(told) >= LINE_EVERY.as_millis() as u64;
        if due
            && self.told.compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.tell(done);
        }
    }

    fn tell(&self, done: u64) {
        let Self { what, total, .. } = self;
        output::note(
            &serde_json::json!({ "progress": what, "done": done, "total": total }).to_string(),
        );
    }
}

impl Progress {
    /// A bar over a known number of octets.
    pub fn octets(what: &str, total: u64) -> Self {
        Self::new(
            what,
            total,
            "{prefix:>10} {wide_bar} {bytes:>10} of {total_bytes}  {bytes_per_sec}  {eta} left",
        )
    }

    /// A bar over a known number of things.
    pub fn count(what: &str, total: u64) -> Self {
        Self::new(
            what,
            total,
            "{prefix:>10} {wide_bar} {human_pos} of {human_len}  {per_sec}  {eta} left",
        )
    }

    fn new(what: &str, total: u64, template: &str) -> Self {
        if let Some(lines) = Lines::new(what, total) {
            return Self(ProgressBar::hidden(), Some(lines));
        }
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden(), None);
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
        let style = ProgressStyle::with_template(template)
            .expect("the templates above are well formed")
            .progress_chars("━╸─");
        bar.set_style(style);
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar, None)
    }

    /// That many more are done.
    pub fn advance(&self, by: u64) {
        self.0.inc(by);
        if let Some(lines) = &self.1 {
            lines.advance(by);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }

    /// A reader that moves the bar as it is read.
    pub fn reader<R: Read + Send + 'static>(&self, inner: R) -> Box<dyn Read + Send> {
        Box::new(Watched { inner, progress: self.clone() })
    }
}

struct Watched<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}
