//! Entries rounded to few steps by chance, so that they are right on average.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::compress::reader::Reader;
use crate::compress::{finite, short_enough};
use crate::error::Error;

/// Entries that share a scale, as in the experiments of the paper: one large entry makes coarse steps only for these.
const BUCKET: usize = 512;

/// Bits of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Bits {
    /// 127 steps on either side of zero.
    Eight,
    /// 32,767 steps on either side of zero.
    Sixteen,
}

impl Bits {
    /// Steps from zero to the scale (`s` of the paper).
    #[must_use]
    pub fn steps(self) -> u16 {
        match self {
            Self::Eight => i8::MAX as u16,
            Self::Sixteen => i16::MAX as u16,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Eight => 1,
            Self::Sixteen => 2,
        }
    }
}

impl TryFrom<u8> for Bits {
    type Error = String;

    fn try_from(bits: u8) -> Result<Self, String> {
        match bits {
            8 => Ok(Self::Eight),
            16 => Ok(Self::Sixteen),
            _ => Err(format!("bits are {bits}, but must be 8 or 16")),
        }
    }
}

impl From<Bits> for u8 {
    fn from(bits: Bits) -> Self {
        8 * bits.bytes() as Self
    }
}

/// A vector in whole steps of a scale for every 512 entries.
///
/// # Example
/// ```
/// use flowgait_federate::compress::{Bits, Quantised};
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
///
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let packed = Quantised::new(&[1.27, -0.005, 0.5], Bits::Eight, &mut rng)?.encode();
/// assert_eq!(packed.len(), 12);
/// let values = Quantised::decode(&packed, 3)?.values();
/// // A step is 0.01, so the second entry is -0.01 as often as 0.
/// assert!(values[0] == 1.27 && (values[1] + 0.005).abs() < 0.0051 && (values[2] - 0.5).abs() < 1e-6);
/// # Ok::<(), flowgait_federate::Error>(())
/// ```
/// # Reference
/// Alistarh, Grubic, Li, Tomioka, Vojnovic, *QSGD: Communication-Efficient SGD via Gradient Quantization and Encoding*,
/// NeurIPS 2017 (arXiv:1610.02132). Scaled by the largest entry instead of the norm, and in buckets, as in their
/// experiments; we write whole bytes instead of Elias codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantised {
    bits: Bits,
    /// Of each bucket: its largest entry without sign.
    scales: Vec<f32>,
    /// Steps of each entry, within the bits.
    codes: Vec<i16>,
}

