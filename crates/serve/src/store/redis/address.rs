//! Where Redis is, and what this store's keys begin with there.

use redis::Client;

use crate::error::Error;

/// What keys begin with when nobody says otherwise.
const PREFIX: &str = "flowgait";
const PREFIX_MAX: usize = 64;
const FORM: &str = "write redis://[user:password@]host[:port][/database][?prefix=NAME]";

/// Takes an address apart: a client for it, and what keys begin with, as one hash tag so that a cluster keeps them together.
///
/// # Errors
/// [`Error::StoreUnfit`]; it does not repeat the address, which may hold a password.
pub(super) fn read(url: &str) -> Result<(Client, String), Error> {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut prefix, mut others) = (PREFIX, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.strip_prefix("prefix=") {
            Some(name) => prefix = name,
            None => others.push(pair),
        }
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if prefix.is_empty() || prefix.len() > PREFIX_MAX || !prefix.chars().all(is_plain) {
        let problem = format!(
            "the prefix of the store's keys must be 1 to {PREFIX_MAX} letters, digits, '-', '_' or '.'"
        );
        return Err(Error::StoreUnfit { problem });
    }
    let place = match others.is_empty() {
        true => place.to_owned(),
        false => format!("{place}?{}", others.join("&")),
    };
    let client = Client::open(place).map_err(|error| Error::StoreUnfit {
        problem: format!("cannot understand the address of the store ({error}): {FORM}"),
    })?;
    Ok((client, format!("{{{prefix}}}:")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_taken_from_the_address() {
        let check = |url: &str, expected: &str| assert_eq!(read(url).unwrap().1, expected, "{url}");
        check("redis://localhost", "{flowgait}:");
        check("redis://localhost/2?prefix=a-b.c_1", "{a-b.c_1}:");
        check("redis://localhost?protocol=resp2&prefix=x", "{x}:");
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for url in [
            "",
            "localhost",
            "http://:secret@localhost",
            "redis://:secret@localhost?prefix=",
            "redis://:secret@localhost?prefix=a}b",
            "rediss://:secret@localhost",
            &format!("redis://:secret@localhost?prefix={}", "x".repeat(65)),
        ] {
            let Err(Error::StoreUnfit { problem }) = read(url) else { panic!("{url}") };
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
