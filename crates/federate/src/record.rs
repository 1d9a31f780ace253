//! What is written down of each round, one line of JSON a round: `metrics.jsonl`.

use serde::{Deserialize, Serialize};

use crate::measure::Measured;
use crate::simulation::{Asked, Came, Round};

/// A round's line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which round, from 1.
    pub round: u64,
    /// Whether the model moved.
    pub is_done: bool,
    /// Clients that were asked.
    pub cohort: usize,
    /// Clients whose contribution was used.
    pub survivors: usize,
    /// Accuracy of the common model on the rows held out.
    pub accuracy: Option<f64>,
    /// Macro-F1 there.
    pub f1_macro: Option<f64>,
    /// Log loss there.
    pub log_loss: Option<f64>,
    /// Mean loss while clients learnt, each before its step.
    pub loss: Option<f64>,
    /// Accuracy of the common model on each client's own rows.
    pub clients: Vec<Option<f64>>,
    /// Accuracy of each client's own model there, where there are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own: Option<Vec<Option<f64>>>,
    /// Share of the stamped rows that are answered as the attackers want, where they try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backdoor: Option<f64>,
    /// Share of the updates that needed no clipping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short: Option<f64>,
    /// The clip norm of the round, where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub clip_norm: Option<f64>,
    /// Epsilon spent so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// Steps of the server since a client began, on average, where the server does not wait for all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub staleness: Option<f64>,
    /// The simulated time there; 1 is what a client of middling speed takes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time: Option<f64>,
    /// Octets to clients.
    pub octets_down: u64,
    /// Octets from clients.
    pub octets_up: u64,
    /// Contributions that could not be used, and why.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refused: Vec<(u32, String)>,
    /// What came of each client that was asked, where they are no more than [`ASKED_MAX`]. A simulation tells it under masks too, where no
    /// server would know.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asked: Option<AskedColumns>,
    /// `[client][class]`: recall of the common model on the client's own rows, in whole percent, where that is not too much to tell.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub recalls: Vec<Vec<Option<u8>>>,
}

/// Most clients of a cohort that are told one by one.
pub const ASKED_MAX: usize = 1_000;

/// Clients that were asked, a column for each thing about them. Loss and length have four digits.
///
/// # Shapes
/// All columns are as long; a client is in them more than once where it answered more than once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AskedColumns {
    /// Which client, ascending.
    pub client: Vec<u32>,
    /// What came of it.
    pub came: Vec<Came>,
    /// Its mean loss while it learnt.
    pub loss: Vec<Option<f64>>,
    /// How long its update was before it was clipped.
    pub norm: Vec<Option<f64>>,
    /// Octets of its update.
    pub octets: Vec<u64>,
}

impl AskedColumns {
    fn of(asked: &[Asked]) -> Option<Self> {
        (asked.len() <= ASKED_MAX).then(|| Self {
            client: asked.iter().map(|asked| asked.client).collect(),
            came: asked.iter().map(|asked| asked.came).collect(),
            loss: asked.iter().map(|asked| asked.loss.and_then(four_digits)).collect(),
            norm: asked.iter().map(|asked| asked.norm.and_then(four_digits)).collect(),
            octets: asked.iter().map(|asked| asked.octets).collect(),
        })
    }
}

/// The nearest number of four digits; nothing for what is no number.
fn four_digits(value: f64) -> Option<f64> {
    let value = value.is_finite().then(|| format!("{value:.3e}"))?;
    Some(value.parse().expect("invariant: a number was written"))
}

fn percent(recalls: Vec<Vec<Option<f64>>>) -> Vec<Vec<Option<u8>>> {
    let of_client = |of: Vec<Option<f64>>| {
        of.into_iter().map(|share| share.map(|share| (share * 100.0).round() as u8)).collect()
    };
    recalls.into_iter().map(of_client).collect()
}

impl Record {
    /// The line of a federation that has one result and no rounds of contributions: a forest, after so many sums.
    #[must_use]
    pub fn alone(rounds: u64, clients: usize, measured: Measured) -> Self {
        Self {
            round: rounds,
            is_done: true,
            cohort: clients,
            survivors: clients,
            accuracy: measured.scores.map(|scores| scores.accuracy),
            f1_macro: measured.scores.map(|scores| scores.f1_macro),
            log_loss: measured.scores.map(|scores| scores.log_loss),
            loss: None,
            clients: measured.clients,
            own: None,
            backdoor: None,
            short: None,
            clip_norm: None,
            epsilon: None,
            staleness: None,
            time: None,
            octets_down: 0,
            octets_up: 0,
            refused: Vec::new(),
            asked: None,
            recalls: percent(measured.recalls),
        }
    }

    /// The line of a round that was measured.
    #[must_use]
    pub fn of(round: &Round, measured: Measured, own: Option<Vec<Option<f64>>>) -> Self {
        let end = &round.end;
        Self {
            round: end.round,
            is_done: end.is_done,
            cohort: end.cohort,
            survivors: end.survivors,
            accuracy: measured.scores.map(|scores| scores.accuracy),
            f1_macro: measured.scores.map(|scores| scores.f1_macro),
            log_loss: measured.scores.map(|scores| scores.log_loss),
            loss: round.loss,
            clients: measured.clients,
            own,
            backdoor: None,
            short: round.short,
            clip_norm: end.clip_norm,
            epsilon: end.epsilon,
            staleness: round.staleness,
            time: round.time,
            octets_down: round.octets_down,
            octets_up: round.octets_up,
            refused: round.refused.iter().map(|(client, why)| (*client, why.to_string())).collect(),
            asked: AskedColumns::of(&round.asked),
            recalls: percent(measured.recalls),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_and_read_back_as_they_were() {
        let digits =
            [0.123_456_789, 98_765.432_1, 1e-9, 0.0].map(|value| four_digits(value).unwrap());
        assert_eq!(digits, [0.1235, 98_770.0, 1e-9, 0.0]);
        assert_eq!(four_digits(f64::NAN), None);
        let one =
            Asked { client: 7, came: Came::Late, loss: None, norm: Some(1.0 / 3.0), octets: 9 };
        let columns = AskedColumns::of(std::slice::from_ref(&one)).unwrap();
        let line = serde_json::to_string(&columns).unwrap();
        let expected =
            r#"{"client":[7],"came":["late"],"loss":[null],"norm":[0.3333],"octets":[9]}"#;
        assert_eq!(line, expected);
        assert_eq!(serde_json::from_str::<AskedColumns>(&line).unwrap(), columns);
        assert_eq!(AskedColumns::of(&vec![one; ASKED_MAX + 1]), None);
    }
}
