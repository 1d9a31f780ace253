//! Crate edges: arrows point right, and each one says why it is there.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

use super::{File, Finding, table_below};
use crate::error::Error;
use crate::project;

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const HEADING: &str = "Who may use whom";

/// A crate of the workspace and the crates of the workspace that it uses.
pub struct Crate {
    name: String,
    uses: Vec<(String, DependencyKind)>,
}

/// The workspace's crates, as cargo sees them.
pub fn crates() -> Result<Vec<Crate>, Error> {
    let metadata = MetadataCommand::new().no_deps().current_dir(project::root()).exec()?;
    let crates = metadata.packages.iter().map(|package| {
        let inside = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
        let uses = inside.map(|dependency| (dependency.name.clone(), dependency.kind)).collect();
        Crate { name: package.name.to_string(), uses }
    });
    Ok(crates.collect())
}

/// Compares the edges with the table in `docs/ARCHITECTURE.md`, whose rows stand in pipeline order: a crate uses only
/// crates in rows above its own, and only those its row names. Tests may also use `synth`.
pub fn check(files: &[File], crates: &[Crate]) -> Vec<Finding> {
    let Some(doc) = files.iter().find(|file| file.path == ARCHITECTURE) else {
        return vec![Finding::new(ARCHITECTURE, 1, "is missing")];
    };
    let rows = table_below(doc, HEADING);
    let mut findings = Vec::new();
    let mut allowed = BTreeMap::new();
    for (line, cells) in &rows {
        let name = bare(cells[0]);
        let uses: Vec<&str> = cells.get(1).map_or(vec![], |cell| {
            cell.split(',').map(bare).filter(|word| !word.is_empty()).collect()
        });
        for target in uses.iter().filter(|target| **target != "–" && !allowed.contains_key(*target))
        {
            findings.push(Finding::new(
                ARCHITECTURE,
                *line,
                format!("`{name}` may not use `{target}`, which is not in a row above"),
            ));
        }
        allowed.insert(name, uses);
    }
    if allowed.is_empty() {
        findings.push(Finding::new(ARCHITECTURE, 1, format!("has no table below `{HEADING}`")));
    }
    for user in crates {
        findings.extend(check_crate(user, &allowed));
    }
    findings
}

fn check_crate(user: &Crate, allowed: &BTreeMap<&str, Vec<&str>>) -> Vec<Finding> {
    let name = short(&user.name);
    let path = match name {
        "fuzz" | "xtask" => format!("{name}/Cargo.toml"),
        _ => format!("crates/{name}/Cargo.toml"),
    };
    let Some(may_use) = allowed.get(name) else {
        return vec![Finding::new(
            &path,
            1,
            format!("crate `{name}` has no row in {ARCHITECTURE}, `{HEADING}`"),
        )];
    };
    let wrong = user.uses.iter().filter(|(target, kind)| {
        let made_traffic_in_tests =
            short(target) == "synth" && *kind == DependencyKind::Development;
        !made_traffic_in_tests && !may_use.contains(&short(target))
    });
    wrong
        .map(|(target, _)| {
            Finding::new(
                &path,
                1,
                format!("`{name}` uses `{}`: that arrow is not in {ARCHITECTURE}", short(target)),
            )
        })
        .collect()
}

fn short(package: &str) -> &str {
    package.strip_prefix("flowgait-").unwrap_or(package)
}

fn bare(cell: &str) -> &str {
    cell.trim().trim_matches('`')
}

/// Each dependency line says why it is there: a comment behind it, or on the line above.
pub fn check_reasons(files: &[File]) -> Vec<Finding> {
    files.iter().filter(|file| is_member_manifest(&file.path)).flat_map(without_reason).collect()
}

fn is_member_manifest(path: &str) -> bool {
    path.ends_with("/Cargo.toml")
}

