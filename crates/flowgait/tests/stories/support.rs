//! Runs the real binary in a fresh folder, and finds the shared data where there is some.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A fresh folder and the binary.
pub struct Place {
    folder: tempfile::TempDir,
}

/// What a run printed and how it ended.
pub struct Run {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Names of the files that are there.
    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// A command in this folder, with nothing of the tester's own environment that would change its answers.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowgait"));
        command.args(args).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Run {
        Run::from(self.command(args).output().unwrap())
    }

    /// Runs and expects exit status 0.
    pub fn ok(&self, args: &[&str]) -> Run {
        let run = self.run(args);
        assert_eq!(run.status, 0, "flowgait {}\n{}\n{}", args.join(" "), run.out, run.err);
        run
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text =
            |bytes: Vec<u8>| String::from_utf8(bytes).expect("what the binary prints is UTF-8");
        Self {
            status: output.status.code().expect("the binary was ended by a signal"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Run {
    /// That standard output holds each of `parts`, however its lines are wrapped.
    pub fn says(&self, parts: &[&str]) -> &Self {
        let said = self.out.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in parts {
            assert!(said.contains(part), "expected {part:?} in:\n{}", self.out);
        }
        self
    }

    /// That something was told in words that hold each of `parts`, and no panic was.
    pub fn tells(&self, parts: &[&str]) -> &Self {
        // The report wraps lines, so white space does not count.
        let told: String = self
            .err
            .split(['│', ' ', '\n'])
            .filter(|s| !s.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        for part in parts {
            assert!(told.contains(part), "expected {part:?} in:\n{}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }
}

/// A file or folder of the shared data, or `None`, told, where there is none.
pub fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FLOWGAIT_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.exists() {
        return Some(path.canonicalize().unwrap());
    }
    eprintln!(
        "skipped: {} is not there (set FLOWGAIT_DATA to where the shared data is)",
        path.display()
    );
    None
}

/// Rows of a CSV file as (header, rows).
pub fn csv(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows =
        reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
    (rows.next().unwrap(), rows.collect())
}

/// The values of one column.
pub fn column(text: &str, name: &str) -> Vec<String> {
    let (header, rows) = csv(text);
    let at = header
        .iter()
        .position(|h| h == name)
        .unwrap_or_else(|| panic!("no column {name} in {header:?}"));
    rows.into_iter().map(|mut r| r.swap_remove(at)).collect()
}
