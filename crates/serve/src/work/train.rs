//! Training, by processes of their own: a model from a table, or a federation in its folder.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use flowgait_model::registry::{Import, Reference, Which};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::meter::{self, Running};
use super::{Shop, Teller, Trouble, fetch, wait};
use crate::hold::{Hold, Next};
use crate::job::{End, JobId, Lease, Reason};
use crate::order::{FitOrder, SimulateOrder, names};

/// How often a child is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How often what a federation has written is put where others see it.
const KEEP: Duration = Duration::from_millis(500);
/// A child's words that are kept, in lines.
const LINES_MAX: usize = 400;

/// How far a child says it is: a line of JSON among its words.
#[derive(Clone, Debug, Default, Deserialize)]
struct Said {
    progress: String,
    done: u64,
    total: u64,
}

/// What a child has said so far.
#[derive(Default)]
struct Words {
    said: Option<Said>,
    lines: Vec<String>,
}

/// Listens to a child until it has no more to say.
fn listen(
    words: impl std::io::Read + Send + 'static,
) -> (Arc<Mutex<Words>>, std::thread::JoinHandle<()>) {
    let heard = Arc::new(Mutex::new(Words::default()));
    let of_thread = heard.clone();
    let thread = std::thread::spawn(move || {
        for line in BufReader::new(words).lines().map_while(Result::ok) {
            let mut words = of_thread.lock().unwrap_or_else(PoisonError::into_inner);
            match serde_json::from_str::<Said>(&line) {
                Ok(said) => words.said = Some(said),
                Err(_) if words.lines.len() < LINES_MAX => words.lines.push(line),
                Err(_) => {}
            }
        }
    });
    (heard, thread)
}

/// Runs a child to its end; `look` is called all the while, and says whether it is to go on. Gives what is wanted instead where it was
/// ended for that, and what the child said.
fn run(
    shop: &Shop,
    command: Command,
    hold: &Hold,
    teller: &mut Teller<'_>,
    mut look: impl FnMut(Next, &Running) -> Result<bool, Trouble>,
) -> Result<(Next, Vec<String>), Trouble> {
    let mut child = Running::start(command, Stdio::null())?;
    let (heard, listener) = listen(child.0.stderr.take().expect("invariant: piped at its start"));
    let output = child.0.stdout.take().expect("invariant: piped at its start");
    let drain = std::thread::spawn(move || meter::last_words(output));
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.0.try_wait()? {
            break status;
        }
        let next = hold.next();
        if !look(next, &child)? {
            child.kill();
            return Ok((next, Vec::new()));
        }
        if begun.elapsed() > shop.time {
            let told = format!("It took longer than {} seconds.", shop.time.as_secs());
            return Err(Trouble::bad("too-long", told));
        }
        let said = heard.lock().unwrap_or_else(PoisonError::into_inner).said.clone();
        if let Some(Said { progress, done, total }) = said {
            teller.stage(&progress, "steps", (total > 0).then_some(total));
            match teller.done(done) {
                // What is wanted instead is for the caller to say.
                Ok(()) | Err(Trouble::Turned(_)) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        std::thread::sleep(LOOK);
    };
    let _ = listener.join();
    let _ = drain.join();
    let lines = std::mem::take(&mut heard.lock().unwrap_or_else(PoisonError::into_inner).lines);
    match status.code() {
        Some(0 | 3) => Ok((Next::GoOn, lines)),
        Some(_) => Err(Trouble::bad("bad-input", meter::failure(&lines.join("\n")))),
        None => Err(Trouble::Again(Reason::new(
            "lost-program",
            "The program that trains was ended by the system, perhaps for want of memory.",
        ))),
    }
}

/// Fits a model and gives it its name.
pub(super) fn fit(
    shop: &Shop,
    lease: &Lease,
    hold: &Hold,
    order: &FitOrder,
) -> Result<End, Trouble> {
    let mut teller = Teller::new(shop, lease, hold, "fetching", "octets", None);
    let table = fetch::file(shop, lease.claim.job, &order.input, &mut teller)?;
    let folder = tempfile::tempdir()?;
    let model = folder.path().join("model.fgm");
    // The card names what was uploaded, not where it lies here; so the same table gives the same file, too.
    let mut flags = order.flags.clone();
    flags.push(("--table-name".to_owned(), order.input.name.clone()));
    let command = shop.programs.fit(table.path(), &model, &flags);
    teller.stage("fitting", "steps", None);
    let (next, notes) = run(shop, command, hold, &mut teller, |next, _| Ok(next == Next::GoOn))
        .map_err(|trouble| renamed(trouble, table.path(), &order.input.name))?;
    if next != Next::GoOn {
        // There is no half a model.
        return Err(Trouble::Turned(if next == Next::Stop { Next::GiveBack } else { next }));
    }
    let pinned = register(shop, &model, &order.name, order.promote.as_deref())?;
    let notes: Vec<String> =
        notes.into_iter().filter(|note| !note.starts_with("model: ")).collect();
    Ok(End::Succeeded(json!({ "model": pinned, "notes": notes })))
}

/// Takes a model file into the registry. Done again by another worker it is the same version: the file is the same.
fn register(
    shop: &Shop,
    file: &Path,
    name: &str,
    promote: Option<&str>,
) -> Result<String, Trouble> {
    let bytes = std::fs::read(file)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let entry = match wait(shop.models.import(name, bytes, now.as_secs() as i64))? {
        Import::New(entry) | Import::Known(entry) => entry,
    };
    let reference = Reference { name: entry.name, which: Which::Version(entry.version) };
    if let Some(alias) = promote {
        wait(shop.models.promote(&reference, alias))?;
    }
    Ok(reference.to_string())
}

/// Errors name what was uploaded, not where it lies here.
fn renamed(trouble: Trouble, path: &Path, name: &str) -> Trouble {
    match trouble {
        Trouble::Bad(mut reason) => {
            let told = reason.detail.replace(&path.display().to_string(), name);
            reason.detail = as_fields(&told);
            Trouble::Bad(reason)
        }
        other => other,
    }
}

/// Flags as whoever sent the form knows them: `'--trees <N>'` is `'trees'`.
fn as_fields(told: &str) -> String {
    let mut parts = told.split("'--");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (flag, rest) = part.split_once('\'').unwrap_or((part, ""));
        text.push_str(&format!("'{}'{rest}", flag.split([' ', '=']).next().unwrap_or_default()));
    }
    text
}

