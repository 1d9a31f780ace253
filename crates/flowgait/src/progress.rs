//! Progress bars: on a terminal with rate and time left, elsewhere nothing.

use std::io::{self, IsTerminal, Read};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error, or nothing when that is no terminal.
#[derive(Clone, Debug)]
pub struct Progress(ProgressBar);

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
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
        let style = ProgressStyle::with_template(template)
            .expect("the templates above are well formed")
            .progress_chars("━╸─");
        bar.set_style(style);
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// That many more are done.
    pub fn advance(&self, by: u64) {
        self.0.inc(by);
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
