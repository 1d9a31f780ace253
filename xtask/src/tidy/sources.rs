//! What must be absent from Rust sources, or stand first in them.

use super::{File, Finding};

/// A text that must be absent, where, and why.
struct Absent {
    text: &'static str,
    scope: Scope,
    why: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// Every source file.
    Everywhere,
    /// Code of library crates, without their tests.
    Libraries,
    /// The same, but for `serve`, which owns a clock.
    Clockless,
}

use Scope::{Clockless, Everywhere, Libraries};

const ABSENT: [Absent; 19] = [
    Absent { text: "#[ignore", scope: Everywhere, why: "a test that does not run is no test" },
    Absent {
        text: "#[should_panic",
        scope: Everywhere,
        why: "assert the wrong behaviour and cite the issue",
    },
    Absent { text: "todo!(", scope: Everywhere, why: "do it or drop it" },
    Absent { text: "unimplemented!(", scope: Everywhere, why: "do it or drop it" },
    Absent {
        text: "unsafe {",
        scope: Everywhere,
        why: "unsafe code needs a crate of its own and a decision record",
    },
    Absent {
        text: "unsafe fn",
        scope: Everywhere,
        why: "unsafe code needs a crate of its own and a decision record",
    },
    Absent {
        text: "unsafe impl",
        scope: Everywhere,
        why: "unsafe code needs a crate of its own and a decision record",
    },
    Absent { text: "dbg!(", scope: Everywhere, why: "a debugging print was left" },
    Absent { text: "println!(", scope: Libraries, why: "only the binary prints" },
    Absent { text: "eprintln!(", scope: Libraries, why: "only the binary prints" },
    Absent { text: "print!(", scope: Libraries, why: "only the binary prints" },
    Absent { text: "eprint!(", scope: Libraries, why: "only the binary prints" },
    Absent { text: "env::var", scope: Libraries, why: "only the binary reads the environment" },
    Absent { text: "SystemTime::now", scope: Clockless, why: "time is an argument" },
    Absent { text: "Instant::now", scope: Clockless, why: "time is an argument" },
    Absent { text: "rand::rng()", scope: Libraries, why: "chance is an argument" },
    Absent { text: "thread_rng", scope: Libraries, why: "chance is an argument" },
    Absent {
        text: "tracing_subscriber",
        scope: Libraries,
        why: "only the binary installs a subscriber",
    },
    Absent {
        text: "allow(clippy::unwrap_used",
        scope: Libraries,
        why: "`expect` states the invariant",
    },
];

pub fn check(files: &[File]) -> Vec<Finding> {
    let sources = files.iter().filter(|file| file.is("rs"));
    sources.flat_map(|file| check_head(file).into_iter().chain(check_lines(file))).collect()
}

fn check_head(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let first = file.lines().next().map_or("", |(_, line)| line);
    let said = first.strip_prefix("//!").map(str::trim).unwrap_or_default();
    if said.is_empty() || said == "TBD" {
        findings.push(Finding::new(
            &file.path,
            1,
            "line 1 is `//!` and one sentence on what the module is",
        ));
    }
    let library = file.path.strip_prefix("crates/").and_then(|path| path.split_once('/'));
    if library.is_some_and(|(_, inside)| inside == "src/lib.rs") {
        let text = file.text.as_deref().unwrap_or_default();
        for line in ["//! *Takes*", "//! *Gives*", "//! *Never*", "//! *Start at*"] {
            if !text.contains(line) {
                findings.push(Finding::new(
                    &file.path,
                    1,
                    format!("a crate's lib.rs opens with `{line}`"),
                ));
            }
        }
    }
    findings
}

