//! Rows of a table with their answers behind them: one way for the command line and for the service, so that both say the same.

use flowgait_features::extract::Early;
use flowgait_features::table::{Batch, spelling};
use flowgait_flow::export::{CellSink as _, ColumnSpec, Kind, RowSchema, TableWriter};
use serde::{Deserialize, Serialize};

use crate::artifact::Model;
use crate::categories::Categories;
use crate::conformal;
use crate::doubt::{self, Doubt};
use crate::error::Error;
use crate::training::Probabilities;

/// How many of the likeliest classes are shown where more than the answer is asked for.
const TOP: usize = 3;
/// The answer of a model that is not sure enough.
pub const UNKNOWN: &str = "unknown";
/// The column with the number of a row among all that are answered, where few columns are written.
const ROW: &str = "row";
/// Equal parts of a histogram of confidence.
pub const CONFIDENCE_BINS: usize = 20;

/// What is asked for beside the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerParams {
    /// Few columns: the number of the row, those that tell which flow it is, and the answer.
    pub only_predictions: bool,
    /// The confidence and the three likeliest classes.
    pub proba: bool,
    /// The answer as after so many packets of a flow.
    pub after: Option<usize>,
    /// 'unknown' where the confidence is below this.
    pub reject: Option<f32>,
    /// 'unknown' where an answer is more doubtful than all but this share of answers to what was learnt.
    pub unknown: Option<f64>,
    /// A set of labels that misses the true one in no more than this share of rows like those learnt from.
    pub conformal: Option<f64>,
}

/// What the answers so far come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Rows.
    pub rows: u64,
    /// Rows that were answered 'unknown'.
    pub unknown: u64,
    /// Rows with no value in any of the model's columns.
    pub empty: u64,
    /// Rows whose likeliest class was this one and was not withheld, in the order of the model's classes.
    pub classes: Vec<u64>,
    /// Rows by the probability of their likeliest class, in [`CONFIDENCE_BINS`] equal parts of 0 to 1.
    pub confidence: Vec<u64>,
    /// Labels in all sets together.
    pub set_labels: u64,
}

impl Tally {
    /// Adds what other rows came to.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.unknown += other.unknown;
        self.empty += other.empty;
        self.set_labels += other.set_labels;
        for (own, theirs) in
            [(&mut self.classes, &other.classes), (&mut self.confidence, &other.confidence)]
        {
            own.resize(own.len().max(theirs.len()), 0);
            own.iter_mut().zip(theirs).for_each(|(own, theirs)| *own += theirs);
        }
    }
}

/// When an answer is withheld.
#[derive(Clone, Copy, Debug, Default)]
struct Limit {
    least_confidence: Option<f32>,
    most_doubt: Option<f32>,
}

impl Limit {
    fn of(params: &AnswerParams, doubt: Option<&Doubt>) -> Result<Self, Error> {
        let most_doubt = match params.unknown {
            None => None,
            Some(alarms) => {
                let lacks = Error::Lacks { what: "what tells the unknown" };
                Some(doubt.ok_or(lacks)?.most(alarms))
            }
        };
        Ok(Self { least_confidence: params.reject, most_doubt })
    }

    /// Whether the likeliest of some classes is not to be answered; of a row of which nothing is known it never is, where there is a limit.
    fn withholds(self, probabilities: &[f32], is_empty: bool) -> bool {
        let confidence = probabilities.iter().copied().fold(0.0, f32::max);
        self.least_confidence.is_some_and(|least| is_empty || confidence < least)
            || self.most_doubt.is_some_and(|most| is_empty || doubt::entropy(probabilities) > most)
    }
}

/// Gives a model's answers to rows.
pub struct Answers<'a> {
    model: &'a Model,
    params: AnswerParams,
    limit: Limit,
    category_limit: Limit,
    /// The least probability of a label in a set.
    set_from: Option<f32>,
    header: Vec<String>,
    /// Which of the input's columns are written, and what their cells are.
    carried: Vec<Option<Kind>>,
    /// Whether the number of each row is.
    numbered: bool,
    /// Rows of the whole table before the first of these.
    rows_before: u64,
    tally: Tally,
}

