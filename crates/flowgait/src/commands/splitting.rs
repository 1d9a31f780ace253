//! How rows to learn from and rows to be judged on come apart, as a person says it.

use flowgait_features::split;
use flowgait_features::table::spelling;
use flowgait_model::report::Split;
use flowgait_model::validation::{Fold, Repeat};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::learning::Labelled;
use crate::failure::Failure;
use crate::output;
use crate::units;

/// Share of the rows, the latest, that a split by time is judged on.
const LATEST_SHARE: f64 = 0.3;
/// Folds on which a default split is tried.
const CHECKED_FOLDS: usize = 3;

/// How rows to learn from and rows to be judged on come apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitArg {
    /// The model on the table as it is.
    Given,
    /// Row by row, by chance.
    Random,
    /// All rows of a column's value on one side.
    Group(String),
    /// Earlier and later rows.
    Time(Option<String>),
    /// Earlier and later rows of each class, where classes were recorded at different times.
    TimeInClass(Option<String>),
    /// What is before a moment, in microseconds since 1970, and what is from it on.
    Since(i64),
    /// Runs of neighbouring rows.
    Block(usize),
}

impl std::str::FromStr for SplitArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest))) {
            ("given", None) => Ok(Self::Given),
            ("random", None) => Ok(Self::Random),
            ("group", Some(column)) if !column.is_empty() => Ok(Self::Group(column.to_owned())),
            ("time", None) => Ok(Self::Time(None)),
            ("time", Some(column)) if !column.is_empty() => Ok(Self::Time(Some(column.to_owned()))),
            ("time-in-class", None) => Ok(Self::TimeInClass(None)),
            ("time-in-class", Some(column)) if !column.is_empty() => {
                Ok(Self::TimeInClass(Some(column.to_owned())))
            }
            ("block", Some(n)) => match n.parse() {
                Ok(n) if n >= 2 => Ok(Self::Block(n)),
                _ => Err(format!("'{n}' is not a number of blocks; use 2 or more, as in block:50")),
            },
            _ => Err(format!(
                "'{text}' is no split; use given, random, group:COLUMN, time, time:COLUMN, time-in-class or block:N"
            )),
        }
    }
}

impl SplitArg {
    /// How a report names it.
    pub fn named(&self) -> Split {
        match self {
            Self::Given => Split::Given,
            Self::Random => Split::Random,
            Self::Group(by) => Split::Grouped { by: by.clone() },
            Self::Since(_) => Split::Time { by: "start".to_owned() },
            Self::Time(by) => Split::Time { by: by.clone().unwrap_or_else(|| "start".to_owned()) },
            Self::TimeInClass(by) => {
                Split::TimeInClass { by: by.clone().unwrap_or_else(|| "start".to_owned()) }
            }
            Self::Block(count) => Split::Blocks { count: *count as u64 },
        }
    }

    /// The most honest split that the rows allow: by the group that was asked for, by capture, by client, by time; by chance only where there
    /// is nothing else, which is then said. A split that would leave most rows to be judged with a class that was never learnt says nothing.
    pub fn default_for(labelled: &Labelled, asked: Option<&String>) -> Self {
        let dataset = &labelled.dataset;
        if let Some(name) = asked
            && dataset.groups.iter().any(|g| g.name == *name && g.distinct() >= 2)
        {
            return Self::Group(name.clone());
        }
        let mut splits = Self::by_groups(labelled);
        let mut times = dataset.times.iter().flatten();
        if let Some(first) = times.next()
            && times.any(|time| time != first)
        {
            splits.push(Self::Time(None));
        }
        for split in splits {
            if split.is_learnable(labelled) {
                return split;
            }
            output::note(&format!(
                "not split {}: most classes would be judged without having been learnt",
                split.named().words()
            ));
        }
        output::warn(
            "no split by capture, client or time is possible (--group COLUMN names another), so the split is random and flatters",
        );
        Self::Random
    }

    /// A split in which every row is judged once: by a group that allows it, else in runs of neighbouring rows.
    pub fn each_row(labelled: &Labelled, asked: Option<&String>) -> Self {
        const RUNS: usize = 50;
        let asked = asked.map(|name| Self::Group(name.clone()));
        let mut splits = asked.into_iter().chain(Self::by_groups(labelled));
        let runs = RUNS.min(labelled.dataset.rows).max(2);
        splits.find(|split| split.is_learnable(labelled)).unwrap_or(Self::Block(runs))
    }

    /// The splits by capture and by client, where there are several of them.
    fn by_groups(labelled: &Labelled) -> Vec<Self> {
        let groups = &labelled.dataset.groups;
        let capture = groups.iter().find(|g| g.name == "capture");
        let client = groups.iter().find(|g| spelling::is_near_address(&g.name));
        let groups = [capture, client].into_iter().flatten().filter(|g| g.distinct() >= 2);
        groups.map(|g| Self::Group(g.name.clone())).collect()
    }

