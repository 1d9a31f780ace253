//! The work itself: what becomes of a part of a job, on a thread that may compute and wait.

mod cut;
mod fetch;
mod meter;
pub(crate) mod predict;
pub(crate) mod scan;
pub(crate) mod sink;
mod train;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::blobs::Blobs;
use crate::error::Error;
use crate::hold::{Hold, Next};
use crate::job::{End, Lease, Progress, Reason};
use crate::models::Models;
use crate::order::Order;
use crate::store::JobStore;
pub(crate) use predict::count as predict_count;
pub use scan::TableLimits;

/// Programs that some work is done by, each in a process of its own: it can be ended at once, and takes nobody with it when it dies.
pub trait Programs: Send + Sync {
    /// Meters a capture on standard input to CSV on standard output, in the columns of a model's schema; `name` is what the capture is
    /// called there.
    fn meter(&self, schema: &str, name: &str) -> Command;
    /// Fits a model file from a table with labels.
    fn fit(&self, table: &Path, model: &Path, flags: &[(String, String)]) -> Command;
    /// Runs a federation into a folder, going on where it was.
    fn simulate(&self, configuration: &Path, folder: &Path) -> Command;
    /// The samples there are.
    fn samples(&self) -> &[Sample];
    /// Makes the table of a sample.
    fn sample(&self, sample: &Sample, table: &Path) -> Command;
}

/// Made traffic that a service offers to whoever has no capture at hand.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// What it is asked for by.
    pub name: &'static str,
    /// What a page calls it.
    pub title: &'static str,
    /// What it is, in a few words.
    pub says: &'static str,
    /// How many flows applications have in it.
    pub flows: u64,
}

/// All that the work needs.
pub struct Shop {
    /// Where jobs are.
    pub store: Arc<dyn JobStore>,
    /// Where data is.
    pub blobs: Blobs,
    /// Where models are.
    pub models: Arc<Models>,
    /// What is done elsewhere.
    pub programs: Arc<dyn Programs>,
    /// How large tables may be.
    pub limits: TableLimits,
    /// Octets of a chunk, as a rule.
    pub chunk_octets: u64,
    /// How long a child may take.
    pub time: Duration,
}

/// Why some work had no end of its own.
#[derive(Debug)]
pub enum Trouble {
    /// The job cannot be done.
    Bad(Reason),
    /// Another try may go better.
    Again(Reason),
    /// Somebody wants it otherwise.
    Turned(Next),
}

impl Trouble {
    pub(crate) fn bad(kind: &str, detail: impl Into<String>) -> Self {
        Self::Bad(Reason::new(kind, detail))
    }

    /// What the work needs cannot be read or written now. The log says what and where; a caller need not know how this side is arranged.
    pub(crate) fn storage(error: &dyn std::error::Error) -> Self {
        tracing::warn!(error = told(error), "work is put off");
        let told = "What the work needs could not be read or written here; the log of the worker says what and why.";
        Self::Again(Reason::new("storage", told))
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let told = told(&error);
        match error {
            Error::Model(flowgait_model::Error::NoSuchModel { .. }) => {
                Self::bad("no-such-model", told)
            }
            Error::Model(flowgait_model::Error::Registry { .. })
            | Error::Blob { .. }
            | Error::Store { .. }
            | Error::System { .. } => Self::storage(&error),
            Error::Model(_) => Self::bad("bad-model", told),
            Error::Table(_) => Self::bad("bad-input", told),
            _ => Self::bad("unfit", told),
        }
    }
}

impl From<flowgait_features::Error> for Trouble {
    fn from(error: flowgait_features::Error) -> Self {
        // A stream that broke is the storage's fault, not the table's.
        if let flowgait_features::Error::ReadTable { source, .. } = &error
            && source.get_ref().is_some_and(|inner| inner.is::<Error>())
        {
            return Self::storage(&error);
        }
        Self::bad("bad-input", sentence(&told(&error)))
    }
}

impl From<flowgait_model::Error> for Trouble {
    fn from(error: flowgait_model::Error) -> Self {
        match &error {
            flowgait_model::Error::WriteAnswers { .. } => Self::storage(&error),
            flowgait_model::Error::CarriedCell { .. } => {
                let told = sentence(&told(&error));
                Self::bad(
                    "bad-input",
                    format!("{told} Ask for csv, which carries cells over as they stand."),
                )
            }
            _ => Self::bad("bad-input", sentence(&told(&error))),
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::storage(&error)
    }
}

/// An error with its causes, as one line.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

/// A library's message as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    // A word with something behind it is a file's name.
    let first = text.split(' ').next().unwrap_or_default();
    let is_word = first.chars().all(char::is_alphabetic);
    let text = match letters.next() {
        Some(letter) if is_word => letter.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    };
    if text.ends_with(['.', '!', '?', ':']) { text } else { text + "." }
}

/// First wait before another try; it doubles with each.
const BACK_OFF: Duration = Duration::from_secs(2);

