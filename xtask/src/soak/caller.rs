//! Whoever asks the service for one thing over and over, again where there was no answer, and holds each answer against the right one.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::error::Error;
use crate::http::{Answer, Connection, Request};

/// Nothing takes longer, whatever was killed meanwhile.
const PATIENCE: Duration = Duration::from_mins(4);
/// Between two tries, and between two questions whether a job is done.
const AGAIN: Duration = Duration::from_millis(50);

/// What is asked for.
pub struct Wish {
    name: String,
    request: Request,
    way: Way,
    every: Duration,
}

enum Way {
    /// A job with this result.
    Job(Vec<u8>),
    /// A job that is taken back once it was accepted.
    TakenBack,
    /// An answer at once, always the same.
    AtOnce,
}

impl Wish {
    pub fn job(name: &str, file: &[u8], answers: Vec<u8>, every: Duration) -> Self {
        let request = Request::form("/v1/jobs", &[], name, file);
        Self { name: name.to_owned(), request, way: Way::Job(answers), every }
    }

    pub fn job_taken_back(name: &str, file: &[u8], every: Duration) -> Self {
        let request = Request::form("/v1/jobs", &[], name, file);
        Self { name: format!("{name}, taken back"), request, way: Way::TakenBack, every }
    }

    pub fn at_once(rows: &[u8], every: Duration) -> Self {
        let request = Request::post("/v1/predictions", "text/csv", rows);
        Self { name: "rows at once".to_owned(), request, way: Way::AtOnce, every }
    }
}

/// What is counted.
#[derive(Clone, Copy)]
pub enum Count {
    /// Jobs with the right result.
    Jobs,
    /// Jobs that were taken back, or done before they could be.
    TakenBack,
    /// Right answers at once.
    Answers,
    /// Requests that had to be sent again: nobody was there, or it was said to come later.
    Again,
    /// Answers that were not the right ones.
    Wrong,
}

const COUNTS: [(Count, &str); 5] = [
    (Count::Jobs, "jobs done right"),
    (Count::TakenBack, "jobs taken back"),
    (Count::Answers, "answers at once"),
    (Count::Again, "requests sent again"),
    (Count::Wrong, "wrong answers"),
];

/// All counts, and how long answers at once took in the last minute.
#[derive(Default)]
pub struct Counts {
    counts: [AtomicU64; COUNTS.len()],
    took: Mutex<Vec<Duration>>,
}

impl Counts {
    pub fn get(&self, count: Count) -> u64 {
        self.counts[count as usize].load(Ordering::Relaxed)
    }

    fn add(&self, count: Count) {
        self.counts[count as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Median and 99th percentile, in milliseconds, since this was asked last.
    pub fn took(&self) -> (f64, f64) {
        let mut took = std::mem::take(&mut *self.took.lock().expect("nobody panics with it"));
        took.sort_unstable();
        let at = |percent: usize| {
            took.get(took.len() * percent / 100).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
        };
        (at(50), at(99))
    }

    pub fn told(&self) -> String {
        COUNTS.iter().fold(String::new(), |mut text, (count, name)| {
            let _ = writeln!(text, "{name}: {}", self.get(*count));
            text
        })
    }
}

/// A caller.
pub struct Caller<'a> {
    pub number: usize,
    pub wish: &'a Wish,
    pub port: u16,
    pub counts: &'a Counts,
    pub ends: &'a AtomicBool,
}

impl Caller<'_> {
    /// Asks until the end is told.
    pub fn run(&self) -> Result<(), Error> {
        let mut connection = None;
        match &self.wish.way {
            Way::AtOnce => {
                let right = self.ask(&mut connection, &self.wish.request)?;
                self.judge(right.status == 200, Count::Answers, &right);
                self.over_and_over(|_| {
                    let begin = Instant::now();
                    let answer = self.ask(&mut connection, &self.wish.request)?;
                    self.judge(answer == right, Count::Answers, &answer);
                    self.counts.took.lock().expect("nobody panics with it").push(begin.elapsed());
                    Ok(())
                })
            }
            Way::Job(right) => self.over_and_over(|request| {
                let (id, state) = self.job(&mut connection, request, false)?;
                let result = Request::get(&format!("/v1/jobs/{id}/result"));
                let answer = self.ask(&mut connection, &result)?;
                let is_right = state == "succeeded" && answer.body == *right;
                self.judge(is_right, Count::Jobs, &answer);
                Ok(())
            }),
            Way::TakenBack => self.over_and_over(|request| {
                let (id, state) = self.job(&mut connection, request, true)?;
                let answer = self.ask(&mut connection, &Request::get(&format!("/v1/jobs/{id}")))?;
                let is_right = matches!(&*state, "cancelled" | "succeeded");
                self.judge(is_right, Count::TakenBack, &answer);
                Ok(())
            }),
        }
    }

