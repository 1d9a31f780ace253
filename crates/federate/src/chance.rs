//! Normal, gamma and Dirichlet numbers from a generator that is passed in.

use rand::{Rng, RngExt};

/// A number above 0 and at most 1, each as likely as any other: one that has a logarithm.
fn unit(rng: &mut impl Rng) -> f64 {
    1.0 - rng.random::<f64>()
}

/// A standard normal number.
///
/// # Reference
/// Marsaglia, Bray, *A Convenient Method for Generating Normal Variables*, SIAM Review 1964. Of the pair that the
/// method makes one is given away, so that no draw depends on those before it.
pub fn normal(rng: &mut impl Rng) -> f64 {
    loop {
        let (u, v) = (rng.random::<f64>() * 2.0 - 1.0, rng.random::<f64>() * 2.0 - 1.0);
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            return u * (-2.0 * s.ln() / s).sqrt();
        }
    }
}

/// The logarithm of a gamma number of this shape and scale 1. At shapes far below 1 the number itself is often too
/// small for 64 bits, its logarithm never.
///
/// # Reference
/// Marsaglia, Tsang, *A Simple Method for Generating Gamma Variables*, ACM Transactions on Mathematical Software 2000;
/// below 1 by their note `Gamma(a) = Gamma(a + 1) U^(1/a)`.
fn ln_gamma_number(shape: f64, rng: &mut impl Rng) -> f64 {
    if shape < 1.0 {
        return ln_gamma_number(shape + 1.0, rng) + unit(rng).ln() / shape;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && unit(rng).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d.ln() + v.ln();
        }
    }
}

/// The logarithms of weights that, divided by their sum, are a Dirichlet vector. A parameter of 0 gives a weight of 0.
pub fn ln_dirichlet(parameters: &[f64], rng: &mut impl Rng) -> Vec<f64> {
    let draw = |&parameter: &f64| match parameter {
        0.0 => f64::NEG_INFINITY,
        shape => ln_gamma_number(shape, rng),
    };
    parameters.iter().map(draw).collect()
}

/// Shares that add up to 1, of weights told by their logarithms. Without any weight above 0 there are none.
pub fn shares(ln_weights: &[f64]) -> Option<Vec<f64>> {
    let most = ln_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return None;
    }
    // The largest becomes 1, so that not all of them vanish.
    let weights: Vec<f64> = ln_weights.iter().map(|weight| (weight - most).exp()).collect();
    let total: f64 = weights.iter().sum();
    Some(weights.into_iter().map(|weight| weight / total).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const DRAWS: usize = 40_000;

    /// Mean and variance of many draws.
    fn moments(mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let drawn: Vec<f64> = (0..DRAWS).map(|_| draw()).collect();
        let mean = drawn.iter().sum::<f64>() / DRAWS as f64;
        let squares = drawn.iter().map(|value| (value - mean).powi(2));
        (mean, squares.sum::<f64>() / DRAWS as f64)
    }

    #[test]
    fn normal_numbers_fall_where_they_should() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let drawn: Vec<f64> = (0..DRAWS).map(|_| normal(rng)).collect();
        // 4.5 standard deviations of a share.
        for (border, expected) in
            [(-1.0, 0.158_655), (0.0, 0.5), (0.5, 0.691_462), (2.0, 0.977_250)]
        {
            let found = drawn.iter().filter(|&&value| value < border).count() as f64 / DRAWS as f64;
            let deviation = (expected * (1.0 - expected) / DRAWS as f64).sqrt();
            assert!((found - expected).abs() < 4.5 * deviation, "{border}: {found}");
        }
    }

    #[test]
    fn gamma_numbers_have_their_shape_as_mean_and_variance() {
        for (seed, shape) in [0.05, 0.3, 1.0, 2.5, 40.0].into_iter().enumerate() {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed as u64);
            let (mean, variance) = moments(|| ln_gamma_number(shape, rng).exp());
            let n = DRAWS as f64;
            // The variance of a squared deviation follows from the fourth central moment, 3a² + 6a.
            let spread = ((2.0 * shape * shape + 6.0 * shape) / n).sqrt();
            assert!((mean - shape).abs() < 4.5 * (shape / n).sqrt(), "{shape}: {mean}");
            assert!((variance - shape).abs() < 4.5 * spread, "{shape}: {variance}");
        }
    }

    #[test]
    fn a_gamma_number_of_shape_one_is_exponential() {
        let rng = &mut ChaCha8Rng::seed_from_u64(7);
        let mut drawn: Vec<f64> = (0..DRAWS).map(|_| ln_gamma_number(1.0, rng).exp()).collect();
        drawn.sort_by(f64::total_cmp);
        let below = |(at, value): (usize, &f64)| {
            let expected = 1.0 - (-value).exp();
            (expected - (at as f64 + 0.5) / DRAWS as f64).abs()
        };
        let distance = drawn.iter().enumerate().map(below).fold(0.0, f64::max);
        // Kolmogorov's distance passes 1.95 / sqrt(n) once in a thousand seeds.
        assert!(distance < 1.95 / (DRAWS as f64).sqrt(), "{distance}");
    }

    #[test]
    fn a_dirichlet_vector_varies_as_its_concentration_says() {
        // Var q_i = p_i (1 − p_i) / (alpha + 1).
        for (seed, alpha) in [0.1, 1.0, 20.0].into_iter().enumerate() {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed as u64);
            let parameters = [0.2 * alpha, 0.3 * alpha, 0.5 * alpha, 0.0];
            let (mean, variance) = moments(|| {
                let q = shares(&ln_dirichlet(&parameters, rng)).expect("weights");
                assert!((q.iter().sum::<f64>() - 1.0).abs() < 1e-12 && q[3] == 0.0);
                q[0]
            });
            let expected = 0.2 * 0.8 / (alpha + 1.0);
            assert!((mean - 0.2).abs() < 4.5 * (expected / DRAWS as f64).sqrt(), "{alpha}: {mean}");
            assert!((variance / expected - 1.0).abs() < 0.05, "{alpha}: {variance}");
        }
    }

    #[test]
    fn the_smallest_parameters_still_give_shares() {
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        for _ in 0..100 {
            let q = shares(&ln_dirichlet(&[1e-12; 5], rng)).expect("weights");
            assert!((q.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{q:?}");
        }
        assert_eq!(shares(&[f64::NEG_INFINITY; 3]), None);
    }
}
