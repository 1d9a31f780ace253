//! Answers while a flow goes on: what its first packets tell a model of whole flows.

use flowgait_features::Dataset;
use flowgait_features::extract::Early;
use flowgait_model::Model;
use flowgait_model::recipe::Recipe;

use crate::failure::Failure;
use crate::output;

/// Refuses a model that cannot be asked early, and warns of one that never learnt to answer so.
pub fn check(model: &Model) -> Result<(), Failure> {
    Early::of(model.schema())?;
    let recipe: Option<Recipe> = serde_json::from_value(model.card().parameters.clone()).ok();
    if !recipe.is_some_and(|recipe| recipe.early) {
        output::warn(
            "the model learnt from whole flows only and answers badly after a few packets; fit it with --early",
        );
    }
    Ok(())
}

/// Leaves of each row what is known after its first packets.
pub fn cut(model: &Model, dataset: &mut Dataset, packets: usize) -> Result<(), Failure> {
    model.check_schema(&dataset.schema)?;
    let rows: Vec<u32> = (0..dataset.rows as u32).collect();
    dataset.columns = Early::of(&dataset.schema)?.after(&dataset.columns, &rows, packets);
    Ok(())
}

/// What a report says of it.
pub fn note(packets: usize) -> String {
    format!("Judged on what is known after {packets} packets.")
}
