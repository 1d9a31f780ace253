//! The exponential function, the same to the last bit on every machine: a library's may differ.

/// e to the power of `x`, to about 2 units in the last place; below -87 it is 0, above 88 that of 88.
///
/// By `2^n · e^r` with `|r| ≤ ln 2 / 2`, and e^r by its series to the seventh power, whose rest is below one unit.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    // Adding 1.5 · 2^23 leaves no bits behind the point: the nearest whole number without a call.
    const ROUND: f32 = 12_582_912.0;
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut sum = 1.0 / 5_040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + factor;
    }
    let power = f32::from_bits(((n as i32 + 127) as u32) << 23);
    if x <= -87.0 { 0.0 } else { sum * power }
}

/// Turns margins into probabilities, in place.
pub(crate) fn softmax(margins: &mut [f32]) {
    let greatest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for margin in &mut *margins {
        *margin = exp(*margin - greatest);
        sum += *margin;
    }
    let scale = 1.0 / sum;
    margins.iter_mut().for_each(|margin| *margin *= scale);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential_function() {
        for step in -8_600..8_800 {
            let x = step as f32 / 100.0;
            let (ours, exact) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((ours / exact - 1.0).abs() < 4e-7, "e^{x}: {ours}, {exact}");
        }
        assert_eq!((exp(0.0), exp(-1_000.0), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
    }
}
