//! Answers for rows whose label is known, to show how a model does.

use std::path::Path;

use flowgait_flow::export::{CellSink, ColumnSpec, Kind, RowSchema, TableWriter};
use flowgait_model::artifact::Model;

use crate::commands::learning::Labelled;
use crate::failure::Failure;

/// Answers for rows whose label is known, as a table of the label, the prediction and the confidence; gives the share that is right, in percent.
pub fn held_out(model: &Model, labelled: &Labelled, path: &Path) -> Result<f64, Failure> {
    let (dataset, labels) = (&labelled.dataset, labelled.labels());
    let said = model.predict_proba(dataset)?;
    let column = |name: &str, kind| ColumnSpec { name: name.to_owned(), kind };
    let mut columns: Vec<ColumnSpec> =
        dataset.groups.iter().map(|g| column(&g.name, Kind::Text)).collect();
    columns.extend([
        column(&labels.name, Kind::Text),
        column("prediction", Kind::Text),
        column("confidence", Kind::Float),
    ]);
    let mut writer = TableWriter::create(path, RowSchema { columns, ..RowSchema::default() })?;
    let mut right = 0;
    for row in 0..dataset.rows {
        let best = said.best(row) as usize;
        let truth = labels.text(row).unwrap_or_default();
        right += usize::from(truth == model.classes()[best]);
        for group in &dataset.groups {
            writer.text(group.text(row).unwrap_or_default());
        }
        writer.text(truth);
        writer.text(&model.classes()[best]);
        writer.float(said.row(row)[best]);
        writer.end_row()?;
    }
    writer.finish()?;
    Ok(100.0 * right as f64 / dataset.rows.max(1) as f64)
}
