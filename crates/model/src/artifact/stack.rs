//! A stack in a model file.
//!
//! | octets | what |
//! | --- | --- |
//! | 4 | number of training rows; the class of each (u32) |
//! | … | the judge: a forest, as `artifact/forest.rs` says |
//! | 4 | number of estimators; each as a section of its own |

use super::wire::{Reader, Writer};
use super::{estimator, forest};
use crate::error::Error;
use crate::estimator::Estimator;
use crate::stack::Stack;

pub(super) fn write(stack: &Stack, writer: &mut Writer) {
    writer.count(stack.codes.len());
    stack.codes.iter().for_each(|code| writer.u32(*code));
    forest::write(&stack.judge, writer);
    estimator::write_members(&stack.bases, writer);
}

pub(super) fn read(reader: &mut Reader) -> Result<Stack, Error> {
    let rows = reader.count(4)?;
    let codes: Vec<u32> =
        reader.arrays::<4>(rows)?.iter().map(|octets| u32::from_le_bytes(*octets)).collect();
    let judge = forest::read(reader)?;
    let bases = estimator::read_members(reader)?;
    let stack = Stack { bases, codes, judge };
    let (classes, features) = (stack.classes(), stack.features());
    let alike = |base: &Estimator| base.classes() == classes && base.features() == features;
    let fits = stack.bases.iter().all(alike)
        && stack.codes.iter().all(|&code| (code as usize) < classes)
        && (stack.judge.classes(), stack.judge.features()) == (2, stack.judge_columns());
    if !fits {
        return Err(reader.refuse("the parts of a stack do not fit together"));
    }
    let rows = |base: &Estimator| match base {
        Estimator::Linear(linear) => linear.rows.rows() == stack.codes.len(),
        _ => true,
    };
    if !stack.bases.iter().all(rows) {
        return Err(reader.refuse("a stack does not know the classes of its rows"));
    }
    Ok(stack)
}
