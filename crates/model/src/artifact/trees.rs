//! A forest with columns that follow from packet sizes, in a model file.
//!
//! | octets | what |
//! | --- | --- |
//! | 1 | 1 when the sizes are of payload, else 0 |
//! | 4 | number of columns of the sizes; each as u32 |
//! | … | the forest, as `artifact/forest.rs` says |

use flowgait_features::layout::Sizes;

use super::forest;
use super::wire::{Reader, Writer};
use crate::error::Error;
use crate::sizes::SizeColumns;
use crate::trees::SizeForest;

pub(super) fn write(trees: &SizeForest, writer: &mut Writer) {
    let Sizes { columns, payload } = &trees.sizes.0;
    writer.u8((*payload).into());
    writer.count(columns.len());
    columns.iter().for_each(|column| writer.count(*column));
    forest::write(&trees.forest, writer);
}

pub(super) fn read(reader: &mut Reader) -> Result<SizeForest, Error> {
    let payload = match reader.u8()? {
        kind @ (0 | 1) => kind == 1,
        _ => return Err(reader.refuse("its sizes are of no known kind")),
    };
    let count = reader.count(4)?;
    let columns: Result<Vec<usize>, Error> =
        (0..count).map(|_| Ok(reader.u32()? as usize)).collect();
    let columns = columns?;
    let forest = forest::read(reader)?;
    let features = forest.features().saturating_sub(SizeColumns::COUNT);
    if columns.is_empty() || columns.iter().any(|&column| column >= features) {
        return Err(reader.refuse("its sizes are columns that it does not have"));
    }
    Ok(SizeForest::new(SizeColumns(Sizes { columns, payload }), forest))
}
