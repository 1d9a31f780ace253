//! Elements of a ring packed without gaps, lowest bit first.

/// Bytes that so many elements take.
pub(crate) fn packed_len(elements: usize, bits: u32) -> usize {
    (elements * bits as usize).div_ceil(8)
}

/// Packs elements below `2^bits`.
pub(crate) fn pack(elements: &[u32], bits: u32) -> Vec<u8> {
    let mut packed = Vec::with_capacity(packed_len(elements.len(), bits) + 8);
    let (mut waiting, mut held) = (0u64, 0);
    for &element in elements {
        waiting |= u64::from(element) << held;
        held += bits;
        while held >= 32 {
            packed.extend_from_slice(&(waiting as u32).to_le_bytes());
            waiting >>= 32;
            held -= 32;
        }
    }
    let rest = (held as usize).div_ceil(8);
    packed.extend_from_slice(&waiting.to_le_bytes()[..rest]);
    packed
}

/// The elements again, or nothing where the length is another or a bit beyond the last element is set.
pub(crate) fn unpack(packed: &[u8], elements: usize, bits: u32) -> Option<Vec<u32>> {
    if packed.len() != packed_len(elements, bits) {
        return None;
    }
    let mask = u64::from(u32::MAX >> (u32::BITS - bits));
    let (mut waiting, mut held) = (0u64, 0);
    let mut words = packed.chunks(4);
    let mut unpacked = Vec::with_capacity(elements);
    for _ in 0..elements {
        if held < bits {
            let mut word = [0; 4];
            let chunk = words.next()?;
            word[..chunk.len()].copy_from_slice(chunk);
            waiting |= u64::from(u32::from_le_bytes(word)) << held;
            held += 32;
        }
        unpacked.push((waiting & mask) as u32);
        waiting >>= bits;
        held -= bits;
    }
    (waiting == 0).then_some(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bits_stand_where_they_are_said_to() {
        assert_eq!(pack(&[0b101, 0b011, 0b110], 3), [0b1001_1101, 0b1]);
        assert_eq!(pack(&[0x0102_0304], 32), [4, 3, 2, 1]);
        assert_eq!(unpack(&[0b1001_1101, 0b1], 3, 3), Some(vec![0b101, 0b011, 0b110]));
        // A tenth bit, which belongs to nobody.
        assert_eq!(unpack(&[0b1001_1101, 0b11], 3, 3), None);
        assert_eq!(unpack(&[0b1001_1101], 3, 3), None);
        assert_eq!(unpack(&[0b1001_1101, 0b1, 0], 3, 3), None);
    }

    proptest! {
        #[test]
        fn unpack_after_pack_is_identity(
            bits in 2u32..=32,
            wide in prop::collection::vec(any::<u32>(), 0..200),
        ) {
            let elements: Vec<u32> = wide.iter().map(|word| word >> (32 - bits)).collect();
            let packed = pack(&elements, bits);
            prop_assert_eq!(packed.len(), packed_len(elements.len(), bits));
            prop_assert_eq!(unpack(&packed, elements.len(), bits), Some(elements));
        }
    }
}
