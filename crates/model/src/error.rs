//! What can go wrong between a data set and a model.

use std::{io, path::PathBuf};

/// Why a model could not be trained, used, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody waits for it any longer.
    #[error("it was given up before it was done")]
    GivenUp,
    /// A parameter has a value that makes no sense.
    #[error("{name} is {value}, but {rule}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// What would be right.
        rule: &'static str,
    },
    /// The model was fitted without something that is asked of it.
    #[error("the model was fitted without {what}: fit it anew with this version")]
    Lacks {
        /// What it lacks.
        what: &'static str,
    },
    /// A cell that is to be carried over is not of its column's kind.
    #[error(
        "column '{column}' of row {row} holds '{value}', which is no {kind}: write .csv, which carries cells over as they stand"
    )]
    CarriedCell {
        /// The column.
        column: String,
        /// The row, from 1.
        row: u64,
        /// What it holds.
        value: String,
        /// What it should be.
        kind: &'static str,
    },
    /// A table of answers could not be written.
    #[error("cannot write the answers")]
    WriteAnswers {
        /// What the writer said.
        source: flowgait_flow::Error,
    },
    /// There is nothing to learn from.
    #[error("there are no {what} to learn from")]
    Nothing {
        /// What is missing: rows, columns or classes.
        what: &'static str,
    },
    /// A table is larger than the program can count.
    #[error("{found} {what} are more than the limit of {limit}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// One column is shorter or longer than the others.
    #[error("column {column} has {found} rows where {expected} were expected")]
    ColumnLength {
        /// Position of the column.
        column: usize,
        /// Its number of rows.
        found: usize,
        /// The number of rows of the table.
        expected: usize,
    },
    /// A row was asked for that the table does not have.
    #[error("row {row} was asked for in a table of {rows} rows")]
    RowOutOfRange {
        /// The row.
        row: u32,
        /// Number of rows of the table.
        rows: usize,
    },
    /// A row has a class that was not announced.
    #[error("row {row} has class {class}, but there are {classes} classes")]
    ClassOutOfRange {
        /// The row.
        row: u32,
        /// Its class.
        class: u32,
        /// Number of classes.
        classes: usize,
    },
    /// A class weight is negative, not finite, or missing.
    #[error("the weight of class {class} is {weight}, but it must be finite and above zero")]
    ClassWeight {
        /// The class.
        class: usize,
        /// Its weight; NaN where the list is too short.
        weight: f32,
    },
    /// The table to predict has another number of columns than the model.
    #[error("the table has {found} columns where the model knows {expected}")]
    ColumnCount {
        /// Columns of the table.
        found: usize,
        /// Columns of the model.
        expected: usize,
    },
    /// The table to predict is of another schema than the model.
    #[error("the table is not of the model's schema {expected}: {differences}")]
    SchemaDiffers {
        /// Name of the model's schema.
        expected: String,
        /// The columns that differ, by name.
        differences: String,
    },
    /// A model file is damaged, of another version, or no model file.
    #[error("not a usable model: {reason} (at octet {offset})")]
    Artifact {
        /// Where in the file.
        offset: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A model file cannot be read.
    #[error("cannot read model {path}")]
    ReadModel {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A model file holds something that is no model.
    #[error("cannot use model {path}")]
    UseModel {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: Box<Error>,
    },
    /// A model file cannot be written.
    #[error("cannot write model {path}")]
    WriteModel {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something of a registry cannot be read, written or trusted.
    #[error("cannot use {path} of the registry of models")]
    Registry {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A registry has no such model.
    #[error("there is no model {reference}: {why}")]
    NoSuchModel {
        /// What was asked for.
        reference: String,
        /// Why it is not there.
        why: String,
    },
    /// A name that cannot be one in a registry.
    #[error(
        "'{name}' cannot name a model: small letters, digits, '-', '_' and '.', beginning with a letter or digit, not a number"
    )]
    ModelName {
        /// The name.
        name: String,
    },
    /// A network of convolutions was asked for, and there is nothing for it to look at.
    #[error(
        "a convolutional network needs packet sizes in their order (columns such as size_0, size_1, …, negative from the responder), and the table has none"
    )]
    NoPackets,
    /// A network was to learn on a graphics card, and there is none to be had; holds why.
    #[error("no graphics card to learn on: {0}")]
    NoGpu(String),
    /// A model that answers early was asked for, and the table does not tell which packet came first.
    #[error("no early answers")]
    NotEarly {
        /// What is missing.
        source: flowgait_features::Error,
    },
    /// No row to judge or to learn from.
    #[error("no rows: {what} needs at least one")]
    NoRows {
        /// What needed them.
        what: &'static str,
    },
    /// What was to be attached to a model is no evaluation of it.
    #[error("this is no evaluation of the model: {why}")]
    Evaluation {
        /// What is wrong with it.
        why: String,
    },
    /// Two lists that belong together differ in length.
    #[error("{what}: expected {expected} values, got {got}")]
    Length {
        /// Which list.
        what: &'static str,
        /// The length it should have.
        expected: usize,
        /// The length it has.
        got: usize,
    },
    /// A class code, row number or column number past the end.
    #[error("{what} {index} at place {place} is not below {limit}")]
    OutOfRange {
        /// What kind of number.
        what: &'static str,
        /// Where in its list it stands.
        place: usize,
        /// The number.
        index: u64,
        /// The first number that is too large.
        limit: usize,
    },
    /// A row of probabilities that is none: negative, not a number, or not summing to 1.
    #[error("row {row} holds no probabilities: they sum to {sum}")]
    Probabilities {
        /// The row.
        row: usize,
        /// What its values sum to.
        sum: f64,
    },
    /// A fold that is judged on what it learns from.
    #[error("fold {fold} is judged on row {row}, which it learns from")]
    Leak {
        /// Number of the fold.
        fold: usize,
        /// The row.
        row: u32,
    },
}
