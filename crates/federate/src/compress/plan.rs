//! How the updates of a federation are packed, and by which bytes.

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::compress::reader::Reader;
use crate::compress::{Bits, ErrorFeedback, Quantised, Sparse};
use crate::error::Error;

/// How updates are packed, as a person says it: their largest entries only, fewer bits for each, or both.
///
/// # Example
/// ```
/// use flowgait_federate::compress::CompressionPlan;
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
///
/// let plan = CompressionPlan { top_k: Some(0.25), bits: None }.check()?;
/// let (mut update, mut owed) = (vec![0.5, -3.0, 1.0, 0.0], Vec::new());
/// plan.keep_largest(&mut update, &mut owed)?;
/// assert_eq!(update, [0.0, -3.0, 0.0, 0.0]);
/// assert_eq!(owed, [0.5, 0.0, 1.0, 0.0]);
/// let octets = plan.pack(&update, &mut ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(octets.len(), 13);
/// assert_eq!(plan.unpack(&octets, 4)?, update);
/// # Ok::<(), flowgait_federate::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompressionPlan {
    /// Share of the entries that are sent, rounded up; a client keeps the others and adds them to its next update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<f64>,
    /// Bits of an entry that is sent. Rounding is right on average, so nothing is kept of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<Bits>,
}

impl CompressionPlan {
    /// Refuses what packs nothing.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a share outside 0 … 1; [`Error::Clash`] where neither is set.
    pub fn check(self) -> Result<Self, Error> {
        if let Some(value) = self.top_k
            && !(value > 0.0 && value <= 1.0)
        {
            let must = "above 0 and at most 1";
            return Err(Error::Parameter { name: "the share of entries sent", value, must });
        }
        if self.top_k.is_none() && self.bits.is_none() {
            return Err(Error::Clash {
                this: "compression".to_owned(),
                that: "neither top_k nor bits",
                because: "it would pack nothing: set one of them",
            });
        }
        Ok(self)
    }

    /// Keeps the largest entries of what a client owes and of its update, in place; it owes the others from now on. Without `top_k`, and of
    /// an update that has an entry that is no number, all stays as it is.
    ///
    /// # Shapes
    /// `update` is `[n_parameters]`; `owed` is too, or empty before the first round.
    /// # Errors
    /// [`Error::Count`] where another number of entries is owed.
    pub fn keep_largest(&self, update: &mut Vec<f32>, owed: &mut Vec<f64>) -> Result<(), Error> {
        let Some(share) = self.top_k else { return Ok(()) };
        if update.is_empty() || update.iter().any(|value| !value.is_finite()) {
            return Ok(());
        }
        let k = ((share * update.len() as f64).ceil() as usize).clamp(1, update.len());
        let mut memory = ErrorFeedback::owing(owed, update.len(), k)?;
        *update = memory.compress(update)?.dense();
        owed.clear();
        owed.extend_from_slice(memory.residual());
        Ok(())
    }

    /// An update as bytes. With `top_k` these are its entries that are not zero, as [`Sparse::encode`] writes them; with bits all entries, as
    /// [`Quantised::encode`] does; with both the first part of the former, and its values as the latter.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn pack(&self, values: &[f32], rng: &mut impl Rng) -> Result<Vec<u8>, Error> {
        match (self.top_k, self.bits) {
            (None, Some(bits)) => Ok(Quantised::new(values, bits, rng)?.encode()),
            (_, None) => Ok(Sparse::of(values)?.encode()),
            (Some(_), Some(bits)) => {
                let sparse = Sparse::of(values)?;
                let mut octets = sparse.encode_places();
                let values: Vec<f32> = sparse.entries().map(|(_, value)| value).collect();
                octets.extend(Quantised::new(&values, bits, rng)?.encode());
                Ok(octets)
            }
        }
    }

    /// Reads what [`pack`](Self::pack) gives, of an update of so many entries.
    ///
    /// # Errors
    /// [`Error::Unpack`] for anything else, before memory is taken for it.
    pub fn unpack(&self, octets: &[u8], entries: usize) -> Result<Vec<f32>, Error> {
        match (self.top_k, self.bits) {
            (None, Some(_)) => Ok(Quantised::decode(octets, entries)?.values()),
            (_, None) => Ok(Sparse::decode(octets, entries)?.dense()),
            (Some(_), Some(_)) => {
                let mut reader = Reader::new(octets);
                // An entry is one byte of its place and one of its value at least.
                let places = Sparse::read_places(&mut reader, entries, 2)?;
                let start = octets.len() - reader.left();
                let behind = |error| match error {
                    Error::Unpack { at, what } => Error::Unpack { at: at + start, what },
                    other => other,
                };
                let sent = Quantised::decode(&octets[start..], places.len()).map_err(behind)?;
                let mut values = vec![0.0; entries];
                for (place, value) in places.into_iter().zip(sent.values()) {
                    values[place as usize] = value;
                }
                Ok(values)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const BOTH: CompressionPlan = CompressionPlan { top_k: Some(0.5), bits: Some(Bits::Eight) };

    #[test]
    fn the_bytes_of_both_are_those_of_the_description() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let packed = BOTH.pack(&[0.0, 2.0, 0.0, -2.0], rng).expect("numbers");
        let mut expected = vec![4, 0, 0, 0, 2, 0, 0, 0, 1, 1, 8, 2, 0, 0, 0];
        expected.extend(2.0f32.to_le_bytes());
        expected.extend([127, 129]);
        assert_eq!(packed, expected);
        assert_eq!(BOTH.unpack(&packed, 4).expect("its own bytes"), [0.0, 2.0, 0.0, -2.0]);
        let told = |octets: &[u8], entries| BOTH.unpack(octets, entries).unwrap_err().to_string();
        assert!(told(&packed, 5).starts_with("byte 0 of a packed vector: it is not of the exp"));
        assert!(
            told(&packed[..19], 4).starts_with("byte 15 of a packed vector: there are too few")
        );
        let mut many = packed.clone();
        many[4] = 9;
        assert!(told(&many, 4).starts_with("byte 4 of a packed vector: it has too many entries"));
    }

    #[test]
    fn what_packs_nothing_is_refused() {
        let told = |plan: CompressionPlan| plan.check().unwrap_err().to_string();
        assert!(told(CompressionPlan::default()).contains("set one of them"));
        for share in [0.0, 1.5, f64::NAN] {
            let plan = CompressionPlan { top_k: Some(share), bits: None };
            assert!(told(plan).contains("above 0 and at most 1"));
        }
        assert!(BOTH.check().is_ok());
        let read = |bits: &str| serde_json::from_str::<CompressionPlan>(bits);
        assert_eq!(read(r#"{"bits":16}"#).expect("bits").bits, Some(Bits::Sixteen));
        let told = read(r#"{"bits":4}"#).unwrap_err().to_string();
        assert!(told.contains("bits are 4, but must be 8 or 16"), "{told}");
    }

    #[test]
    fn an_update_that_is_none_is_not_packed_and_nothing_is_owed_for_it() {
        let (mut update, mut owed) = (vec![1.0, f32::NAN], vec![0.5, 0.0]);
        BOTH.keep_largest(&mut update, &mut owed).expect("left alone");
        assert!(update[0] == 1.0 && update[1].is_nan() && owed == [0.5, 0.0]);
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        assert!(matches!(BOTH.pack(&update, rng), Err(Error::NotFinite { at: 1, .. })));
        assert!(BOTH.keep_largest(&mut vec![1.0], &mut owed).is_err());
    }
}
