//! A newcomer asks each command for help, and finds it designed.

use crate::support::Place;

#[test]
fn help_of_every_command() {
    let place = Place::new();
    for command in [
        "",
        "demo",
        "inspect",
        "meter",
        "fit",
        "evaluate",
        "predict",
        "explain",
        "models",
        "budget",
        "simulate",
        "synth",
        "config",
        "completions",
    ] {
        let args: Vec<&str> = [command, "--help"].into_iter().filter(|a| !a.is_empty()).collect();
        let run = place.ok(&args);
        for line in run.out.lines() {
            assert!(line.chars().count() <= 120, "{command}: too long a line: {line}");
        }
        let name = if command.is_empty() { "flowgait" } else { command };
        insta::assert_snapshot!(format!("help_{name}"), run.out);
    }
}

#[test]
fn completions_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(place.ok(&["completions", shell]).out.contains("flowgait"));
    }
}

#[test]
fn config_shows_where_each_value_came_from() {
    let place = Place::new();
    place.write("flowgait.toml", "[meter]\nidle_timeout = \"60s\"\n");
    let output =
        place.command(&["config", "show"]).env("FLOWGAIT_METER_LINGER", "5s").output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let line = |key: &str| shown.lines().find(|l| l.starts_with(key)).unwrap().to_owned();
    assert!(
        line("meter.idle_timeout").contains("60s")
            && line("meter.idle_timeout").ends_with("flowgait.toml")
    );
    assert!(
        line("meter.linger").contains("5s")
            && line("meter.linger").ends_with("$FLOWGAIT_METER_LINGER")
    );
    assert!(line("meter.active_timeout").ends_with("default"));
}
