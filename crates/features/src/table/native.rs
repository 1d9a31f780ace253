//! A flow record as the cells of our flow table, and how our flow table is known again.

use flowgait_flow::export::CellSink;
use flowgait_flow::record::FlowRecord;

use crate::extract::float;
use crate::schema::{Column, Role, SEQUENCE_LENGTH, Value, flow_columns};

/// Writes a flow's cells, in the order of [`flow_columns`]; the caller ends the row.
pub fn write_row(record: &FlowRecord, sink: &mut dyn CellSink) {
    let mut list = Vec::with_capacity(SEQUENCE_LENGTH);
    for column in flow_columns() {
        write_cell(column, record, &mut list, sink);
    }
}

fn write_cell(column: &Column, record: &FlowRecord, list: &mut Vec<i64>, sink: &mut dyn CellSink) {
    match column.value {
        Value::Cell(write) => write(record, sink),
        Value::Integer(value) => match value(&column.view(record)) {
            Some(value) => sink.integer(i64::try_from(value).unwrap_or(i64::MAX)),
            None => sink.missing(),
        },
        Value::Float(value) => match value(&column.view(record)) {
            Some(value) => sink.float(float(value)),
            None => sink.missing(),
        },
        Value::List(value) => {
            list.clear();
            value(record, list);
            sink.integers(list);
        }
    }
}

/// Whether a header has every feature column of our flow table; identity columns may have been left out.
pub(crate) fn recognise(has: impl Fn(&str) -> bool) -> bool {
    flow_columns()
        .iter()
        .filter(|column| column.role == Role::Feature)
        .all(|column| has(&column.name))
}

/// The flow table's column of this name.
pub(crate) fn column(name: &str) -> Option<&'static Column> {
    flow_columns().iter().find(|column| column.name == name)
}
