//! What can go wrong when vectors are bounded, noised and accounted.

/// Why a parameter, a vector or a release was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A number is outside the range in which it means something.
    #[error("{name} is {value}, but must be {must}")]
    Parameter {
        /// What the number is.
        name: &'static str,
        /// What was given.
        value: f64,
        /// Which values are allowed.
        must: &'static str,
    },
    /// A cohort that cannot be drawn from its population.
    #[error("a cohort of {cohort} cannot be drawn from {population} clients")]
    Cohort {
        /// Clients in each round.
        cohort: u32,
        /// Clients to draw from.
        population: u32,
    },
    /// A vector has an entry that is no number or infinite: its length means nothing.
    #[error("entry {at} of the vector is {value}, so it has no length to clip")]
    NotFinite {
        /// Place in the vector, from 0.
        at: usize,
        /// What stands there.
        value: f32,
    },
    /// An update that was to be counted is longer than the clip norm of the grid.
    #[error("the update is longer than the clip norm of {clip_norm}: clip it first")]
    TooLong {
        /// How long it may be at most.
        clip_norm: f64,
    },
    /// The next release would pass the budget. Nothing was released.
    #[error("round {round} would bring epsilon to {epsilon:.4}, over the budget of {budget:.4}")]
    BudgetSpent {
        /// The round that was asked for, from 1.
        round: u64,
        /// What epsilon would have become.
        epsilon: f64,
        /// What it may be at most.
        budget: f64,
    },
    /// No setting between the solver's limits meets what was asked.
    #[error("no {name} between {low} and {high} keeps epsilon within {epsilon}")]
    Unsolvable {
        /// What was looked for.
        name: &'static str,
        /// The lowest value tried.
        low: f64,
        /// The highest value tried.
        high: f64,
        /// What epsilon may be at most.
        epsilon: f64,
    },
    /// A vector has another length than was agreed on.
    #[error("the vector has {found} entries, but {expected} were agreed on")]
    Length {
        /// How many entries it must have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// A sum of that many updates would wrap around more often than is allowed.
    #[error("sums need {bits} bits an entry, but there are at most {most}")]
    Wraps {
        /// Bits that would be needed.
        bits: u32,
        /// The most that there may be.
        most: u32,
    },
    /// A number that is not of the ring in which sums are taken.
    #[error("entry {at} of the sum is {value}, which is not below 2^{bits}")]
    NotInRing {
        /// Place in the vector, from 0.
        at: usize,
        /// What stands there.
        value: u64,
        /// Bits of the ring.
        bits: u32,
    },
    /// A way to take part that a neighbouring relation or an account says nothing about.
    #[error("{what} is not covered by {by}")]
    NotCovered {
        /// What was asked for.
        what: &'static str,
        /// The neighbouring relation or the account.
        by: &'static str,
    },
}
