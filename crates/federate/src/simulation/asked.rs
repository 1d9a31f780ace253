//! What came of a client that a round asked. A simulation knows it of all; under masks no server does.

use serde::{Deserialize, Serialize};

use super::Fate;
use crate::client::Work;

/// What came of a client that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Came {
    /// It gave what could be used, if the round was done.
    Answered,
    /// What it gave could not be used.
    Refused,
    /// What it gave came too late.
    Late,
    /// It never answered.
    Lost,
    /// It never came.
    Absent,
}

/// A client that was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Which.
    pub client: u32,
    /// What came of it.
    pub came: Came,
    /// The mean loss over its steps, each before its step.
    pub loss: Option<f64>,
    /// How long its update was before it was clipped (L2); a liar's as it lied. None where it has no length.
    pub norm: Option<f64>,
    /// Octets of its update; what a masked round sends beside it counts for all clients together only.
    pub octets: u64,
}

impl Asked {
    /// A client that learnt, and whose answer is on its way.
    pub(crate) fn learnt(work: &Work) -> Self {
        Self {
            client: work.contribution.client,
            came: Came::Answered,
            loss: Some(work.learnt.loss),
            norm: work.norm,
            octets: 0,
        }
    }

    /// A client of which nothing was heard.
    pub(super) fn missed(client: u32, fate: Fate) -> Self {
        let came = if fate == Fate::Absent { Came::Absent } else { Came::Lost };
        Self { client, came, loss: None, norm: None, octets: 0 }
    }
}
