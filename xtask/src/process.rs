//! Other programs: starting them, and saying what failed.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::project;

/// A cargo command at the workspace's root.
pub fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(project::cargo());
    command.current_dir(project::root()).args(arguments);
    command
}

/// Says the command, runs it, and fails when it does.
pub fn run(command: &mut Command) -> Result<(), Error> {
    run_allowing(command, &[0])
}

/// The same, where other exit statuses are no failure either.
pub fn run_allowing(command: &mut Command, statuses: &[i32]) -> Result<(), Error> {
    let shown = show(command);
    eprintln!("$ {shown}");
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|source| Error::Start { program: shown.clone(), source })?;
    let allowed = status.code().is_some_and(|code| statuses.contains(&code));
    if allowed { Ok(()) } else { Err(Error::Failed { command: shown, status }) }
}

/// What a program that prints one line of JSON answers.
pub fn answer(command: &mut Command) -> Result<serde_json::Value, Error> {
    let text = text(command)?;
    serde_json::from_str(&text).map_err(|source| Error::Answer { command: show(command), source })
}

/// What a program prints; octets that are no UTF-8 are replaced.
pub fn text(command: &mut Command) -> Result<String, Error> {
    let shown = show(command);
    eprintln!("$ {shown}");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|source| Error::Start { program: shown.clone(), source })?;
    if !output.status.success() {
        return Err(Error::Failed { command: shown, status: output.status });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program starts and ends well, silently.
pub fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as a person would type it, with the program's folder left out.
pub fn show(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let mut shown = name.into_owned();
    for argument in command.get_args() {
        shown.push(' ');
        shown.push_str(&argument.to_string_lossy());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        assert_eq!(
            show(Command::new("/usr/bin/cargo").args(["test", "-p", "x"])),
            "cargo test -p x"
        );
    }

    #[test]
    fn a_failing_program_is_an_error_and_a_missing_one_too() {
        assert!(run(Command::new(project::cargo()).arg("--version")).is_ok());
        let failed = run(Command::new(project::cargo()).arg("--no-such-flag"));
        assert!(matches!(failed, Err(Error::Failed { .. })), "{failed:?}");
        let missing = run(&mut Command::new("no-such-program-anywhere"));
        assert!(matches!(missing, Err(Error::Start { .. })), "{missing:?}");
        assert!(!works(&mut Command::new("no-such-program-anywhere")));
    }
}
