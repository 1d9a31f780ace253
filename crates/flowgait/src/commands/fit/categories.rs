//! The category of each label, from a column beside it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use flowgait_features::Codes;
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
    let mut counts = vec![BTreeMap::<u32, u64>::new(); labels.values.len()];
    for (&class, &category) in labels.codes.iter().zip(&column.codes) {
        if category != Codes::MISSING {
            *counts[class as usize].entry(category).or_default() += 1;
        }
    }
    let (mut names, mut of_class, mut several) = (Vec::<String>::new(), Vec::new(), Vec::new());
    for (label, counts) in labels.values.iter().zip(&counts) {
        // The first among equals, so that it does not depend on anything else.
        let most = counts.iter().max_by_key(|&(category, count)| (*count, Reverse(*category)));
        let Some((&category, _)) = most else {
            return Err(Failure::work(format!(
                "No row of '{label}' has a value in column '{}'",
                column.name
            )));
        };
        if counts.len() > 1 {
            several.push(label.as_str());
        }
        // Only what some label belongs to is a category: there are no more of them than labels.
        let name = &column.values[category as usize];
        let place = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.clone());
            names.len() - 1
        });
        of_class.push(place as u16);
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
        "by {} alone: accuracy {:.3} over the same trials",
        column.name,
        right as f64 / sums.rows().max(1) as f64
    ));
    Ok(categories)
}
