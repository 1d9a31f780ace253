//! The largest entries of a vector, and what is owed of the others.

use crate::compress::reader::{Reader, varint_bytes, write_varint};
use crate::compress::{finite, short_enough};
use crate::error::Error;

/// What one client has not sent yet. It stays with the client from round to round.
///
/// # Example
/// ```
/// use flowgait_federate::compress::ErrorFeedback;
///
/// let mut memory = ErrorFeedback::new(3, 1)?;
/// assert_eq!(memory.compress(&[0.5, -3.0, 1.0])?.dense(), [0.0, -3.0, 0.0]);
/// // What was not sent in the first round counts in the second.
/// assert_eq!(memory.compress(&[0.0, 1.0, 1.0])?.dense(), [0.0, 0.0, 2.0]);
/// assert_eq!(memory.residual(), [0.5, 1.0, 0.0]);
/// # Ok::<(), flowgait_federate::Error>(())
/// ```
/// # Reference
/// Stich, Cordonnier, Jaggi, *Sparsified SGD with Memory*, NeurIPS 2018 (arXiv:1809.07599), Algorithm 1 with
/// `top_k`.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorFeedback {
    /// In 64 bits, so that what rounding to 32 takes from a sent value is owed too.
    residual: Vec<f64>,
    k: usize,
}

impl ErrorFeedback {
    /// A client that owes nothing yet and sends at most `k` of its entries a round.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `1 <= k <= parameters < 2^32`.
    pub fn new(parameters: usize, k: usize) -> Result<Self, Error> {
        short_enough(parameters)?;
        if !(1..=parameters).contains(&k) {
            let must = "from 1 to the number of parameters";
            return Err(Error::Parameter { name: "k", value: k as f64, must });
        }
        Ok(Self { residual: vec![0.0; parameters], k })
    }

    /// A client that owes this already, or nothing yet where it is empty.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Count`] where another number of entries is owed.
    pub fn owing(residual: &[f64], parameters: usize, k: usize) -> Result<Self, Error> {
        let mut memory = Self::new(parameters, k)?;
        if residual.is_empty() {
            return Ok(memory);
        }
        if residual.len() != parameters {
            let (what, found) = ("entries owed", residual.len());
            return Err(Error::Count { what, found, expected: parameters });
        }
        memory.residual.copy_from_slice(residual);
        Ok(memory)
    }

    /// Takes the `k` largest entries of what is owed and this update together; the rest is owed from now on. Of entries
    /// of one size the first are taken; zeros never.
    ///
    /// # Shapes
    /// `update` is `[n_parameters]`.
    /// # Errors
    /// [`Error::Count`] for another length, [`Error::NotFinite`]; nothing changes then.
    pub fn compress(&mut self, update: &[f32]) -> Result<Sparse, Error> {
        if update.len() != self.residual.len() {
            let (what, found) = ("entries of the update", update.len());
            return Err(Error::Count { what, found, expected: self.residual.len() });
        }
        finite(update)?;
        for (owed, &value) in self.residual.iter_mut().zip(update) {
            *owed += f64::from(value);
        }
        let mut places: Vec<u32> = (0u32..).take(update.len()).collect();
        let size = |place: u32| self.residual[place as usize].abs();
        places.select_nth_unstable_by(self.k - 1, |&a, &b| {
            size(b).total_cmp(&size(a)).then(a.cmp(&b))
        });
        places.truncate(self.k);
        places.sort_unstable();
        let mut sparse = Sparse { parameters: update.len(), places: vec![], values: vec![] };
        for place in places {
            let owed = &mut self.residual[place as usize];
            // Many rounds may owe more than 32 bits hold; then the rest stays owed.
            let value = owed.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32;
            if value != 0.0 {
                *owed -= f64::from(value);
                sparse.places.push(place);
                sparse.values.push(value);
            }
        }
        Ok(sparse)
    }

    /// What is owed.
    ///
    /// # Shapes
    /// `[n_parameters]`.
    #[must_use]
    pub fn residual(&self) -> &[f64] {
        &self.residual
    }
}

/// A vector of which few entries are not zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparse {
    parameters: usize,
    /// Ascending.
    places: Vec<u32>,
    /// Finite, none of them zero.
    values: Vec<f32>,
}

impl Sparse {
    /// The entries of a vector that are not zero.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::Parameter`] for 2^32 entries or more.
    pub fn of(vector: &[f32]) -> Result<Self, Error> {
        short_enough(vector.len())?;
        finite(vector)?;
        let entries = (0u32..).zip(vector).filter(|(_, value)| **value != 0.0);
        let (places, values) = entries.map(|(place, &value)| (place, value)).unzip();
        Ok(Self { parameters: vector.len(), places, values })
    }

    /// The whole vector.
    ///
    /// # Shapes
    /// `[n_parameters]`.
    #[must_use]
    pub fn dense(&self) -> Vec<f32> {
        let mut dense = vec![0.0; self.parameters];
        for (place, value) in self.entries() {
            dense[place as usize] = value;
        }
        dense
    }

    /// Entries that are not zero, by ascending place.
    pub fn entries(&self) -> impl Iterator<Item = (u32, f32)> {
        self.places.iter().copied().zip(self.values.iter().copied())
    }

    /// How many bytes [`encode`](Self::encode) gives.
    #[must_use]
    pub fn bytes(&self) -> usize {
        8 + self.gaps().map(varint_bytes).sum::<usize>() + 4 * self.values.len()
    }

