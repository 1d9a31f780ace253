//! All that a run needs to go on where it was: parameters, what the strategy and the clients remember.
//!
//! As a safetensors file, so that other tools read it too: `parameters`, `strategy.N`, `clip_norm` and `client.N.owed` as 64-bit floats, `moved`, `client.N.variate` and
//! `client.N.personal` as 32-bit floats where they are not empty; the round, the number of
//! clients and, where the server does not wait for all, who learns until when in its metadata, as JSON; `version.N` as 32-bit floats then.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use crate::buffered::{InFlight, Times};
use crate::client::Memory;
use crate::error::Error;
use crate::ledger::digest;
use crate::simulation::Simulation;

/// Where the file's metadata tell of [`About`].
const ABOUT: &str = "flowgait";

/// What a file tells beside its numbers.
#[derive(Serialize, Deserialize)]
struct About {
    round: u64,
    clients: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    times: Option<Times>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    line: Option<String>,
}

/// The state between two rounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Rounds that are over.
    pub round: u64,
    /// The parameters, as the coordinator keeps them.
    pub parameters: Vec<f64>,
    /// What the strategy remembers.
    pub strategy: Vec<Vec<f64>>,
    /// What each client remembers.
    pub memories: Vec<Memory>,
    /// The clip norm of the next round, where it follows the updates.
    pub clip_norm: Option<f64>,
    /// Who learns, where the server does not wait for all, and from which parameters but those of now.
    pub in_flight: Option<InFlight>,
    /// How the parameters moved in the last round, where clients may ride on it.
    pub moved: Option<Vec<f32>>,
    /// The hash of the round's line in the ledger, in hex; it is known when both are kept.
    pub line: Option<String>,
}

impl State {
    /// The state of a simulation.
    #[must_use]
    pub fn of(simulation: &Simulation<'_>) -> Self {
        let coordinator = simulation.coordinator();
        Self {
            round: coordinator.round(),
            parameters: coordinator.exact_parameters().to_vec(),
            strategy: coordinator.strategy().memory().into_iter().map(<[f64]>::to_vec).collect(),
            memories: simulation.memories().to_vec(),
            clip_norm: coordinator.followed_clip_norm(),
            in_flight: None,
            moved: simulation.moved().map(<[f32]>::to_vec),
            line: None,
        }
    }

    /// The hash of the parameters as clients get them, as the ledger has it.
    #[must_use]
    pub fn model(&self) -> String {
        let parameters: Vec<f32> = self.parameters.iter().map(|&value| value as f32).collect();
        digest(&parameters)
    }