    /// Each time under an idempotency key of its own, so that what is sent again is the same job.
    fn over_and_over(
        &self,
        mut once: impl FnMut(&Request) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut turn = 0;
        while !self.ends.load(Ordering::Relaxed) {
            turn += 1;
            let key = format!("soak-{}-{turn}", self.number);
            once(&self.wish.request.and("idempotency-key", &key))?;
            thread::sleep(self.wish.every);
        }
        Ok(())
    }

    fn judge(&self, is_right: bool, count: Count, answer: &Answer) {
        if is_right {
            self.counts.add(count);
            return;
        }
        self.counts.add(Count::Wrong);
        let shown: String = shown(answer).chars().take(400).collect();
        eprintln!("{}: a wrong answer, status {}: {shown}", self.wish.name, answer.status);
    }

    /// Sends a job until it is accepted, takes it back or not, and waits for its end; its id and its state.
    fn job(
        &self,
        to: &mut Option<Connection>,
        request: &Request,
        take_back: bool,
    ) -> Result<(String, String), Error> {
        let accepted = self.ask(to, request)?;
        let id = word(&accepted, "id").ok_or_else(|| self.failed(&accepted))?;
        let path = format!("/v1/jobs/{id}");
        if take_back {
            self.ask(to, &Request::bare("DELETE", &path))?;
        }
        let begin = Instant::now();
        loop {
            let answer = self.ask(to, &Request::get(&path))?;
            let state = word(&answer, "state").ok_or_else(|| self.failed(&answer))?;
            if !matches!(&*state, "queued" | "running") {
                return Ok((id, state));
            }
            if begin.elapsed() > PATIENCE {
                return Err(Error::Peer(format!("job {id} has no end: {}", shown(&answer))));
            }
            thread::sleep(AGAIN);
        }
    }

    /// Asks until there is an answer that is not "later".
    fn ask(&self, to: &mut Option<Connection>, request: &Request) -> Result<Answer, Error> {
        let begin = Instant::now();
        loop {
            if to.is_none() {
                *to = Connection::open(self.port).ok();
            }
            let said = to.as_mut().map(|to| to.ask(request));
            if let Some(Err(error)) = &said
                && error.kind() == std::io::ErrorKind::InvalidData
            {
                let service = self.wish.name.clone();
                return Err(Error::Ask {
                    service,
                    source: std::io::Error::other(error.to_string()),
                });
            }
            match said.and_then(Result::ok) {
                Some(answer) if !matches!(answer.status, 429 | 503) => return Ok(answer),
                _ if begin.elapsed() > PATIENCE => {
                    let told = format!("{}: no answer in {PATIENCE:?}", self.wish.name);
                    return Err(Error::Peer(told));
                }
                said => {
                    if said.is_none() {
                        *to = None;
                    }
                    self.counts.add(Count::Again);
                    thread::sleep(AGAIN);
                }
            }
        }
    }

    fn failed(&self, answer: &Answer) -> Error {
        let told = format!("{} was answered {}: {}", self.wish.name, answer.status, shown(answer));
        Error::Peer(told)
    }
}

fn shown(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn word(answer: &Answer, key: &str) -> Option<String> {
    let value: Value = serde_json::from_slice(&answer.body).ok()?;
    Some(value.get(key)?.as_str()?.to_owned())
}
