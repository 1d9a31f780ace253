//! The privacy loss of many rounds: one circular convolution over a window that holds all but a sliver of it.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

use super::discrete::Discrete;
use super::loss::{Direction, Loss};
use crate::parameter::Delta;

/// At most this much of delta may be given up as infinite loss, in each of the places where that happens.
const TAIL: f64 = 1e-14;
/// How far too large epsilon may come out because the grid is coarse, unless the window needs more points than allowed.
const EPSILON_ERROR: f64 = 1e-6;
/// The grid widens a composition: a window of sixteen standard deviations has this many points for each root of a
/// round, so that its variance grows by a millionth at most.
const POINTS_PER_ROOT: f64 = 6_700.0;
/// The most grid points of a window: 16 MiB of numbers.
const POINTS_MAX: usize = 1 << 21;
/// The fewest, so that small losses are resolved.
const POINTS_MIN: usize = 1 << 14;
/// Grid points of a round where it is only looked at to find the window.
const ROUGH: f64 = 2000.0;

/// The losses that the composition is computed for.
pub struct Window {
    pub step: f64,
    pub low: f64,
    pub high: f64,
    pub tail: f64,
    /// Where the bound on what lies above the window is tightest.
    t: f64,
}

impl Window {
    /// The window of rounds, found by Chernoff's bound on a rough grid.
    pub fn of(rounds: &[(Loss, u64)], direction: Direction) -> Self {
        let tail = TAIL / rounds.len() as f64;
        let rough: Vec<_> = rounds
            .iter()
            .map(|&(loss, count)| {
                let (low, high) = loss.range(9.0, direction);
                // With hardly any noise all outcomes of one direction have the same loss.
                let step = ((high - low) / ROUGH).max(EPSILON_ERROR / ROUGH);
                (Discrete::new(loss, direction, step, tail / count as f64), count)
            })
            .collect();
        let (high, t) = end(&rough, 1.0);
        let low = -end(&rough, -1.0).0;
        let width = (high - low).max(EPSILON_ERROR);
        let count: u64 = rounds.iter().map(|(_, count)| count).sum();
        let fine = (12.0 * EPSILON_ERROR / count as f64).sqrt();
        let narrow = width / (POINTS_PER_ROOT * (count as f64).sqrt()).max(POINTS_MIN as f64);
        let step = fine.min(narrow).max(width / (POINTS_MAX - 2) as f64);
        Self { step, low, high, tail, t }
    }

    fn points(&self) -> usize {
        (((self.high - self.low) / self.step) as usize + 2).next_power_of_two()
    }
}

/// The losses above zero of a composition, from its grid's index 0 on.
pub struct Composed {
    /// Index of the first of `masses`.
    first: i64,
    step: f64,
    masses: Vec<f64>,
    infinite: f64,
}

impl Composed {
    /// Composes parts, each as often as it says.
    ///
    /// A power of the spectrum multiplies its rounding by the exponent. That much of delta is given up too; what was seen
    /// is a twentieth of it.
    pub fn new(parts: &[(Discrete, u64)], window: &Window) -> Self {
        let points = window.points();
        let first = (window.low / window.step).floor() as i64;
        let mut masses = convolve(parts, points);
        masses.rotate_left(first.rem_euclid(points as i64) as usize);
        let given_up: f64 = parts.iter().map(|(part, count)| part.infinite * *count as f64).sum();
        let top = (first + points as i64 - 1) as f64 * window.step;
        let above = (ln_moment(parts, window.t) - window.t * top).exp();
        let rounding = f64::EPSILON * (100.0 + parts.iter().map(|part| part.1 as f64).sum::<f64>());
        Self { first, step: window.step, masses, infinite: given_up + above + rounding }
    }