/// The files of a run that others look at or go on from.
const CONFIGURATION: &str = "federation.toml";
const MODEL: &str = "model.fgm";
const METRICS: &str = "metrics.jsonl";
/// A run that finds this in its folder ends after its round.
const STOP: &str = "stop";

/// Runs a federation, going on where another worker left it.
pub(super) fn simulate(
    shop: &Shop,
    lease: &Lease,
    hold: &Hold,
    order: &SimulateOrder,
) -> Result<End, Trouble> {
    let job = lease.claim.job;
    let mut teller = Teller::new(shop, lease, hold, "fetching", "octets", None);
    let table = match &order.input {
        Some(upload) => Some(fetch::file(shop, job, upload, &mut teller)?),
        None => None,
    };
    let place = tempfile::tempdir()?;
    let folder = place.path().join("run");
    std::fs::create_dir(&folder)?;
    let mut kept = Kept::fetch(shop, job, &folder)?;
    let configuration = place.path().join("order.toml");
    let table_line = table.as_ref().map(|table| table.path().display().to_string());
    std::fs::write(&configuration, with_table(&order.configuration, table_line.as_deref())?)?;
    teller.stage("learning together", "rounds", Some(order.rounds));
    let command = shop.programs.simulate(&configuration, &folder);
    let mut looked = Instant::now();
    let outcome = run(shop, command, hold, &mut teller, |next, child| {
        match next {
            Next::GoOn => {}
            Next::Stop => std::fs::write(folder.join(STOP), "")?,
            Next::Pause | Next::GiveBack | Next::Leave => return Ok(false),
        }
        if looked.elapsed() >= KEEP {
            // Its files are taken at one moment: as a kill at that moment would leave them, which a run goes on from.
            let _still = child.hold_still();
            kept.keep(shop, job, &folder)?;
            looked = Instant::now();
        }
        Ok(true)
    });
    let (next, notes) = outcome.map_err(|trouble| match (&table, &order.input) {
        (Some(table), Some(upload)) => renamed(trouble, table.path(), &upload.name),
        _ => trouble,
    })?;
    if next == Next::Leave {
        return Err(Trouble::Turned(next));
    }
    // A run that was killed goes on from what its folder holds, so all of it is kept.
    kept.keep(shop, job, &folder)?;
    match next {
        Next::Pause => return Ok(End::Paused(json!({ "rounds": rounds(&folder) }))),
        Next::GoOn => {}
        other => return Err(Trouble::Turned(other)),
    }
    let model = match &order.name {
        Some(name) => Some(register(shop, &folder.join(MODEL), name, None)?),
        None => None,
    };
    let summary = std::fs::read(folder.join("summary.json")).unwrap_or_default();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap_or_default();
    Ok(End::Succeeded(json!({
        "model": model,
        "rounds": rounds(&folder),
        "summary": summary,
        "files": kept.names(),
        // Where they lay here is gone.
        "notes": notes.into_iter().filter(|note| !note.starts_with("report: ")).collect::<Vec<_>>(),
    })))
}

