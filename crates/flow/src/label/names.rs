//! Labels by the names that a flow shows, through a table of name suffixes.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::{Label, LabelSource};
use crate::{Error, FlowRecord};

/// Suffixes of host names and what they belong to, written from general knowledge: `suffix,application,category`.
const BUILT_IN: &str = include_str!("names.csv");
/// The most different unknown names that a report keeps.
const UNKNOWN_MAX: usize = 10_000;

/// A table of name suffixes: CSV with the columns `suffix`, `application`, `category`.
///
/// A suffix fits a name that is equal to it or ends in a dot and it; the longest that fits wins; a person's row replaces the built-in row of the same suffix.
/// A flow's server name is asked first, then the name that an earlier DNS answer gave.
#[derive(Debug, Default)]
pub struct NameTable {
    suffixes: HashMap<Box<str>, (Arc<str>, Option<Arc<str>>)>,
    report: NameReport,
}

/// What names labelled, and what they did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameReport {
    /// Flows seen.
    pub flows: u64,
    /// Flows labelled by their server name.
    pub flows_by_sni: u64,
    /// Flows labelled by the name of a DNS answer.
    pub flows_by_dns: u64,
    /// Flows without any name.
    pub flows_nameless: u64,
    /// Names that no suffix fits, with their flows: at most ten thousand different ones.
    pub unknown: BTreeMap<String, u64>,
    /// Flows with an unknown name beyond those.
    pub unknown_beyond: u64,
}

impl NameTable {
    /// The table that comes with the program.
    #[must_use]
    pub fn built_in() -> Self {
        let mut table = Self::default();
        table
            .add(Path::new("names.csv"), BUILT_IN.as_bytes())
            .expect("the table that comes with the program is well formed: a test reads it");
        table
    }

    /// Adds the rows of a person's file of the same form; they replace rows of the same suffix.
    ///
    /// # Errors
    /// [`Error::ReadLabels`], [`Error::LabelColumn`], or [`Error::LabelCell`] for a suffix that is no host name or a row without an application.
    pub fn extend(&mut self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::ReadLabels { path: path.to_path_buf(), source };
        let file = std::fs::File::open(path).map_err(|error| failed(error.into()))?;
        self.add(path, file)
    }

    /// What a name belongs to.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(Arc<str>, Option<Arc<str>>)> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let mut rest = name.as_str();
        loop {
            if let Some(found) = self.suffixes.get(rest) {
                return Some(found.clone());
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// How many suffixes it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.suffixes.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.suffixes.is_empty()
    }

    pub(super) fn label(&mut self, record: &FlowRecord) -> Option<Label> {
        self.report.flows += 1;
        let sni = record.handshake.as_ref().and_then(|handshake| handshake.sni.as_deref());
        let dns = record.dns_name.as_deref();
        for (name, source) in [(sni, LabelSource::Sni), (dns, LabelSource::Dns)] {
            if let Some((application, category)) = name.and_then(|name| self.find(name)) {
                match source {
                    LabelSource::Dns => self.report.flows_by_dns += 1,
                    _ => self.report.flows_by_sni += 1,
                }
                return Some(Label { application, category, source });
            }
        }
        match sni.or(dns) {
            Some(name) => self.report.unknown(name),
            None => self.report.flows_nameless += 1,
        }
        None
    }

    pub(super) fn report(&self) -> &NameReport {
        &self.report
    }

    fn add(&mut self, path: &Path, table: impl std::io::Read) -> Result<(), Error> {
        let failed = |source| Error::ReadLabels { path: path.to_path_buf(), source };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(table);
        let header = reader.headers().map_err(failed)?.clone();
        let find = |column: &str| {
            let bare =
                |name: &str| name.trim_start_matches('\u{feff}').eq_ignore_ascii_case(column);
            header.iter().position(bare).ok_or_else(|| Error::LabelColumn {
                path: path.to_path_buf(),
                column: column.to_string(),
                found: header.iter().collect::<Vec<_>>().join(", "),
            })
        };
        let columns = [find("suffix")?, find("application")?, find("category")?];
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(failed)? {
            let [suffix, application, category] =
                columns.map(|column| record.get(column).unwrap_or(""));
            let line = record.position().map_or(0, csv::Position::line);
            let bad = |column: &str, value: &str, expected| Error::LabelCell {
                path: path.to_path_buf(),
                line,
                column: column.to_string(),
                value: value.to_string(),
                expected,
            };
            let suffix = suffix.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase();
            if suffix.is_empty()
                || suffix.contains(|c: char| c.is_whitespace() || c == '*' || c == '/')
            {
                return Err(bad("suffix", &suffix, "the end of a host name, such as example.com"));
            }
            if application.is_empty() {
                return Err(bad("application", "", "the name of an application"));
            }
            let category = (!category.is_empty()).then(|| Arc::from(category));
            self.suffixes.insert(suffix.into(), (application.into(), category));
        }
        Ok(())
    }
}

impl NameReport {
    fn unknown(&mut self, name: &str) {
        if let Some(flows) = self.unknown.get_mut(name) {
            *flows += 1;
        } else if self.unknown.len() < UNKNOWN_MAX {
            self.unknown.insert(name.to_string(), 1);
        } else {
            self.unknown_beyond += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_that_is_built_in_is_unique_and_whole() {
        let mut seen = HashSet::new();
        for row in BUILT_IN.lines().skip(1) {
            let [suffix, application, category] = row.split(',').collect::<Vec<_>>()[..] else {
                panic!("{row}")
            };
            assert!(seen.insert(suffix), "{suffix} twice");
            assert!(
                suffix.contains('.') && !application.is_empty() && !category.is_empty(),
                "{row}"
            );
        }
        assert_eq!(NameTable::built_in().len(), seen.len());
    }

    #[test]
    fn the_longest_suffix_at_a_dot_wins() {
        let table = NameTable::built_in();
        let check = |name: &str, expected: Option<&str>| {
            let found = table.find(name).map(|(application, _)| application.to_string());
            assert_eq!(found.as_deref(), expected, "{name}");
        };
        check("www.google.com", Some("Google"));
        check("google.com", Some("Google"));
        check("mail.google.com", Some("Gmail"));
        check("inbox.mail.google.com.", Some("Gmail"));
        check("rr4---sn-4g5e6nsz.googlevideo.com", Some("YouTube"));
        check("WWW.NETFLIX.COM", Some("Netflix"));
        check("notgoogle.com", None);
        check("google.com.example.org", None);
        check("", None);
        check("...", None);
    }
}
