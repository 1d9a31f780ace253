//! The table of answers being written.

use std::path::Path;

use flowgait_features::table::{RowReader, spelling};
use flowgait_flow::export::{CellSink, ColumnSpec, Format, Kind, RowSchema, TableWriter};
use flowgait_model::Categories;
use flowgait_model::artifact::Model;

use super::Args;
use super::limit::Limit;
use super::sets::Sets;
use crate::commands::metering::{Account, Metering};
use crate::commands::rows::{self, METERED, Trouble, bad_input, bad_output};
use crate::commands::{learning, sources, starter};
use crate::failure::Failure;
use crate::output;
use crate::units;

/// Rows predicted at a time.
const BATCH_ROWS: usize = 8_192;
/// How many of the likeliest classes `--proba` shows.
const TOP: usize = 3;
/// The answer of a model that is not sure enough.
const UNKNOWN: &str = "unknown";
/// The column with the number of a row among all that are answered, where few columns are written.
const ROW: &str = "row";

/// The table of answers being written; its header is that of the first input.
pub(super) struct Answers<'a> {
    args: &'a Args,
    model: &'a Model,
    sets: Option<Sets>,
    /// When the answer is "unknown", and when the category's is.
    limit: Limit,
    category_limit: Limit,
    writer: Option<TableWriter>,
    header: Vec<String>,
    /// Which of the input's columns are written, and what their cells are.
    carried: Vec<Option<Kind>>,
    /// Whether the number of each row is.
    numbered: bool,
    rows: u64,
    unknown: u64,
    /// Rows with no value in any of the model's columns.
    empty: u64,
}

impl<'a> Answers<'a> {
    /// None yet; `set_from` is the least probability of a label in a set, where sets are asked for.
    pub(super) fn new(
        args: &'a Args,
        model: &'a Model,
        set_from: Option<f32>,
    ) -> Result<Self, Failure> {
        let of_categories = model.categories().map(Categories::doubt).or(model.doubt());
        Ok(Self {
            args,
            model,
            sets: set_from.map(Sets::new),
            limit: Limit::of(args, model.doubt())?,
            category_limit: Limit::of(args, of_categories)?,
            writer: None,
            header: Vec::new(),
            carried: Vec::new(),
            numbered: false,
            rows: 0,
            unknown: 0,
            empty: 0,
        })
    }

    /// Answers a table or a capture; whether some of it was damaged.
    pub(super) fn input(&mut self, path: &Path, metering: Metering) -> Result<bool, Trouble> {
        if sources::is_capture(path) {
            let account = self.capture(metering)?;
            output::note(&format!("{}: {}", path.display(), account.text()));
            return Ok(account.is_bad());
        }
        let reader =
            rows::open(path, self.model.schema()).map_err(|failure| match self.args.model {
                None => starter::no_table_for_it(failure),
                Some(_) => failure,
            });
        self.table(reader.map_err(bad_input)?, path)
    }

    fn capture(&mut self, metering: Metering) -> Result<Account, Trouble> {
        let name = Path::new(METERED);
        rows::metered(metering, self.model.schema(), |flows| self.table(flows, name))
            .map(|(_, account)| account)
    }

    /// Answers a table; whether it has columns that cannot be carried over.
    fn table(&mut self, mut reader: RowReader, path: &Path) -> Result<bool, Trouble> {
        for (column, kind) in reader.unread() {
            output::warn(&format!(
                "column '{column}' is of a type that is not read ({kind}) and not among the answers"
            ));
        }
        self.begin(reader.written_header(), reader.kinds(), path)?;
        while let Some(batch) = reader.next_batch(BATCH_ROWS).map_err(bad_input)? {
            let said = match self.args.after {
                Some(packets) => self.model.predict_proba_after(&batch.dataset, packets),
                None => self.model.predict_proba(&batch.dataset),
            };
            let said = said.map_err(bad_output)?;
            let of_categories = self.model.categories().map(|c| c.probabilities(&said));
            for row in 0..batch.rows() {
                let answer = Answer {
                    probabilities: said.row(row),
                    of_categories: of_categories
                        .as_ref()
                        .map(|of| (of.row(row), of.best(row) as usize)),
                    is_empty: batch.dataset.columns.iter().all(|column| column[row].is_nan()),
                };
                self.row(batch.cells(row), &answer).map_err(bad_output)?;
            }
        }
        let report = reader.report();
        learning::tell_strangers(report);
        if report.infinities > 0 {
            output::note(&format!(
                "{} taken as missing: infinite, or beyond 32 bits",
                units::counted(report.infinities, "value")
            ));
        }
        Ok(!reader.unread().is_empty())
    }

