//! DNS answers.

use flowgait_flow::names::{ADDRESSES_MAX, answers};

/// Any bytes as a DNS response: nothing, or a printable name and a bounded list of addresses.
pub fn dns_answers(bytes: &[u8]) {
    if let Some((name, addresses)) = answers(bytes) {
        assert!((1..=ADDRESSES_MAX).contains(&addresses.len()), "{} addresses", addresses.len());
        assert!(name.bytes().all(|octet| octet.is_ascii_graphic()), "{name:?}");
        assert!(!name.bytes().any(|octet| octet.is_ascii_uppercase()), "{name:?}");
    }
}
