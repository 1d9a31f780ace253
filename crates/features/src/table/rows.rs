//! A table's rows in batches: all their cells as text for the output, and a model's columns beside them.

use std::io::Read;
use std::path::Path;

use flowgait_flow::export::Kind;

use super::plan::{Places, Plan, Survey};
use super::source::Source;
use super::{ReadParams, ReadReport, native, push_cells};
use crate::Error;
use crate::dataset::Dataset;
use crate::schema::Schema;

/// Reads a table for prediction, some rows at a time, keeping every row and every cell.
pub struct RowReader {
    source: Source,
    schema: Schema,
    plan: Plan,
    places: Places,
    report: ReadReport,
    /// Which columns' cells a batch holds as text.
    kept: Vec<bool>,
}

/// Some rows of a table.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The model's columns of these rows.
    pub dataset: Dataset,
    text: String,
    ends: Vec<usize>,
    columns: usize,
}

impl RowReader {
    /// Opens a table whose rows are to be given to a model with this schema.
    ///
    /// # Errors
    /// [`Error::MissingColumns`] when the table lacks one of the model's; those of opening a table.
    pub fn open(path: &Path, schema: &Schema) -> Result<Self, Error> {
        Self::new(Source::open(path)?, schema)
    }

    /// The same for CSV (plain or zstd) from a stream such as standard input; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`RowReader::open`].
    pub fn csv(name: &str, stream: Box<dyn Read + Send>, schema: &Schema) -> Result<Self, Error> {
        Self::new(Source::csv(Path::new(name), stream)?, schema)
    }

    /// The same for JSONL.
    ///
    /// # Errors
    /// As [`RowReader::open`].
    pub fn jsonl(name: &str, stream: Box<dyn Read + Send>, schema: &Schema) -> Result<Self, Error> {
        Self::new(Source::jsonl(Path::new(name), stream)?, schema)
    }

    fn new(mut source: Source, schema: &Schema) -> Result<Self, Error> {
        let params = ReadParams { schema: Some(schema.clone()), ..ReadParams::default() };
        let mut report = ReadReport { schema: schema.name.clone(), ..ReadReport::default() };
        let plan = Plan::new(&source, &params, &Survey::default(), &mut report)?;
        let places = plan.places(&source, &mut report)?;
        report.notices.append(&mut source.notices);
        let kept = vec![true; source.header().len()];
        Ok(Self { source, schema: schema.clone(), plan, places, report, kept })
    }

    /// Keeps as text only the cells of some of the table's columns, in the order of its header; the others of a batch are empty. It spares
    /// copying what nobody writes.
    ///
    /// # Panics
    /// When these are not as many as the table has columns.
    pub fn keep(&mut self, kept: Vec<bool>) {
        assert_eq!(kept.len(), self.kept.len(), "one for each column");
        self.kept = kept;
    }

    /// The table's columns, spaces around their names cut off.
    #[must_use]
    pub fn header(&self) -> &[String] {
        self.source.header()
    }

    /// The table's columns as the file names them, for a table that is to have the same.
    #[must_use]
    pub fn written_header(&self) -> &[String] {
        self.source.written_header()
    }

    /// What the cells of each column are: as the file says, or as our own flow table has them; else text.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let header = self.source.header();
        let native = native::recognise(|name| header.iter().any(|column| column == name));
        let own = |name: &String| native::column(name).filter(|_| native).map(|own| own.kind);
        let kind = |(place, name)| self.source.kind(place).or(own(name)).unwrap_or(Kind::Text);
        header.iter().enumerate().map(kind).collect()
    }

    /// Columns of a type that is not read, with the type: they are not among the cells of a batch.
    #[must_use]
    pub fn unread(&self) -> &[(String, String)] {
        self.source.unread()
    }

    /// What was read so far, and which columns the model does not look at.
    #[must_use]
    pub fn report(&self) -> &ReadReport {
        &self.report
    }

    /// Passes over the next rows, at most so many, without a look at their cells; how many there were.
    ///
    /// # Errors
    /// A row that cannot be read.
    pub fn skip(&mut self, rows_max: u64) -> Result<u64, Error> {
        let mut rows = 0;
        while rows < rows_max && self.source.advance()? {
            rows += 1;
        }
        self.report.rows += rows;
        Ok(rows)
    }

    /// The next rows, at most so many; `None` behind the last.
    ///
    /// # Errors
    /// A row or a cell that cannot be read.
    pub fn next_batch(&mut self, rows_max: usize) -> Result<Option<Batch>, Error> {
        let columns = self.source.header().len();
        let mut batch = Batch { columns, ..Batch::default() };
        let mut builders = self.plan.builders();
        let mut rows = 0;
        while rows < rows_max && self.source.advance()? {
            let infinities = &mut self.report.infinities;
            push_cells(&self.source, &self.places.inputs, &mut builders, infinities)?;
            for (column, &is_kept) in self.kept.iter().enumerate() {
                if is_kept {
                    self.source.cell(column).write(&mut batch.text);
                }
                batch.ends.push(batch.text.len());
            }
            rows += 1;
        }
        self.report.rows += rows as u64;
        if rows == 0 {
            return Ok(None);
        }
        let columns = self.plan.arrange(builders, &self.schema, rows, &mut self.report);
        batch.dataset =
            Dataset { schema: self.schema.clone(), columns, rows, ..Dataset::default() };
        Ok(Some(batch))
    }
}

impl Batch {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.dataset.rows
    }

    /// The cells of a row as they stand in the table, in the order of its header.
    pub fn cells(&self, row: usize) -> impl Iterator<Item = &str> {
        let first = row * self.columns;
        (first..first + self.columns).map(|cell| {
            let start = cell.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.text[start..self.ends[cell]]
        })
    }
}