impl Quantised {
    /// Rounds each entry to one of its two neighbouring steps, the nearer one more likely, so that the mean is exact.
    ///
    /// # Shapes
    /// `vector` is `[n_parameters]`.
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::Parameter`] for 2^32 entries or more.
    pub fn new(vector: &[f32], bits: Bits, rng: &mut impl Rng) -> Result<Self, Error> {
        short_enough(vector.len())?;
        finite(vector)?;
        let mut scales = Vec::with_capacity(vector.len().div_ceil(BUCKET));
        let mut codes = Vec::with_capacity(vector.len());
        for bucket in vector.chunks(BUCKET) {
            let scale = bucket.iter().fold(0.0, |most: f32, value| most.max(value.abs()));
            scales.push(scale);
            for &value in bucket {
                codes.push(round_by_chance(value, scale, bits.steps(), rng));
            }
        }
        Ok(Self { bits, scales, codes })
    }

    /// What the steps mean in the vector's own unit.
    ///
    /// # Shapes
    /// `[n_parameters]`.
    #[must_use]
    pub fn values(&self) -> Vec<f32> {
        let steps = f64::from(self.bits.steps());
        let buckets = self.codes.chunks(BUCKET).zip(&self.scales);
        let values = buckets.flat_map(|(codes, &scale)| {
            codes.iter().map(move |&code| (f64::from(code) * f64::from(scale) / steps) as f32)
        });
        values.collect()
    }

    /// How many bytes [`encode`](Self::encode) gives.
    #[must_use]
    pub fn bytes(&self) -> usize {
        packed_bytes(self.bits, self.codes.len())
    }

    /// As bytes: the bits of an entry (8 or 16, one byte), the number of entries (32 bits), and for each bucket its
    /// scale (32 bits) and its entries' steps. All numbers are little-endian, steps have a sign (two's complement).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes());
        bytes.push(self.bits.into());
        bytes.extend((self.codes.len() as u32).to_le_bytes());
        for (codes, scale) in self.codes.chunks(BUCKET).zip(&self.scales) {
            bytes.extend(scale.to_le_bytes());
            for code in codes {
                // A code of 8 bits has its sign in the lower byte too.
                bytes.extend(&code.to_le_bytes()[..self.bits.bytes()]);
            }
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) gives, of a vector of so many parameters.
    ///
    /// # Errors
    /// [`Error::Unpack`] for anything else, before memory is taken for it.
    pub fn decode(bytes: &[u8], parameters: usize) -> Result<Self, Error> {
        let expected = short_enough(parameters)?;
        let mut reader = Reader::new(bytes);
        let bits = match reader.take()? {
            [8] => Bits::Eight,
            [16] => Bits::Sixteen,
            _ => return Err(Error::Unpack { at: 0, what: "entries have 8 or 16 bits" }),
        };
        if reader.count()? != expected {
            return Err(Error::Unpack { at: 1, what: "it is not of the expected length" });
        }
        if bytes.len() != packed_bytes(bits, parameters) {
            return reader.refuse("there are too few or too many bytes");
        }
        let mut scales = Vec::with_capacity(parameters.div_ceil(BUCKET));
        let mut codes = Vec::with_capacity(parameters);
        while codes.len() < parameters {
            let scale = reader.finite()?;
            if scale.is_sign_negative() {
                return reader.refuse("the scale before this is negative");
            }
            scales.push(scale);
            for _ in 0..BUCKET.min(parameters - codes.len()) {
                let code = match bits {
                    Bits::Eight => i16::from(i8::from_le_bytes(reader.take()?)),
                    Bits::Sixteen => i16::from_le_bytes(reader.take()?),
                };
                if code.unsigned_abs() > bits.steps() || scale == 0.0 && code != 0 {
                    return reader.refuse("the entry before this is larger than its scale");
                }
                codes.push(code);
            }
        }
        reader.end()?;
        Ok(Self { bits, scales, codes })
    }
}

fn packed_bytes(bits: Bits, parameters: usize) -> usize {
    5 + 4 * parameters.div_ceil(BUCKET) + bits.bytes() * parameters
}

fn round_by_chance(value: f32, scale: f32, steps: u16, rng: &mut impl Rng) -> i16 {
    if scale == 0.0 {
        return 0;
    }
    let exact = f64::from(value) / f64::from(scale) * f64::from(steps);
    let below = exact.floor();
    // The chance to go up is how far up it is; a whole number stays.
    let up = rng.random::<f64>() < exact - below;
    below as i16 + i16::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(1)
    }

    #[test]
    fn the_bytes_are_those_of_the_description() {
        let found = Quantised::new(&[-2.0, 0.0, 2.0], Bits::Eight, &mut rng()).expect("a vector");
        let mut expected = vec![8, 3, 0, 0, 0];
        expected.extend(2.0f32.to_le_bytes());
        expected.extend([129, 0, 127]);
        assert_eq!(found.encode(), expected);
        let found = Quantised::new(&[-2.0, 2.0], Bits::Sixteen, &mut rng()).expect("a vector");
        let mut expected = vec![16, 2, 0, 0, 0];
        expected.extend(2.0f32.to_le_bytes());
        expected.extend([1, 128, 255, 127]);
        assert_eq!(found.encode(), expected);
    }

    #[test]
    fn a_large_entry_coarsens_its_own_bucket_only() {
        let mut vector = vec![0.001f32; 2 * BUCKET];
        vector[0] = 1e6;
        let values = Quantised::new(&vector, Bits::Eight, &mut rng()).expect("a vector").values();
        assert!(values[BUCKET..].iter().all(|&value| value == 0.001));
        assert!(values[0] == 1e6 && values[1..BUCKET].iter().all(|&value| value == 0.0));
    }

    #[test]
    fn bytes_that_nobody_should_send_are_refused() {
        let packed = Quantised::new(&[-2.0, 2.0], Bits::Eight, &mut rng()).expect("a vector");
        let check = |change: &dyn Fn(&mut Vec<u8>), parameters: usize, at: usize, what: &str| {
            let mut bytes = packed.encode();
            change(&mut bytes);
            let told = Quantised::decode(&bytes, parameters).expect_err(what).to_string();
            assert_eq!(told, format!("byte {at} of a packed vector: {what}"));
        };
        check(&|bytes| bytes[0] = 4, 2, 0, "entries have 8 or 16 bits");
        check(&|_| {}, 3, 1, "it is not of the expected length");
        check(&|bytes| bytes.push(0), 2, 5, "there are too few or too many bytes");
        check(&|bytes| bytes[0] = 16, 2, 5, "there are too few or too many bytes");
        check(&|bytes| bytes.truncate(4), 2, 1, "the bytes end too soon");
        check(&|bytes| bytes[7..9].fill(255), 2, 5, "a value is not finite");
        check(&|bytes| bytes[8] |= 128, 2, 9, "the scale before this is negative");
        let too_large = "the entry before this is larger than its scale";
        check(&|bytes| bytes[10] = 128, 2, 11, too_large);
        check(&|bytes| bytes[5..9].fill(0), 2, 10, too_large);
        assert!(Quantised::decode(&[], 2).is_err());
    }

    #[test]
    fn extreme_vectors_come_back() {
        for vector in [&[][..], &[0.0, -0.0], &[f32::MAX, f32::MIN], &[f32::from_bits(1)]] {
            for bits in [Bits::Eight, Bits::Sixteen] {
                let packed = Quantised::new(vector, bits, &mut rng()).expect("a vector");
                assert_eq!(packed.values(), vector);
                assert_eq!(Quantised::decode(&packed.encode(), vector.len()).unwrap(), packed);
            }
        }
        let refused = Quantised::new(&[1.0, f32::INFINITY], Bits::Eight, &mut rng());
        assert!(matches!(refused, Err(Error::NotFinite { at: 1, .. })));
    }
}
