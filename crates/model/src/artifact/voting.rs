//! A vote in a model file.
//!
//! | octets | what |
//! | --- | --- |
//! | 4 | number of members; each as a section of its own |

use super::estimator;
use super::wire::{Reader, Writer};
use crate::error::Error;
use crate::voting::Voting;

pub(super) fn write(voting: &Voting, writer: &mut Writer) {
    estimator::write_members(&voting.members, writer);
}

pub(super) fn read(reader: &mut Reader) -> Result<Voting, Error> {
    let members = estimator::read_members(reader)?;
    Voting::of(members).map_err(|error| {
        reader.refuse(&format!("the parts of a vote do not fit together: {error}"))
    })
}
