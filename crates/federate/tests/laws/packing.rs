//! Laws of packed vectors: nothing is lost for good, chance rounds fairly, and bytes are read strictly.

use flowgait_federate::compress::{Bits, ErrorFeedback, Quantised, Sparse};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn vector() -> impl Strategy<Value = Vec<f32>> {
    let entry = prop_oneof![4 => -1f32..1.0, 1 => Just(0.0), 1 => -1e6f32..1e6];
    prop::collection::vec(entry, 1..1200)
}

fn bits() -> impl Strategy<Value = Bits> {
    prop_oneof![Just(Bits::Eight), Just(Bits::Sixteen)]
}

proptest! {
    #[test]
    fn what_was_sent_and_what_is_owed_are_all_updates(
        rounds in prop::collection::vec(prop::collection::vec(-1e3f32..1e3, 50), 1..20),
        k in 1usize..=50,
    ) {
        let mut memory = ErrorFeedback::new(50, k).expect("a memory");
        let (mut sent, mut all) = (vec![0.0; 50], vec![0.0; 50]);
        for update in &rounds {
            let sparse = memory.compress(update).expect("an update");
            prop_assert!(sparse.entries().count() <= k);
            let least = sparse.entries().map(|(_, value)| value.abs()).fold(f32::MAX, f32::min);
            for (place, value) in sparse.entries() {
                sent[place as usize] += f64::from(value);
            }
            for (all, &value) in all.iter_mut().zip(update) {
                *all += f64::from(value);
            }
            // What was left is no larger than what went.
            let owed = memory.residual().iter().map(|owed| owed.abs()).fold(0.0, f64::max);
            prop_assert!(owed <= f64::from(least) * (1.0 + 1e-6), "{owed} {least}");
        }
        for at in 0..50 {
            let off = (sent[at] + memory.residual()[at] - all[at]).abs();
            prop_assert!(off <= 1e-10, "{off:e} at {at}");
        }
    }

    #[test]
    fn a_sparse_vector_comes_back_from_its_bytes(update in vector(), share in 0f64..1.0) {
        let k = (share * update.len() as f64).ceil().max(1.0) as usize;
        let mut memory = ErrorFeedback::new(update.len(), k).expect("a memory");
        let sparse = memory.compress(&update).expect("an update");
        let bytes = sparse.encode();
        prop_assert_eq!(bytes.len(), sparse.bytes());
        prop_assert_eq!(Sparse::decode(&bytes, update.len()).unwrap(), sparse);
    }

    #[test]
    fn a_quantised_vector_comes_back_within_a_step(vector in vector(), bits in bits(), seed: u64) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let packed = Quantised::new(&vector, bits, rng).expect("a vector");
        let bytes = packed.encode();
        prop_assert_eq!(bytes.len(), packed.bytes());
        let back = Quantised::decode(&bytes, vector.len()).expect("its own bytes");
        prop_assert_eq!(&back, &packed);
        for (back, vector) in back.values().chunks(512).zip(vector.chunks(512)) {
            let scale = vector.iter().fold(0.0, |most: f32, value| most.max(value.abs()));
            let step = f64::from(scale) / f64::from(bits.steps());
            for (&back, &value) in back.iter().zip(vector) {
                let off = (f64::from(back) - f64::from(value)).abs();
                // And the rounding of the answer to 32 bits.
                prop_assert!(off <= step + f64::from(scale) * 6e-8, "{off} {step}");
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_or_are_what_encoding_gives(
        mut bytes in prop::collection::vec(any::<u8>(), 0..60),
        parameters in 0usize..40,
        plausible: bool,
        first in prop_oneof![Just(8u8), Just(16), Just(0)],
        entries in 0u8..9,
    ) {
        // Most random bytes fail at the first number; let half of them come further.
        if plausible && bytes.len() > 8 {
            bytes[..8].copy_from_slice(&[parameters as u8, 0, 0, 0, entries, 0, 0, 0]);
        }
        if let Ok(sparse) = Sparse::decode(&bytes, parameters) {
            prop_assert_eq!(sparse.encode(), bytes.clone());
        }
        if plausible && bytes.len() > 5 {
            bytes[..5].copy_from_slice(&[first, parameters as u8, 0, 0, 0]);
        }
        if let Ok(packed) = Quantised::decode(&bytes, parameters) {
            prop_assert_eq!(packed.encode(), bytes);
        }
    }

    #[test]
    fn a_changed_byte_is_refused_or_means_another_vector(
        update in prop::collection::vec(-1f32..1.0, 2..40),
        at: prop::sample::Index,
        flipped in 1u8..,
        seed: u64,
    ) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let packed = Quantised::new(&update, Bits::Eight, rng).expect("a vector");
        let sparse = ErrorFeedback::new(update.len(), update.len() / 2).expect("a memory")
            .compress(&update).expect("an update");
        let (mut one, mut other) = (packed.encode(), sparse.encode());
        one[at.index(packed.bytes())] ^= flipped;
        other[at.index(sparse.bytes())] ^= flipped;
        match Quantised::decode(&one, update.len()) {
            Ok(read) => prop_assert!(read != packed && read.encode() == one),
            Err(error) => prop_assert!(error.to_string().starts_with("byte ")),
        }
        match Sparse::decode(&other, update.len()) {
            Ok(read) => prop_assert!(read != sparse && read.encode() == other),
            Err(error) => prop_assert!(error.to_string().starts_with("byte ")),
        }
    }
}

#[test]
fn quantised_entries_are_right_on_average() {
    const DRAWS: usize = 20_000;
    let vector = [1.0f32, -0.9, 0.5, 0.123, -0.001, 0.0007, 0.0];
    for bits in [Bits::Eight, Bits::Sixteen] {
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        let mut sums = [0.0; 7];
        for _ in 0..DRAWS {
            let values = Quantised::new(&vector, bits, rng).expect("a vector").values();
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += f64::from(value);
            }
        }
        let step = 1.0 / f64::from(bits.steps());
        for (sum, &value) in sums.iter().zip(&vector) {
            let off = (sum / DRAWS as f64 - f64::from(value)).abs();
            // 4.5 standard deviations of a coin between two steps, and the rounding to 32 bits.
            let exact = f64::from(value) / step;
            let up = exact - exact.floor();
            let deviation = step * (up * (1.0 - up) / DRAWS as f64).sqrt();
            assert!(off <= 4.5 * deviation + 6e-8, "{value} is {off:e} off at {bits:?}");
        }
    }
}
