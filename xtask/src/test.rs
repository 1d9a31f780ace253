//! `cargo xtask test`: every test, with all set-up.

use std::path::Path;
use std::process::Command;

use cargo_metadata::{MetadataCommand, TargetKind};

use crate::error::Error;
use crate::server::{self, Server};
use crate::{process, project, web};

/// What was typed after `test`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Without the tests of the dashboard, which want Node and a browser
    #[arg(long)]
    no_browser: bool,
    /// Passed on to the test runner (nextest where it is installed, else `cargo test`)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let data = project::shared_data();
    match &data {
        Some(folder) => eprintln!("shared data: {}", folder.display()),
        None => eprintln!("shared data: absent; tests that need it say `skipped:` below"),
    }
    let runner = match (nextest_works(), data.is_some()) {
        (true, true) => Runner::Nextest,
        // Nextest hides what a passing test prints; only libtest can show just the tests that say why they skipped.
        _ => Runner::Libtest,
    };
    let folder = project::target().join("test-redis");
    let redis = redis(&folder);
    let mut tests = unit_and_story(runner, &arguments.runner);
    if let Some((_, url)) = &redis {
        tests.env("FLOWGAIT_TEST_REDIS", url);
    }
    let outcome = process::run(&mut tests);
    // It ends here, whatever the tests found.
    drop(redis);
    let _ = std::fs::remove_dir_all(&folder);
    outcome?;
    if arguments.runner.is_empty() {
        process::run(&mut process::cargo(["test", "--workspace", "--doc"]))?;
    } else if let Some(packages) = only_packages(&arguments.runner) {
        for package in with_library(&packages)? {
            process::run(&mut process::cargo(["test", "--doc", "--package", &package]))?;
        }
    }
    if wants_browser(arguments) {
        web::test()?;
    }
    if data.is_none() {
        eprintln!("shared data was absent: what was skipped stands above, after `skipped:`");
    }
    Ok(())
}

/// Arguments for the runner narrow the tests to Rust's.
fn wants_browser(arguments: &Arguments) -> bool {
    !arguments.no_browser && arguments.runner.is_empty()
}

/// A Redis for the tests, installed where that can be done; tests that need one say `skipped:` where it cannot.
fn redis(folder: &Path) -> Option<(Server, String)> {
    // What is left of a run that was killed is nobody's.
    let _ = std::fs::remove_dir_all(folder);
    let started = std::fs::create_dir_all(folder)
        .map_err(|source| Error::Write { path: folder.to_path_buf(), source })
        .and_then(|()| server::redis(folder));
    match started {
        Ok(started) => Some(started),
        Err(error) => {
            eprintln!("redis: absent ({error}); tests that need it say `skipped:` below");
            None
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Runner {
    Nextest,
    Libtest,
}

fn nextest_works() -> bool {
    process::works(&mut process::cargo(["nextest", "--version"]))
}

fn unit_and_story(runner: Runner, passed: &[String]) -> Command {
    let mut command = match runner {
        Runner::Nextest => process::cargo(["nextest", "run"]),
        Runner::Libtest => process::cargo(["test"]),
    };
    if !names_a_package(passed) {
        command.arg("--workspace");
    }
    if runner == Runner::Libtest && passed.iter().all(|word| word != "--") {
        command.args(["--lib", "--bins", "--tests"]).args(passed).args(["--", "--show-output"]);
    } else {
        command.args(passed);
    }
    command
}

fn names_a_package(passed: &[String]) -> bool {
    passed.iter().any(|word| {
        ["-p", "--package", "--workspace", "--manifest-path"].contains(&word.as_str())
            || word.starts_with("--package=")
    })
}

/// The packages named, when the arguments name packages and nothing else.
fn only_packages(passed: &[String]) -> Option<Vec<String>> {
    let mut packages = Vec::new();
    let mut words = passed.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-p" | "--package" => packages.push(words.next()?.clone()),
            other => packages.push(other.strip_prefix("--package=")?.to_owned()),
        }
    }
    Some(packages)
}

/// Those of `packages` that have a library: cargo refuses documentation tests of the others.
fn with_library(packages: &[String]) -> Result<Vec<String>, Error> {
    let metadata = MetadataCommand::new().no_deps().current_dir(project::root()).exec()?;
    let found = metadata.packages.iter().filter(|package| {
        packages.iter().any(|name| *name == *package.name)
            && package.targets.iter().any(|target| target.kind.contains(&TargetKind::Lib))
    });
    Ok(found.map(|package| package.name.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn check(runner: Runner, passed: &str, expected: &str) {
        assert_eq!(process::show(&unit_and_story(runner, &words(passed))), expected);
    }

    #[test]
    fn arguments_pass_through() {
        check(Runner::Nextest, "", "cargo nextest run --workspace");
        check(Runner::Nextest, "-p flowgait-flow", "cargo nextest run -p flowgait-flow");
        check(Runner::Nextest, "octets", "cargo nextest run --workspace octets");
        let all = "cargo test --workspace --lib --bins --tests -- --show-output";
        check(Runner::Libtest, "", all);
        check(Runner::Libtest, "-p a -- --exact", "cargo test -p a -- --exact");
    }

    #[test]
    fn the_browser_is_left_out_where_it_is_not_meant() {
        #[derive(clap::Parser)]
        struct Typed {
            #[command(flatten)]
            test: Arguments,
        }
        for (typed, expected) in [
            ("", true),
            ("--no-browser", false),
            ("-p a", false),
            ("octets", false),
            ("-- x", false),
        ] {
            let typed: Typed = clap::Parser::parse_from(words(&format!("test {typed}")));
            assert_eq!(wants_browser(&typed.test), expected);
        }
        let typed: Typed = clap::Parser::parse_from(words("test --no-browser -p a"));
        assert_eq!(typed.test.runner, ["-p", "a"]);
    }

    #[test]
    fn documentation_tests_follow_packages_only() {
        assert_eq!(only_packages(&words("-p a --package=b")), Some(vec!["a".into(), "b".into()]));
        assert_eq!(only_packages(&words("-p a some_test")), None);
        assert_eq!(only_packages(&words("-p")), None);
    }

    #[test]
    fn the_binary_has_no_library() {
        let packages = ["flowgait".to_owned(), "flowgait-flow".to_owned()];
        assert_eq!(with_library(&packages).expect("metadata"), ["flowgait-flow"]);
    }
}
