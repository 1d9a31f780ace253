//! `NAME`, `NAME@7`, `NAME@live`: how a person names a model of a registry.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// The alias that is meant where none is said.
pub const LIVE: &str = "live";
/// Longest name, in octets.
const NAME_OCTETS_MAX: usize = 64;

/// A model of a registry, as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// Which of its versions.
    pub which: Which,
}

/// Which version of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that [`LIVE`] stands for, or the latest where it stands for none.
    Unsaid,
    /// This one.
    Version(u32),
    /// The one that an alias stands for.
    Alias(String),
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, which) = match text.split_once('@') {
            None => (text, Which::Unsaid),
            Some((name, which)) => match which.parse() {
                Ok(version) => (name, Which::Version(version)),
                Err(_) => {
                    check_name(which)?;
                    (name, Which::Alias(which.to_owned()))
                }
            },
        };
        check_name(name)?;
        Ok(Self { name: name.to_owned(), which })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.which {
            Which::Unsaid => f.write_str(&self.name),
            Which::Version(version) => write!(f, "{}@{version}", self.name),
            Which::Alias(alias) => write!(f, "{}@{alias}", self.name),
        }
    }
}

/// Whether a text may be a name: it becomes a folder's, so nothing in it may lead elsewhere.
pub(super) fn is_name(text: &str) -> bool {
    let first =
        text.as_bytes().first().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let all = text
        .bytes()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_' | b'.'));
    // A number would be taken for a version, `aliases` is where aliases are.
    let free = text.parse::<u32>().is_err() && text != super::ALIASES;
    first && all && free && text.len() <= NAME_OCTETS_MAX
}

/// The name of the model that ships with the program, which no other may have.
pub const STARTER: &str = "starter";

/// Refuses a name that a new model cannot get.
///
/// # Errors
/// [`Error::ModelName`], or [`Error::Parameter`] for the name of the model that ships.
pub fn check_new_name(text: &str) -> Result<(), Error> {
    if text == STARTER {
        let rule = "that is the model that ships with the program: choose another name";
        return Err(Error::Parameter { name: "name", value: text.to_owned(), rule });
    }
    check_name(text)
}

pub(super) fn check_name(text: &str) -> Result<(), Error> {
    if is_name(text) {
        return Ok(());
    }
    // What is no name may be anything, and of any length.
    Err(Error::ModelName { name: text.chars().take(NAME_OCTETS_MAX).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_versions_and_aliases_are_told_apart() {
        let check = |text: &str, name: &str, which: Which| {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference, Reference { name: name.into(), which });
            assert_eq!(reference.to_string(), text);
        };
        check("kinds", "kinds", Which::Unsaid);
        check("kinds@7", "kinds", Which::Version(7));
        check("my-kinds_2.0@live", "my-kinds_2.0", Which::Alias("live".into()));
    }

    #[test]
    fn nothing_that_leads_elsewhere_is_a_name() {
        for text in [
            "", ".", "..", "a/b", "../a", "a\\b", "A", "7", "-a", "aliases", "a@", "a@b/c", "a b",
            "ä",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
        assert!("a".repeat(65).parse::<Reference>().is_err());
    }
}
