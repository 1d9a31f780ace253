//! Answers while a flow goes on: what its first packets tell a model.

use flowgait_features::extract::Early;
use flowgait_features::schema::SEQUENCE_LENGTH;
use flowgait_model::Model;

use crate::failure::Failure;
use crate::output;
use crate::units;

/// A number of packets that a flow table can tell of.
pub fn packets(text: &str) -> Result<usize, String> {
    let range = 1..=SEQUENCE_LENGTH;
    let packets = text.parse().ok().filter(|packets| range.contains(packets));
    packets.ok_or_else(|| format!("a flow table tells of the first 1 to {SEQUENCE_LENGTH} packets"))
}

/// Refuses a model that cannot be asked early, and warns of one that never learnt to answer so.
pub fn check(model: &Model) -> Result<(), Failure> {
    Early::of(model.schema())?;
    if !model.is_early() {
        output::warn(
            "the model learnt from whole flows only and answers badly after a few packets; fit it with --early",
        );
    }
    Ok(())
}

/// What a report says of it.
pub fn note(packets: usize) -> String {
    format!("Judged on what is known after {}.", units::counted(packets as u64, "packet"))
}
