//! How a command ends: its outcome or its failure, and the exit status of each.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::process::ExitCode;

use miette::Diagnostic;

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it.
    Done,
    /// All that the input allowed: some of it was bad, was counted, and was named to the person.
    DoneWithBadInput,
}

impl Outcome {
    /// `DoneWithBadInput` when `bad`.
    pub fn from_bad(bad: bool) -> Self {
        if bad { Self::DoneWithBadInput } else { Self::Done }
    }

    /// The exit status.
    pub fn code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::DoneWithBadInput => ExitCode::from(3),
        }
    }
}

/// Why a command did not do its work.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    what: String,
    help: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    /// Whether `what` already says what `source` says, so that only its causes remain to be told.
    told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The command line or the configuration was wrong.
    Usage,
    /// The work failed.
    Work,
}

impl Failure {
    /// The command line or configuration was wrong: exit status 2.
    pub fn usage(what: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, what: what.into(), help: None, source: None, told: false }
    }

    /// The work failed: exit status 1.
    pub fn work(what: impl Into<String>) -> Self {
        Self { kind: Kind::Work, what: what.into(), help: None, source: None, told: false }
    }

    /// A library's error, told in its own words.
    pub fn from_library(error: impl StdError + Send + Sync + 'static) -> Self {
        let what = sentence(&error.to_string());
        Self { kind: Kind::Work, what, help: None, source: Some(Box::new(error)), told: true }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what lies beneath.
    #[must_use]
    pub fn because(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// The exit status.
    pub fn code(&self) -> ExitCode {
        match self.kind {
            Kind::Work => ExitCode::from(1),
            Kind::Usage => ExitCode::from(2),
        }
    }

    /// Whether a table lacks columns that a model needs.
    pub fn is_of_missing_columns(&self) -> bool {
        let source = self.source.as_deref().and_then(|s| s.downcast_ref());
        matches!(source, Some(flowgait_features::Error::MissingColumns { .. }))
    }

    /// Whether whoever read our output went away, which is no error (`flowgait meter … -o - | head`).
    pub fn is_closed_pipe(&self) -> bool {
        let mut next: Option<&(dyn StdError + 'static)> =
            self.source.as_deref().map(|s| s as &(dyn StdError + 'static));
        while let Some(error) = next {
            if matches!(error.downcast_ref(), Some(flowgait_flow::Error::ClosedPipe { .. })) {
                return true;
            }
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
            {
                return true;
            }
            next = error.source();
        }
        false
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.source.as_deref().map(|s| s as &(dyn StdError + 'static))?;
        if self.told { source.source() } else { Some(source) }
    }
}

impl Diagnostic for Failure {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }
}

/// An error of the project's own crates, which names file and place itself: the work failed.
macro_rules! library_errors {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::from_library(error)
            }
        }
    )*};
}

library_errors!(
    flowgait_capture::Error,
    flowgait_federate::Error,
    flowgait_flow::Error,
    flowgait_model::Error,
    flowgait_privacy::Error,
    flowgait_synth::Error,
);

impl From<flowgait_serve::Error> for Failure {
    fn from(error: flowgait_serve::Error) -> Self {
        use flowgait_serve::Error::{Configuration, Place};
        let is_usage = matches!(&error, Configuration { .. } | Place { .. });
        let failure = Self::from_library(error);
        if is_usage { Self { kind: Kind::Usage, ..failure } } else { failure }
    }
}

impl From<flowgait_features::Error> for Failure {
    fn from(error: flowgait_features::Error) -> Self {
        use flowgait_features::Error::MissingColumns;
        let is_other = matches!(&error, MissingColumns { count, needed, .. } if count == needed);
        let failure = Self::from_library(error);
        if is_other {
            return failure.help(
                "It has none of them: this is another kind of table. Write one with the tool that wrote what the model learnt from \
                 (flowgait meter --schema), or fit a model on this kind.",
            );
        }
        failure
    }
}

/// The first letter as a capital, since a library's message starts lower case and a sentence does not; a file's name stays as it is.
pub fn sentence(text: &str) -> String {
    let first = text.split([' ', ':', ',']).next().unwrap_or_default();
    if !first.chars().all(char::is_alphabetic) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
