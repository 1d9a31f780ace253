//! `flowgait models`: a registry of models under names and versions; and `MODEL` wherever a command takes one.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Subcommand;
use flowgait_model::Error;
use flowgait_model::artifact::Model;
use flowgait_model::registry::{Entry, Import, LIVE, Reference, Registry};

use super::learning;
use super::sources;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::units;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  flowgait models import mine.fgm --name office
  flowgait models promote office@2
  flowgait predict --model office tuesday.pcap -o answers.csv

A MODEL of any command is a file, or NAME (what is live, else the latest), NAME@VERSION or NAME@ALIAS of the registry. The registry is \
the folder of --registry, else of the setting models.registry, else ~/.local/share/flowgait/models.")]
pub struct Args {
    /// The registry's folder
    #[arg(long, global = true, value_name = "DIR")]
    registry: Option<PathBuf>,

    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every version, with its scores and aliases
    List,
    /// All that is known of a version
    Show {
        /// NAME, NAME@VERSION or NAME@ALIAS
        model: Reference,
    },
    /// Let an alias stand for a version; to roll back, promote the one before
    Promote {
        /// NAME, NAME@VERSION or NAME@ALIAS
        model: Reference,
        /// The alias
        #[arg(long, default_value = LIVE)]
        alias: String,
    },
    /// Take in a model file as the next version of a name
    Import {
        /// The .fgm file
        file: PathBuf,
        /// The name [default: the file's]
        #[arg(long)]
        name: Option<String>,
    },
    /// Keep an evaluation (flowgait evaluate … -o FILE.json) beside a version, where the dashboard shows it
    Attach {
        /// NAME, NAME@VERSION or NAME@ALIAS
        model: Reference,
        /// The evaluation, JSON
        evaluation: PathBuf,
    },
    /// Copy a version's file elsewhere
    Export {
        /// NAME, NAME@VERSION or NAME@ALIAS
        model: Reference,
        /// The .fgm file to write
        #[arg(short, long)]
        output: PathBuf,
    },
}

/// Does it.
pub fn run(args: &Args, config: &Config) -> Result<Outcome, Failure> {
    let registry = match &args.registry {
        Some(folder) => in_folder(folder)?,
        None => registry(config)?,
    };
    match &args.what {
        What::List => list(&registry)?,
        What::Show { model } => show(&registry, model)?,
        What::Promote { model, alias } => {
            let (entry, before) = registry.promote(model, alias)?;
            let before = match before {
                Some(version) if version == entry.version => ", as before".to_owned(),
                Some(version) => format!(
                    "; before it was {version} (flowgait models promote {}@{version} goes back)",
                    entry.name
                ),
                None => String::new(),
            };
            output::note(&format!(
                "{}@{alias} is now version {}{before}",
                entry.name, entry.version
            ));
        }
        What::Import { file, name } => import(&registry, file, name.as_deref())?,
        What::Attach { model, evaluation } => {
            let json = std::fs::read(evaluation).map_err(|error| {
                Failure::usage(format!("Cannot read {}", evaluation.display())).because(error)
            })?;
            let entry = registry.attach(model, &json)?;
            output::note(&format!("{}@{}: evaluation attached", entry.name, entry.version));
        }
        What::Export { model, output } => {
            let entry = registry.export(model, output)?;
            output::note(&format!("{}@{}: {}", entry.name, entry.version, output.display()));
        }
    }
    Ok(Outcome::Done)
}

/// The model that a person named: a file, or one of the registry.
pub fn load(named: &Path, config: &Config) -> Result<Model, Failure> {
    let text = named.to_string_lossy();
    let is_file = named.exists() || text.contains(['/', '\\']) || text.ends_with(".fgm");
    if is_file {
        return Ok(Model::load(named)?);
    }
    let reference: Reference = text.parse().map_err(|_| {
        Failure::usage(format!("{text} is neither a file nor a name of the registry")).help(
            "A model file ends in .fgm; names of the registry are listed by: flowgait models list",
        )
    })?;
    let registry = registry(config)?;
    let (entry, model) = registry.load(&reference).map_err(|error| match error {
        Error::NoSuchModel { .. } => Failure::from(error).help(what_there_is(&registry, named)),
        other => other.into(),
    })?;
    output::note(&format!("model {}@{}", entry.name, entry.version));
    Ok(model)
}

