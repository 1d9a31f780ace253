//! Vectors in; bounded, noised and accounted vectors out.
//!
//! *Takes* vectors of numbers, and what a person is willing to spend.
//! *Gives* vectors no longer than a clip norm, sums under noise, and what that has cost.
//! *Never* knows a model, a flow or a network, and never draws chance that it was not given.
//! *Start at* [`budget`].
//!
//! One round, from two clients' updates to what may be shown. Everything that the promise rests on is in it: each
//! update is bounded ([`clip`]), the sum is exact ([`grid`]), a permit is paid for before the noise is drawn
//! ([`budget`], by [`account`]), and the noise is exactly what was accounted ([`sample`]).
//!
//! ```
//! use flowgait_privacy::budget::{Budget, Release};
//! use flowgait_privacy::clip::clip;
//! use flowgait_privacy::grid::Grid;
//! use flowgait_privacy::{AddOrRemoveOne, ClipNorm, Delta, Epsilon, NoiseMultiplier};
//! use rand::SeedableRng;
//! use rand_chacha::ChaCha20Rng;
//!
//! // In use the seed comes from the operating system; here it is fixed, so that the numbers below are.
//! let mut rng = ChaCha20Rng::seed_from_u64(1);
//!
//! // 1. Each client shortens its update to the clip norm: no one of them can move the sum by more.
//! let clip_norm = ClipNorm::new(1.0)?;
//! let mut updates = [vec![3.0, -4.0, 0.0], vec![0.1, 0.2, -0.2]];
//! for update in &mut updates {
//!     clip(update, clip_norm)?;
//! }
//!
//! // 2. In whole steps of a grid nothing is rounded when they are added.
//! let grid = Grid::new(clip_norm, 1 << 16)?;
//! let mut sum = vec![0; 3];
//! for update in &updates {
//!     for (all, one) in sum.iter_mut().zip(grid.count(update)?) {
//!         *all += one;
//!     }
//! }
//!
//! // 3. The budget is asked first. A round that would overspend is refused here, before anything is drawn or shown.
//! let mut budget = Budget::<AddOrRemoveOne>::new(Epsilon::new(6.0)?, Delta::new(1e-5)?);
//! let release = Release::everyone(NoiseMultiplier::new(1.0)?);
//! let permit = budget.permit(&release)?;
//! assert_eq!(format!("{:.3}", permit.epsilon()), "4.729");
//!
//! // 4. The permit is used up by the noise; what is left may be shown to anybody.
//! grid.add_noise(&mut sum, permit, &mut rng)?;
//! let shown = grid.value(&sum);
//! assert!(shown.iter().all(|value| value.abs() < 6.0));
//!
//! // 5. There is no second round in this budget.
//! assert!(budget.permit(&release).is_err());
//! # Ok::<(), flowgait_privacy::Error>(())
//! ```
//!
//! Where nobody may see the sum before there is noise in it, each client adds noise of its own ([`distributed`]). Whether
//! what is claimed is true can be tried from outside ([`audit`]).
//!
//! What is proved of the discrete noise: a release over everyone costs what the accounts say (Canonne, Kamath, Steinke
//! 2020, Theorem 4, and its theorem for many dimensions). Accounts of sampled rounds are those of the continuous Gaussian; at the grid's thousands
//! of steps for each standard deviation the two cannot be told apart, but that is a calculation, not a theorem.

pub mod budget;

pub mod account;
pub mod audit;
pub mod clip;
pub mod distributed;
pub mod grid;
pub mod sample;
pub mod secagg;

mod error;
mod neighbours;
mod parameter;

pub use error::Error;
pub use neighbours::{AddOrRemoveOne, Neighbours, Relation, ReplaceOne, SizeIsPublic, ZeroOutOne};
pub use parameter::{ClipNorm, Delta, Epsilon, NoiseMultiplier, SamplingRate, Survivors};
