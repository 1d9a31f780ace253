//! Whoever reads our output may go away, which is no error; a disk may be full, which is one.

use std::io::Read;
use std::process::Stdio;

use crate::support::{Place, Run};

#[test]
fn head_takes_three_lines_and_goes() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "t.pcap", "--flows", "400", "--seed", "1"]);
    let mut child = place
        .command(&["meter", "t.pcap", "-o", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 64];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(!run.err.contains("roken pipe"), "{}", run.err);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_with_the_name_of_the_file() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "t.pcap", "--flows", "50", "--seed", "1"]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = place.command(&["meter", "t.pcap", "-o", "-"]).stdout(full).output().unwrap();
    let run = Run::from(output);
    assert_eq!(run.status, 1, "{}", run.err);
    run.tells(&["standard output", "space"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_nothing_is_left() {
    let place = Place::new();
    place.ok(&["synth", "demo", "-o", "t.pcap", "--flows", "20", "--seed", "1"]);
    let run = place.run(&["meter", "t.pcap", "-o", "no/such/folder/f.csv"]);
    assert_eq!(run.status, 1);
    run.tells(&["no/such/folder"]);
    assert!(!place.files().iter().any(|f| f.ends_with(".csv")));
}
