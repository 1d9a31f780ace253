//! What was read of tables, and what was not.

use std::fmt;

use super::builder::Strangers;

/// What was read, and what was not.
#[derive(Clone, Debug, Default)]
pub struct ReadReport {
    /// Name of the schema: `flowgait/1`, or `table` for anybody's.
    pub schema: String,
    /// Rows in the tables.
    pub rows: u64,
    /// Rows of each table that were used, in the order of the tables.
    pub rows_used: Vec<u64>,
    /// Rows left out because their label is missing.
    pub rows_unlabelled: u64,
    /// Rows left out because their time is missing.
    pub rows_untimed: u64,
    /// Cells with an infinity or a number beyond 32 bits, taken as missing.
    pub infinities: u64,
    /// Columns that did not become inputs, and why.
    pub left_out: Vec<LeftOut>,
    /// Columns of anybody's table that became a column for each place of their lists.
    pub lists: Vec<List>,
    /// Text columns that became a column for each of their values, with how many.
    pub one_hot: Vec<(String, usize)>,
    /// Text columns that were asked for and have too many values for that: hashed, with the number of columns.
    pub hashed: Vec<(String, usize)>,
    /// Text columns with text that the model's schema does not know.
    pub strangers: Vec<UnknownText>,
    /// Anything else worth saying.
    pub notices: Vec<String>,
}

impl ReadReport {
    /// Adds what came in a text column that is none of its known values.
    pub(super) fn add_strangers(&mut self, column: &str, Strangers { rows, first }: Strangers) {
        let Some(first) = first else { return };
        match self.strangers.iter_mut().find(|known| known.column == column) {
            Some(known) => known.rows += rows,
            None => self.strangers.push(UnknownText { column: column.to_owned(), rows, first }),
        }
    }

    /// Why no column became an input, as the end of a sentence.
    pub(super) fn why_nothing(&self) -> String {
        const SHOWN: usize = 5;
        let left = self.left_out.iter().filter(|left| left.why != Why::Label);
        let mut told: Vec<String> =
            left.map(|left| format!("{} ({})", left.column, left.why)).collect();
        if told.is_empty() {
            return String::new();
        }
        if told.len() > SHOWN {
            let more = told.len() - SHOWN;
            told.truncate(SHOWN);
            told.push(format!("{more} more"));
        }
        format!(": left out are {}", told.join(", "))
    }
}

/// A text column with text that the model never saw: such a row is none of the values that it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownText {
    /// The column.
    pub column: String,
    /// Rows with such text.
    pub rows: u64,
    /// The first such text.
    pub first: String,
}

/// A column that did not become an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The column.
    pub column: String,
    /// Why.
    pub why: Why,
    /// For text, its first cell that is no number, and where it is: `'12 ms' in line 2`.
    pub first: Option<String>,
}

/// A column that was read as lists of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The column.
    pub column: String,
    /// A cell, and where it is, when all lists may as well be numbers with spaces between their thousands: `'1 102' in line 2`.
    pub doubtful: Option<String>,
}

/// Why a column did not become an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It says who, where or when.
    Identity,
    /// It numbers the rows: its name or its cells say so.
    RowNumber,
    /// Its type in the file is a time.
    Time,
    /// Another column of its name says the same in every row.
    Twin,
    /// It is the label that was asked for.
    Label,
    /// It looks like another label, or like a prediction.
    OtherLabel,
    /// A person said so.
    Asked,
    /// It is text with too many distinct values.
    TooManyValues,
    /// Every cell is missing.
    Empty,
    /// The schema does not have it.
    Unknown,
    /// Not every table has it: whether it is there would tell the table and not the flow.
    NotEverywhere,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity: it says who, where or when",
            Self::RowNumber => "row number, or without a name: it says where in the table",
            Self::Time => "a time, by its type",
            Self::Twin => "equal in every row to the column whose name it has",
            Self::Label => "the label",
            Self::OtherLabel => "it looks like another label or an answer",
            Self::Asked => "dropped as asked",
            Self::TooManyValues => "text with more than 20 distinct values; --keep hashes it",
            Self::Empty => "no values",
            Self::Unknown => "not in the schema",
            Self::NotEverywhere => "not every table has it",
        })
    }
}
