//! What to tell a person whose table is not of a model's schema.

use flowgait_features::{Feature, Schema};

/// Names what differs between the schema of a model and that of a table.
pub(super) fn differences(model: &Schema, table: &Schema) -> String {
    const NAMED: usize = 8;
    let lacking = |of: &Schema, from: &Schema| -> Vec<String> {
        let has = |feature: &Feature| from.features.contains(feature);
        of.features.iter().filter(|f| !has(f)).map(|f| f.name.clone()).collect()
    };
    let list = |what: &str, mut names: Vec<String>| {
        let count = names.len();
        names.truncate(NAMED);
        let more =
            if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
        (count > 0).then(|| format!("{what} {}{more}", names.join(", ")))
    };
    let missing = lacking(model, table);
    let extra = lacking(table, model);
    // Same name on both sides: the unit is what differs.
    let (units, missing): (Vec<_>, Vec<_>) =
        missing.into_iter().partition(|name| extra.contains(name));
    let extra = extra.into_iter().filter(|name| !units.contains(name)).collect();
    let lists =
        [list("missing", missing), list("not expected", extra), list("in another unit", units)];
    let named: Vec<String> = lists.into_iter().flatten().collect();
    if !named.is_empty() {
        return named.join("; ");
    }
    if model.features == table.features {
        return format!("it is {}", table.name);
    }
    "the columns are in another order".into()
}
