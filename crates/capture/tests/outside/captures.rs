//! Every shared capture is read, and what is not used has a reason.

use flowgait_capture::{CaptureReport, Reader, ReaderParams};

use crate::support::{captures, read_all};

#[test]
fn every_shared_capture_is_read_and_accounted_for() {
    let mut sum = CaptureReport::default();
    for path in captures() {
        let whole = read_all(Reader::open(&path, &ReaderParams::default()).unwrap()).unwrap();
        for damage in &whole.report.damage {
            println!("{damage}");
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for (skip, count) in &whole.report.skipped {
            println!("{name}: {count} × {skip}");
        }
        sum.merge(&whole.report);
    }
    println!("{sum:#?}");
    assert!(sum.is_balanced());
    if sum.captures == 0 {
        return;
    }
    let share_used = sum.packets_used as f64 / sum.packets_read as f64;
    assert!(share_used > 0.98, "only {share_used} of the packets used");
}
