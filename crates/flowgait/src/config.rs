//! Settings: flags override environment, environment overrides file, file overrides default.

mod settings;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::failure::Failure;
use crate::units;
pub use settings::SETTINGS;

/// A setting that can be written in the configuration file or the environment.
#[derive(Debug)]
pub struct Setting {
    /// `section.key`; in the environment `FLOWGAIT_SECTION_KEY`.
    pub key: &'static str,
    /// Value when nobody says anything.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Duration,
    Count,
    Threads,
    Word(&'static [&'static str]),
    Path,
    /// An address to listen on; empty for none.
    Address,
    /// Any text.
    Text,
}

/// More threads than any machine that this was tried on has cores.
const THREADS_MAX: usize = 1_024;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// The command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "${name}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// All settings, each with its value and origin.
#[derive(Clone, Debug)]
pub struct Config {
    values: Vec<(String, Origin)>,
    /// Where the user's own data is, where there is such a place.
    data_home: Option<PathBuf>,
}

impl Config {
    /// Reads the file (the one given, else `FLOWGAIT_CONFIG`, else `./flowgait.toml` where it exists) and the environment.
    pub fn load(
        file: Option<&Path>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let mut config = Self {
            values: SETTINGS.iter().map(|s| (s.default.to_owned(), Origin::Default)).collect(),
            data_home: environment("XDG_DATA_HOME")
                .filter(|d| !d.is_empty())
                .map(PathBuf::from)
                .or_else(|| Some(PathBuf::from(environment("HOME")?).join(".local/share"))),
        };
        let named = file
            .map(Path::to_path_buf)
            .or_else(|| environment("FLOWGAIT_CONFIG").map(PathBuf::from));
        let here = Path::new("flowgait.toml");
        if let Some(path) = named.or_else(|| here.is_file().then(|| here.to_path_buf())) {
            config.read_file(&path)?;
        }
        for setting in SETTINGS {
            let name = setting.environment_name();
            if let Some(value) = environment(&name) {
                config.set(setting.key, value, Origin::Environment(name))?;
            }
        }
        Ok(config)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), Failure> {
        let cannot = |what: String| {
            Failure::usage(format!("Cannot use configuration {}: {what}", path.display()))
        };
        let text = std::fs::read_to_string(path).map_err(|e| {
            Failure::usage(format!("Cannot read configuration {}", path.display())).because(e)
        })?;
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
            cannot(e.message().to_owned()).help(place_of(&text, e.span()))
        })?;
        for (section, content) in table {
            let toml::Value::Table(content) = content else {
                return Err(cannot(format!("'{section}' stands outside a section"))
                    .help("Write [meter] above it."));
            };
            for (key, value) in content {
                let key = format!("{section}.{key}");
                let value = match value {
                    toml::Value::String(text) => text,
                    toml::Value::Table(_) | toml::Value::Array(_) => {
                        return Err(cannot(format!("'{key}' must be one value")));
                    }
                    other => other.to_string(),
                };
                self.set(&key, value, Origin::File(path.to_path_buf()))?;
            }
        }
        Ok(())
    }

    /// Sets one value after checking it.
    pub fn set(&mut self, key: &str, value: String, origin: Origin) -> Result<(), Failure> {
        let Some(at) = SETTINGS.iter().position(|s| s.key == key) else {
            return Err(Failure::usage(format!("There is no setting '{key}' ({origin})"))
                .help(nearest(key)));
        };
        SETTINGS[at]
            .check(&value)
            .map_err(|why| Failure::usage(format!("Setting {key} ({origin}): {why}")))?;
        self.values[at] = (value, origin);
        Ok(())
    }

    /// Sets a value that may have been given as a flag.
    pub fn flag(
        &mut self,
        key: &str,
        flag: &'static str,
        value: Option<impl fmt::Display>,
    ) -> Result<(), Failure> {
        value.map_or(Ok(()), |value| self.set(key, value.to_string(), Origin::Flag(flag)))
    }

    /// Every setting with its value and origin.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Setting, &str, &Origin)> {
        SETTINGS.iter().zip(&self.values).map(|(s, (value, origin))| (s, value.as_str(), origin))
    }

    /// A word or path.
    pub fn text(&self, key: &str) -> &str {
        let at = SETTINGS
            .iter()
            .position(|s| s.key == key)
            .expect("commands ask only for settings of the table");
        &self.values[at].0
    }

    /// A duration.
    pub fn duration(&self, key: &str) -> Duration {
        units::duration(self.text(key)).expect("values were checked when they were set")
    }

    /// A count.
    pub fn count(&self, key: &str) -> usize {
        units::count(self.text(key)).expect("values were checked when they were set")
    }

    /// The folder of what a service on this machine keeps, where there is a place for one.
    pub fn service_folder(&self) -> Option<PathBuf> {
        Some(self.data_home.as_ref()?.join("flowgait"))
    }

    /// An address, if one is set.
    pub fn address(&self, key: &str) -> Option<std::net::SocketAddr> {
        Some(self.text(key))
            .filter(|text| !text.is_empty())
            .map(|text| text.parse().expect("values were checked when they were set"))
    }

    /// The folder of the registry of models, where there is a place for one.
    pub fn registry(&self) -> Option<PathBuf> {
        match self.text("models.registry") {
            "" => Some(self.data_home.as_ref()?.join("flowgait/models")),
            folder => Some(PathBuf::from(folder)),
        }
    }

    /// Threads to use, never 0.
    pub fn threads(&self) -> usize {
        match self.count("run.threads") {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }
}

