//! Learning without rounds: the server steps whenever enough updates are in, and clients learn at speeds of their own.
//!
//! So many clients learn at any time, each from the parameters that were there when it began. Where an update comes after τ steps of the
//! server it is stale, and counts 1/√(1 + τ). With `buffer` of them in, the server steps:
//!
//! x ← x + η Σ pᵢ Δᵢ / √(1 + τᵢ), where pᵢ is the client's share of the buffer's weight.
//!
//! A round of the record is one such step. Whom the time favours is decided before anybody learns, so the updates of a step are made in
//! parallel and added in the order in which they come.
//!
//! # Reference
//! Nguyen et al., *Federated Learning with Buffered Asynchronous Aggregation*, AISTATS 2022, algorithm 1, with the scaling by staleness of its
//! section 5. There all weigh alike; here by their rows, as in FedAvg, which is the same where all have as many. A client's speed stays as
//! it is, where they draw a duration for each task, so that slow clients are always the same.

mod flights;

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

pub use flights::{Flight, TICKS, Times};

use crate::client::{Memory, Personal, Work, Worker};
use crate::coordinator::{Past, RoundEnd, Task, ValidPlan};
use crate::error::{Error, Refusal};
use crate::learner::Learner;
use crate::run::{Rounds, State};
use crate::simulation::{Asked, Came, Round};
use crate::strategy::{Average, BufferParams};
use crate::update::SummedUpdate;
use flights::Schedule;

/// Clients that learn at once; their contributions are all that is held.
const WAVE: usize = 64;

/// What is kept beside the parameters, to go on with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InFlight {
    /// Who learns, and until when.
    pub times: Times,
    /// The parameters that they began with, by version; those of now are not among them.
    pub versions: BTreeMap<u64, Arc<[f32]>>,
}

/// A federation in this process whose server steps when its buffer is full.
pub struct Buffered<'a> {
    plan: ValidPlan,
    buffer: BufferParams,
    learner: &'a dyn Learner,
    parameters: Vec<f64>,
    /// Steps of the server.
    version: u64,
    schedule: Schedule,
    /// The parameters that somebody began with.
    versions: BTreeMap<u64, Arc<[f32]>>,
}

/// How much a stale update counts: 1/√(1 + τ).
#[must_use]
pub fn weight_of(staleness: u64) -> f64 {
    (1.0 + staleness as f64).sqrt().recip()
}

impl<'a> Buffered<'a> {
    /// A federation before its first step. As many clients learn at any time as the plan's cohort has.
    ///
    /// # Errors
    /// [`Error::Clash`] for a plan of another strategy.
    pub fn new(
        plan: ValidPlan,
        learner: &'a dyn Learner,
        parameters: &[f32],
    ) -> Result<Self, Error> {
        let Some(buffer) = plan.strategy().buffer() else {
            return Err(Error::Clash {
                this: format!("the strategy {}", plan.strategy().name()),
                that: "steps without rounds",
                because: "it combines the updates of one round",
            });
        };
        let clients = plan.clients();
        let concurrency = plan.sampling().expected(clients) as usize;
        let schedule = Schedule::new(clients, concurrency, buffer.spread, plan.seed());
        let versions = BTreeMap::from([(0, parameters.into())]);
        let parameters = parameters.iter().map(|&value| f64::from(value)).collect();
        Ok(Self { plan, buffer, learner, parameters, version: 0, schedule, versions })
    }

    /// The parameters as the server keeps them.
    #[must_use]
    pub fn exact_parameters(&self) -> &[f64] {
        &self.parameters
    }

    /// What a client that began then was given.
    fn task(&self, flight: &Flight) -> Task {
        Task {
            // A client's turns are its own rounds, so that it never draws the same twice.
            round: flight.turn,
            cohort: Vec::new(),
            parameters: Arc::clone(&self.versions[&flight.version]),
            variate: None,
            length: self.parameters.len(),
            clip_norm: self.plan.clip_norm(),
            short_bit: None,
            compression: None,
            weighs_rows: true,
            counting: None,
        }
    }

    fn works(&self, wave: &[Flight]) -> Result<Vec<Work>, Error> {
        let worker = Worker {
            learner: self.learner,
            strategy: &Average { mu: 0.0 },
            personal: &Personal::Nothing,
            seed: self.plan.seed(),
        };
        wave.par_iter()
            .map(|flight| worker.work(&self.task(flight), flight.client, &mut Memory::default()))
            .collect()
    }

