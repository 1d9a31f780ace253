//! An evaluation as people and programs read it: one HTML file that opens without a network, JSON, and plain text.

mod confusion;
mod curves;
mod drift;
mod notes;
mod page;
mod palette;
pub mod parts;
mod plot;
mod strips;
mod tables;
mod text;
pub(crate) mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use palette::Kind;

use crate::drift::Drift;
use crate::metrics::{
    Answers, CALIBRATION_BINS, Calibration, ClassScore, Confusion, RiskCoverage, Scores,
    UnknownScore,
};
use crate::validation::{CrossValidation, PacketPoint, PairedTest, Spread, TrialScore};
use crate::{Error, Probabilities};

/// Name and version of the JSON form.
pub const FORMAT: &str = "flowgait-evaluation/1";

/// Points kept of each curve.
const CURVE_POINTS: usize = 120;

/// Everything that a report says about one model on one data set.
///
/// [`Evaluation::new`] fills what follows from the answers alone; the rest is empty until somebody measured it, and a report
/// leaves out what is empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// [`FORMAT`].
    pub format: String,
    /// What was judged, such as `kinds@7`.
    pub title: String,
    /// What it was judged on.
    pub data: Data,
    /// How the rows to learn from were kept apart from the rows to be judged on.
    pub split: Split,
    /// Facts about the model, in the order to show them.
    pub model: Vec<Fact>,
    /// The classes, by code.
    pub classes: Vec<Class>,
    /// Scores over all judged rows together.
    pub scores: Scores,
    /// Mean and spread over folds and seeds, by the name of the score's field in [`Scores`].
    pub spreads: BTreeMap<String, Spread>,
    /// How each class fares.
    pub per_class: Vec<ClassScore>,
    /// Counts of true against predicted classes.
    pub confusion: Confusion,
    /// Whether the stated confidence is true.
    pub calibration: Calibration,
    /// What was done to make it so.
    pub confidence: Confidence,
    /// Top-1, top-2, … accuracy.
    pub top_k: Vec<f64>,
    /// Accuracy of the answers kept, by how many are kept.
    pub risk_coverage: RiskCoverage,
    /// How well classes that were never learnt are noticed.
    pub unknown: Option<Unknown>,
    /// What must be beaten.
    pub baselines: Vec<Baseline>,
    /// The same model and data under other splits.
    pub other_splits: Vec<OtherSplit>,
    /// Accuracy after the first packets.
    pub after_packets: Vec<PacketPoint>,
    /// What the model looks at.
    pub importances: Option<Importances>,
    /// What changed at a moment, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Every trial.
    pub trials: Vec<TrialScore>,
    /// What else a reader must know, as sentences.
    pub notes: Vec<String>,
}

/// What a model was judged on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// Where it comes from, such as the file's name.
    pub source: String,
    /// Whether a program made the traffic.
    pub origin: Origin,
    /// Number of columns that the model sees.
    pub features: u64,
    /// What rows belong together by (such as `capture`), and how many there are of it.
    pub groups: Option<Groups>,
}

/// Who made the traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Seen on a network, as far as anybody said.
    #[default]
    Recorded,
    /// Made by a program: tagged wherever it is shown.
    Made,
}

/// What rows belong together by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    /// Name of the column.
    pub by: String,
    /// Number of distinct values.
    pub count: u64,
}

/// How the rows to learn from were kept apart from the rows to be judged on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Split {
    /// Two tables that came apart already.
    Given,
    /// By chance, row by row.
    Random,
    /// All rows of one value of a column on one side.
    Grouped {
        /// The column.
        by: String,
    },
    /// Earlier rows to learn from, later ones to be judged on.
    Time {
        /// The column.
        by: String,
    },
    /// Earlier rows of each class to learn from, its later ones to be judged on.
    TimeInClass {
        /// The column.
        by: String,
    },
    /// Runs of neighbouring rows.
    Blocks {
        /// How many.
        count: u64,
    },
}

/// What was done to make the confidence true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Nothing: the estimator's own probabilities.
    #[default]
    Raw,
    /// Fitted on rows that are neither learnt from nor judged on.
    Calibrated,
}

/// A named fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// Its value, in words.
    pub value: String,
}

impl Fact {
    /// A fact.
    #[must_use]
    pub fn new(name: &str, value: impl ToString) -> Self {
        Self { name: name.to_owned(), value: value.to_string() }
    }
}

/// A class: its name, and the kind of use whose colour and mark it wears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Its label in the data.
    pub name: String,
    /// The kind of use.
    pub kind: Kind,
}

impl Class {
    /// A class whose kind is read from its own name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), kind: Kind::of(name) }
    }

    /// A class (such as an application) whose kind is read from its category's name.
    #[must_use]
    pub fn in_category(name: &str, category: &str) -> Self {
        Self { name: name.to_owned(), kind: Kind::of(category) }
    }
}

/// How well classes that were never learnt are noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unknown {
    /// The classes left out of training.
    pub left_out: Vec<String>,
    /// The score.
    pub score: UnknownScore,
}

/// The same model and data under another split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherSplit {
    /// How rows to learn from were kept apart from rows to be judged on.
    pub split: Split,
    /// Accuracy over its trials.
    pub accuracy: Spread,
    /// Macro-F1 over its trials.
    pub f1_macro: Spread,
}

/// Something that must be beaten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// What it is.
    pub kind: BaselineKind,
    /// Its name.
    pub name: String,
    /// What it does, in a few words.
    pub what: String,
    /// Its accuracy on the same trials.
    pub accuracy: Spread,
    /// Its macro-F1 on the same trials.
    pub f1_macro: Spread,
    /// The model's accuracy minus its own, tested.
    pub lead: Option<PairedTest>,
}