impl Setting {
    /// The environment variable that sets it.
    pub fn environment_name(&self) -> String {
        format!("FLOWGAIT_{}", self.key.replace('.', "_").to_uppercase())
    }

    fn check(&self, value: &str) -> Result<(), String> {
        match self.kind {
            Kind::Duration => units::duration(value).map(drop),
            Kind::Count => units::count(value).map(drop),
            Kind::Threads => match units::count(value)? {
                0..=THREADS_MAX => Ok(()),
                more => Err(format!("{more} threads are more than {THREADS_MAX}")),
            },
            Kind::Word(words) if words.contains(&value) => Ok(()),
            Kind::Word(words) => Err(format!("'{value}' is none of: {}", words.join(", "))),
            Kind::Path | Kind::Text => Ok(()),
            Kind::Address if value.is_empty() => Ok(()),
            Kind::Address => value.parse::<std::net::SocketAddr>().map(drop).map_err(|_| {
                format!("'{value}' is no address; write it like 127.0.0.1:8080 or [::1]:8080")
            }),
        }
    }
}

/// The file with every setting at its default, commented.
pub fn template() -> String {
    let mut out = String::from(
        "# Every setting of flowgait, at its default.\n# Flags override the environment, the environment overrides this file.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        let (own, key) = setting.key.split_once('.').expect("keys of the table have a section");
        if own != section {
            out.push_str(&format!("\n[{own}]\n"));
            section = own;
        }
        out.push_str(&format!("# {} (${})\n", setting.help, setting.environment_name()));
        out.push_str(&format!("{key} = \"{}\"\n", setting.default));
    }
    out
}

fn nearest(key: &str) -> String {
    let close =
        SETTINGS.iter().find(|s| s.key.split('.').next_back() == key.split('.').next_back());
    close.map_or_else(
        || "flowgait config show lists them all.".to_owned(),
        |s| format!("Did you mean '{}'? flowgait config show lists them all.", s.key),
    )
}

fn place_of(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let line = span.map_or(1, |s| text[..s.start.min(text.len())].lines().count().max(1));
    format!("See line {line}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(environment: &[(&str, &str)], file: Option<&Path>) -> Result<Config, Failure> {
        Config::load(file, &|name| {
            environment.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn flags_beat_environment_beats_file_beats_default() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f.toml");
        std::fs::write(&file, "[meter]\nidle_timeout = \"10s\"\nflow_limit = 7\n").unwrap();
        let mut config = with(&[("FLOWGAIT_METER_IDLE_TIMEOUT", "20s")], Some(&file)).unwrap();
        assert_eq!(config.duration("meter.idle_timeout"), Duration::from_secs(20));
        assert_eq!(config.count("meter.flow_limit"), 7);
        config.flag("meter.idle_timeout", "--idle-timeout", Some("30s")).unwrap();
        assert_eq!(config.duration("meter.idle_timeout"), Duration::from_secs(30));
        assert_eq!(config.duration("meter.active_timeout"), Duration::from_secs(1800));
    }

    #[test]
    fn unknown_keys_and_bad_values_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f.toml");
        for (text, expected) in [
            ("[meter]\nidle_timeot = \"10s\"\n", "meter.idle_timeot"),
            ("[metre]\nidle_timeout = \"10s\"\n", "metre.idle_timeout"),
            ("[meter]\nport_reuse = \"maybe\"\n", "split, keep"),
            ("[meter]\nidle_timeout = \"soon\"\n", "'soon'"),
            ("idle_timeout = 3\n", "outside a section"),
            ("[meter\n", "f.toml"),
        ] {
            std::fs::write(&file, text).unwrap();
            let failure = with(&[], Some(&file)).unwrap_err().to_string();
            assert!(failure.contains(expected), "{failure}");
        }
        assert!(
            with(&[("FLOWGAIT_RUN_THREADS", "many")], None)
                .unwrap_err()
                .to_string()
                .contains("many")
        );
    }

    #[test]
    fn the_checked_in_file_is_the_template() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/flowgait.toml");
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            template(),
            "write it again: flowgait config template"
        );
    }
}