    /// Takes in a buffer of updates and steps.
    fn step(&mut self) -> Result<Round, Error> {
        let begun = self.schedule.begun();
        let octets = (self.parameters.len() * size_of::<f32>()) as u64;
        let flights: Vec<Flight> =
            (0..self.buffer.size).map(|_| self.schedule.next(self.version)).collect();
        let mut sum = SummedUpdate::new(self.parameters.len());
        let (mut loss, mut short, mut stale) = (0.0, 0, 0);
        let (mut refused, mut asked) = (Vec::new(), Vec::new());
        for wave in flights.chunks(WAVE) {
            for (flight, work) in wave.iter().zip(self.works(wave)?) {
                let staleness = self.version - flight.version;
                stale += staleness;
                loss += work.learnt.loss;
                short += usize::from(work.is_short);
                let mut noted = Asked { octets, ..Asked::learnt(&work) };
                let contribution = work.contribution;
                let values = &contribution.values;
                if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                    let why = Refusal::NotFinite { at, value: values[at] };
                    refused.push((flight.client, why));
                    noted.came = Came::Refused;
                    asked.push(noted);
                    continue;
                }
                asked.push(noted);
                let weight = contribution.weight * weight_of(staleness);
                let pairs = sum.sum.iter_mut().zip(values);
                pairs.for_each(|(sum, value)| *sum += weight * f64::from(*value));
                // Staleness is no part of the divisor: a buffer of stale updates is a shorter step.
                sum.weight += contribution.weight;
                sum.clients += 1;
            }
        }
        if sum.clients > 0 {
            let mean = sum.mean(0..self.parameters.len());
            let rate = self.buffer.rate;
            self.parameters.iter_mut().zip(mean).for_each(|(x, delta)| *x += rate * delta);
        }
        self.version += 1;
        self.versions.insert(self.version, narrowed(&self.parameters));
        let (flying, version) = (&self.schedule.times.flights, self.version);
        let begun_at: Vec<u64> = flying.iter().map(|flight| flight.version).collect();
        self.versions.retain(|at, _| *at == version || begun_at.contains(at));
        // A fast client may be in one step more than once.
        asked.sort_by_key(|asked| asked.client);
        let learnt = flights.len() as f64;
        let clip_norm = self.plan.clip_norm().map(flowgait_privacy::ClipNorm::get);
        let end = RoundEnd {
            round: self.version,
            cohort: self.plan.sampling().expected(self.plan.clients()) as usize,
            survivors: sum.clients,
            is_done: sum.clients > 0,
            clip_norm,
            noise_multiplier: None,
            epsilon: None,
        };
        Ok(Round {
            end,
            loss: Some(loss / learnt),
            short: clip_norm.map(|_| short as f64 / learnt),
            refused,
            asked,
            octets_down: (self.schedule.begun() - begun) * octets,
            octets_up: flights.len() as u64 * octets,
            staleness: Some(stale as f64 / learnt),
            time: Some(self.schedule.times.now as f64 / TICKS as f64),
        })
    }
}

fn narrowed(parameters: &[f64]) -> Arc<[f32]> {
    parameters.iter().map(|&value| value as f32).collect()
}

impl Rounds for Buffered<'_> {
    fn round(&mut self) -> Result<Round, Error> {
        self.step()
    }

    fn rounds(&self) -> u64 {
        self.version
    }

    fn plan(&self) -> &ValidPlan {
        &self.plan
    }

    fn parameters(&self) -> Arc<[f32]> {
        Arc::clone(&self.versions[&self.version])
    }

    fn memories(&self) -> &[Memory] {
        &[]
    }

    fn state(&self) -> State {
        let mut versions = self.versions.clone();
        versions.remove(&self.version);
        let in_flight = InFlight { times: self.schedule.times.clone(), versions };
        State {
            round: self.version,
            parameters: self.parameters.clone(),
            in_flight: Some(in_flight),
            ..State::default()
        }
    }

    fn resume(&mut self, _past: &[Past], state: State) -> Result<(), Error> {
        let wrong = |why: &str| Err(Error::State { why: why.to_owned() });
        let Some(InFlight { times, mut versions }) = state.in_flight else {
            return wrong("it does not tell who learns");
        };
        let (length, clients) = (self.parameters.len(), self.plan.clients());
        if state.parameters.len() != length || versions.values().any(|of| of.len() != length) {
            return wrong("the model has another number of parameters");
        }
        versions.insert(state.round, narrowed(&state.parameters));
        let is_known = |flight: &Flight| {
            (flight.client as usize) < clients
                && flight.version <= state.round
                && versions.contains_key(&flight.version)
        };
        let learning: std::collections::BTreeSet<u32> =
            times.flights.iter().map(|flight| flight.client).collect();
        let most = self.plan.sampling().expected(clients) as usize;
        if times.turns.len() != clients
            || times.flights.len() > most
            || learning.len() != times.flights.len()
            || !times.flights.iter().all(is_known)
        {
            return wrong("who learns, and from which parameters, is of another federation");
        }
        self.parameters = state.parameters;
        self.version = state.round;
        self.versions = versions;
        self.schedule.times = times;
        Ok(())
    }
}
