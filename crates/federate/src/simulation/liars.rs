//! Which clients lie, and what they do to their rows before and to their updates in each round.

use std::collections::BTreeSet;

use crate::attack::ValidAttack;
use crate::cohort::Sampling;
use crate::error::Error;
use crate::homes::Homes;
use crate::stream::{Purpose, stream};
use crate::update::Contribution;

/// Clients that lie.
#[derive(Clone, Debug, PartialEq)]
pub struct Liars {
    attack: ValidAttack,
    clients: BTreeSet<u32>,
}

impl Liars {
    /// How many of so many clients a share is: the nearest number.
    #[must_use]
    pub fn count(share: f64, clients: usize) -> usize {
        ((share * clients as f64).round() as usize).min(clients)
    }

    /// A share of the clients, as [`Self::count`] rounds it, drawn from the seed.
    #[must_use]
    pub fn new(attack: ValidAttack, share: f64, clients: usize, seed: u64) -> Self {
        let drawn = match Self::count(share, clients) {
            0 => Vec::new(),
            // A seed of their own: who lies has nothing to do with who is asked.
            size => Sampling::Fixed { size }.draw(clients, u64::MAX, seed),
        };
        Self { attack, clients: drawn.into_iter().collect() }
    }

    /// Who they are.
    #[must_use]
    pub fn clients(&self) -> &BTreeSet<u32> {
        &self.clients
    }

    /// Changes their rows in place, once, before anybody learns.
    ///
    /// # Errors
    /// As [`ValidAttack::poison_labels`] and [`ValidAttack::stamp`].
    pub fn spoil(&self, homes: &mut Homes, seed: u64) -> Result<(), Error> {
        for &client in &self.clients {
            let rows = &homes.rows[client as usize];
            let mut codes: Vec<u32> = rows.iter().map(|&row| homes.codes[row as usize]).collect();
            let mut rng = stream(seed, Purpose::Lies, 0, client.into());
            let stamped = self.attack.poison_labels(&mut codes, &mut rng)?;
            let stamped: Vec<u32> = stamped.into_iter().map(|at| rows[at as usize]).collect();
            rows.iter().zip(codes).for_each(|(&row, code)| homes.codes[row as usize] = code);
            self.attack.stamp(&mut homes.columns, &stamped)?;
        }
        Ok(())
    }

    /// Changes the contribution of one of them in place; `moved` is how the parameters moved in the round before.
    pub(super) fn lie(
        &self,
        contribution: &mut Contribution,
        moved: Option<&[f32]>,
        seed: u64,
    ) -> Result<(), Error> {
        let (round, client) = (contribution.round, contribution.client);
        if !self.clients.contains(&client) {
            return Ok(());
        }
        let mut rng = stream(seed, Purpose::Lies, round, client.into());
        // What a strategy asks for beside the update, a rider has nothing to say of.
        let moved = moved.map(|moved| {
            let mut moved = moved.to_vec();
            moved.resize(contribution.values.len(), 0.0);
            moved
        });
        self.attack.poison_update(&mut contribution.values, moved.as_deref(), &mut rng)
    }
}