    fn begin(
        &mut self,
        header: &[String],
        mut kinds: Vec<Kind>,
        path: &Path,
    ) -> Result<(), Trouble> {
        if self.writer.is_some() {
            if self.header == header {
                return Ok(());
            }
            return Err(bad_input(
                Failure::work(format!(
                    "{} has other columns than the inputs before it",
                    path.display()
                ))
                .help("Predict inputs with other columns apart."),
            ));
        }
        self.header = header.to_vec();
        let few = self.args.only_predictions;
        if !Format::of(&self.args.output).is_some_and(Format::has_kinds) {
            // Cells as they stand: `1.50` does not become `1.5`.
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
        let mut add = |name: &str, kind| columns.push(ColumnSpec { name: name.to_owned(), kind });
        add("prediction", Kind::Text);
        if self.args.proba {
            add("confidence", Kind::Float);
            for place in 2..=TOP.min(self.model.classes().len()) {
                add(&format!("prediction_{place}"), Kind::Text);
                add(&format!("confidence_{place}"), Kind::Float);
            }
        }
        if self.model.categories().is_some() {
            add("prediction_category", Kind::Text);
            if self.args.proba {
                add("confidence_category", Kind::Float);
            }
        }
        if self.sets.is_some() {
            add("prediction_set", Kind::Text);
        }
        let schema = RowSchema { columns, ..RowSchema::default() };
        self.writer = Some(if sources::is_standard_input(&self.args.output) {
            TableWriter::stream("standard output", Box::new(std::io::stdout()), schema)
        } else {
            TableWriter::create(&self.args.output, schema).map_err(bad_output)?
        });
        Ok(())
    }

    fn row<'b>(
        &mut self,
        cells: impl Iterator<Item = &'b str>,
        answer: &Answer<'_>,
    ) -> Result<(), Failure> {
        let writer = self.writer.as_mut().expect("the header was written before any row");
        self.rows += 1;
        if self.numbered {
            writer.integer(self.rows as i64);
        }
        for ((cell, kind), column) in cells.zip(&self.carried).zip(&self.header) {
            let Some(kind) = *kind else { continue };
            carry(writer, kind, cell).ok_or_else(|| {
                Failure::work(format!(
                    "Column '{column}' of row {} holds '{cell}', which is no {}",
                    self.rows,
                    kind.name()
                ))
                .help("Write .csv, which carries cells over as they stand.")
            })?;
        }
        let Answer { probabilities, of_categories, is_empty } = *answer;
        let mut ranked: Vec<usize> = (0..probabilities.len()).collect();
        ranked.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]).then(a.cmp(&b)));
        let confidence = probabilities[ranked[0]];
        self.empty += u64::from(is_empty);
        if self.limit.withholds(probabilities, is_empty) {
            self.unknown += 1;
            writer.text(UNKNOWN);
        } else {
            writer.text(&self.model.classes()[ranked[0]]);
        }
        if self.args.proba {
            writer.float(confidence);
            for &class in ranked.iter().take(TOP).skip(1) {
                writer.text(&self.model.classes()[class]);
                writer.float(probabilities[class]);
            }
        }
        if let (Some(categories), Some((of_categories, best))) =
            (self.model.categories(), of_categories)
        {
            let withheld = self.category_limit.withholds(of_categories, is_empty);
            writer.text(if withheld { UNKNOWN } else { &categories.names()[best] });
            if self.args.proba {
                writer.float(of_categories[best]);
            }
        }
        if let Some(sets) = &mut self.sets {
            writer.text(&sets.cell(self.model, probabilities));
        }
        Ok(writer.end_row()?)
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        if let Some(writer) = self.writer {
            writer.finish()?;
        }
        let mut text = format!("{} predicted", units::counted(self.rows, "row"));
        if self.unknown > 0 {
            text.push_str(&format!(", {} of them unknown", units::grouped(self.unknown)));
        }
        output::note(&text);
        if let Some(sets) = &self.sets {
            sets.tell(self.model);
        }
        if self.empty > 0 {
            output::warn(&format!(
                "{} no value in any of the model's columns: what is answered there is a guess",
                if self.empty == 1 {
                    "1 row has".to_owned()
                } else {
                    format!("{} rows have", units::grouped(self.empty))
                }
            ));
        }
        Ok(())
    }
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

/// What the model says of one row.
struct Answer<'a> {
    probabilities: &'a [f32],
    /// The probabilities of the categories, and which is the likeliest.
    of_categories: Option<(&'a [f32], usize)>,
    /// Whether nothing is known of the row.
    is_empty: bool,
}
