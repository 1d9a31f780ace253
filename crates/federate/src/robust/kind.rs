//! Which robust rule, as a person writes it in a configuration file.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::robust::{
    Bulyan, GeometricMedian, Krum, Median, MultiKrum, NormBound, NormClipping, RobustRule,
    TrimmedMean,
};

/// A robust rule and its parameters, in the symbols of the papers.
///
/// # Example
/// ```
/// use flowgait_federate::robust::RobustKind;
///
/// let kind: RobustKind = serde_json::from_str(r#"{ "multi-krum": { "f": 1, "m": 4 } }"#)?;
/// let rule = kind.check(6)?;
/// let honest: Vec<Vec<f32>> = (0..5u8).map(|at| vec![f32::from(at), 1.0]).collect();
/// let mut updates: Vec<&[f32]> = honest.iter().map(Vec::as_slice).collect();
/// updates.push(&[1e9, -1e9]);
/// let combined = rule.combine(&updates)?;
/// assert!(!combined.kept.contains(&5));
/// assert_eq!(combined.update[1], 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RobustKind {
    /// [`Median`].
    Median,
    /// [`TrimmedMean`].
    TrimmedMean {
        /// The share that is dropped on each side.
        beta: f64,
    },
    /// [`GeometricMedian`].
    GeometricMedian {
        /// Below which share of the median distance distances count as that.
        #[serde(default = "smoothing")]
        smoothing: f64,
    },
    /// [`Krum`].
    Krum {
        /// How many clients may lie.
        f: usize,
    },
    /// [`MultiKrum`].
    MultiKrum {
        /// How many clients may lie.
        f: usize,
        /// Of how many updates the mean is made; without it, `n − f` of the clients that it is checked for.
        #[serde(default)]
        m: Option<usize>,
    },
    /// [`Bulyan`].
    Bulyan {
        /// How many clients may lie.
        f: usize,
    },
    /// [`NormClipping`].
    NormClipping {
        /// How long an update may be; without it, as long as the median of the round's norms.
        #[serde(default)]
        bound: Option<f64>,
    },
}

fn smoothing() -> f64 {
    1e-6
}

impl RobustKind {
    /// The rule, if it can hold with so many clients in a round. A round with fewer is refused when it is combined.
    ///
    /// # Errors
    /// [`Error::Parameter`] and [`Error::TooFewClients`], as the rules' own `new`; [`Error::NoUpdates`] without
    /// clients.
    pub fn check(self, clients: usize) -> Result<Box<dyn RobustRule>, Error> {
        if clients == 0 {
            return Err(Error::NoUpdates);
        }
        Ok(match self {
            Self::Median => Box::new(Median),
            Self::TrimmedMean { beta } => Box::new(TrimmedMean::new(beta)?),
            Self::GeometricMedian { smoothing } => Box::new(GeometricMedian::new(smoothing)?),
            Self::Krum { f } => Box::new(Krum::new(f, clients)?),
            Self::MultiKrum { f, m } => {
                let m = m.unwrap_or(clients.saturating_sub(f));
                Box::new(MultiKrum::new(f, m, clients)?)
            }
            Self::Bulyan { f } => Box::new(Bulyan::new(f, clients)?),
            Self::NormClipping { bound } => {
                let bound = bound.map_or(NormBound::MedianNorm, NormBound::Fixed);
                Box::new(NormClipping::new(bound)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_what_its_name_says() {
        for text in [
            r#""median""#,
            r#"{"trimmed-mean":{"beta":0.2}}"#,
            r#"{"geometric-median":{}}"#,
            r#"{"krum":{"f":1}}"#,
            r#"{"multi-krum":{"f":1,"m":3}}"#,
            r#"{"multi-krum":{"f":1}}"#,
            r#"{"bulyan":{"f":1}}"#,
            r#"{"norm-clipping":{"bound":2.5}}"#,
            r#"{"norm-clipping":{}}"#,
        ] {
            let kind: RobustKind = serde_json::from_str(text).expect(text);
            let rule = kind.check(7).expect(text);
            assert!(text.contains(&format!("\"{}\"", rule.name())), "{text}");
            let again = serde_json::to_string(&kind).expect("a kind");
            assert_eq!(serde_json::from_str::<RobustKind>(&again).expect("its own text"), kind);
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, clients) in [
            (r#"{"trimmed-mean":{"beta":0.5}}"#, 9),
            (r#"{"geometric-median":{"smoothing":0.0}}"#, 9),
            (r#"{"krum":{"f":1}}"#, 4),
            (r#"{"multi-krum":{"f":9}}"#, 4),
            (r#"{"bulyan":{"f":2}}"#, 10),
            (r#"{"norm-clipping":{"bound":-1.0}}"#, 9),
            (r#""median""#, 0),
        ] {
            let kind: RobustKind = serde_json::from_str(text).expect(text);
            assert!(kind.check(clients).is_err(), "{text}");
        }
        for unknown in [r#"{"krum":{"f":1,"m":2}}"#, r#""mean""#, r#"{"krum":{}}"#] {
            assert!(serde_json::from_str::<RobustKind>(unknown).is_err(), "{unknown}");
        }
    }
}
