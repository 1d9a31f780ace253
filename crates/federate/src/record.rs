//! What is written down of each round, one line of JSON a round: `metrics.jsonl`.

use serde::{Deserialize, Serialize};

use crate::measure::Measured;
use crate::simulation::Round;

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
        }
    }
}