/// What a baseline looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineKind {
    /// Nothing.
    Majority,
    /// The raw first packets.
    Nearest,
    /// The far address.
    Address,
    /// Something else, such as another model.
    Other,
}

impl Baseline {
    /// A baseline that ran over the same trials as the model.
    ///
    /// # Errors
    /// [`Error::Length`] when the trials are not the same, [`Error::NoRows`] when there are none.
    pub fn new(
        kind: BaselineKind,
        name: &str,
        what: &str,
        own: &CrossValidation,
        model: &CrossValidation,
    ) -> Result<Self, Error> {
        let spread =
            |values: Vec<f64>| Spread::of(&values).ok_or(Error::NoRows { what: "a baseline" });
        Ok(Self {
            kind,
            name: name.to_owned(),
            what: what.to_owned(),
            accuracy: spread(own.each(|scores| scores.accuracy))?,
            f1_macro: spread(own.each(|scores| scores.f1_macro))?,
            lead: model.compare(own, |scores| scores.accuracy)?,
        })
    }
}

/// What a model looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importances {
    /// How importance was measured, such as `accuracy lost when shuffled`.
    pub measure: String,
    /// What rows of a group have in common, where importance was measured within groups too, such as `capture`.
    pub within: Option<String>,
    /// The features, in any order.
    pub features: Vec<Importance>,
}

/// How much one feature matters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The feature's name.
    pub name: String,
    /// Its unit; empty without one.
    pub unit: String,
    /// How much.
    pub value: f64,
    /// The same within groups, where that was measured too.
    pub within: Option<f64>,
}

impl Evaluation {
    /// Everything that follows from answers alone, for one test table.
    ///
    /// # Errors
    /// As [`Answers::new`], and [`Error::Length`] when the classes and the probabilities differ in number.
    pub fn new(
        title: &str,
        classes: Vec<Class>,
        truth: &[u32],
        said: &Probabilities,
    ) -> Result<Self, Error> {
        if classes.len() != said.classes {
            let (expected, got) = (said.classes, classes.len());
            return Err(Error::Length { what: "names of classes", expected, got });
        }
        let answers = Answers::of(truth, said)?;
        let confusion = answers.confusion();
        Ok(Self {
            format: FORMAT.to_owned(),
            title: title.to_owned(),
            data: Data::default(),
            split: Split::Given,
            model: Vec::new(),
            scores: Scores::of(&answers),
            spreads: BTreeMap::new(),
            per_class: confusion.per_class(),
            confusion,
            calibration: answers.calibration(CALIBRATION_BINS),
            confidence: Confidence::Raw,
            top_k: answers.top_k(classes.len().min(10)),
            risk_coverage: answers.risk_coverage(CURVE_POINTS),
            unknown: None,
            baselines: Vec::new(),
            other_splits: Vec::new(),
            after_packets: Vec::new(),
            importances: None,
            drift: None,
            trials: Vec::new(),
            notes: Vec::new(),
            classes,
        })
    }

    /// Everything that follows from a cross-validation: its pooled answers, and the spread over its trials.
    ///
    /// # Errors
    /// As [`Evaluation::new`].
    pub fn of(title: &str, classes: Vec<Class>, judged: &CrossValidation) -> Result<Self, Error> {
        let pooled = Self::new(title, classes, &judged.truth, &judged.probabilities)?;
        Ok(Self { spreads: judged.spreads(), trials: judged.trials.clone(), ..pooled })
    }

    /// The evaluation as JSON; a number that is none is `null`.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("the keys of every map are strings")
    }

    /// The evaluation as one HTML file: no script is needed to read it, and nothing is fetched.
    #[must_use]
    pub fn to_html(&self) -> String {
        page::page(self)
    }

    /// The evaluation as plain text, at most `width` columns wide (and never less than 60).
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        text::text(self, width.max(60))
    }

    /// A score's mean over the trials, or over all rows where there are no trials.
    fn headline(&self, name: &str) -> (Option<f64>, Option<f64>) {
        if let Some(spread) = self.spreads.get(name) {
            return (Some(spread.mean), spread.sd);
        }
        let value = self.scores.named().into_iter().find(|&(other, _)| other == name);
        (value.and_then(|(_, value)| value), None)
    }

    /// The same under a random split, where another is the one to quote.
    fn random_split(&self) -> Option<&OtherSplit> {
        self.other_splits.iter().find(|other| other.split == Split::Random)
    }

    /// The accuracy to quote.
    fn accuracy(&self) -> f64 {
        self.headline("accuracy").0.unwrap_or(self.scores.accuracy)
    }

    /// Numbers of folds and of seeds.
    fn rounds(&self) -> (usize, usize) {
        let count = |key: fn(&TrialScore) -> u64| {
            let keys: std::collections::BTreeSet<u64> = self.trials.iter().map(key).collect();
            keys.len()
        };
        (count(|trial| trial.fold as u64), count(|trial| trial.seed))
    }
}

impl Split {
    /// The split in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Given => "as given".to_owned(),
            Self::Random => "random split".to_owned(),
            Self::Grouped { by } => format!("grouped by {by}"),
            Self::Time { by } => format!("by time ({by})"),
            Self::TimeInClass { by } => format!("by time within each class ({by})"),
            Self::Blocks { count } => format!("in {count} blocks"),
        }
    }
}
