//! Captures on their way to chunks of flows, by a process of their own.

use std::io::{Read, Write};
use std::process::{Child, Stdio};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use super::cut::{Chunk, Copier};
use super::{Shop, Teller, Trouble, sentence};
use crate::hold::Hold;
use crate::job::{JobId, Lease};
use crate::order::Upload;

/// Octets of a child's words that are kept: its last ones say why it ended.
const WORDS_MAX: usize = 8 << 10;

/// Flows of a capture in chunks, and what the meter said of it.
pub(super) fn run(
    shop: &Shop,
    lease: &Lease,
    hold: &Hold,
    upload: &Upload,
    schema: &str,
) -> Result<(Vec<Chunk>, Vec<String>), Trouble> {
    let job = lease.claim.job;
    let mut child = Running::start(shop.programs.meter(schema, &upload.name), Stdio::piped())?;
    let input = child.0.stdin.take().expect("invariant: piped above");
    let mut output = child.0.stdout.take().expect("invariant: piped above");
    let words = child.0.stderr.take().expect("invariant: piped above");
    let mut teller = Teller::new(shop, lease, hold, "metering", "octets", Some(upload.octets));
    let (told, flows) = std::thread::scope(|scope| {
        let runtime = tokio::runtime::Handle::current();
        let feeder = scope.spawn(move || {
            let _entered = runtime.enter();
            feed(shop, job, upload, input)
        });
        let listener = scope.spawn(move || last_words(words));
        let flows = copy(shop, job, &mut output, &mut teller);
        if flows.is_err() {
            // Whoever feeds it then finds the pipe closed.
            child.kill();
        }
        let fed = feeder.join().unwrap_or_else(|_| Err(panicked()));
        let told = listener.join().unwrap_or_default();
        (told, flows.and_then(|chunks| fed.map(|()| chunks)))
    });
    let status = child.wait()?;
    let chunks = flows?;
    match status {
        // 3: done, and some of the capture was damaged, which its words say.
        Some(0 | 3) => Ok((chunks, sentences(&told))),
        Some(_) => Err(Trouble::bad("bad-input", failure(&told))),
        None => Err(Trouble::Again(crate::job::Reason::new(
            "lost-program",
            "The meter was ended by the system, perhaps for want of memory.",
        ))),
    }
}

fn panicked() -> Trouble {
    Trouble::Again(crate::job::Reason::new("panic", "Reading the upload ended without an end."))
}

/// Gives the capture to the meter as it is: it unpacks by itself.
fn feed(shop: &Shop, job: JobId, upload: &Upload, mut input: impl Write) -> Result<(), Trouble> {
    let mut reader = shop.blobs.reader(&crate::order::names::input(job), 0..upload.octets);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        match input.write_all(&buffer[..count]) {
            Ok(()) => {}
            // It has had enough, and says why.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn copy(
    shop: &Shop,
    job: JobId,
    flows: &mut impl Read,
    teller: &mut Teller<'_>,
) -> Result<Vec<Chunk>, Trouble> {
    let mut copier = Copier::new(shop, job);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = flows.read(&mut buffer)?;
        if count == 0 {
            return copier.finish();
        }
        copier.take(&buffer[..count])?;
        teller.check()?;
    }
}

/// A child that does not outlive its job.
pub(super) struct Running(pub(super) Child);

impl Running {
    pub(super) fn start(mut command: std::process::Command, input: Stdio) -> Result<Self, Trouble> {
        let child = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        Ok(Self(child))
    }

    pub(super) fn kill(&mut self) {
        // One that has ended already cannot be killed, and need not be.
        let _ = self.0.kill();
    }

    /// Has it stand still until this is dropped.
    pub(super) fn hold_still(&self) -> Still {
        let pid = Pid::from_raw(self.0.id().cast_signed());
        // One that has ended meanwhile stands still by itself.
        let _ = signal::kill(pid, Signal::SIGSTOP);
        Still(pid)
    }

    /// Its exit status; `None` when a signal ended it.
    pub(super) fn wait(&mut self) -> Result<Option<i32>, Trouble> {
        Ok(self.0.wait()?.code())
    }
}

/// A child that stands still.
pub(super) struct Still(Pid);

impl Drop for Still {
    fn drop(&mut self) {
        let _ = signal::kill(self.0, Signal::SIGCONT);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        let _ = self.0.wait();
    }
}

/// The last words of a child.
pub(super) fn last_words(mut words: impl Read) -> String {
    let (mut all, mut buffer) = (Vec::new(), vec![0; 4_096]);
    while let Ok(count @ 1..) = words.read(&mut buffer) {
        all.extend_from_slice(&buffer[..count]);
        if all.len() > 2 * WORDS_MAX {
            all.drain(..all.len() - WORDS_MAX);
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// What a child said, line by line.
pub(super) fn sentences(words: &str) -> Vec<String> {
    words.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Why a child failed, as it said: its report without the frame around it.
pub(super) fn failure(words: &str) -> String {
    let framed = |c: char| matches!(c, '×' | '│' | '├' | '╰' | '─' | '▶' | ' ');
    // It is told not to wrap its lines, so each is a whole one.
    let lines: Vec<String> = words
        .lines()
        .map(|line| line.trim_matches(framed).trim_start_matches("help: "))
        .map(|line| line.trim_start_matches("error: "))
        // Who reads this asked by a form, not on a command line.
        .filter(|line| !line.is_empty() && !line.starts_with("For more information, try"))
        .map(str::to_owned)
        .collect();
    let text = lines.into_iter().reduce(|text, line| {
        let goes_on = text.ends_with([',', ';', ':']) || line.starts_with(['[', '\'']);
        let (text, line) = if goes_on { (text, line) } else { (sentence(&text), sentence(&line)) };
        format!("{text} {line}")
    });
    let nothing = "The program ended and did not say why.";
    text.map_or_else(|| nothing.to_owned(), |text| sentence(&text))
}
