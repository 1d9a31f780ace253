//! Noise added by each client inside a secure sum, so that nobody ever sees a sum without it.
//!
//! A client's update is rotated, counted on a grid with rounding by chance, and noised; its whole numbers are then
//! summed modulo a power of two by somebody who sees none of them (secure aggregation, which is not here). The server
//! takes the sum in, and gives the sum of updates out. What it costs is accounted over those that answered
//! ([`Shares`]).
//!
//! # Reference
//! Kairouz, Liu, Steinke, *The Distributed Discrete Gaussian Mechanism for Federated Learning with Secure Aggregation*,
//! ICML 2021, Algorithms 1 and 2. Numbers of theorems are those of arXiv 2102.06387.

mod noise;
mod ring;
mod rotation;
mod rounding;

use rand::CryptoRng;

pub use noise::Noise;
pub use ring::Ring;
pub use rotation::{ENTRIES_MAX, Entry, Rotation};
pub use rounding::Rounding;

use crate::account::Shares;
use crate::budget::Permit;
use crate::clip::norm;
use crate::error::Error;
use crate::grid::Grid;
use crate::neighbours::SizeIsPublic;
use crate::parameter::{NoiseMultiplier, Survivors};
use crate::sample::Variance;
use noise::Sampler;
use ring::Load;
use rotation::is_length;

/// What clients and server agree on before a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncodingParams {
    /// Clip norm, and steps for each. Tens or hundreds of steps a clip norm are enough here: rounding by chance is right
    /// on average.
    pub grid: Grid,
    /// Entries of an update.
    pub n_entries: usize,
    /// What each client adds.
    pub noise: Noise,
    /// The most clients whose updates are summed.
    pub clients_max: u32,
    /// With which chance a sum may wrap around in any of its entries. Then it is worthless, but costs no more.
    pub wrap_chance: f64,
    /// See [`Rounding::new`].
    pub beta: f64,
    /// The most bits that whoever sums can take for each entry.
    pub bits_max: u32,
}

impl EncodingParams {
    /// Sums of up to `clients_max` updates of `n_entries`, with the paper's beta, that wrap around once in a million
    /// rounds.
    #[must_use]
    pub fn new(grid: Grid, n_entries: usize, noise: Noise, clients_max: u32) -> Self {
        let beta = (-0.5f64).exp();
        let (wrap_chance, bits_max) = (1e-6, Ring::BITS_MAX);
        Self { grid, n_entries, noise, clients_max, wrap_chance, beta, bits_max }
    }

    /// The same with noise of the same kind, as wide as it takes for the shares of so many survivors to be together a
    /// noise multiplier. Fewer survivors then have less; what they have is accounted.
    ///
    /// # Errors
    /// [`Error::Parameter`] when there is no such noise, or another setting is out of its range.
    pub fn with_noise<N: SizeIsPublic>(
        self,
        noise: NoiseMultiplier,
        survivors: Survivors,
    ) -> Result<Self, Error> {
        let n_padded = rotation::padded(self.n_entries)?;
        let squares_max = Rounding::new(self.grid.steps(), n_padded, self.beta)?.squares_max();
        let sensitivity = f64::from(N::CLIP_NORMS) * (squares_max as f64).sqrt();
        let deviation = noise.get() * sensitivity / f64::from(survivors.get()).sqrt();
        // A trillionth more than rounding can have taken away.
        let variance = Variance::at_least(deviation * (1.0 + 2e-12))?;
        Ok(Self { noise: self.noise.of_variance(variance).check()?, ..self })
    }

    /// The encoding, with the smallest ring that wraps around no more often than is allowed.
    ///
    /// # Errors
    /// [`Error::Parameter`] when a number is out of its range; [`Error::Wraps`] when that takes more than `bits_max`.
    pub fn check(self) -> Result<Encoding, Error> {
        let n_padded = rotation::padded(self.n_entries)?;
        let clients = Survivors::new(self.clients_max)?.get();
        let wrap_chance = self.wrap_chance;
        if !(wrap_chance > 0.0 && wrap_chance < 1.0) {
            let (name, must) = ("chance of a wrap-around", "above 0 and below 1");
            return Err(Error::Parameter { name, value: wrap_chance, must });
        }
        let (noise, steps) = (self.noise.check()?, self.grid.steps());
        let rounding = Rounding::new(steps, n_padded, self.beta)?;
        let load = Load { clients, steps, n_padded, noise, wrap_chance };
        let ring = Ring::for_load(&load, self.bits_max)?;
        Ok(Encoding { params: self, n_padded, rounding, ring, sampler: noise.sampler()? })
    }
}

