//! How seldom chance alone makes a difference: Fisher's exact test, the rank-sum test, and Holm's correction for many tests.

/// The chance that two shares lie as far apart as `hits.0` of `rows.0` and `hits.1` of `rows.1` do, were they the same.
///
/// Two-sided: the tables with the same sums that are no more probable than this one. It holds for few rows as well as for many, and is
/// rather too large than too small.
///
/// # Reference
/// R. A. Fisher, *The Logic of Inductive Inference*, Journal of the Royal Statistical Society 98, 1935.
pub(super) fn fisher_exact(hits: (u64, u64), rows: (u64, u64)) -> f64 {
    // Ties that rounding has parted count as ties.
    const TIE: f64 = 1.0 + 1e-7;
    let (drawn, marked) = (rows.0 as f64, (hits.0 + hits.1) as f64);
    let unmarked = (rows.0 + rows.1) as f64 - marked;
    // What `k` is to `k + 1` hits on the first side.
    let step = |k: f64| (marked - k) * (drawn - k) / ((k + 1.0) * (unmarked - drawn + k + 1.0));
    let (low, high) = ((drawn - unmarked).max(0.0), drawn.min(marked));
    let mode = ((drawn + 1.0) * (marked + 1.0) / (drawn + (rows.1 as f64) + 2.0)).floor();
    let mode = mode.clamp(low, high);
    // Weights as parts of the mode's, to both sides of it until they are nothing.
    let mut weights = vec![(mode, 1.0)];
    let (mut k, mut weight) = (mode, 1.0);
    while k < high && weight > 0.0 {
        weight *= step(k);
        k += 1.0;
        weights.push((k, weight));
    }
    (k, weight) = (mode, 1.0);
    while k > low && weight > 0.0 {
        k -= 1.0;
        weight /= step(k);
        weights.push((k, weight));
    }
    let seen = weights.iter().find(|(k, _)| *k == hits.0 as f64).map_or(0.0, |(_, weight)| *weight);
    let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let rare: f64 = weights.iter().map(|(_, weight)| weight).filter(|w| **w <= seen * TIE).sum();
    (rare / all).clamp(f64::MIN_POSITIVE, 1.0)
}

/// The chance that the values of two sides lie as far apart in rank as these do, were they drawn alike; 1 where a side is empty.
///
/// Two-sided, by the normal approximation with corrections for ties and continuity. With a handful of values on a side its tail is
/// rather too large than too small.
///
/// # Reference
/// H. B. Mann, D. R. Whitney, *On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other*, Annals of
/// Mathematical Statistics 18, 1947.
pub(super) fn rank_sum(before: &[f64], since: &[f64]) -> f64 {
    let (n, m) = (before.len() as f64, since.len() as f64);
    if before.is_empty() || since.is_empty() {
        return 1.0;
    }
    let mut values: Vec<(f64, bool)> = before.iter().map(|&value| (value, true)).collect();
    values.extend(since.iter().map(|&value| (value, false)));
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0.0);
    for same in values.chunk_by(|a, b| a.0 == b.0) {
        let count = same.len() as f64;
        let of_before = same.iter().filter(|(_, before)| *before).count() as f64;
        ranks += of_before * (at + (count + 1.0) / 2.0);
        ties += count * (count * count - 1.0);
        at += count;
    }
    let total = n + m;
    let u = ranks - n * (n + 1.0) / 2.0;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let z = ((u - n * m / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    erfc(z / std::f64::consts::SQRT_2).clamp(f64::MIN_POSITIVE, 1.0)
}

/// Each p-value as it is to be read when all of these were looked at: below a level, it may be called beyond chance, and the chance of a
/// single false call among all of them is no more than the level.
///
/// # Reference
/// S. Holm, *A Simple Sequentially Rejective Multiple Test Procedure*, Scandinavian Journal of Statistics 6, 1979.
pub(super) fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let (mut adjusted, mut largest) = (vec![1.0; p_values.len()], 0.0_f64);
    for (place, &test) in order.iter().enumerate() {
        largest = largest.max(p_values[test] * (p_values.len() - place) as f64).min(1.0);
        adjusted[test] = largest;
    }
    adjusted
}

/// The complementary error function of a number that is not negative.
///
/// # Reference
/// Abramowitz and Stegun, *Handbook of Mathematical Functions*, 7.1.6 (near 0) and 7.1.14 (the tail).
fn erfc(x: f64) -> f64 {
    let gauss = (-x * x).exp() / std::f64::consts::PI.sqrt();
    if x < 2.0 {
        // erf x = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)); 60 terms leave less than 1e-17.
        let (mut term, mut sum) = (x, x);
        for n in 1..60 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        return 1.0 - 2.0 * gauss * sum;
    }
    // x + (1/2)/(x + 1/(x + (3/2)/(x + …))), from the far end.
    let fraction = (1..=120).rev().fold(x, |below, n| x + f64::from(n) / 2.0 / below);
    gauss / fraction
}