/// The configuration with the table that was uploaded.
fn with_table(configuration: &str, table: Option<&str>) -> Result<String, Trouble> {
    let Some(table) = table else { return Ok(configuration.to_owned()) };
    let mut whole: toml::Table = configuration.parse().map_err(|error| {
        Trouble::bad("bad-input", format!("The configuration is no TOML: {error}."))
    })?;
    let data = whole.entry("data").or_insert_with(|| toml::Table::new().into());
    let data = data
        .as_table_mut()
        .ok_or_else(|| Trouble::bad("bad-input", "The configuration's 'data' is no section."))?;
    data.insert("tables".to_owned(), toml::Value::Array(vec![table.into()]));
    Ok(toml::to_string(&whole).expect("invariant: it was read as TOML"))
}

/// Rounds that a run has told of.
fn rounds(folder: &Path) -> u64 {
    std::fs::read_to_string(folder.join(METRICS)).map_or(0, |text| text.lines().count() as u64)
}

/// All of a run's files at one moment, as one blob: whoever goes on with it must not find some of one round and some of another.
const KEPT: &str = "kept";
/// Files that are there to be fetched, too, each by its name.
const SHOWN: [&str; 6] =
    ["setup.json", METRICS, "report.html", "summary.json", "ledger.jsonl", MODEL];

/// Which files of a run are among the blobs, and as of when.
#[derive(Default)]
struct Kept(HashMap<String, (SystemTime, u64)>);

/// A file of a run, in the first line of the blob that has them all; their octets follow in this order.
#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    octets: usize,
}

impl Kept {
    /// Brings back what another worker kept.
    fn fetch(shop: &Shop, job: JobId, folder: &Path) -> Result<Self, Trouble> {
        let Some(all) = wait(shop.blobs.get(&names::made(job, KEPT)))? else {
            return Ok(Self::default());
        };
        let broken = || crate::Error::StoreContent { what: "a run that is not whole".to_owned() };
        let end = all.iter().position(|octet| *octet == b'\n').ok_or_else(broken)?;
        let entries: Vec<Entry> = serde_json::from_slice(&all[..end]).map_err(|_| broken())?;
        let mut rest = &all[end + 1..];
        for Entry { name, octets } in entries {
            let (content, behind) = rest.split_at_checked(octets).ok_or_else(broken)?;
            rest = behind;
            // A wish to stop was another worker's; the lease has it if it still holds.
            if is_plain(&name) && name != STOP {
                std::fs::write(folder.join(&name), content)?;
            }
        }
        Ok(Self::default())
    }

    /// Puts what changed among the blobs.
    fn keep(&mut self, shop: &Shop, job: JobId, folder: &Path) -> Result<(), Trouble> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name == CONFIGURATION || !is_plain(&name) || !entry.file_type()?.is_file() {
                continue;
            }
            let meta = entry.metadata()?;
            found.push((name, (meta.modified()?, meta.len())));
        }
        if found.iter().all(|(name, now)| self.0.get(name) == Some(now)) {
            return Ok(());
        }
        found.sort();
        let (mut entries, mut octets) = (Vec::new(), Vec::new());
        for (name, _) in &found {
            let content = std::fs::read(folder.join(name))?;
            entries.push(Entry { name: name.clone(), octets: content.len() });
            octets.extend_from_slice(&content);
        }
        let mut all = serde_json::to_vec(&entries).expect("invariant: plain fields");
        all.push(b'\n');
        all.append(&mut octets);
        wait(shop.blobs.put(&names::made(job, KEPT), all))?;
        for (name, now) in found {
            if SHOWN.contains(&name.as_str()) && self.0.get(&name) != Some(&now) {
                let content = std::fs::read(folder.join(&name))?;
                wait(shop.blobs.put(&names::made(job, &name), content))?;
            }
            self.0.insert(name, now);
        }
        Ok(())
    }

    fn names(&self) -> Vec<&str> {
        SHOWN.into_iter().filter(|name| self.0.contains_key(*name)).collect()
    }
}

/// Names of a run's own files; others, such as half-written ones and locks, are left alone.
fn is_plain(name: &str) -> bool {
    !name.starts_with('.')
        && name != "lock"
        && !name.ends_with(".lock")
        && !name.ends_with(".partial")
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_'))
}
