//! Fit and predict on made rows: ours and scikit-learn's random forest.

use super::Arguments;
use crate::error::Error;

pub fn run(_arguments: &Arguments) -> Result<(), Error> {
    Err(Error::Peer("xtask/peers/forest.py is missing".into()))
}
