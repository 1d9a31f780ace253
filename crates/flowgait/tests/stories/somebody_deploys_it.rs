//! What is in `deploy/` fits the binary beside it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::Place;

/// Flags in a text, such as `--bind`.
fn flags(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.starts_with("--") && word.len() > 2).collect()
}

#[test]
fn every_option_that_it_starts_with_is_there() {
    let place = Place::new();
    let help = |command: &str| place.ok(&[command, "--help"]).out;
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    for (file, command) in [
        ("helm/flowgait/templates/api.yaml", "serve"),
        ("helm/flowgait/templates/worker.yaml", "worker"),
    ] {
        let text = std::fs::read_to_string(deploy.join(file)).unwrap();
        // Lines that are arguments: `- --bind`.
        let arguments: String =
            text.lines().filter(|line| line.trim_start().starts_with("- --")).collect();
        let help = help(command);
        let known = flags(&help);
        let wanted = flags(&arguments);
        assert!(!wanted.is_empty(), "{file}");
        let unknown: Vec<_> = wanted.difference(&known).collect();
        assert!(unknown.is_empty(), "{file} starts {command} with {unknown:?}");
    }
}