    /// The smallest epsilon at `delta`.
    pub fn epsilon(&self, delta: Delta) -> f64 {
        let delta = delta.get();
        if self.infinite >= delta {
            return f64::INFINITY;
        }
        let mut curve = Curve::default();
        for (at, mass) in self.masses.iter().enumerate().rev() {
            let index = self.first + at as i64;
            // At this grid point, before its own mass counts.
            if index < 0 {
                break;
            }
            let spare = self.infinite + curve.delta - delta;
            if spare > 0.0 {
                // From here on up, delta falls as a straight line in e^epsilon.
                let epsilon = index as f64 * self.step + (spare / curve.other).ln_1p();
                return epsilon.max(0.0);
            }
            curve.step_down(mass.max(0.0), self.step);
        }
        0.0
    }

    /// The smallest delta at `epsilon`.
    pub fn delta(&self, epsilon: f64) -> f64 {
        let above = |(at, mass): (usize, &f64)| {
            let loss = (self.first + at as i64) as f64 * self.step;
            if loss > epsilon { mass.max(0.0) * -(epsilon - loss).exp_m1() } else { 0.0 }
        };
        let finite: f64 = self.masses.iter().enumerate().map(above).sum();
        (self.infinite + finite).min(1.0)
    }
}

/// Delta as epsilon walks down the grid.
#[derive(Default)]
struct Curve {
    /// From finite losses, at the point reached.
    delta: f64,
    /// The other neighbour's mass above the point reached, times e^epsilon there.
    other: f64,
}

impl Curve {
    /// Takes in the mass at the point reached and goes one point down; only positive numbers are added.
    fn step_down(&mut self, mass: f64, step: f64) {
        let other = self.other + mass;
        self.delta += -(-step).exp_m1() * other;
        self.other = other * (-step).exp();
    }
}

/// The loss that the composition passes with a chance below [`TAIL`], upwards (`sign` 1) or downwards (−1), and the
/// `t` that proves it.
fn end(parts: &[(Discrete, u64)], sign: f64) -> (f64, f64) {
    let furthest: f64 = parts
        .iter()
        .map(|(part, count)| {
            let last = part.first + part.masses.len() as i64 - 1;
            let index = if sign > 0.0 { last } else { -part.first };
            index as f64 * part.step * *count as f64
        })
        .sum();
    let mut best = (f64::INFINITY, 1.0);
    // Up to 2^40: losses under much noise are that small, and the bound is of use only where t times a loss is about 1.
    for power in -40..=160 {
        let t = 2f64.powf(f64::from(power) / 4.0);
        let bound = (ln_moment(parts, sign * t) - TAIL.ln()) / t;
        if bound < best.0 {
            best = (bound, t);
        }
    }
    (best.0.min(furthest), best.1)
}

fn ln_moment(parts: &[(Discrete, u64)], t: f64) -> f64 {
    parts.iter().map(|(part, count)| *count as f64 * part.ln_moment(t)).sum()
}

/// The circular convolution of all parts; the mass of loss index `i` stands at `i` modulo `points`.
fn convolve(parts: &[(Discrete, u64)], points: usize) -> Vec<f64> {
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (planner.plan_fft_forward(points), planner.plan_fft_inverse(points));
    let mut product = vec![Complex::new(1.0, 0.0); points / 2 + 1];
    let mut spectrum = forward.make_output_vec();
    let mut masses = forward.make_input_vec();
    for (part, count) in parts {
        masses.fill(0.0);
        for (at, mass) in part.masses.iter().enumerate() {
            masses[(part.first + at as i64).rem_euclid(points as i64) as usize] += mass;
        }
        forward
            .process(&mut masses, &mut spectrum)
            .expect("both vectors were made for this length");
        for (all, one) in product.iter_mut().zip(&spectrum) {
            *all *= power(*one, *count);
        }
    }
    // The spectrum of real numbers is real at both ends; rounding may have said otherwise.
    product[0].im = 0.0;
    product[points / 2].im = 0.0;
    inverse.process(&mut product, &mut masses).expect("both vectors were made for this length");
    masses.iter_mut().for_each(|mass| *mass /= points as f64);
    masses
}

fn power(mut base: Complex<f64>, mut exponent: u64) -> Complex<f64> {
    let mut result = Complex::new(1.0, 0.0);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    result
}
