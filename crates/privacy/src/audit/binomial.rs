//! How large a chance must be at least, or can be at most, given how often something happened.
//!
//! # Reference
//! Clopper, Pearson, *The use of confidence or fiducial limits illustrated in the case of the binomial*, 1934.

/// Bisections: they halve the doubt until two neighbouring numbers are left.
const HALVINGS: u32 = 80;
/// What the tails below may be wrong by, relative to them; limits are moved outwards by more than it moves them.
const SLACK: f64 = 1e-9;

/// The least chance under which `happened` of `trials` or more have a chance of `doubt`: the true one is below it with at
/// most that chance. 0 when nothing happened.
#[must_use]
pub fn at_least(happened: u64, trials: u64, doubt: f64) -> f64 {
    if happened == 0 {
        return 0.0;
    }
    let (a, b) = (happened as f64, (trials - happened.min(trials)) as f64 + 1.0);
    bisect(|p| incomplete_beta(a, b, p) < doubt * (1.0 - SLACK)).0
}

/// The largest chance under which `happened` of `trials` or fewer have a chance of `doubt`: the true one is above it with
/// at most that chance. 1 when it always happened.
#[must_use]
pub fn at_most(happened: u64, trials: u64, doubt: f64) -> f64 {
    if happened >= trials {
        return 1.0;
    }
    // The mirror image: 1 − p of what did not happen.
    let (a, b) = ((trials - happened) as f64, happened as f64 + 1.0);
    // Small chances keep their digits when they are looked for as they are.
    bisect(|p| complement(b, a, p) > doubt * (1.0 - SLACK)).1
}

/// The last number for which a falling condition holds and the first for which it does not.
fn bisect(holds: impl Fn(f64) -> bool) -> (f64, f64) {
    let (mut low, mut high) = (0.0f64, 1.0f64);
    for _ in 0..HALVINGS {
        // Small chances are found by their size.
        let middle = if low > 0.0 { (low * high).sqrt() } else { high / 16.0 };
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low, high)
}

/// The regularised incomplete beta function `I_x(a, b)`: with `a` and `b + 1` whole, the chance of `a` or more of
/// `a + b − 1`.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - tail(b, a, 1.0 - x);
    }
    tail(a, b, x)
}

/// `1 − I_x(a, b)`.
fn complement(a: f64, b: f64, x: f64) -> f64 {
    if x > (a + 1.0) / (a + b + 2.0) {
        return tail(b, a, 1.0 - x);
    }
    1.0 - tail(a, b, x)
}

/// `I_x(a, b)` by its continued fraction, which converges fast for `x` up to about `a/(a + b)`.
///
/// # Reference
/// DLMF 8.17.22, evaluated by Lentz's method.
fn tail(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    if x <= 0.0 {
        return 0.0;
    }
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, away_from_zero(1.0 - (a + b) * x / (a + 1.0)).recip());
    let mut fraction = d;
    for step in 1..100_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = away_from_zero(1.0 + term * d).recip();
            c = away_from_zero(1.0 + term / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    let ln_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    (a * x.ln() + b * (-x).ln_1p() - ln_beta).exp() * fraction / a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-7, "{found} is not {expected}");
    }

    #[test]
    fn limits_are_those_of_tables() {
        // None of n, and all of n, have closed forms.
        near(at_most(0, 1000, 0.025), 1.0 - 0.025f64.powf(1e-3));
        near(at_least(1000, 1000, 0.025), 0.025f64.powf(1e-3));
        assert_eq!((at_least(0, 9, 0.1), at_most(9, 9, 0.1)), (0.0, 1.0));
        REFERENCE.iter().for_each(|&(k, n, doubt, low, high)| {
            near(at_least(k, n, doubt), low);
            near(at_most(k, n, doubt), high);
        });
    }

    /// By bisection on sums of binomial masses with 30 digits (mpmath).
    const REFERENCE: [(u64, u64, f64, f64, f64); 6] = [
        (1, 10, 0.05, 0.0051161968918237, 0.3941633024365),
        (5, 10, 0.025, 0.1870860284474, 0.8129139715526),
        (37, 1000, 0.005, 0.023358994911364, 0.055223679512418),
        (990, 1000, 0.025, 0.98168675694489, 0.99519448930895),
        (3, 100000, 0.025, 6.186763958922e-6, 8.7670202566362e-5),
        (50000, 100000, 0.01, 0.49631678020225, 0.50368321979775),
    ];

    proptest! {
        #[test]
        fn limits_leave_the_doubt_in_the_tails(
            n in 1u64..400, share in 0.0f64..1.0, doubt in 0.001f64..0.2
        ) {
            let k = (share * n as f64) as u64;
            let (low, high) = (at_least(k, n, doubt), at_most(k, n, doubt));
            prop_assert!(0.0 <= low && low <= high && high <= 1.0);
            // Tails as sums of masses.
            let mass = |p: f64, i: u64| {
                let choose = libm::lgamma(n as f64 + 1.0)
                    - libm::lgamma(i as f64 + 1.0)
                    - libm::lgamma((n - i) as f64 + 1.0);
                (choose + i as f64 * p.ln() + (n - i) as f64 * (-p).ln_1p()).exp()
            };
            if k > 0 {
                let above: f64 = (k..=n).map(|i| mass(low, i)).sum();
                prop_assert!((above / doubt - 1.0).abs() < 1e-6, "{above} {doubt}");
            }
            if k < n {
                let below: f64 = (0..=k).map(|i| mass(high, i)).sum();
                prop_assert!((below / doubt - 1.0).abs() < 1e-6, "{below} {doubt}");
            }
        }
    }
}