/// Does a part of a job; how it ends, or `None` when it is to be left alone.
pub(crate) fn run(shop: &Shop, lease: &Lease, hold: &Hold) -> Option<End> {
    let outcome =
        Order::of(&lease.job.order).map_err(Trouble::from).and_then(|order| match order {
            Order::Predict(order) => predict::run(shop, lease, hold, &order),
            Order::Fit(order) => train::fit(shop, lease, hold, &order),
            Order::Simulate(order) => train::simulate(shop, lease, hold, &order),
        });
    match outcome {
        Ok(end) => Some(end),
        Err(Trouble::Bad(reason)) => Some(End::Failed(reason)),
        Err(Trouble::Again(reason)) => Some(End::Retry(reason, back_off(lease.attempt))),
        Err(Trouble::Turned(Next::Leave)) => None,
        // What cannot be kept half-way begins anew.
        Err(Trouble::Turned(Next::Pause)) => Some(End::Paused(lease.payload.clone())),
        Err(Trouble::Turned(_)) => Some(End::GivenBack),
    }
}

/// How long to wait before another try: twice as long each time, and never quite the same, so that many do not come back at once.
pub(crate) fn back_off(attempt: u32) -> Duration {
    let longest = BACK_OFF * 2_u32.pow(attempt.min(6));
    longest.mul_f64(0.5 + 0.5 * rand::random::<f64>())
}

/// Tells how far a part is, at most four times a second, and asks what to do next.
pub(crate) struct Teller<'a> {
    shop: &'a Shop,
    hold: &'a Hold,
    progress: Progress,
    begun: Instant,
    /// What was done when it was begun: another worker may have done some.
    before: Option<u64>,
    told: Instant,
    /// Whether there is anything to show: of a job in chunks their number is shown instead.
    shows: bool,
}

/// At most four times a second.
const EVERY: Duration = Duration::from_millis(250);

impl<'a> Teller<'a> {
    pub(crate) fn new(
        shop: &'a Shop,
        lease: &Lease,
        hold: &'a Hold,
        stage: &str,
        unit: &str,
        total: Option<u64>,
    ) -> Self {
        let now = Instant::now();
        let progress = Progress {
            stage: stage.to_owned(),
            unit: unit.to_owned(),
            total,
            ..Progress::default()
        };
        Self {
            shop,
            hold,
            progress,
            begun: now,
            before: None,
            told: now,
            shows: lease.job.parts == 1,
        }
    }

    /// Whether to go on.
    pub(crate) fn check(&self) -> Result<(), Trouble> {
        match self.hold.next() {
            Next::GoOn => Ok(()),
            other => Err(Trouble::Turned(other)),
        }
    }

    /// So much is done.
    pub(crate) fn done(&mut self, done: u64) -> Result<(), Trouble> {
        self.check()?;
        self.progress.done = done;
        if self.before.is_none() {
            (self.begun, self.before) = (Instant::now(), Some(done));
        }
        if self.shows && self.told.elapsed() >= EVERY {
            self.tell();
            self.check()?;
        }
        Ok(())
    }

    /// There is so much to do, as is known now.
    pub(crate) fn stage(&mut self, stage: &str, unit: &str, total: Option<u64>) {
        if self.progress.stage != stage {
            (self.begun, self.before) = (Instant::now(), None);
        }
        self.progress = Progress {
            stage: stage.to_owned(),
            unit: unit.to_owned(),
            total,
            ..Progress::default()
        };
    }

    fn tell(&mut self) {
        self.told = Instant::now();
        let seconds = self.begun.elapsed().as_secs_f64();
        let done = self.progress.done - self.before.unwrap_or(0).min(self.progress.done);
        let rate = done as f64 / seconds;
        self.progress.rate = (rate > 0.0).then_some(rate);
        self.progress.seconds_left = self
            .progress
            .total
            .filter(|_| rate > 0.0)
            .map(|total| total.saturating_sub(self.progress.done) as f64 / rate);
        let asked = self.shop.store.progress(self.hold.claim(), &self.progress);
        match Handle::current().block_on(asked) {
            Ok(standing) => self.hold.note(standing),
            // Progress that is not told is no reason to end; the lease's own thread finds out what is.
            Err(error) => tracing::debug!(%error, "progress could not be told"),
        }
    }
}

/// Waits for something async on a thread that may wait.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    Handle::current().block_on(future)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_and_differs() {
        for attempt in 0..10 {
            let (least, most) = (BACK_OFF * 2_u32.pow(attempt.min(6)) / 2, BACK_OFF * 64);
            let waits: Vec<Duration> = (0..20).map(|_| back_off(attempt)).collect();
            assert!(waits.iter().all(|wait| *wait >= least && *wait <= most));
            assert!(waits.iter().any(|wait| *wait != waits[0]));
        }
    }

    #[test]
    fn messages_become_sentences() {
        assert_eq!(sentence("cannot read it"), "Cannot read it.");
        assert_eq!(sentence("x.csv, line 3: no"), "x.csv, line 3: no.");
        assert_eq!(sentence("x, line 3: no"), "x, line 3: no.");
    }
}
