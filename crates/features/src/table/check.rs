//! What a person named must be there, and what a table states must be true; else it is told before the first row is read.

use super::source::Source;
use super::{ReadParams, native, spelling};
use crate::Error;
use crate::schema;

/// A table that says which schema wrote it must say ours.
pub(super) fn stated(source: &Source) -> Result<(), Error> {
    let Some((name, hash)) = &source.stated else { return Ok(()) };
    let ours = schema::flow_row_schema();
    if (name, hash) == (&ours.name, &ours.hash) {
        return Ok(());
    }
    Err(Error::OtherSchema {
        path: source.path().to_path_buf(),
        found: format!("{name} ({hash})"),
        known: format!("{} ({})", ours.name, ours.hash),
    })
}

/// Every column that a person named must be there.
pub(super) fn named(source: &Source, params: &ReadParams, native: bool) -> Result<(), Error> {
    let has = |name: &str| source.header().iter().any(|column| column == name);
    let own = params.label.as_ref().filter(|_| params.labels.is_none());
    if let Some(label) = own.filter(|label| !has(label)) {
        return Err(no_label(source, label));
    }
    let named = [(&params.groups, TO_GROUP_BY), (&params.keep, "to keep"), (&params.drop, TO_DROP)];
    let time = params.time.iter().map(|name| (name, TO_TIME));
    let named =
        named.iter().flat_map(|(names, asked)| names.iter().map(move |name| (name, *asked)));
    for (name, asked) in named.chain(time) {
        // Whose flows are ours may have left identity out when they were written; dropping it then is no mistake.
        let ours = native && native::column(name).is_some() && asked == TO_DROP;
        if !has(name) && !ours {
            return Err(no_column(source, name, asked));
        }
    }
    Ok(())
}

pub(super) const TO_GROUP_BY: &str = "to group by";
pub(super) const TO_TIME: &str = "to take times from";
const TO_DROP: &str = "to drop";

/// The label is not there.
pub(super) fn no_label(source: &Source, label: &str) -> Error {
    unread(source, label).unwrap_or_else(|| Error::NoLabel {
        path: source.path().to_path_buf(),
        column: label.to_string(),
        hint: label_hint(source.header(), label),
    })
}

/// A column is not there that was named for some purpose.
pub(super) fn no_column(source: &Source, name: &str, asked: &'static str) -> Error {
    let header = source.header();
    unread(source, name).unwrap_or_else(|| Error::NoColumn {
        path: source.path().to_path_buf(),
        column: name.to_string(),
        asked,
        found: match alike(header, name) {
            Some(column) => format!("did you mean '{column}'?"),
            None => format!("its columns are {}", shown(header)),
        },
    })
}

/// Columns of a model are not there.
pub(super) fn missing_columns(source: &Source, missing: &[&str], needed: usize) -> Error {
    let header = source.header();
    let told = |name: &&str| {
        let bare = spelling::bare(name);
        let same = |column: &&String| !bare.is_empty() && spelling::bare(column) == bare;
        match header.iter().find(same) {
            Some(column) => format!("{name} (did you mean '{column}'?)"),
            None => (*name).to_string(),
        }
    };
    super::missing_columns(source.path(), missing, needed, told)
}

/// A column that is there and cannot be read.
fn unread(source: &Source, name: &str) -> Option<Error> {
    let (column, kind) = source.unread().iter().find(|(column, _)| column == name)?;
    let path = source.path().to_path_buf();
    Some(Error::UnreadColumn { path, column: column.clone(), kind: kind.clone() })
}

fn label_hint(header: &[String], asked: &str) -> String {
    if let Some(column) = alike(header, asked) {
        return format!("did you mean '{column}'?");
    }
    let like: Vec<&str> =
        header.iter().map(String::as_str).filter(|name| spelling::is_label(name)).collect();
    match like.as_slice() {
        [] => format!("none looks like a label; its columns are {}", shown(header)),
        names => format!("these look like one: {}", names.join(", ")),
    }
}

/// The first columns and the last.
fn shown(header: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut text = header.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(last) = header.last().filter(|_| header.len() > SHOWN) {
        text.push_str(&format!(", … ({} in all), {last}", header.len()));
    }
    text
}

/// The column that is spelt most like what was asked for, when it is much alike.
fn alike<'a>(header: &'a [String], asked: &str) -> Option<&'a str> {
    /// Above this clap offers a flag, too.
    const ALIKE_MIN: f64 = 0.8;
    let asked = asked.to_lowercase();
    let score = |name: &String| strsim::jaro_winkler(&name.to_lowercase(), &asked);
    let best = header.iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(best) > ALIKE_MIN).then_some(best)
}
