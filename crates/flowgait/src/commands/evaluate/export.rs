//! Columns, labels, folds and answers as a table, so that another tool can be held against this one.

use std::path::Path;

use flowgait_flow::export::{CellSink, ColumnSpec, Kind, RowSchema, TableWriter};
use flowgait_model::validation::Repeat;

use crate::commands::judging::{Judged, trials};
use crate::commands::learning::Labelled;
use crate::failure::Failure;

/// Writes the columns, the label, and for each repeat the fold in which a row is judged (`fold_SEED`) and what was answered there
/// (`ours_SEED`). The fits are made once more for it, with the same seeds and so the same answers.
pub fn export(
    path: &Path,
    labelled: &Labelled,
    judged: &Judged,
    repeats: &[Repeat],
) -> Result<(), Failure> {
    let (dataset, labels) = (&labelled.dataset, labelled.labels());
    let columns = &dataset.columns;
    let recipes = &judged.recipes;
    let mut judged = vec![vec![None; dataset.rows]; repeats.len()];
    let place =
        |seed| repeats.iter().position(|r| r.seed == seed).expect("trials have the repeats' seeds");
    trials(columns, labels, repeats, |training, trial| {
        let recipe = recipes[&(trial.seed, trial.fold)];
        let said = recipe
            .fit(&dataset.schema, training, trial.seed, &|| {})?
            .predict_proba(columns, trial.test)?;
        let judged = &mut judged[place(trial.seed)];
        for (at, &row) in trial.test.iter().enumerate() {
            judged[row as usize] = Some((trial.fold as i64, said.best(at)));
        }
        Ok(said)
    })?;
    let column = |name: String, kind| ColumnSpec { name, kind };
    let mut specs: Vec<ColumnSpec> =
        dataset.schema.features.iter().map(|f| column(f.name.clone(), Kind::Float)).collect();
    specs.push(column("label".to_owned(), Kind::Text));
    for repeat in repeats {
        specs.push(column(format!("fold_{}", repeat.seed), Kind::Integer));
        specs.push(column(format!("ours_{}", repeat.seed), Kind::Text));
    }
    let mut writer =
        TableWriter::create(path, RowSchema { columns: specs, ..RowSchema::default() })?;
    for row in 0..dataset.rows {
        for values in columns {
            writer.float(values[row]);
        }
        writer.text(labels.text(row).unwrap_or_default());
        for judged in &judged {
            match judged[row] {
                Some((fold, answer)) => {
                    writer.integer(fold);
                    writer.text(&labels.values[answer as usize]);
                }
                None => {
                    writer.missing();
                    writer.missing();
                }
            }
        }
        writer.end_row()?;
    }
    writer.finish()?;
    Ok(())
}
