//! The numbers of a privacy statement, each checked once where it enters.

use crate::error::Error;

macro_rules! checked_number {
    ($(#[$doc:meta])* $name:ident, $what:literal, $must:literal, $legal:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            #[doc = concat!("The ", $what, ", if it is ", $must, ".")]
            ///
            /// # Errors
            /// [`Error::Parameter`] otherwise.
            pub fn new(value: f64) -> Result<Self, Error> {
                let legal: fn(f64) -> bool = $legal;
                if legal(value) {
                    return Ok(Self(value));
                }
                Err(Error::Parameter { name: $what, value, must: $must })
            }

            /// The plain number.
            #[must_use]
            pub fn get(self) -> f64 {
                self.0
            }
        }
    };
}

checked_number!(
    /// The standard deviation of the noise divided by the sensitivity of what it hides (`z`).
    ///
    /// # Units
    /// The sensitivity is that of the neighbouring relation in use: the clip norm when a client is added or removed,
    /// twice the clip norm when one is replaced ([`Neighbours::sensitivity`](crate::Neighbours::sensitivity)).
    NoiseMultiplier, "noise multiplier", "finite and at least 0.01", |z| z >= 0.01 && z.is_finite()
);

checked_number!(
    /// The chance with which each client joins a round, on its own coin (`q`).
    SamplingRate, "sampling rate", "between 0 and 1", |q| (0.0..=1.0).contains(&q)
);

checked_number!(
    /// The chance with which epsilon may fail to hold.
    Delta, "delta", "above 0 and below 1", |delta| delta > 0.0 && delta < 1.0
);

checked_number!(
    /// How far the odds of any outcome may move, as a natural logarithm, because one client took part.
    Epsilon, "epsilon", "finite and not negative", |epsilon| epsilon >= 0.0 && epsilon.is_finite()
);

checked_number!(
    /// The longest that one client's update may be (L2).
    ClipNorm, "clip norm", "finite and above 0", |norm| norm > 0.0 && norm.is_finite()
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_do_not_exist() {
        for wrong in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(NoiseMultiplier::new(wrong).is_err());
            assert!(SamplingRate::new(wrong).is_err());
            assert!(Delta::new(wrong).is_err());
            assert!(Epsilon::new(wrong).is_err());
            assert!(ClipNorm::new(wrong).is_err());
        }
        assert!(NoiseMultiplier::new(0.0).is_err());
        assert!(Delta::new(0.0).is_err() && Delta::new(1.0).is_err());
        assert!(SamplingRate::new(0.0).is_ok() && SamplingRate::new(1.0).is_ok());
        assert!(SamplingRate::new(1.0 + 1e-15).is_err());
        let told = Delta::new(2.0).expect_err("a delta of 2 is refused").to_string();
        assert_eq!(told, "delta is 2, but must be above 0 and below 1");
    }
}
