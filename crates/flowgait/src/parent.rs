//! A process that a service started ends when the service does, however that ended.

use std::os::unix::process::parent_id;
use std::time::Duration;

/// Set, this has the process end with whoever started it.
pub const ENDS: &str = "FLOWGAIT_ENDS_WITH_PARENT";
/// How often it looks.
const LOOK: Duration = Duration::from_millis(200);

/// Ends this process when its parent has ended, where that is asked for: an orphan would work on for nobody, for hours.
pub fn follow() {
    if std::env::var_os(ENDS).is_none() {
        return;
    }
    let parent = parent_id();
    std::thread::spawn(move || {
        while parent_id() == parent {
            std::thread::sleep(LOOK);
        }
        std::process::exit(1);
    });
}