impl<'a> Answers<'a> {
    /// None yet.
    ///
    /// # Errors
    /// [`Error::Parameter`] when a share or a probability is none; [`Error::Lacks`] when the model was fitted without what is asked for;
    /// [`Error::NotEarly`] when it cannot answer early.
    pub fn new(model: &'a Model, params: AnswerParams) -> Result<Self, Error> {
        check(&params)?;
        if params.after.is_some() {
            Early::of(model.schema()).map_err(|source| Error::NotEarly { source })?;
        }
        let set_from = match params.conformal {
            None => None,
            Some(missed) => {
                let lacks = Error::Lacks { what: "what sets are made by" };
                Some(model.strangeness().ok_or(lacks)?.least_probability(missed))
            }
        };
        let of_categories = model.categories().map(Categories::doubt).or(model.doubt());
        Ok(Self {
            model,
            params,
            limit: Limit::of(&params, model.doubt())?,
            category_limit: Limit::of(&params, of_categories)?,
            set_from,
            header: Vec::new(),
            carried: Vec::new(),
            numbered: false,
            rows_before: 0,
            tally: Tally {
                classes: vec![0; model.classes().len()],
                confidence: vec![0; CONFIDENCE_BINS],
                ..Tally::default()
            },
        })
    }

    /// What the answers so far come to.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// These are rows of a larger table, with so many before them: numbers of rows are those of the whole.
    pub fn begin_at(&mut self, rows_before: u64) {
        self.rows_before = rows_before;
    }

    /// The header of the input that answers are given to; empty before [`begin`](Self::begin).
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The columns of the answers to a table with this header. `has_kinds` where the format they are written in has kinds of cells;
    /// elsewhere cells are carried over as they stand: `1.50` does not become `1.5`.
    pub fn begin(&mut self, header: &[String], mut kinds: Vec<Kind>, has_kinds: bool) -> RowSchema {
        self.header = header.to_vec();
        let few = self.params.only_predictions;
        if !has_kinds {
            kinds.fill(Kind::Text);
        }
        let carried = |name: &String| !few || spelling::tells_which(name);
        self.carried =
            header.iter().zip(kinds).map(|(name, kind)| carried(name).then_some(kind)).collect();
        self.numbered = few && header.iter().all(|name| name != ROW);
        let mut columns = Vec::new();
        if self.numbered {
            columns.push(ColumnSpec { name: ROW.to_owned(), kind: Kind::Integer });
        }
        let carried = header
            .iter()
            .zip(&self.carried)
            .filter_map(|(name, kind)| kind.map(|kind| ColumnSpec { name: name.clone(), kind }));
        columns.extend(carried);
        columns.extend(self.own_columns());
        RowSchema { columns, ..RowSchema::default() }
    }

    /// Which of the input's columns are written, in the order of its header: a reader need not keep the others.
    #[must_use]
    pub fn carried(&self) -> Vec<bool> {
        self.carried.iter().map(Option::is_some).collect()
    }

    /// The names of the columns that answers add, behind those of the input.
    #[must_use]
    pub fn added(&self) -> Vec<String> {
        self.own_columns().into_iter().map(|column| column.name).collect()
    }

    /// The columns that answers add.
    fn own_columns(&self) -> Vec<ColumnSpec> {
        let mut columns = Vec::new();
        let mut add = |name: &str, kind| columns.push(ColumnSpec { name: name.to_owned(), kind });
        add("prediction", Kind::Text);
        if self.params.proba {
            add("confidence", Kind::Float);
            for place in 2..=TOP.min(self.model.classes().len()) {
                add(&format!("prediction_{place}"), Kind::Text);
                add(&format!("confidence_{place}"), Kind::Float);
            }
        }
        if self.model.categories().is_some() {
            add("prediction_category", Kind::Text);
            if self.params.proba {
                add("confidence_category", Kind::Float);
            }
        }
        if self.set_from.is_some() {
            add("prediction_set", Kind::Text);
        }
        columns
    }