fn check_lines(file: &File) -> Vec<Finding> {
    // This folder holds the words themselves.
    if file.path.starts_with("xtask/src/tidy/") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut library = is_library(&file.path);
    for (at, line) in file.lines() {
        // Tests sit at the foot of a file; what is below their head is theirs.
        library &=
            !line.trim_start().starts_with("#[cfg(test)]") || !is_followed_by_tests(file, at);
        let code = without_comment(line);
        for absent in ABSENT.iter().filter(|absent| applies(absent.scope, library, &file.path)) {
            if stands_in(code, absent.text) {
                findings.push(Finding::new(
                    &file.path,
                    at,
                    format!("`{}`: {}", absent.text, absent.why),
                ));
            }
        }
        if names_no_issue(line) {
            findings.push(Finding::new(&file.path, at, "a TODO names an issue (`TODO(#12)`)"));
        }
    }
    findings
}

/// Whether something is to be absent from a line of this file.
fn applies(scope: Scope, is_library: bool, path: &str) -> bool {
    match scope {
        Everywhere => true,
        Libraries => is_library,
        Clockless => is_library && !path.starts_with("crates/serve/"),
    }
}

fn is_followed_by_tests(file: &File, at: usize) -> bool {
    file.lines().nth(at).is_some_and(|(_, next)| next.trim_start().starts_with("mod "))
}

fn is_library(path: &str) -> bool {
    let Some((name, inside)) = path.strip_prefix("crates/").and_then(|path| path.split_once('/'))
    else {
        return false;
    };
    let tests = inside.ends_with("/tests.rs") || inside.contains("/tests/");
    name != "flowgait" && inside.starts_with("src/") && !tests
}

/// Whether `text` stands in `code` and is not the tail of a longer word (`println!(` holds `print!(`'s letters).
fn stands_in(code: &str, text: &str) -> bool {
    code.match_indices(text).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) }
}

fn names_no_issue(line: &str) -> bool {
    ["TODO", "FIXME", "XXX"].iter().any(|word| {
        line.match_indices(word).any(|(at, _)| {
            let rest = &line[at + word.len()..];
            stands_in(line, word)
                && !rest.starts_with("(#")
                && !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&[file(path, text)]).len()
    }

    fn check_line(path: &str, line: &str, expected: usize) {
        assert_eq!(found(path, &format!("//! A module.\n{line}\n")), expected, "{path}: {line}");
    }

    #[test]
    fn a_module_without_a_sentence_is_found() {
        assert_eq!(found("crates/flow/src/key.rs", "use std::fmt;\n"), 1);
        assert_eq!(found("crates/flow/src/key.rs", "//! TBD\n"), 1);
        assert_eq!(found("crates/flow/src/key.rs", "//! Which packets belong together.\n"), 0);
        assert_eq!(found("docs/x.md", "# x"), 0);
    }

    #[test]
    fn a_library_without_its_four_lines_is_found() {
        assert_eq!(found("crates/flow/src/lib.rs", "//! The meter.\n"), 4);
        let four = "//! x\n//! *Takes* a\n//! *Gives* b\n//! *Never* c\n//! *Start at* d\n";
        assert_eq!(found("crates/flow/src/lib.rs", four), 0);
    }

    #[test]
    fn each_absent_text_is_found_where_it_counts() {
        for absent in &ABSENT {
            check_line("crates/flow/src/key.rs", absent.text, 1);
            let elsewhere = usize::from(absent.scope == Everywhere);
            check_line("crates/flowgait/src/commands.rs", absent.text, elsewhere);
            check_line("crates/flow/tests/law.rs", absent.text, elsewhere);
            check_line("crates/flow/src/key/tests.rs", absent.text, elsewhere);
        }
    }

    #[test]
    fn comments_and_tests_may_say_it() {
        check_line("crates/flow/src/key.rs", "/// println!(\"an example\")", 0);
        check_line(
            "crates/flow/src/key.rs",
            "#[cfg(test)]\nmod tests {\n    println!(\"skipped: x\");\n}",
            0,
        );
        check_line("crates/flow/src/key.rs", "#[cfg(test)]\nuse a::b;\nprintln!(\"x\");", 1);
    }

    #[test]
    fn a_todo_names_an_issue() {
        let word = concat!("TO", "DO");
        check_line("xtask/src/x.rs", &format!("// {word}: later"), 1);
        check_line("xtask/src/x.rs", &format!("// {word}(#12): later"), 0);
    }
}
