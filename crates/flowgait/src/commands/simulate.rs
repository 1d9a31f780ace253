//! `flowgait simulate`: a whole federation in this process.

mod forests;
mod homes;
mod runs;
mod setup;
mod show;
mod told;

use std::path::{Path, PathBuf};

use flowgait_federate::federation::Federation;
use flowgait_federate::partition::Partition;

use super::learning;
use crate::config::Config;
use crate::failure::{Failure, Outcome, sentence};
use crate::output;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait simulate
  flowgait simulate --print-default > federation.toml
  flowgait simulate federation.toml -o run1

Without a file: the four classes of a simple demo at three clients, once with all classes alike at each, once skewed.
A run that was stopped or killed goes on where it was when the same command is given again. A file named stop in RUN_DIR \
ends it after its round, with model and report.")]
pub struct Args {
    /// The federation: who has which rows, what is learnt, how it is combined; every key has a default
    #[arg(value_name = "FEDERATION.toml")]
    federation: Option<PathBuf>,

    /// The folder for the run: its configuration, metrics, ledger, model and report
    #[arg(short, long, value_name = "RUN_DIR")]
    output: Option<PathBuf>,

    /// Set a key of the file, such as rounds=20 or privacy.epsilon=4; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Print a federation with every key at its default, and end
    #[arg(long)]
    print_default: bool,

    /// Threads; the result is the same for any number [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<String>,
}

/// Simulates.
pub fn run(args: &Args, mut config: Config) -> Result<Outcome, Failure> {
    if args.print_default {
        output::out(include_str!("../../../../configs/federation.toml"))?;
        return Ok(Outcome::Done);
    }
    config.flag("run.threads", "--threads", args.threads.as_ref())?;
    learning::use_threads(config.threads());
    let Some(path) = &args.federation else {
        return demo(args);
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("Cannot read {}", path.display())).because(error)
    })?;
    let federation = parsed(&text, &args.set, &path.display().to_string())?;
    let here = path.parent().unwrap_or(Path::new("."));
    runs::run(&federation, here, args.output.as_deref())?;
    Ok(Outcome::Done)
}

/// The four classes, alike and skewed, or dealt as a person says.
fn demo(args: &Args) -> Result<Outcome, Failure> {
    let base = parsed("", &args.set, "--set")?;
    let mut typed = toml::Table::new();
    args.set.iter().try_for_each(|pair| set_key(&mut typed, pair))?;
    let clients = typed.get("clients").and_then(toml::Value::as_table);
    let says_how = clients.is_some_and(|clients| {
        ["partition", "column"].iter().any(|key| clients.contains_key(*key))
    });
    let skewed = Partition::Favourite { share: 0.7 };
    if says_how {
        runs::run(&base, Path::new("."), args.output.as_deref())?;
    } else {
        for (name, partition) in [("iid", Partition::Iid), ("skewed", skewed)] {
            let mut federation = base.clone();
            federation.clients.partition = partition;
            let output = args.output.as_ref().map(|folder| folder.join(name));
            runs::run(&federation, Path::new("."), output.as_deref())?;
        }
    }
    output::note(
        "Your own: flowgait simulate --print-default > federation.toml, then flowgait simulate federation.toml",
    );
    Ok(Outcome::Done)
}

/// A federation from its text and from keys that were typed.
fn parsed(text: &str, set: &[String], name: &str) -> Result<Federation, Failure> {
    let help = "flowgait simulate --print-default shows every key.";
    let wrong = |error: toml::de::Error| {
        Failure::usage(format!("{name}: {}", error.message())).because(error).help(help)
    };
    let mut table: toml::Table = text.parse().map_err(wrong)?;
    for pair in set {
        set_key(&mut table, pair)?;
    }
    let federation: Federation = if set.is_empty() {
        // From the text itself: an error then shows the line.
        toml::from_str(text).map_err(wrong)?
    } else {
        table.try_into().map_err(|error: toml::de::Error| {
            // What the file alone does not say is of a key that was typed.
            let of_file =
                text.parse().is_ok_and(|file: toml::Table| file.try_into::<Federation>().is_err());
            let whose = if of_file { name } else { "--set" };
            let lines: Vec<&str> = error.message().lines().collect();
            let key = error.to_string().lines().find_map(|line| {
                line.strip_prefix("in `").and_then(|key| key.strip_suffix('`')).map(str::to_owned)
            });
            let at = key.map_or(String::new(), |key| format!(" {key}"));
            Failure::usage(format!("{whose}{at}: {}", lines.join(" "))).help(help)
        })?
    };
    federation.check().map_err(|error| Failure::usage(sentence(&error.to_string())))?;
    Ok(federation)
}

/// Puts one typed key into the table.
fn set_key(table: &mut toml::Table, pair: &str) -> Result<(), Failure> {
    let wrong = || {
        Failure::usage(format!("--set {pair} is no KEY=VALUE"))
            .help("Such as --set rounds=20, --set strategy.name=fed-prox or --set 'cohort={ fixed = { size = 10 } }'.")
    };
    let (path, value) = pair.split_once('=').ok_or_else(wrong)?;
    // A word that is no TOML value is a text.
    let value = format!("value = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let mut keys: Vec<&str> = path.split('.').collect();
    let last = keys.pop().filter(|key| !key.is_empty()).ok_or_else(wrong)?;
    let mut at = table;
    for key in keys {
        let inner = at.entry(key).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        at = inner.as_table_mut().ok_or_else(wrong)?;
    }
    at.insert(last.to_owned(), value);
    Ok(())
}
