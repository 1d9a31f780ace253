//! Files that must not be: homeless names, real data, somebody's own paths.

use super::{File, Finding};

/// Names that say that an idea has no name yet.
const HOMELESS: [&str; 5] = ["utils", "common", "helpers", "types", "manager"];
/// Endings of captures and of tables that may hold real traffic.
const DATA: [&str; 7] = ["pcap", "pcapng", "cap", "arff", "parquet", "fgm", "dmp"];

pub fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        findings.extend(check_name(file));
        findings.extend(check_data(file, files));
        findings.extend(check_lines(file));
    }
    findings
}

fn check_name(file: &File) -> Option<Finding> {
    if file.name() == "mod.rs" {
        return Some(Finding::new(&file.path, 1, "`name.rs` beside `name/`, never `mod.rs`"));
    }
    let homeless = file.path.split('/').find_map(|part| {
        let stem = part.split('.').next().unwrap_or(part);
        HOMELESS.iter().find(|word| **word == stem || stem.strip_suffix('s') == Some(word))
    });
    let code = file.path.starts_with("crates/") || file.path.starts_with("xtask/");
    homeless
        .filter(|_| code)
        .map(|word| Finding::new(&file.path, 1, format!("`{word}` is no home: name the idea")))
}

/// Weights, not data: the model that ships with the binary; docs/STARTER.md tells who made it, and from what.
const STARTER: &str = "crates/flowgait/src/starter.fgm";

/// Data lies in `tests/data` or in the fuzz corpora only, and the `PROVENANCE.md` above it tells who made it.
fn check_data(file: &File, files: &[File]) -> Option<Finding> {
    let packed = file.path.trim_end_matches(".gz").trim_end_matches(".zst");
    let extension = packed.rsplit_once('.').map_or("", |(_, extension)| extension);
    let kept = kept_data(&file.path);
    if file.path == STARTER || kept.is_none() && !DATA.contains(&extension) {
        return None;
    }
    let Some((folder, inside)) = kept else {
        return Some(Finding::new(
            &file.path,
            1,
            "data lies outside tests/data and the fuzz corpora",
        ));
    };
    if inside == "PROVENANCE.md" {
        return None;
    }
    let provenance = format!("{folder}/PROVENANCE.md");
    let text =
        files.iter().find(|other| other.path == provenance).and_then(|other| other.text.as_deref());
    let Some(text) = text else {
        return Some(Finding::new(
            &file.path,
            1,
            format!("{provenance} is missing: who made this?"),
        ));
    };
    // A corpus is told by its folder, other data by the file's name.
    let told = inside.split('/').next().unwrap_or(inside);
    (!text.contains(&format!("`{told}`"))).then(|| {
        Finding::new(&file.path, 1, format!("{provenance} does not tell who made `{told}`"))
    })
}

/// The folder of made data that a file lies in, and its path there.
fn kept_data(path: &str) -> Option<(&str, &str)> {
    if let Some(inside) = path.strip_prefix("fuzz/corpus/") {
        return Some(("fuzz/corpus", inside));
    }
    if let Some(inside) = path.strip_prefix("fuzz/crashes/") {
        return Some(("fuzz/crashes", inside));
    }
    let folder = if path.starts_with("tests/data/") {
        "tests/data".len()
    } else {
        path.find("/tests/data/")? + 11
    };
    Some((&path[..folder], &path[folder + 1..]))
}

fn check_lines(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Split, so that the words do not stand here themselves.
    let somebodys = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let conflict = ["<".repeat(7) + " ", ">".repeat(7) + " ", "|".repeat(7) + " "];
    for (at, line) in file.lines() {
        if conflict.iter().any(|marker| line.starts_with(marker)) {
            findings.push(Finding::new(&file.path, at, "a merge conflict is left here"));
        }
        if let Some(path) = somebodys.iter().find(|path| names_a_root(line, path)) {
            findings.push(Finding::new(&file.path, at, format!("`{path}…` is one machine's path")));
        }
    }
    findings
}

/// Whether an absolute path starts here: not `crates/x/work/`, which goes on from something.
fn names_a_root(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-})".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&[file(path, text)]).len()
    }

    #[test]
    fn homeless_names_are_found() {
        assert_eq!(found("crates/flow/src/mod.rs", "//! x"), 1);
        assert_eq!(found("crates/flow/src/utils.rs", "//! x"), 1);
        assert_eq!(found("crates/common/src/lib.rs", "//! x"), 1);
        assert_eq!(found("xtask/src/managers/x.rs", "//! x"), 1);
        assert_eq!(found("crates/flow/src/meter.rs", "//! x"), 0);
        assert_eq!(found("crates/flow/src/commonness.rs", "//! x"), 0);
    }

    #[test]
    fn data_outside_its_folders_is_found() {
        assert_eq!(found("some.pcap", ""), 1);
        assert_eq!(found("docs/flows.parquet", ""), 1);
        assert_eq!(found("crates/capture/src/some.pcapng.gz", ""), 1);
        assert_eq!(found("configs/flowgait.toml", ""), 0);
    }

    #[test]
    fn data_without_provenance_is_found() {
        let told = file("tests/data/PROVENANCE.md", "- `made.pcap`: made by synth, seed 1");
        let made = || file("tests/data/made.pcap", "");
        assert_eq!(check(&[made()]).len(), 1);
        assert_eq!(check(&[told, made()]).len(), 0);
        let others = file("crates/flow/tests/data/PROVENANCE.md", "- `a.csv`: by hand");
        assert_eq!(check(&[others, file("crates/flow/tests/data/b.csv", "")]).len(), 1);
        let corpora = file("fuzz/corpus/PROVENANCE.md", "- `meter`: by hand");
        assert_eq!(check(&[corpora, file("fuzz/corpus/meter/seed-1", "")]).len(), 0);
    }

    #[test]
    fn a_left_conflict_is_found() {
        let text = format!("a\n{} HEAD\nb\n=======\nc\n{} other\n", "<".repeat(7), ">".repeat(7));
        assert_eq!(found("README.md", &text), 2);
        assert_eq!(found("README.md", "Title\n=======\n"), 0);
    }

    #[test]
    fn one_machines_path_is_found() {
        assert_eq!(found("README.md", concat!("see /wo", "rk/x")), 1);
        assert_eq!(found("a.rs", concat!("//! x\n\"/ho", "me/me/flows.csv\"")), 1);
        assert_eq!(found("README.md", concat!("docs/wo", "rk/x and ~/x")), 0);
    }
}
