//! What clients give, and the sum that is all a strategy sees.

/// What a client gives in a round.
///
/// # Shapes
/// `values` is `[n_contribution]`: what the strategy's [`contribute`](crate::strategy::Strategy::contribute) wrote, times nothing;
/// the weight is applied when contributions are added.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// Whose it is.
    pub client: u32,
    /// For which round.
    pub round: u64,
    /// The numbers to be added up.
    pub values: Vec<f32>,
    /// How much it counts.
    pub weight: f64,
}

/// The same, packed ([`CompressionPlan::pack`](crate::compress::CompressionPlan::pack)).
#[derive(Clone, Debug, PartialEq)]
pub struct Packed {
    /// Whose it is.
    pub client: u32,
    /// For which round.
    pub round: u64,
    /// The numbers to be added up, as bytes.
    pub octets: Vec<u8>,
    /// How much it counts.
    pub weight: f64,
}

/// The weighted sum of a cohort's contributions.
///
/// # Shapes
/// `sum` is `[n_contribution]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SummedUpdate {
    /// The sum of weight times values.
    pub sum: Vec<f64>,
    /// The sum of weights.
    pub weight: f64,
    /// How many contributions are in it.
    pub clients: usize,
}

impl SummedUpdate {
    /// An empty sum of so many numbers.
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self { sum: vec![0.0; length], weight: 0.0, clients: 0 }
    }

    /// The mean of some of the numbers.
    pub fn mean(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = f64> + '_ {
        self.sum[range].iter().map(|sum| sum / self.weight)
    }
}

/// Whether all are numbers. Without a way out of the loop several are looked at in one instruction.
pub(crate) fn all_finite(values: &[f32]) -> bool {
    values.iter().fold(true, |is_well, value| is_well & value.is_finite())
}
