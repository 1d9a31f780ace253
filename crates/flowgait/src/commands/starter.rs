//! The model that ships with the binary, so that a capture gets an answer before anybody has learnt anything.
//!
//! `cargo xtask starter` makes it; `docs/STARTER.md` is its card.

use flowgait_model::artifact::Model;

use super::learning;
use crate::failure::Failure;
use crate::output;

const BYTES: &[u8] = include_bytes!("../starter.fgm");
/// It answers only where it is at least so sure; it knows few kinds, and most networks carry others too.
pub const LEAST_CONFIDENCE: f32 = 0.8;

/// The model.
pub fn model() -> Result<Model, Failure> {
    Ok(Model::from_bytes(BYTES)?)
}

/// For a service, which answers with it where no model is named.
pub fn for_service() -> Result<flowgait_serve::models::Starter, Failure> {
    Ok(flowgait_serve::models::Starter { model: model()?, bytes: BYTES, reject: LEAST_CONFIDENCE })
}

/// Says what it is and what would be better; `limited` where a person says when it is to answer 'unknown'.
pub fn introduce(model: &Model, limited: bool) {
    let classes: Vec<&str> = model.classes().iter().map(String::as_str).collect();
    let otherwise = if limited { ", which is not asked of it here" } else { "" };
    output::note(&format!(
        "no --model: the starter model answers. It knows {}. Saying 'unknown' below a confidence of {LEAST_CONFIDENCE}{otherwise}, it \
         answered 49 % of the flows of captures that it had not seen, 63 % of them rightly (docs/STARTER.md)",
        learning::shortened(&classes)
    ));
    output::note(
        "labels of your own network do better: flowgait meter YOURS.pcap -o flows.csv --label-by sni; flowgait fit flows.csv --label category -o mine.fgm",
    );
}

/// Why a table is not for it, with what is to be done instead.
pub fn no_table_for_it(failure: Failure) -> Failure {
    if !failure.is_of_missing_columns() {
        return failure;
    }
    failure.help(
        "The starter model answers captures, and tables that flowgait meter writes from them with its own columns. Give it the capture \
         itself, meter it without --schema, or, for tables of this kind, fit a model of your own (flowgait fit) and name it by --model.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_small_and_says_where_it_is_from() {
        assert!(BYTES.len() <= 5_000_000, "{} octets", BYTES.len());
        let model = model().unwrap();
        assert_eq!(model.classes(), ["Network", "VoIP", "Web"]);
        assert_eq!(model.schema().hash(), flowgait_features::schema::flow_schema().hash());
        assert!(model.card().notes.join(" ").contains("nDPI"));
        assert!(model.card().kept_columns.is_empty());
    }
}
