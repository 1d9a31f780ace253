//! Accuracy on the same columns and folds: ours and scikit-learn's random forest.

use super::Arguments;
use crate::error::Error;

pub fn run(_arguments: &Arguments) -> Result<(), Error> {
    Err(Error::Peer("xtask/peers/folds.py is missing".into()))
}
