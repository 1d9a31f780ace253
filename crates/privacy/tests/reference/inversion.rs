//! Epsilon of many sampled rounds by another way than ours: no grid of losses, no Fourier transform of masses.
//!
//! Delta is an integral of the loss's moment generating function along a line in the complex plane. Through the saddle
//! point it dies out like a Gaussian when there are many rounds, and the trapezoid rule is exact to many digits.

use std::f64::consts::TAU;

/// A round's losses and how likely they are, by quadrature over the outcome.
struct Losses(Vec<(f64, f64)>);

/// Epsilon at `delta` of `rounds` rounds, the larger of both directions.
pub fn epsilon(q: f64, z: f64, rounds: f64, delta: f64) -> f64 {
    let remove = Losses::new(q, z, false).epsilon(rounds, delta);
    remove.max(Losses::new(q, z, true).epsilon(rounds, delta))
}

impl Losses {
    fn new(q: f64, z: f64, add: bool) -> Self {
        let step = z.min(z * z) / 4.0;
        let density = |x: f64| step * (-x * x / (2.0 * z * z)).exp() / (z * TAU.sqrt());
        let points = ((28.0 * z + 5.0) / step) as u32;
        let at = |point: u32| {
            let x = f64::from(point) * step - 14.0 * z;
            let loss = (1.0 - q + q * ((2.0 * x - 1.0) / (2.0 * z * z)).exp()).ln();
            let (without, with) = (density(x), density(x - 1.0));
            if add { (-loss, without) } else { (loss, (1.0 - q) * without + q * with) }
        };
        Self((0..points).map(at).collect())
    }

    fn epsilon(&self, rounds: f64, delta: f64) -> f64 {
        // A t too large overflows to no number, and is then too large as well. Rising in t, epsilon at the saddle point rises and delta falls.
        let (mut low, mut high) = (1e-3f64, 1e5);
        for _ in 0..60 {
            let t = f64::sqrt(low * high);
            let epsilon = rounds * self.mean(t);
            if epsilon < 0.0 || self.delta(rounds, epsilon, t) > delta {
                low = t;
            } else {
                high = t;
            }
        }
        (rounds * self.mean(low)).max(0.0)
    }

    /// The mean loss when each is weighed by `e^(t loss)`.
    fn mean(&self, t: f64) -> f64 {
        let (total, first) = self.tilted(t, |loss| loss);
        first / total
    }

    fn tilted(&self, t: f64, of: impl Fn(f64) -> f64) -> (f64, f64) {
        let weight = |&(loss, p): &(f64, f64)| p * (t * loss).exp();
        let total = self.0.iter().map(weight).sum();
        (total, self.0.iter().map(|each| weight(each) * of(each.0)).sum())
    }

    fn delta(&self, rounds: f64, epsilon: f64, t: f64) -> f64 {
        let mean = self.mean(t);
        let (total, second) = self.tilted(t, |loss| (loss - mean).powi(2));
        let step = 0.1 / (rounds * second / total).sqrt();
        let mut sum = 0.0;
        // Rare large losses make it die out more slowly than a Gaussian would.
        for k in 0..2000 {
            let s = f64::from(k) * step;
            let (mut re, mut im) = (0.0, 0.0);
            for &(loss, p) in &self.0 {
                let (sin, cos) = (s * (loss - mean)).sin_cos();
                let weight = p * (t * loss).exp() / total;
                re += weight * cos;
                im += weight * sin;
            }
            // e^(rounds ln M − (t + is) epsilon) over (t + is)(t + 1 + is), real part.
            let size = (rounds * re.hypot(im).ln()).exp();
            let turn = rounds * im.atan2(re) + s * (rounds * mean - epsilon);
            let angle = turn - s.atan2(t) - s.atan2(t + 1.0);
            let both_sides = if k == 0 { 1.0 } else { 2.0 };
            sum += both_sides * size * angle.cos() / (s.hypot(t) * s.hypot(t + 1.0));
            if size < 1e-16 {
                break;
            }
        }
        (rounds * total.ln() - t * epsilon).exp() * sum * step / TAU
    }
}
