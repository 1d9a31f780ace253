//! Exact samplers: random integers whose distribution is the stated one to the last bit, made from integers alone.
//!
//! Gaussian noise in floating point leaks what it should hide through the digits it cannot have (Mironov, *On
//! Significance of the Least Significant Bits for Differential Privacy*, CCS 2012). Here nothing is rounded. Every
//! sampler takes a cryptographic generator: in use, ChaCha20 seeded by the operating system.
//!
//! How long a draw takes depends on what is drawn; whoever may time single draws learns something.
//!
//! A draw is one look or two into a table of exact bounds (`inversion`): tens of millions a second on one core.
//!
//! # Reference
//! Canonne, Kamath, Steinke, *The Discrete Gaussian for Differential Privacy*, NeurIPS 2020, section 5. Numbers of its
//! theorems and algorithms are those of arXiv:2004.00010.

mod bernoulli;
mod gaussian;
mod inversion;
mod laplace;
mod poisson;
mod skellam;

pub use bernoulli::{below, bernoulli_exp};
pub use gaussian::{DiscreteGaussian, Variance};
pub use laplace::DiscreteLaplace;
pub use poisson::{Mean, Poisson};
pub use skellam::Skellam;

#[cfg(test)]
mod fit;
#[cfg(test)]
pub(crate) use fit::ln_bessel;