/// What a person may have meant by a name that the registry does not know.
fn what_there_is(registry: &Registry, named: &Path) -> String {
    let file = named.with_added_extension("fgm");
    if file.exists() {
        return format!("There is a file of that name: --model {}", file.display());
    }
    // What cannot be listed cannot be meant; the failure itself is told anyway.
    let entries = registry.list().unwrap_or_default();
    let names: Vec<String> = entries.iter().map(|e| format!("{}@{}", e.name, e.version)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let has = match names.as_slice() {
        [] => "has no models".to_owned(),
        _ => format!("has {}", learning::shortened(&names)),
    };
    format!(
        "The registry {has}; models of another folder are found where the setting models.registry, or FLOWGAIT_MODELS_REGISTRY, names it. A file ends in .fgm."
    )
}

fn registry(config: &Config) -> Result<Registry, Failure> {
    let folder = config.registry().ok_or_else(|| {
        Failure::usage("There is no home folder to keep a registry of models in")
            .help("Name a folder by --registry, or by the setting models.registry.")
    })?;
    in_folder(&folder)
}

fn in_folder(folder: &Path) -> Result<Registry, Failure> {
    if folder.to_string_lossy().contains("://") {
        return Err(Failure::usage(format!("{} is no folder", folder.display())).help(
            "A bucket's models are reached through the service that has it: GET and POST /v1/models.",
        ));
    }
    Ok(Registry::new(folder))
}

fn import(registry: &Registry, file: &Path, name: Option<&str>) -> Result<(), Failure> {
    let own = sources::name(file);
    let name = name.unwrap_or_else(|| own.trim_end_matches(".fgm"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs() as i64);
    let entry = match registry.import(name, file, now)? {
        Import::New(entry) => entry,
        Import::Known(Entry { name, version, .. }) => {
            output::note(&format!(
                "{} is {name}@{version} already, the same bytes: no version was added",
                file.display()
            ));
            return Ok(());
        }
    };
    output::note(&format!(
        "{}@{}: {} ({})",
        entry.name,
        entry.version,
        registry.root().join(name).join(entry.version.to_string()).display(),
        units::octets(entry.manifest.octets)
    ));
    Ok(())
}

fn list(registry: &Registry) -> Result<(), Failure> {
    let entries = registry.list()?;
    if entries.is_empty() {
        output::note(&format!(
            "no models in {} yet; flowgait models import FILE takes one in",
            registry.root().display()
        ));
        return Ok(());
    }
    let heads =
        ["model", "aliases", "estimator", "classes", "rows", "accuracy", "macro-F1", "imported"];
    let row = |entry: &Entry| {
        let manifest = &entry.manifest;
        let score = |name: &str| {
            manifest.scores.get(name).map_or("–".to_owned(), |score| format!("{score:.3}"))
        };
        [
            format!("{}@{}", entry.name, entry.version),
            entry.aliases.join(", "),
            manifest.estimator.clone(),
            units::grouped(manifest.classes.len() as u64),
            units::grouped(manifest.rows),
            score("accuracy"),
            score("f1_macro"),
            day(manifest.imported),
        ]
    };
    let rows: Vec<[String; 8]> = entries.iter().map(row).collect();
    let width = |at: usize| {
        let cells = rows.iter().map(|row| row[at].chars().count());
        cells.chain([heads[at].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(&heads.map(str::to_owned));
    rows.iter().for_each(|row| text.push_str(&line(row)));
    output::out(&text)
}

fn show(registry: &Registry, reference: &Reference) -> Result<(), Failure> {
    let (entry, model) = registry.load(reference)?;
    let (manifest, card) = (&entry.manifest, model.card());
    let mut lines = vec![("model", format!("{}@{}", entry.name, entry.version))];
    let mut add = |name: &'static str, value: String| {
        if !value.is_empty() {
            lines.push((name, value));
        }
    };
    add("aliases", entry.aliases.join(", "));
    add("imported", day(manifest.imported));
    add("estimator", manifest.estimator.clone());
    add("classes", manifest.classes.join(", "));
    add("columns", format!("{} of {}", model.schema().features.len(), manifest.schema));
    add("label", card.label.clone());
    let tables =
        card.tables.iter().map(|t| format!("{} ({})", t.name, units::counted(t.rows, "row")));
    add("learnt from", tables.collect::<Vec<_>>().join(", "));
    add("judged", card.split.as_ref().map_or(String::new(), |split| split.words()));
    let scores = manifest.scores.iter().map(|(name, score)| format!("{name} {score:.3}"));
    add("scores", scores.collect::<Vec<_>>().join(", "));
    add("kept identity", card.kept_columns.join(", "));
    add("notes", card.notes.join(" "));
    add("size", units::octets(manifest.octets));
    add("sha256", manifest.sha256.clone());
    add("checked", "its file and its answers are what they were when it was imported".to_owned());
    let text: String = lines.iter().map(|(name, value)| format!("{name:<14} {value}\n")).collect();
    output::out(&text)
}

/// The day of a time in seconds since 1970.
fn day(seconds: i64) -> String {
    let text = units::utc(seconds.saturating_mul(1_000_000_000));
    text.split(['T', ' ']).next().unwrap_or_default().to_owned()
}