    /// Whether another seed gives other folds.
    pub fn is_drawn(&self) -> bool {
        !matches!(self, Self::Given | Self::Time(_) | Self::TimeInClass(_) | Self::Since(_))
    }

    /// Whether most rows that are judged are of a class that the same fold learns.
    pub fn is_learnable(&self, labelled: &Labelled) -> bool {
        let Ok(folds) = self.folds(labelled, CHECKED_FOLDS, 1) else { return false };
        let codes = &labelled.labels().codes;
        let (mut judged, mut known) = (0, 0);
        for fold in folds {
            let mut learnt = vec![false; labelled.labels().values.len()];
            fold.train.iter().for_each(|&row| learnt[codes[row as usize] as usize] = true);
            judged += fold.test.len();
            known += fold.test.iter().filter(|&&row| learnt[codes[row as usize] as usize]).count();
        }
        known * 2 > judged
    }

    /// Says where groups hold one row each.
    pub fn warn_of_lone_rows(&self, labelled: &Labelled) {
        let Self::Group(column) = self else { return };
        let dataset = &labelled.dataset;
        let groups = dataset.groups.iter().find(|of| of.name == *column);
        if groups.is_some_and(|of| of.distinct() == dataset.rows) {
            output::warn(&format!(
                "every row has a {column} of its own, so a split by it is one by chance, and flatters"
            ));
        }
    }

    /// The folds, drawn anew for every seed; at most `folds`, fewer where there are fewer groups.
    pub fn repeats(
        &self,
        labelled: &Labelled,
        folds: usize,
        seeds: &[u64],
    ) -> Result<Vec<Repeat>, Failure> {
        seeds
            .iter()
            .map(|&seed| Ok(Repeat { seed, folds: self.folds(labelled, folds, seed)? }))
            .collect()
    }

    fn folds(&self, labelled: &Labelled, folds: usize, seed: u64) -> Result<Vec<Fold>, Failure> {
        let (dataset, labels) = (&labelled.dataset, labelled.labels());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let codes = Some(labels.codes.as_slice());
        let folds = match self {
            Self::Given => return Err(Failure::usage("--split given has no folds")),
            Self::Random => {
                split::random_folds(dataset.rows, codes, folds.min(dataset.rows), &mut rng)?
            }
            Self::Group(column) => {
                let groups =
                    dataset.groups.iter().find(|g| g.name == *column).ok_or_else(|| {
                        Failure::work(format!("The table has no column '{column}' to group by"))
                    })?;
                let count = groups.distinct();
                if count < 2 {
                    let same = format!(
                        "Every row has the same {column}, so rows to learn from and rows to be judged on cannot be told apart by it"
                    );
                    return Err(Failure::work(same).help(
                        "Split by another column (--split group:COLUMN), by time (--split time), or, flattering, by chance (--split random).",
                    ));
                }
                split::group_folds(&groups.codes, codes, folds.min(count), &mut rng)?
            }
            Self::Block(count) => {
                let groups = split::block_groups(dataset.rows, dataset.rows.div_ceil(*count));
                split::group_folds(&groups, codes, folds.min(*count), &mut rng)?
            }
            Self::Time(_) => vec![split::time_hold_out(times(labelled)?, LATEST_SHARE)?],
            Self::TimeInClass(_) => {
                vec![split::time_hold_out_in_each(times(labelled)?, &labels.codes, LATEST_SHARE)?]
            }
            Self::Since(moment) => vec![since(labelled, *moment)?],
        };
        Ok(folds)
    }
}

/// What began before a moment, to learn from or to hold against, and what began at it or later.
pub fn since(labelled: &Labelled, moment: i64) -> Result<Fold, Failure> {
    let Some(times) = labelled.dataset.times.as_deref() else {
        let what = format!(
            "No column tells when rows began, so none is known to be since {}",
            utc(moment)
        );
        return Err(Failure::work(what).help(
            "Name the column with --split time:COLUMN: seconds since 1970, or times such as 2026-11-21T08:00:00Z. Tables by flowgait meter have it as 'start'.",
        ));
    };
    split::time_since(times, moment).map_err(|_| {
        let (first, last) = (times.iter().min(), times.iter().max());
        let (first, last) = (first.map_or_else(String::new, |t| utc(*t)), last.map_or_else(String::new, |t| utc(*t)));
        let side = if times.iter().any(|time| *time >= moment) { "before" } else { "at or after" };
        let what = format!("No row began {side} {}, so there is nothing to hold the others against", utc(moment));
        Failure::work(what).help(format!(
            "The rows began from {first} to {last}: name a time between by --since, or add a table that has the other side."
        ))
    })
}

/// Microseconds since 1970 as people write them.
pub fn utc(micros: i64) -> String {
    units::utc(micros.saturating_mul(1_000))
}

/// When each row began.
fn times(labelled: &Labelled) -> Result<&[i64], Failure> {
    labelled.dataset.times.as_deref().ok_or_else(|| {
        Failure::work("The table has no column with times to split by").help(
            "Name one (--split time:COLUMN), or split by a column that says which rows belong together (--split group:COLUMN).",
        )
    })
}
