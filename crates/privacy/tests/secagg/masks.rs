//! What the server sees of one client: numbers that look like chance, and never the same twice.

use flowgait_privacy::secagg::{ClientId, Message, RoundParams};

use crate::cohort::{Cohort, params, round_of};

/// Elements of a client's masked update, in a ring of 32 bits.
fn masked(params: RoundParams, seed: u64, client: u32, update: i64) -> Vec<u32> {
    let entries = params.entries as usize;
    let round = round_of(5, params);
    assert_eq!(round.ring().bits(), 32);
    let mut cohort = Cohort::whole(&round, seed);
    let (server, clients) = cohort.advertise().expect("a step");
    let (_, clients) = cohort.share(server, clients).expect("a step");
    let found = clients.into_iter().find(|(id, ..)| *id == ClientId(client));
    let (_, masking, inbox) = found.expect("a client");
    let (_, masked) = masking.mask(&inbox, &vec![update; entries]).expect("an update");
    let bytes = masked.to_bytes();
    bytes[5..].as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

fn wide(entries: u32) -> RoundParams {
    // 5 * 2^28 < 2^31.
    RoundParams { update_bound: 1 << 28, noise_bound: 0, ..params(4, 3, entries) }
}

/// How many entries two masked updates have in common beyond a constant, which is all when a mask was used twice.
fn alike(one: &[u32], other: &[u32]) -> usize {
    let mut apart: Vec<u32> = one.iter().zip(other).map(|(a, b)| a.wrapping_sub(*b)).collect();
    apart.sort_unstable();
    apart.chunk_by(|a, b| a == b).map(<[u32]>::len).max().unwrap_or(0)
}

#[test]
fn a_mask_is_not_used_twice_even_where_the_clients_chance_is() {
    let first = masked(wide(500), 1, 0, 7);
    // The same generator from the same seed, so the same keys and seeds: only the round tells them apart.
    assert_eq!(first, masked(wide(500), 1, 0, 7));
    assert!(alike(&first, &masked(RoundParams { round: 6, ..wide(500) }, 1, 0, 9)) < 3);
    assert!(alike(&first, &masked(RoundParams { run: [4; 32], ..wide(500) }, 1, 0, 9)) < 3);
    assert!(alike(&first, &masked(wide(500), 2, 0, 9)) < 3);
    assert!(alike(&first, &masked(wide(500), 1, 1, 9)) < 3);
    // The measure sees a mask that is used twice.
    assert_eq!(alike(&first, &masked(wide(500), 1, 0, 9)), 500);
}

#[test]
fn a_masked_update_looks_the_same_whatever_is_under_it() {
    for update in [0, 1 << 28, -(1 << 28)] {
        let elements = masked(wide(20_000), 3, 2, update);
        for shift in [0, 12, 24] {
            let mut counts = [0f64; 256];
            elements.iter().for_each(|e| counts[(e >> shift) as usize & 255] += 1.0);
            let expected = elements.len() as f64 / 256.0;
            let square: f64 = counts.iter().map(|c| (c - expected).powi(2) / expected).sum();
            // 255 degrees of freedom; five standard deviations.
            assert!((square - 255.0).abs() < 5.0 * 510f64.sqrt(), "{update} {shift} {square}");
        }
    }
}
