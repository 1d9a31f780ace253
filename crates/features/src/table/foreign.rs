//! Tables of other tools that a flow record can be written as, column by column.
//!
//! The names and their order are the tools'; the meaning is what they say, not what they compute where that is wrong: packet time
//! only, nothing counted twice, and a cell with too little to compute it is empty instead of 0 or of a number that no flow has.

mod cicflowmeter;
mod nfstream;
mod radcom;

use std::fmt::Write as _;
use std::sync::LazyLock;

use flowgait_flow::export::{CellSink, ColumnSpec, Kind, RowSchema};
use flowgait_flow::record::{FlowRecord, Moments};

use crate::schema::sha256;

/// A table of another tool.
pub struct ForeignTable {
    /// Its name in our version of it, such as `radcom/1`.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    columns: Vec<ForeignColumn>,
    /// Columns that are written only when flows have labels.
    labels: Vec<ForeignColumn>,
}

/// A column of another tool's table.
struct ForeignColumn {
    name: String,
    kind: Kind,
    rule: &'static str,
    index: usize,
    cell: Cell,
}

/// Writes a flow's cell; the number is the column's place in a run of columns that differ by number only.
type Cell = fn(&FlowRecord, usize, &mut dyn CellSink);
/// Name (with `{}` where a number goes), kind, how many of it, rule, cell.
type Row = (&'static str, Kind, usize, &'static str, Cell);

/// The competition table of 111 columns: 128 applications, 5 kinds of use.
pub static RADCOM: LazyLock<ForeignTable> = LazyLock::new(|| {
    table("radcom/1", "the competition table of 2026", radcom::COLUMNS, radcom::LABELS)
});
/// NFStream's flows with statistical analysis and a sequence of first packets.
pub static NFSTREAM: LazyLock<ForeignTable> = LazyLock::new(|| {
    let about = "NFStream 6 with `statistical_analysis` and `splt_analysis`";
    table("nfstream/1", about, nfstream::COLUMNS, nfstream::LABELS)
});
/// CICFlowMeter's flows.
pub static CICFLOWMETER: LazyLock<ForeignTable> = LazyLock::new(|| {
    table("cicflowmeter/1", "CICFlowMeter 4", cicflowmeter::COLUMNS, cicflowmeter::LABELS)
});

fn table(name: &'static str, about: &'static str, columns: &[Row], labels: &[Row]) -> ForeignTable {
    ForeignTable { name, about, columns: numbered(columns), labels: numbered(labels) }
}

fn numbered(rows: &[Row]) -> Vec<ForeignColumn> {
    let mut columns = Vec::new();
    for &(name, kind, count, rule, cell) in rows {
        for index in 0..count {
            let name = name.replace("{}", &index.to_string());
            columns.push(ForeignColumn { name, kind, rule, index, cell });
        }
    }
    columns
}

impl ForeignTable {
    /// The columns to write; with `labelled` those for labels behind them.
    #[must_use]
    pub fn row_schema(&self, labelled: bool) -> RowSchema {
        let columns = self.written(labelled);
        let specs: Vec<ColumnSpec> =
            columns.map(|c| ColumnSpec { name: c.name.clone(), kind: c.kind }).collect();
        let mut text = format!("{}\n", self.name);
        for spec in &specs {
            writeln!(text, "{}\t{}", spec.name, spec.kind.name())
                .expect("writing to memory does not fail");
        }
        RowSchema { name: self.name.to_string(), hash: sha256(&text), columns: specs }
    }

    /// Writes a flow's cells, in the order of [`ForeignTable::row_schema`]; the caller ends the row.
    pub fn write_row(&self, record: &FlowRecord, labelled: bool, sink: &mut dyn CellSink) {
        for column in self.written(labelled) {
            (column.cell)(record, column.index, sink);
        }
    }

    fn written(&self, labelled: bool) -> impl Iterator<Item = &ForeignColumn> {
        let labels = if labelled { self.labels.as_slice() } else { &[] };
        self.columns.iter().chain(labels)
    }

    /// Its columns with their rules, as a Markdown table; neighbours of one rule share a row.
    pub(crate) fn document(&self) -> String {
        let mut text = format!("\n### `{}`: {}\n\n", self.name, self.about);
        text.push_str("| column | kind | rule |\n|---|---|---|\n");
        let all: Vec<&ForeignColumn> = self.written(true).collect();
        let alike = |a: &&ForeignColumn, b: &&ForeignColumn| a.kind == b.kind && a.rule == b.rule;
        for run in all.chunk_by(alike) {
            let numbered =
                run.len() > 3 && run.iter().zip(0..).all(|(column, at)| column.index == at);
            let names: Vec<String> = match run {
                [first, .., last] if numbered => vec![format!("{} … {}", first.name, last.name)],
                _ => run.iter().map(|column| column.name.clone()).collect(),
            };
            writeln!(
                text,
                "| `{}` | {} | {} |",
                names.join("`, `"),
                run[0].kind.name(),
                run[0].rule
            )
            .expect("writing to memory does not fail");
        }
        text
    }
}

/// A number, or nothing.
fn integer(sink: &mut dyn CellSink, value: Option<u64>) {
    match value {
        Some(value) => sink.integer(i64::try_from(value).unwrap_or(i64::MAX)),
        None => sink.missing(),
    }
}

/// A number, or nothing.
fn double(sink: &mut dyn CellSink, value: Option<f64>) {
    match value {
        Some(value) => sink.double(value),
        None => sink.missing(),
    }
}

fn text(sink: &mut dyn CellSink, value: Option<&str>) {
    match value {
        Some(value) => sink.text(value),
        None => sink.missing(),
    }
}

/// An extreme of some values, where there are any.
fn extreme(moments: &Moments, value: u64) -> Option<u64> {
    (moments.count > 0).then_some(value)
}

/// From first to last packet, in microseconds.
fn duration_micros(record: &FlowRecord) -> u64 {
    u64::try_from(record.end.micros().saturating_sub(record.start.micros())).unwrap_or(0)
}

/// So many per second of the flow; nothing in a flow without duration.
fn per_second(record: &FlowRecord, count: u64) -> Option<f64> {
    let micros = duration_micros(record);
    (micros > 0).then(|| count as f64 * 1e6 / micros as f64)
}

fn application(record: &FlowRecord, _: usize, sink: &mut dyn CellSink) {
    text(sink, record.label.as_ref().map(|label| &*label.application));
}

fn category(record: &FlowRecord, _: usize, sink: &mut dyn CellSink) {
    text(sink, record.label.as_ref().and_then(|label| label.category.as_deref()));
}
