//! Counts of clients to their sum under noise that was paid for: whoever grows a private forest sees what this gives and nothing else.

use flowgait_privacy::account::Shares;
use flowgait_privacy::budget::{Budget, Release};
use flowgait_privacy::distributed::Noise;
use flowgait_privacy::grid::Grid;
use flowgait_privacy::sample::{DiscreteGaussian, Variance};
use flowgait_privacy::{
    AddOrRemoveOne, Delta, Epsilon, Neighbours, NoiseMultiplier, Survivors, ZeroOutOne,
};
use rand::CryptoRng;
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;

use super::summing::{Secured, Summing, asked};
use crate::error::Error;
use crate::secure::{SecurePlan, Traffic};
use crate::stream::{Purpose, stream};

/// Standard deviations of the whole noise that fit the ring on each side: beyond them lies less than 10⁻³⁰.
const DEVIATIONS: f64 = 12.0;

/// What clients count, under noise.
///
/// In each function a step of `grid` is one draw, and its clip norm is how far one client can move the sum.
pub trait Noised {
    /// Pays for releases that a run made before, of so many counts each.
    ///
    /// # Errors
    /// As the budget.
    fn resume(&mut self, grid: &Grid, releases: &[u64]) -> Result<(), Error>;

    /// Pays for a release of so many counts, then asks clients for them, and shows their sum under noise; and what that took.
    ///
    /// # Errors
    /// [`Error::Privacy`] with a spent budget, before anybody counts; as `count` and the sum otherwise.
    fn shown(
        &mut self,
        grid: &Grid,
        entries: u64,
        count: impl FnOnce() -> Result<Vec<Vec<u32>>, Error>,
    ) -> Result<(Vec<i64>, Traffic), Error>;

    /// Epsilon spent so far.
    fn epsilon(&self) -> f64;
}

/// Noise that the coordinator adds, who is trusted to do so, to any sum.
pub struct Trusted<N: Neighbours, S, F> {
    budget: Budget<N>,
    limit: (Epsilon, Delta),
    release: Release<N>,
    summing: S,
    rng: F,
}

impl<N: Neighbours, S: Summing, R: CryptoRng, F: FnMut(u64) -> R> Trusted<N, S, F> {
    /// Within a budget; `rng` gives the chance of each release, by its number from 1. The same number must have the same chance when a
    /// killed run asks for it again: the same counts are then shown under the same noise, and nobody learns more.
    #[must_use]
    pub fn new(limit: (Epsilon, Delta), noise: NoiseMultiplier, summing: S, rng: F) -> Self {
        let release = Release::everyone(noise);
        Self { budget: Budget::new(limit.0, limit.1), limit, release, summing, rng }
    }

    /// What was spent.
    pub fn budget(&self) -> &Budget<N> {
        &self.budget
    }
}

/// The noise of a simulation's coordinator, all of it from the seed.
pub(super) type Seeded<S> = Trusted<AddOrRemoveOne, S, Box<dyn FnMut(u64) -> ChaCha20Rng>>;

impl<S: Summing> Seeded<S> {
    /// Noise of a simulation, drawn from its seed, so that the same seed is the same run.
    #[must_use]
    pub fn simulated(
        limit: (Epsilon, Delta),
        noise: NoiseMultiplier,
        summing: S,
        seed: u64,
    ) -> Self {
        Self::new(limit, noise, summing, Box::new(move |of| stream(seed, Purpose::Noise, of, 0)))
    }
}

impl<N: Neighbours, S: Summing, R: CryptoRng, F: FnMut(u64) -> R> Noised for Trusted<N, S, F> {
    fn resume(&mut self, _grid: &Grid, releases: &[u64]) -> Result<(), Error> {
        // One by one, as they were paid for: sums of epsilon are the same then to the last bit.
        let past = vec![(self.release.clone(), 1); releases.len()];
        self.budget = Budget::resume(self.limit.0, self.limit.1, &past);
        self.summing.skip(releases.len() as u64);
        Ok(())
    }

    fn shown(
        &mut self,
        grid: &Grid,
        _entries: u64,
        count: impl FnOnce() -> Result<Vec<Vec<u32>>, Error>,
    ) -> Result<(Vec<i64>, Traffic), Error> {
        let permit = self.budget.permit(&self.release)?;
        let mut rng = (self.rng)(permit.round());
        let (sums, traffic) = asked(&mut self.summing, count()?)?;
        let mut sums: Vec<i64> = sums.into_iter().map(i64::from).collect();
        grid.add_noise(&mut sums, permit, &mut rng)?;
        Ok((sums, traffic))
    }

    fn epsilon(&self) -> f64 {
        self.budget.epsilon()
    }
}