    /// As bytes: the number of parameters and of entries (32 bits each), the gaps between places (7 bits a byte, the
    /// smallest first), the values (32 bits each). All numbers are little-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.encode_places();
        bytes.extend(self.values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    /// As bytes, but for the values.
    pub(super) fn encode_places(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes());
        bytes.extend((self.parameters as u32).to_le_bytes());
        bytes.extend((self.places.len() as u32).to_le_bytes());
        self.gaps().for_each(|gap| write_varint(gap, &mut bytes));
        bytes
    }

    /// How many places are left out before each entry.
    fn gaps(&self) -> impl Iterator<Item = u32> {
        let before = std::iter::once(0).chain(self.places.iter().map(|place| place + 1));
        self.places.iter().zip(before).map(|(place, from)| place - from)
    }

    /// Reads what [`encode`](Self::encode) gives, of a vector of so many parameters.
    ///
    /// # Errors
    /// [`Error::Unpack`] for anything else, before memory is taken for it.
    pub fn decode(bytes: &[u8], parameters: usize) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let places = Self::read_places(&mut reader, parameters, 5)?;
        let mut values = Vec::with_capacity(places.len());
        for _ in 0..places.len() {
            let value = reader.finite()?;
            if value == 0.0 {
                return reader.refuse("a value before this is zero");
            }
            values.push(value);
        }
        reader.end()?;
        Ok(Self { parameters, places, values })
    }

    /// Reads how many parameters there are and the places of the entries, of which each takes so many bytes or more with its value.
    pub(super) fn read_places(
        reader: &mut Reader<'_>,
        parameters: usize,
        entry_bytes: usize,
    ) -> Result<Vec<u32>, Error> {
        let expected = short_enough(parameters)?;
        if reader.count()? != expected {
            return Err(Error::Unpack { at: 0, what: "it is not of the expected length" });
        }
        let entries = reader.count()? as usize;
        // A short message cannot ask for much memory.
        if entries > parameters || entries > reader.left() / entry_bytes {
            return Err(Error::Unpack { at: 4, what: "it has too many entries" });
        }
        let mut places = Vec::with_capacity(entries);
        let mut from = 0u32;
        for _ in 0..entries {
            let place = from.checked_add(reader.varint()?).filter(|&place| place < expected);
            let Some(place) = place else { return reader.refuse("a place is past the end") };
            places.push(place);
            from = place + 1;
        }
        Ok(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed() -> Vec<u8> {
        let mut memory = ErrorFeedback::new(300, 2).expect("a memory");
        let mut update = [0.0; 300];
        (update[3], update[200]) = (1.5, -2.0);
        memory.compress(&update).expect("an update").encode()
    }

    #[test]
    fn the_bytes_are_those_of_the_description() {
        let mut expected = vec![44, 1, 0, 0, 2, 0, 0, 0, 3, 0xc4, 0x01];
        expected.extend(1.5f32.to_le_bytes());
        expected.extend((-2.0f32).to_le_bytes());
        assert_eq!(packed(), expected);
    }

    #[test]
    fn bytes_that_nobody_should_send_are_refused() {
        let check = |change: &dyn Fn(&mut Vec<u8>), parameters: usize, told: &str| {
            let mut bytes = packed();
            change(&mut bytes);
            let refused = Sparse::decode(&bytes, parameters).expect_err(told).to_string();
            assert_eq!(refused, told);
        };
        let told = |at: usize, what: &str| format!("byte {at} of a packed vector: {what}");
        check(&|_| {}, 299, &told(0, "it is not of the expected length"));
        check(&|bytes| bytes[7] = 255, 300, &told(4, "it has too many entries"));
        check(&|bytes| bytes[10] = 0x02, 300, &told(11, "a place is past the end"));
        check(&|bytes| bytes.truncate(18), 300, &told(15, "the bytes end too soon"));
        check(&|bytes| bytes.push(0), 300, &told(19, "there are bytes to spare"));
        check(&|bytes| bytes[11..15].fill(0), 300, &told(15, "a value before this is zero"));
        check(&|bytes| bytes[13..15].fill(255), 300, &told(11, "a value is not finite"));
        assert!(Sparse::decode(&[], 300).is_err());
        assert!(Sparse::decode(&packed(), usize::MAX).is_err());
    }

    #[test]
    fn what_has_no_size_or_place_is_refused_and_nothing_changes() {
        let mut memory = ErrorFeedback::new(2, 1).expect("a memory");
        assert!(memory.compress(&[1.0]).is_err());
        assert!(matches!(memory.compress(&[1.0, f32::NAN]), Err(Error::NotFinite { at: 1, .. })));
        assert_eq!(memory.residual(), [0.0, 0.0]);
        assert!(ErrorFeedback::new(2, 0).is_err() && ErrorFeedback::new(2, 3).is_err());
    }

    #[test]
    fn zeros_are_not_sent_and_of_equals_the_first_is() {
        let mut memory = ErrorFeedback::new(4, 2).expect("a memory");
        assert_eq!(memory.compress(&[0.0; 4]).expect("an update").bytes(), 8);
        let sent = memory.compress(&[1.0, -1.0, 1.0, -1.0]).expect("an update");
        assert_eq!(sent.entries().collect::<Vec<_>>(), [(0, 1.0), (1, -1.0)]);
    }

    #[test]
    fn what_32_bits_cannot_hold_stays_owed() {
        let mut memory = ErrorFeedback::new(2, 1).expect("a memory");
        let most = f64::from(f32::MAX);
        for _ in 0..4 {
            let sent = memory.compress(&[f32::MAX; 2]).expect("an update");
            assert!(sent.entries().all(|(_, value)| value == f32::MAX));
        }
        // Eight times the largest number came in, four went out.
        assert_eq!(memory.residual(), [2.0 * most, 2.0 * most]);
    }
}
