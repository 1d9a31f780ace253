//! The privacy loss of one round, as distributions of a normal number and its mixture.

use crate::account::special::{ln_add, ln_exp_minus_one, normal_between};

/// Which of two neighbours the outcome is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the mixture, held against the set without the client.
    Remove,
    /// From the set without the client, held against the mixture.
    Add,
}

/// A Gaussian of standard deviation `z` around 0, and the mixture in which it is around 1 with chance `q`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    pub q: f64,
    pub z: f64,
}

/// How likely losses within a range are, when the outcome is drawn from each of two neighbours.
pub struct Masses {
    pub drawn: f64,
    pub other: f64,
}

impl Loss {
    /// The loss of outcome `x` for [`Direction::Remove`]; that of [`Direction::Add`] is its negative. It rises with `x`.
    pub fn at(&self, x: f64) -> f64 {
        let exponent = (2.0 * x - 1.0) / (2.0 * self.z * self.z);
        if exponent.abs() < 1.0 {
            return (self.q * exponent.exp_m1()).ln_1p();
        }
        ln_add((-self.q).ln_1p(), self.q.ln() + exponent)
    }

    /// The outcome whose loss is `loss`; minus infinity for a loss that no outcome reaches.
    pub fn outcome(&self, loss: f64) -> f64 {
        // ln ((e^loss − (1 − q)) / q), each way where its digits hold.
        let ln_ratio = if self.q == 1.0 {
            loss
        } else if loss > 1.0 {
            let far = ln_exp_minus_one(loss);
            far + (self.q * (-far).exp()).ln_1p() - self.q.ln()
        } else if loss > -1.0 {
            (loss.exp_m1() / self.q).max(-1.0).ln_1p()
        } else {
            ((loss.exp() - (1.0 - self.q)) / self.q).max(0.0).ln()
        };
        0.5 + self.z * self.z * ln_ratio
    }

    /// The masses of outcomes whose loss is between two ends.
    pub fn between(&self, low: f64, high: f64, direction: Direction) -> Masses {
        let (from, to) = match direction {
            Direction::Remove => (self.outcome(low), self.outcome(high)),
            Direction::Add => (self.outcome(-high), self.outcome(-low)),
        };
        let without = normal_between(from / self.z, to / self.z);
        let with = normal_between((from - 1.0) / self.z, (to - 1.0) / self.z);
        let mixture = (1.0 - self.q) * without + self.q * with;
        match direction {
            Direction::Remove => Masses { drawn: mixture, other: without },
            Direction::Add => Masses { drawn: without, other: mixture },
        }
    }

    /// The losses of all outcomes within `reach` standard deviations.
    pub fn range(&self, reach: f64, direction: Direction) -> (f64, f64) {
        let top = match direction {
            Direction::Remove => 1.0 + reach * self.z,
            Direction::Add => reach * self.z,
        };
        let (low, high) = (self.at(-reach * self.z), self.at(top));
        match direction {
            Direction::Remove => (low, high),
            Direction::Add => (-high, -low),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcome_undoes_loss() {
        for (q, z) in [(0.01, 1.0), (0.5, 0.5), (1.0, 2.0), (0.004, 8.0), (1.0, 0.04)] {
            let loss = Loss { q, z };
            for x in [-2.0, 0.0, 0.5, 1.0, 3.0, 40.0] {
                let back = loss.outcome(loss.at(x));
                assert!((back - x).abs() < 1e-9, "{q} {z} {x} {back}");
            }
        }
        assert_eq!(Loss { q: 0.5, z: 1.0 }.outcome(-1.0), f64::NEG_INFINITY);
    }
}