    /// The state as its file.
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let mut parts: Vec<(String, Dtype, Vec<u8>)> = Vec::new();
        let wide = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
        parts.push(("parameters".to_owned(), Dtype::F64, wide(&self.parameters)));
        for (at, values) in self.strategy.iter().enumerate() {
            parts.push((format!("strategy.{at}"), Dtype::F64, wide(values)));
        }
        if let Some(clip_norm) = self.clip_norm {
            parts.push(("clip_norm".to_owned(), Dtype::F64, wide(&[clip_norm])));
        }
        let narrow = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
        if let Some(moved) = &self.moved {
            parts.push(("moved".to_owned(), Dtype::F32, narrow(moved)));
        }
        for (version, values) in self.in_flight.iter().flat_map(|flying| &flying.versions) {
            parts.push((format!("version.{version}"), Dtype::F32, narrow(values)));
        }
        for (client, memory) in self.memories.iter().enumerate() {
            for (name, values) in [("variate", &memory.variate), ("personal", &memory.personal)] {
                if !values.is_empty() {
                    let name = format!("client.{client}.{name}");
                    parts.push((name, Dtype::F32, narrow(values)));
                }
            }
        }
        for (client, memory) in self.memories.iter().enumerate() {
            if !memory.owed.is_empty() {
                parts.push((format!("client.{client}.owed"), Dtype::F64, wide(&memory.owed)));
            }
        }
        let views = parts.iter().map(|(name, dtype, octets)| {
            let size = if *dtype == Dtype::F64 { 8 } else { 4 };
            let view = TensorView::new(*dtype, vec![octets.len() / size], octets);
            (name, view.expect("invariant: a list is as long as its octets say"))
        });
        // One entry: the order of several would be another in each run.
        let times = self.in_flight.as_ref().map(|flying| flying.times.clone());
        let (clients, line) = (self.memories.len() as u64, self.line.clone());
        let about = About { round: self.round, clients, times, line };
        let about = serde_json::to_string(&about).expect("invariant: plain numbers");
        let about = HashMap::from([(ABOUT.to_owned(), about)]);
        safetensors::serialize(views, Some(about)).expect("invariant: names are distinct")
    }

    /// Reads a state's file.
    ///
    /// # Errors
    /// [`Error::State`] says what does not fit.
    pub fn from_octets(octets: &[u8]) -> Result<Self, Error> {
        let wrong = |why: String| Error::State { why };
        let (_, about) = SafeTensors::read_metadata(octets)
            .map_err(|error| wrong(format!("its file is unreadable: {error}")))?;
        let about = about.metadata().as_ref().and_then(|about| about.get(ABOUT));
        let about = about.and_then(|text| serde_json::from_str(text).ok());
        let About { round, clients, times, line } = about
            .ok_or_else(|| wrong("its file does not tell the round and how many clients".into()))?;
        let file = SafeTensors::deserialize(octets)
            .map_err(|error| wrong(format!("its file is unreadable: {error}")))?;
        let wide = |name: &str| -> Result<Option<Vec<f64>>, Error> {
            let Ok(view) = file.tensor(name) else { return Ok(None) };
            if view.dtype() != Dtype::F64 {
                return Err(wrong(format!("{name} is not of 64-bit floats")));
            }
            let values = view.data().as_chunks().0.iter().map(|octets| f64::from_le_bytes(*octets));
            Ok(Some(values.collect()))
        };
        let narrow = |name: &str| -> Result<Vec<f32>, Error> {
            let Ok(view) = file.tensor(name) else { return Ok(Vec::new()) };
            if view.dtype() != Dtype::F32 {
                return Err(wrong(format!("{name} is not of 32-bit floats")));
            }
            let values = view.data().as_chunks().0.iter().map(|octets| f32::from_le_bytes(*octets));
            Ok(values.collect())
        };
        // Before anything is reserved for them: a hostile file may claim any number.
        if clients > 1 << 24 {
            return Err(wrong(format!("its file claims {clients} clients")));
        }
        let parameters =
            wide("parameters")?.ok_or_else(|| wrong("its file lacks parameters".to_owned()))?;
        let mut strategy = Vec::new();
        while let Some(values) = wide(&format!("strategy.{}", strategy.len()))? {
            strategy.push(values);
        }
        let clip_norm = match wide("clip_norm")?.as_deref() {
            None => None,
            Some(&[clip_norm]) => Some(clip_norm),
            Some(_) => return Err(wrong("clip_norm is not one number".to_owned())),
        };
        let mut in_flight = times.map(|times| InFlight { times, ..InFlight::default() });
        if let Some(InFlight { times, versions }) = &mut in_flight {
            for flight in times.flights.iter().filter(|flight| flight.version != round) {
                let values = narrow(&format!("version.{}", flight.version))?;
                versions.insert(flight.version, values.into());
            }
        }
        let memory = |client: u64| -> Result<Memory, Error> {
            Ok(Memory {
                variate: narrow(&format!("client.{client}.variate"))?,
                personal: narrow(&format!("client.{client}.personal"))?,
                owed: wide(&format!("client.{client}.owed"))?.unwrap_or_default(),
            })
        };
        let memories: Result<Vec<Memory>, Error> = (0..clients).map(memory).collect();
        let moved = Some(narrow("moved")?).filter(|moved| !moved.is_empty());
        let memories = memories?;
        Ok(Self { round, parameters, strategy, memories, clip_norm, in_flight, moved, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffered::Flight;

    #[test]
    fn a_state_comes_back_from_its_file() {
        let flight = |version| Flight { arrives: u64::MAX, client: 1, version, turn: 1 << 60 };
        let times = Times { now: 3, flights: [flight(6), flight(7)].into(), turns: vec![1, 2] };
        let versions = [(6, vec![0.5; 3].into())].into();
        let in_flight = InFlight { times, versions };
        let state = State {
            round: 7,
            parameters: vec![0.1, -2.0, f64::MIN_POSITIVE],
            strategy: vec![vec![1.0; 3], vec![2.0; 3]],
            memories: vec![
                Memory { variate: vec![0.5; 3], ..Memory::default() },
                Memory::default(),
                Memory { personal: vec![-1.5], owed: vec![0.1, -0.0], ..Memory::default() },
            ],
            clip_norm: Some(0.1),
            in_flight: Some(in_flight),
            moved: Some(vec![0.25; 3]),
            line: Some("0f".repeat(32)),
        };
        let octets = state.to_octets();
        assert_eq!(State::from_octets(&octets).unwrap(), state);
        for cut in 0..octets.len() {
            assert!(State::from_octets(&octets[..cut]).is_err(), "{cut}");
        }
    }
}
