//! The category of each label, from a column beside it.

use flowgait_model::Categories;

use crate::commands::judging::Choice;
use crate::commands::learning::{self, Labelled};
use crate::failure::Failure;
use crate::output;

/// Each label's category is that of most of its rows; says how good the category alone is.
pub fn of(labelled: &Labelled, column: &str, choice: &Choice) -> Result<Categories, Failure> {
    let labels = labelled.labels();
    let column = labelled.dataset.groups.iter().find(|group| group.name == column);
    let column = column.expect("the column was asked for as a group");
    let (classes, names) = (labels.values.len(), column.values.clone());
    let mut counts = vec![vec![0_u64; names.len()]; classes];
    for (&class, &category) in labels.codes.iter().zip(&column.codes) {
        if let Some(count) = counts[class as usize].get_mut(category as usize) {
            *count += 1;
        }
    }
    let mut of_class = Vec::with_capacity(classes);
    let mut several = Vec::new();
    for (class, counts) in counts.iter().enumerate() {
        // The first among equals, so that it does not depend on anything else.
        let most = counts.iter().max().copied().unwrap_or(0);
        let Some(category) = counts.iter().position(|&count| count == most && count > 0) else {
            return Err(Failure::work(format!(
                "No row of '{}' has a value in column '{}'",
                labels.values[class], column.name
            )));
        };
        if counts.iter().filter(|count| **count > 0).count() > 1 {
            several.push(labels.values[class].as_str());
        }
        of_class.push(category as u16);
    }
    if !several.is_empty() {
        output::warn(&format!(
            "more than one {} in the rows of {}: the most frequent counts",
            column.name,
            learning::shortened(&several)
        ));
    }
    let mut said = choice.judged.probabilities.clone();
    choice.sharpness.apply(&mut said);
    let categories = Categories::of(names, of_class, &said)?;
    let sums = categories.probabilities(&said);
    let truth = choice.judged.truth.iter().map(|&class| categories.of_class()[class as usize]);
    let right =
        truth.enumerate().filter(|(row, truth)| sums.best(*row) == u32::from(*truth)).count();
    output::note(&format!(
        "its {} alone (column {}): accuracy {:.3} over the same trials",
        if categories.names().len() == 1 { "category" } else { "categories" },
        column.name,
        right as f64 / sums.rows().max(1) as f64
    ));
    Ok(categories)
}
