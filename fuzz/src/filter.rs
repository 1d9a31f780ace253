//! Filter expressions.

use flowgait_capture::{Filter, Packet};

/// Any text as a filter: refused with a reason, or understood; its own text then means the same.
pub fn filter(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match text.parse::<Filter>() {
        Ok(filter) => {
            let again: Filter =
                filter.to_string().parse().expect("what was understood is understood again");
            let packet = Packet::default();
            assert_eq!(filter.passes(&packet), again.passes(&packet), "{text}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