    /// What the model says of some rows.
    ///
    /// # Errors
    /// As [`Model::predict_proba`].
    pub fn said(&self, batch: &Batch) -> Result<Probabilities, Error> {
        match self.params.after {
            Some(packets) => self.model.predict_proba_after(&batch.dataset, packets),
            None => self.model.predict_proba(&batch.dataset),
        }
    }

    /// Writes some rows with their answers.
    ///
    /// # Errors
    /// As [`said`](Self::said); [`Error::CarriedCell`] when a cell is not of its column's kind; [`Error::WriteAnswers`].
    pub fn write(&mut self, batch: &Batch, writer: &mut TableWriter) -> Result<(), Error> {
        let said = self.said(batch)?;
        let of_categories = self.model.categories().map(|c| c.probabilities(&said));
        for row in 0..batch.rows() {
            self.tally.rows += 1;
            if self.numbered {
                writer.integer((self.rows_before + self.tally.rows) as i64);
            }
            for ((cell, kind), column) in batch.cells(row).zip(&self.carried).zip(&self.header) {
                let Some(kind) = *kind else { continue };
                carry(writer, kind, cell).ok_or_else(|| Error::CarriedCell {
                    column: column.clone(),
                    row: self.tally.rows,
                    value: cell.to_owned(),
                    kind: kind.name(),
                })?;
            }
            let is_empty = batch.dataset.columns.iter().all(|column| column[row].is_nan());
            let categories = of_categories.as_ref().map(|of| (of.row(row), of.best(row) as usize));
            self.answer(said.row(row), categories, is_empty, writer);
            writer.end_row().map_err(|source| Error::WriteAnswers { source })?;
        }
        Ok(())
    }

    fn answer(
        &mut self,
        probabilities: &[f32],
        of_categories: Option<(&[f32], usize)>,
        is_empty: bool,
        writer: &mut TableWriter,
    ) {
        let ranked = ranked(probabilities, if self.params.proba { TOP } else { 1 });
        let (best, confidence) = (ranked[0], probabilities[ranked[0]]);
        self.tally.empty += u64::from(is_empty);
        self.tally.confidence[bin(confidence)] += 1;
        if self.limit.withholds(probabilities, is_empty) {
            self.tally.unknown += 1;
            writer.text(UNKNOWN);
        } else {
            self.tally.classes[best] += 1;
            writer.text(&self.model.classes()[best]);
        }
        if self.params.proba {
            writer.float(confidence);
            for &class in ranked.iter().skip(1) {
                writer.text(&self.model.classes()[class]);
                writer.float(probabilities[class]);
            }
        }
        if let (Some(categories), Some((of_categories, best))) =
            (self.model.categories(), of_categories)
        {
            let withheld = self.category_limit.withholds(of_categories, is_empty);
            writer.text(if withheld { UNKNOWN } else { &categories.names()[best] });
            if self.params.proba {
                writer.float(of_categories[best]);
            }
        }
        if let Some(least) = self.set_from {
            let set = conformal::set(probabilities, least);
            self.tally.set_labels += set.len() as u64;
            let names: Vec<&str> =
                set.iter().map(|&class| self.model.classes()[class].as_str()).collect();
            writer.text(&names.join("|"));
        }
    }

    /// What is said of one row where no table is written: whether the answer is withheld, and the likeliest classes.
    #[must_use]
    pub fn verdict(&mut self, probabilities: &[f32], is_empty: bool) -> (bool, Vec<usize>) {
        let ranked = ranked(probabilities, TOP);
        let withheld = self.limit.withholds(probabilities, is_empty);
        self.tally.rows += 1;
        self.tally.empty += u64::from(is_empty);
        self.tally.confidence[bin(probabilities[ranked[0]])] += 1;
        if withheld {
            self.tally.unknown += 1;
        } else {
            self.tally.classes[ranked[0]] += 1;
        }
        (withheld, ranked)
    }
}

/// Which part of the histogram a confidence is in.
fn bin(confidence: f32) -> usize {
    ((confidence * CONFIDENCE_BINS as f32) as usize).min(CONFIDENCE_BINS - 1)
}

