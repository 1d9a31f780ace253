//! One round's privacy loss on a grid, shifted so that no epsilon comes out too small.

use super::loss::{Direction, Loss};
use crate::account::special::ln_sum;

/// Masses at the losses `first · step`, `(first + 1) · step`, …, and what was given up as infinite.
pub struct Discrete {
    pub first: i64,
    pub step: f64,
    pub masses: Vec<f64>,
    pub infinite: f64,
}

impl Discrete {
    /// The loss on a grid of `step`, where at most about `tail` may be given up as infinite.
    ///
    /// The mass between two grid points goes to these two, so that both neighbours' masses stay what they were. Then
    /// delta is exact at each grid epsilon, and lies above the true convex curve between them.
    pub fn new(loss: Loss, direction: Direction, step: f64, tail: f64) -> Self {
        let (low, high) = loss.range(reach(tail), direction);
        let first = (low / step).floor() as i64;
        let cells = ((high / step).ceil() as i64 - first).max(1) as usize;
        let mut masses = vec![0.0; cells + 1];
        let at = |cell: usize| (first + cell as i64) as f64 * step;
        // What lies below the grid is moved up onto its first point, which can only cost.
        masses[0] = loss.between(f64::NEG_INFINITY, at(0), direction).drawn;
        for cell in 0..cells {
            let (lower, upper) = split(loss, direction, at(cell), at(cell + 1));
            masses[cell] += lower;
            masses[cell + 1] += upper;
        }
        let infinite = loss.between(at(cells), f64::INFINITY, direction).drawn;
        Self { first, step, masses, infinite }
    }

    /// `ln` of the mean of `e^(t · loss)` over the finite losses.
    pub fn ln_moment(&self, t: f64) -> f64 {
        let ln_term =
            |(at, mass): (usize, &f64)| mass.ln() + t * (self.first + at as i64) as f64 * self.step;
        let terms: Vec<f64> = self.masses.iter().enumerate().map(ln_term).collect();
        ln_sum(&terms)
    }
}

/// The masses for the lower and the upper end of a cell.
fn split(loss: Loss, direction: Direction, low: f64, high: f64) -> (f64, f64) {
    let masses = loss.between(low, high, direction);
    if masses.drawn <= 0.0 {
        return (0.0, 0.0);
    }
    let share = -(low - high).exp_m1();
    // Near the smallest numbers digits are missing; without the other mass all of this one moves up.
    let other = if masses.other < 1e-300 { 0.0 } else { (low + masses.other.ln()).exp() };
    let upper = (masses.drawn - other) / share;
    // Rounding may only move mass up: by more than the digits that the difference above can have lost.
    let rounding = 1e-7 * masses.drawn;
    let upper = (upper + rounding).clamp(0.0, masses.drawn);
    (masses.drawn - upper, upper)
}

/// How many standard deviations leave less than `tail` outside.
fn reach(tail: f64) -> f64 {
    (-2.0 * tail.ln()).sqrt().max(1.0)
}