/// How updates become noised whole numbers, and their sum an update again.
///
/// # Example
/// ```
/// use flowgait_privacy::budget::{Budget, Release};
/// use flowgait_privacy::distributed::{EncodingParams, Noise, Rotation};
/// use flowgait_privacy::grid::Grid;
/// use flowgait_privacy::sample::Variance;
/// use flowgait_privacy::{ClipNorm, Delta, Epsilon, Survivors, ZeroOutOne};
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha20Rng;
///
/// // 1. Agreed on: 200 steps a clip norm of 1, and 50 steps of noise from each client.
/// let grid = Grid::new(ClipNorm::new(1.0)?, 200)?;
/// let noise = Noise::DiscreteGaussian(Variance::new(50 * 50, 1)?);
/// let encoding = EncodingParams::new(grid, 3, noise, 100).check()?;
/// assert_eq!(encoding.ring().bits(), 17);
///
/// // 2. The round's rotation, from a public seed: client and server make the same.
/// let rotation = Rotation::new(3, &mut ChaCha20Rng::seed_from_u64(2024))?;
///
/// // 3. Each client encodes its clipped update. In use its generator is seeded by the operating system.
/// let mut rng = ChaCha20Rng::seed_from_u64(1);
/// let mut sum = vec![0; encoding.n_padded()];
/// for _ in 0..80 {
///     let encoded = encoding.encode(&[0.5, -0.75, 0.0], &rotation, &mut rng)?;
///     // 4. Secure aggregation adds without seeing; here it is only the adding.
///     sum.iter_mut().zip(encoded).for_each(|(all, one)| *all = encoding.ring().add(*all, one));
/// }
///
/// // 5. 80 of 100 answered: the budget is asked before the sum is unmasked.
/// let mut budget = Budget::<ZeroOutOne>::new(Epsilon::new(4.0)?, Delta::new(1e-5)?);
/// let shares = encoding.shares(Survivors::new(80)?)?;
/// let permit = budget.permit(&Release::distributed(shares)?)?;
/// assert_eq!(format!("{:.2}", permit.epsilon()), "1.92");
///
/// // 6. The server decodes: 80 updates, and noise with a deviation of 2.2 in each entry.
/// let total = encoding.decode(&sum, &rotation, permit)?;
/// assert!((total[0] - 40.0).abs() < 10.0 && (total[1] + 60.0).abs() < 10.0);
/// # Ok::<(), flowgait_privacy::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Encoding {
    params: EncodingParams,
    n_padded: usize,
    rounding: Rounding,
    ring: Ring,
    sampler: Sampler,
}

impl Encoding {
    /// What was agreed on.
    #[must_use]
    pub fn params(&self) -> &EncodingParams {
        &self.params
    }

    /// Entries of an encoded update: the next power of two.
    #[must_use]
    pub fn n_padded(&self) -> usize {
        self.n_padded
    }

    /// In which sums are to be taken.
    #[must_use]
    pub fn ring(&self) -> Ring {
        self.ring
    }

    /// A client's part: its clipped update, rotated, counted and noised.
    ///
    /// # Shapes
    /// `update` is `[n_entries]`, what comes out `[n_padded]` numbers of the ring.
    /// # Errors
    /// [`Error::NotFinite`] or [`Error::TooLong`] for an update that was not clipped; [`Error::Length`] for one of
    /// another length, or a rotation of another.
    pub fn encode<R: CryptoRng>(
        &self,
        update: &[f32],
        rotation: &Rotation,
        rng: &mut R,
    ) -> Result<Vec<u64>, Error> {
        let scaled = self.scale(update, rotation)?;
        let mut counts = self.rounding.round(&scaled, rng);
        self.sampler.add(&mut counts, rng);
        Ok(counts.iter().map(|&count| self.ring.wrap(count)).collect())
    }

    /// What the sum of survivors' encoded updates costs.
    ///
    /// # Errors
    /// As [`Shares::new`].
    pub fn shares(&self, survivors: Survivors) -> Result<Shares, Error> {
        let squares_max = self.rounding.squares_max();
        Shares::new(self.params.noise, survivors, self.n_padded as u64, squares_max)
    }

    /// The server's part: the sum of updates, under the noise that the clients added. It uses up the permit.
    ///
    /// # Shapes
    /// `sum` is `[n_padded]`, what comes out `[n_entries]`.
    /// # Errors
    /// [`Error::Length`] or [`Error::NotInRing`] for a sum that was not made by this encoding. The permit is used up all
    /// the same.
    pub fn decode<N: SizeIsPublic>(
        &self,
        sum: &[u64],
        rotation: &Rotation,
        permit: Permit<N>,
    ) -> Result<Vec<f64>, Error> {
        // Taken by value: nothing more can be released on it.
        drop(permit);
        is_length(rotation.n_entries(), self.params.n_entries)?;
        let counts = self.ring.unwrap_all(sum)?;
        rotation.unrotate(self.params.grid.value(&counts))
    }

    /// An update in steps, rotated, and never longer than the clip norm.
    fn scale(&self, update: &[f32], rotation: &Rotation) -> Result<Vec<f64>, Error> {
        let (grid, n_entries) = (self.params.grid, self.params.n_entries);
        is_length(update.len(), n_entries)?;
        is_length(rotation.n_entries(), n_entries)?;
        if let Some((at, &value)) = update.iter().enumerate().find(|(_, value)| !value.is_finite())
        {
            return Err(Error::NotFinite { at, value });
        }
        let clip_norm = grid.clip_norm().get();
        if norm(update) > clip_norm {
            return Err(Error::TooLong { clip_norm });
        }
        // A billionth less leaves room for what rotating rounds; rounding checks its bound in integers all the same.
        let scale = f64::from(grid.steps()) / clip_norm * (1.0 - 1e-9);
        let scaled: Vec<f64> = update.iter().map(|&value| f64::from(value) * scale).collect();
        rotation.rotate(&scaled)
    }
}

#[cfg(test)]
mod tests;