/// The likeliest classes, first of all the likeliest; of equal ones the first.
#[must_use]
pub fn ranked(probabilities: &[f32], most: usize) -> Vec<usize> {
    let mut ranked: Vec<usize> = (0..probabilities.len()).collect();
    let by_rank =
        |a: &usize, b: &usize| probabilities[*b].total_cmp(&probabilities[*a]).then(a.cmp(b));
    if most < ranked.len() {
        ranked.select_nth_unstable_by(most - 1, by_rank);
        ranked.truncate(most);
    }
    ranked.sort_unstable_by(by_rank);
    ranked
}

fn check(params: &AnswerParams) -> Result<(), Error> {
    if let Some(reject) = params.reject
        && !(0.0..=1.0).contains(&reject)
    {
        let rule = "it is a probability from 0 to 1";
        return Err(Error::Parameter { name: "reject", value: reject.to_string(), rule });
    }
    for (name, share) in [("unknown", params.unknown), ("conformal", params.conformal)] {
        if let Some(share) = share
            && !(share > 0.0 && share < 1.0)
        {
            let rule = "it is a share above 0 and below 1, such as 0.05";
            return Err(Error::Parameter { name, value: share.to_string(), rule });
        }
    }
    if params.after.is_some() && (params.unknown.is_some() || params.conformal.is_some()) {
        let rule = "its rates are of whole flows: leave 'unknown' and 'conformal' out";
        return Err(Error::Parameter { name: "after", value: "set".to_owned(), rule });
    }
    if params.reject.is_some() && params.unknown.is_some() {
        let rule = "only one of 'reject' and 'unknown' says when an answer is withheld";
        return Err(Error::Parameter { name: "reject", value: "set".to_owned(), rule });
    }
    Ok(())
}

/// Writes a cell of the input as what it is; `None` where it is not.
fn carry(writer: &mut TableWriter, kind: Kind, cell: &str) -> Option<()> {
    match kind {
        Kind::Text => writer.text(cell),
        _ if cell.is_empty() => writer.missing(),
        Kind::Integer => writer.integer(cell.parse().ok()?),
        Kind::Float => writer.float(cell.parse().ok()?),
        Kind::Double => writer.double(cell.parse().ok()?),
        Kind::IntegerList => {
            let values: Result<Vec<i64>, _> = cell.split_whitespace().map(str::parse).collect();
            writer.integers(&values.ok()?);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_come_first_and_of_equal_ones_the_first() {
        assert_eq!(ranked(&[0.1, 0.4, 0.4, 0.1], 3), [1, 2, 0]);
        assert_eq!(ranked(&[0.2, 0.8], 3), [1, 0]);
        assert_eq!(ranked(&[1.0], 1), [0]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |params: AnswerParams| check(&params).unwrap_err().to_string();
        let params = AnswerParams::default;
        assert!(refused(AnswerParams { reject: Some(1.5), ..params() }).contains("1.5"));
        assert!(refused(AnswerParams { reject: Some(f32::NAN), ..params() }).contains("NaN"));
        assert!(refused(AnswerParams { unknown: Some(0.0), ..params() }).contains("unknown"));
        assert!(refused(AnswerParams { conformal: Some(1.0), ..params() }).contains("conformal"));
        let early = AnswerParams { after: Some(8), unknown: Some(0.1), ..params() };
        assert!(refused(early).contains("whole flows"));
        assert!(check(&params()).is_ok());
    }

    #[test]
    fn tallies_add_up() {
        let mut sum = Tally::default();
        let one =
            Tally { rows: 2, classes: vec![1, 1], confidence: vec![0, 2], ..Tally::default() };
        sum.add(&one);
        sum.add(&one);
        assert_eq!((sum.rows, sum.classes, sum.confidence), (4, vec![2, 2], vec![0, 4]));
    }

    #[test]
    fn confidence_falls_into_its_part() {
        assert_eq!([bin(0.0), bin(0.049), bin(0.05), bin(0.999), bin(1.0)], [0, 0, 1, 19, 19]);
    }
}
