//! Which section an estimator has.

use super::wire::{Reader, Writer};
use super::{boost, forest, linear, net, stack, trees, voting};
use crate::error::Error;
use crate::estimator::Estimator;

const FOREST: &[u8; 4] = b"FRST";
const SIZE_FOREST: &[u8; 4] = b"SZFR";
const BOOST: &[u8; 4] = b"BSTR";
const LINEAR: &[u8; 4] = b"LINR";
const NETWORK: &[u8; 4] = b"NETW";
const VOTING: &[u8; 4] = b"VOTE";
const STACK: &[u8; 4] = b"STCK";
/// Most estimators of a stack or a vote.
const MEMBERS_MAX: usize = 16;

pub(super) fn write(estimator: &Estimator, writer: &mut Writer) {
    match estimator {
        Estimator::Forest(of) => writer.section(*FOREST, |writer| forest::write(of, writer)),
        Estimator::SizeForest(of) => {
            writer.section(*SIZE_FOREST, |writer| trees::write(of, writer))
        }
        Estimator::Boost(of) => writer.section(*BOOST, |writer| boost::write(of, writer)),
        Estimator::Linear(of) => writer.section(*LINEAR, |writer| linear::write(of, writer)),
        Estimator::Network(of) => writer.section(*NETWORK, |writer| net::write(of, writer)),
        Estimator::Voting(of) => writer.section(*VOTING, |writer| voting::write(of, writer)),
        Estimator::Stack(of) => writer.section(*STACK, |writer| stack::write(of, writer)),
    }
}

/// Whether a section of this name holds an estimator.
pub(super) fn is_tag(tag: &[u8; 4]) -> bool {
    [FOREST, SIZE_FOREST, BOOST, LINEAR, NETWORK, VOTING, STACK].contains(&tag)
}

/// Writes the estimators that a stack or a vote holds: how many, and each as a section of its own.
pub(super) fn write_members(members: &[Estimator], writer: &mut Writer) {
    writer.count(members.len());
    members.iter().for_each(|member| write(member, writer));
}

/// Reads the estimators that a stack or a vote holds.
pub(super) fn read_members(reader: &mut Reader) -> Result<Vec<Estimator>, Error> {
    let count = reader.count(12)?;
    if !(1..=MEMBERS_MAX).contains(&count) {
        return Err(reader.refuse(&format!("{count} estimators, where 1 to {MEMBERS_MAX} may be")));
    }
    let mut members = Vec::with_capacity(count);
    for _ in 0..count {
        let tag: [u8; 4] = reader.array()?;
        let length = reader.u64()?;
        let mut content = reader.part(length)?;
        members.push(read_member(&tag, &mut content)?);
        content.finish()?;
    }
    Ok(members)
}

/// Reads an estimator that holds no others.
fn read_member(tag: &[u8; 4], content: &mut Reader) -> Result<Estimator, Error> {
    match tag {
        FOREST => Ok(Estimator::Forest(forest::read(content)?)),
        SIZE_FOREST => Ok(Estimator::SizeForest(Box::new(trees::read(content)?))),
        BOOST => Ok(Estimator::Boost(Box::new(boost::read(content)?))),
        LINEAR => Ok(Estimator::Linear(Box::new(linear::read(content)?))),
        NETWORK => Ok(Estimator::Network(Box::new(net::read(content)?))),
        _ => Err(content.refuse("it holds no estimator that is known")),
    }
}

pub(super) fn read(tag: &[u8; 4], content: &mut Reader) -> Result<Estimator, Error> {
    match tag {
        VOTING => Ok(Estimator::Voting(Box::new(voting::read(content)?))),
        STACK => Ok(Estimator::Stack(Box::new(stack::read(content)?))),
        _ => read_member(tag, content),
    }
}
