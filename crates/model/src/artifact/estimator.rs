//! Which section an estimator has.

use super::wire::{Reader, Writer};
use super::{boost, forest, linear, net, stack, trees};
use crate::error::Error;
use crate::estimator::Estimator;

const FOREST: &[u8; 4] = b"FRST";
const SIZE_FOREST: &[u8; 4] = b"SZFR";
const BOOST: &[u8; 4] = b"BSTR";
const LINEAR: &[u8; 4] = b"LINR";
const NETWORK: &[u8; 4] = b"NETW";
const STACK: &[u8; 4] = b"STCK";

pub(super) fn write(estimator: &Estimator, writer: &mut Writer) {
    match estimator {
        Estimator::Forest(of) => writer.section(*FOREST, |writer| forest::write(of, writer)),
        Estimator::SizeForest(of) => {
            writer.section(*SIZE_FOREST, |writer| trees::write(of, writer))
        }
        Estimator::Boost(of) => writer.section(*BOOST, |writer| boost::write(of, writer)),
        Estimator::Linear(of) => writer.section(*LINEAR, |writer| linear::write(of, writer)),
        Estimator::Network(of) => writer.section(*NETWORK, |writer| net::write(of, writer)),
        Estimator::Stack(of) => writer.section(*STACK, |writer| stack::write(of, writer)),
    }
}

/// Whether a section of this name holds an estimator.
pub(super) fn is_tag(tag: &[u8; 4]) -> bool {
    [FOREST, SIZE_FOREST, BOOST, LINEAR, NETWORK, STACK].contains(&tag)
}

/// Reads an estimator that a stack may hold: any but another stack.
pub(super) fn read_base(tag: &[u8; 4], content: &mut Reader) -> Result<Estimator, Error> {
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
        STACK => Ok(Estimator::Stack(Box::new(stack::read(content)?))),
        _ => read_base(tag, content),
    }
}
