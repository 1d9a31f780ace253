//! `cargo xtask tidy`: what the compiler cannot check, most of it something that must be absent.
//!
//! Each check is a plain function from the project's files to findings, with a test that it can fail.

mod edges;
mod files;
mod glossary;
mod length;
mod metrics;
mod sources;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::project;

pub fn run() -> Result<(), Error> {
    let files = read_project(&project::root())?;
    let mut findings = Vec::new();
    findings.extend(edges::check(&files, &edges::crates()?));
    findings.extend(edges::check_reasons(&files));
    findings.extend(files::check(&files));
    findings.extend(sources::check(&files));
    findings.extend(glossary::check(&files));
    findings.extend(metrics::check(&files));
    length::print_longest(&files);
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for finding in &findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        eprintln!("tidy: {} files, nothing to mend", files.len());
        return Ok(());
    }
    Err(Error::Tidy(findings.len()))
}

/// A file of the project; `text` is `None` when it is not UTF-8.
struct File {
    /// From the root, with forward slashes.
    path: String,
    text: Option<String>,
}

impl File {
    fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Lines with their numbers from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .as_deref()
            .unwrap_or_default()
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
    }
}

/// Something to mend, and where.
#[derive(Debug, PartialEq)]
struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// The files that git keeps or would keep; all of them below the root where git does not answer.
fn read_project(root: &Path) -> Result<Vec<File>, Error> {
    let mut paths = list_by_git(root).unwrap_or_default();
    if paths.is_empty() {
        walk(root, root, &mut paths)?;
    }
    paths.sort();
    paths.into_iter().map(|path| read(root, path)).collect()
}

fn read(root: &Path, path: String) -> Result<File, Error> {
    let whole = root.join(&path);
    let bytes = fs::read(&whole).map_err(|source| Error::Read { path: whole, source })?;
    Ok(File { path, text: String::from_utf8(bytes).ok() })
}

fn list_by_git(root: &Path) -> Option<Vec<String>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
    let output = Command::new("git").current_dir(root).args(list).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8(output.stdout).ok()?;
    let paths = text.split('\0').filter(|path| !path.is_empty());
    // A file that was deleted and not yet committed is still listed.
    Some(paths.filter(|path| root.join(path).is_file()).map(str::to_owned).collect())
}

fn walk(root: &Path, folder: &Path, paths: &mut Vec<String>) -> Result<(), Error> {
    const BUILT: [&str; 6] =
        ["target", ".git", ".venv", "__pycache__", "artifacts", "node_modules"];
    let unreadable = |source| Error::Read { path: folder.to_path_buf(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path: PathBuf = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !BUILT.contains(&name.as_str()) {
                walk(root, &path, paths)?;
            }
        } else if let Ok(inside) = path.strip_prefix(root) {
            paths.push(inside.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}

/// The rows of the first Markdown table below a heading: its cells, without the head, with their line numbers.
fn table_below<'a>(file: &'a File, heading: &str) -> Vec<(usize, Vec<&'a str>)> {
    let below = file.lines().skip_while(|(_, line)| line.trim_start_matches('#').trim() != heading);
    let table = below.skip(1).skip_while(|(_, line)| !line.starts_with('|'));
    let rows = table.take_while(|(_, line)| line.starts_with('|')).skip(2);
    rows.map(|(at, line)| (at, line.trim().trim_matches('|').split('|').map(str::trim).collect()))
        .collect()
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: Some(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_below_its_heading() {
        let text = "# A\n\n| a |\n| - |\n| 1 |\n\n## B\ntext\n\n| b | c |\n| - | - |\n| 2 | x y |\nend\n| 9 |\n";
        let doc = file("x.md", text);
        assert_eq!(table_below(&doc, "B"), [(12, vec!["2", "x y"])]);
        assert!(table_below(&doc, "C").is_empty());
    }

    #[test]
    fn the_project_is_read_with_and_without_git() {
        let root = project::root();
        let mut walked = Vec::new();
        walk(&root, &root, &mut walked).expect("the project can be walked");
        for path in ["Cargo.toml", "xtask/src/tidy.rs"] {
            assert!(walked.iter().any(|found| found == path), "{path} was not walked to");
        }
        assert!(!walked.iter().any(|path| path.starts_with("target/")));
        let files = read_project(&root).expect("the project can be read");
        assert!(files.iter().any(|found| found.path == "xtask/src/tidy.rs"));
    }
}
