//! Who learns when: clients at speeds of their own, in simulated time.
//!
//! Time is counted in whole ticks, so that two clients of one speed arrive at one instant on every machine. What arrives at an instant is
//! taken in before anybody begins at it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::chance::normal;
use crate::cohort::draw_of;
use crate::stream::{Purpose, stream};

/// Ticks that a client of middling speed takes.
pub const TICKS: u64 = 1_000_000;

/// A client that learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flight {
    /// When its update comes, in ticks.
    pub arrives: u64,
    /// Which client.
    pub client: u32,
    /// After how many steps of the server its model was.
    pub version: u64,
    /// Which of its tasks this is, from 1.
    pub turn: u64,
}

/// What a schedule needs to go on where it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// The time, in ticks.
    pub now: u64,
    /// Who learns.
    pub flights: BTreeSet<Flight>,
    /// How many tasks each client has begun.
    pub turns: Vec<u64>,
}

/// Clients that begin and arrive.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    pub(super) times: Times,
    /// How long each client takes, in ticks.
    durations: Vec<u64>,
    concurrency: usize,
    seed: u64,
}

impl Schedule {
    /// Nobody has begun yet. Each client takes exp(σ g), where g is standard normal and σ is `spread`, in all of its tasks.
    pub(super) fn new(clients: usize, concurrency: usize, spread: f64, seed: u64) -> Self {
        let duration = |client| {
            let mut rng = stream(seed, Purpose::Speed, 0, client);
            ((spread * normal(&mut rng)).exp() * TICKS as f64).round().max(1.0) as u64
        };
        let times = Times { turns: vec![0; clients], ..Times::default() };
        let durations = (0..clients as u64).map(duration).collect();
        Self { times, durations, concurrency, seed }
    }

    /// The next client to arrive. Where nobody else arrives now, others begin first, at the version of now.
    pub(super) fn next(&mut self, version: u64) -> Flight {
        let is_due = self.times.flights.first().is_some_and(|next| next.arrives <= self.times.now);
        if !is_due {
            self.begin(version);
        }
        let flight = self.times.flights.pop_first();
        let flight = flight.expect("invariant: one client at least learns at any time");
        self.times.now = flight.arrives;
        flight
    }

    /// How many tasks were begun.
    pub(super) fn begun(&self) -> u64 {
        self.times.turns.iter().sum()
    }

    /// Clients that are free begin, drawn by chance, until as many learn as may.
    fn begin(&mut self, version: u64) {
        let wanted = self.concurrency - self.times.flights.len();
        let mut is_free = vec![true; self.durations.len()];
        self.times.flights.iter().for_each(|flight| is_free[flight.client as usize] = false);
        let free = (0..).zip(is_free).filter_map(|(client, is_free)| is_free.then_some(client));
        let mut rng = stream(self.seed, Purpose::Beginners, self.begun(), 0);
        for client in draw_of(free.collect(), wanted, &mut rng) {
            let turn = &mut self.times.turns[client as usize];
            *turn += 1;
            let arrives = self.times.now + self.durations[client as usize];
            self.times.flights.insert(Flight { arrives, client, version, turn: *turn });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_arrives_at_one_instant_is_taken_in_before_anybody_begins() {
        let mut schedule = Schedule::new(3, 3, 0.0, 1);
        for round in 0..4 {
            let flights: Vec<Flight> = (0..3).map(|_| schedule.next(round)).collect();
            for (client, flight) in (0..).zip(flights) {
                let arrives = (round + 1) * TICKS;
                assert_eq!(flight, Flight { arrives, client, version: round, turn: round + 1 });
            }
        }
    }

    #[test]
    fn a_client_arrives_as_often_as_it_is_fast() {
        let mut schedule = Schedule::new(2, 2, 0.0, 1);
        schedule.durations = vec![2, 7];
        let arrivals: Vec<(u64, u32)> = (0..9)
            .map(|_| schedule.next(0))
            .map(|flight| (flight.arrives, flight.client))
            .collect();
        let expected = [(2, 0), (4, 0), (6, 0), (7, 1), (8, 0), (10, 0), (12, 0), (14, 0), (14, 1)];
        assert_eq!(arrivals, expected);
        assert_eq!(schedule.times.turns, [7, 2]);
    }

    #[test]
    fn no_client_has_two_tasks_and_all_get_their_turn() {
        let mut schedule = Schedule::new(40, 7, 0.8, 3);
        for _ in 0..2_000 {
            schedule.next(0);
            let learning: BTreeSet<u32> =
                schedule.times.flights.iter().map(|flight| flight.client).collect();
            assert_eq!(learning.len(), schedule.times.flights.len());
            assert!(learning.len() <= 7);
        }
        assert!(schedule.times.turns.iter().all(|turns| *turns > 20), "{:?}", schedule.times.turns);
    }

    #[test]
    fn speeds_spread_as_they_should() {
        let durations = Schedule::new(4_000, 1, 0.5, 3).durations;
        let logs: Vec<f64> =
            durations.iter().map(|ticks| (*ticks as f64 / TICKS as f64).ln()).collect();
        let mean = logs.iter().sum::<f64>() / 4_000.0;
        let spread = (logs.iter().map(|log| log * log).sum::<f64>() / 4_000.0).sqrt();
        assert!(mean.abs() < 0.04 && (spread - 0.5).abs() < 0.03, "{mean} {spread}");
    }
}
