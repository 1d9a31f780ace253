//! The numbers of a privacy statement, each checked once where it enters.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Reading goes through the same check as making, so that a wrong number cannot come in from a file.
macro_rules! checked_conversions {
    ($name:ident, $plain:ty) => {
        impl TryFrom<$plain> for $name {
            type Error = Error;

            fn try_from(value: $plain) -> Result<Self, Error> {
                Self::new(value)
            }
        }

        impl From<$name> for $plain {
            fn from(checked: $name) -> Self {
                checked.get()
            }
        }
    };
}

macro_rules! checked_number {
    ($(#[$doc:meta])* $name:ident, $what:literal, $must:literal, $legal:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        checked_conversions!($name, f64);

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

/// How many clients' noise is in a sum for certain: those that answered, less those that might tell theirs to whoever
/// sees the sum.
///
/// Never the number that was asked: a client that drops out takes its noise along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Survivors(u32);

checked_conversions!(Survivors, u32);

impl Survivors {
    /// The most clients of a round.
    pub const MAX: u32 = 1 << 20;

    /// That many.
    ///
    /// # Errors
    /// [`Error::Parameter`] when there is none, or more than [`Self::MAX`].
    pub fn new(clients: u32) -> Result<Self, Error> {
        if clients == 0 || clients > Self::MAX {
            let (name, must) = ("number of survivors", "from 1 to 2^20");
            return Err(Error::Parameter { name, value: f64::from(clients), must });
        }
        Ok(Self(clients))
    }

    /// The plain number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Delta {
    /// Whether it is below one over so many clients. From there on, showing the whole update of one client drawn by chance would be
    /// private too.
    #[must_use]
    pub fn is_below_one_of(self, clients: u64) -> bool {
        self.get() * (clients as f64) < 1.0
    }
}

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

    #[test]
    fn numbers_from_a_file_are_checked_too() {
        let read = |text: &str| serde_json::from_str::<NoiseMultiplier>(text);
        assert_eq!(read("1.5").expect("a noise multiplier").get(), 1.5);
        let told = read("-1.5").expect_err("negative").to_string();
        assert_eq!(told, "noise multiplier is -1.5, but must be finite and at least 0.01");
        assert!(serde_json::from_str::<Delta>("1.0").is_err());
        assert!(serde_json::from_str::<Epsilon>("null").is_err());
        assert!(serde_json::from_str::<ClipNorm>("1e999").is_err());
        assert!(serde_json::from_str::<Survivors>("0").is_err());
        let written = serde_json::to_string(&SamplingRate::new(0.1).expect("a rate"));
        assert_eq!(written.expect("plain data"), "0.1");
    }
}