fn without_reason(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_dependencies = false;
    let mut line_above = "";
    for (at, line) in file.lines() {
        let trimmed = line.trim();
        if let Some(section) = trimmed.strip_prefix('[').filter(|_| !line.starts_with(' ')) {
            in_dependencies = section.trim_end_matches(']').ends_with("dependencies");
        } else if in_dependencies && starts_an_entry(trimmed) {
            let says_why = trimmed.contains(" # ") || line_above.starts_with("# ");
            if !says_why {
                let name = trimmed.split(['.', ' ', '=']).next().unwrap_or(trimmed);
                findings.push(Finding::new(
                    &file.path,
                    at,
                    format!("say why `{name}` is there: `# reason`"),
                ));
            }
        }
        line_above = trimmed;
    }
    findings
}

fn starts_an_entry(line: &str) -> bool {
    line.contains('=') && line.starts_with(|first: char| first.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn table(rows: &str) -> Vec<File> {
        let text = format!("## {HEADING}\n\n| crate | may use |\n| --- | --- |\n{rows}");
        vec![file(ARCHITECTURE, &text)]
    }

    fn uses(name: &str, targets: &[(&str, DependencyKind)]) -> Crate {
        let uses = targets.iter().map(|(target, kind)| ((*target).to_owned(), *kind)).collect();
        Crate { name: name.to_owned(), uses }
    }

    const ROWS: &str = "| `capture` | – |\n| `synth` | `capture` |\n| `flow` | `capture` |\n| `model` | `capture`, `flow` |\n";

    fn check_one(user: Crate, expected: usize) {
        let found = check(&table(ROWS), &[user]);
        assert_eq!(found.len(), expected, "{found:?}");
    }

    #[test]
    fn an_arrow_may_point_right() {
        check_one(uses("flowgait-model", &[("flowgait-flow", DependencyKind::Normal)]), 0);
    }

    #[test]
    fn an_arrow_that_points_left_is_found() {
        check_one(uses("flowgait-capture", &[("flowgait-flow", DependencyKind::Normal)]), 1);
        check_one(uses("flowgait-capture", &[("flowgait-flow", DependencyKind::Build)]), 1);
    }

    #[test]
    fn only_tests_may_use_made_traffic_unasked() {
        check_one(uses("flowgait-flow", &[("flowgait-synth", DependencyKind::Normal)]), 1);
        check_one(uses("flowgait-flow", &[("flowgait-synth", DependencyKind::Development)]), 0);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        check_one(uses("flowgait-common", &[]), 1);
    }

    #[test]
    fn the_table_itself_must_point_right() {
        let found = check(&table("| `capture` | `flow` |\n| `flow` | – |\n"), &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(check(&table(""), &[]).len(), 1);
        assert_eq!(check(&[], &[]).len(), 1);
    }

    #[test]
    fn cargo_knows_our_edges() {
        let crates = crates().expect("metadata");
        let flow =
            crates.iter().find(|found| found.name == "flowgait-flow").expect("flow is a member");
        assert!(flow.uses.iter().any(|(target, _)| target == "flowgait-capture"));
    }

    fn check_manifest(text: &str, expected: &[usize]) {
        let found = check_reasons(&[file("crates/x/Cargo.toml", text)]);
        assert_eq!(
            found.iter().map(|finding| finding.line).collect::<Vec<_>>(),
            expected,
            "{found:?}"
        );
    }

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        check_manifest("[dependencies]\ncsv.workspace = true\n", &[2]);
        check_manifest("[dependencies]\ncsv.workspace = true # tables\n", &[]);
        check_manifest("[dependencies]\n# tables\ncsv = \"1\"\nzstd = \"1\"\n", &[4]);
        check_manifest("[dev-dependencies]\ncsv = { version = \"1\" }\n", &[2]);
        check_manifest("[target.'cfg(unix)'.dependencies]\ncsv = \"1\"\n", &[2]);
        check_manifest("[package]\nname = \"x\"\n", &[]);
    }
}