/// Noise of which each client adds a share to its counts before they are masked, so that nobody sees a sum without it.
///
/// Counts are whole already, so they are neither rotated nor rounded. A client's numbers are taken modulo 2ᵇ, and so is their sum: it
/// wraps where the noise is beyond all likelihood, which costs no privacy. What a release costs is accounted over all clients, for in
/// this simulation nobody is lost; each share is as wide as if the plan's share of them were.
pub struct SharedNoise {
    budget: Budget<ZeroOutOne>,
    limit: (Epsilon, Delta),
    noise: NoiseMultiplier,
    plan: SecurePlan,
    clients: u32,
    seed: u64,
    releases: u64,
}

impl SharedNoise {
    /// Within a budget, under masks, of so many clients; chance comes from the seed, as that of a simulation does.
    #[must_use]
    pub fn simulated(
        limit: (Epsilon, Delta),
        noise: NoiseMultiplier,
        plan: SecurePlan,
        clients: u32,
        seed: u64,
    ) -> Self {
        let budget = Budget::new(limit.0, limit.1);
        Self { budget, limit, noise, plan, clients, seed, releases: 0 }
    }

    /// The variance of a client's share, in draws squared.
    fn variance(&self, grid: &Grid) -> Result<Variance, Error> {
        let least = ((1.0 - self.plan.lost_share) * f64::from(self.clients)).ceil().max(1.0);
        let deviation = self.noise.get() * f64::from(grid.steps()) / least.sqrt();
        // A trillionth more than rounding can have taken away.
        Ok(Variance::at_least(deviation * (1.0 + 2e-12))?)
    }

    fn release(&self, grid: &Grid, entries: u64) -> Result<Release<ZeroOutOne>, Error> {
        let noise = Noise::DiscreteGaussian(self.variance(grid)?);
        let squares_max = u64::from(grid.steps()).pow(2);
        let shares = Shares::new(noise, Survivors::new(self.clients)?, entries, squares_max)?;
        Ok(Release::distributed(shares)?)
    }

    /// The largest number of the ring: half of it, so that the sum of all counts and the noise fit.
    fn half(&self, grid: &Grid) -> Result<u64, Error> {
        let clients = f64::from(self.clients);
        let noise = DEVIATIONS * (self.variance(grid)?.get() * clients).sqrt();
        let reach = clients * f64::from(grid.steps()) + noise;
        Ok((reach.ceil() as u64 + 1).next_power_of_two())
    }
}

/// A number of the ring of `2 half` numbers, with its sign.
fn wrapped(number: i64, half: u64) -> i64 {
    let half = half as i64;
    (number + half).rem_euclid(2 * half) - half
}

impl Noised for SharedNoise {
    fn resume(&mut self, grid: &Grid, releases: &[u64]) -> Result<(), Error> {
        let past: Result<Vec<_>, Error> =
            releases.iter().map(|entries| Ok((self.release(grid, *entries)?, 1))).collect();
        self.budget = Budget::resume(self.limit.0, self.limit.1, &past?);
        self.releases = releases.len() as u64;
        Ok(())
    }

    fn shown(
        &mut self,
        grid: &Grid,
        entries: u64,
        count: impl FnOnce() -> Result<Vec<Vec<u32>>, Error>,
    ) -> Result<(Vec<i64>, Traffic), Error> {
        let permit = self.budget.permit(&self.release(grid, entries)?)?;
        let (half, number) = (self.half(grid)?, permit.round());
        let sampler = DiscreteGaussian::new(self.variance(grid)?);
        let share = |(client, counts): (usize, Vec<u32>)| -> Vec<u32> {
            let mut rng = stream(self.seed, Purpose::ClientNoise, number, client as u64);
            let noised = |count| wrapped(i64::from(count) + sampler.sample(&mut rng), half);
            // Negative numbers as their complement, which a sum modulo 2³² takes as it takes others.
            counts.into_iter().map(noised).map(|number| number as u32).collect()
        };
        let given: Vec<Vec<u32>> = count()?.into_par_iter().enumerate().map(share).collect();
        let mut summing = Secured::new(self.plan, half, self.seed);
        summing.skip(self.releases);
        self.releases += 1;
        let (sums, traffic) = asked(&mut summing, given)?;
        // The noise is in the sum already; nothing more is released on this permit.
        drop(permit);
        let sums = sums.into_iter().map(|sum| wrapped(i64::from(sum as i32), half)).collect();
        Ok((sums, traffic))
    }

    fn epsilon(&self) -> f64 {
        self.budget.epsilon()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_has_as_many_numbers_on_each_side() {
        let wrap = |number| wrapped(number, 8);
        assert_eq!([-9, -8, 7, 8, 0, 17].map(wrap), [7, -8, 7, -8, 0, 1]);
    }
}
