//! What comes from a federation's clients, and what a run keeps.

use std::sync::OnceLock;

use flowgait_federate::compress::{Bits, CompressionPlan, Quantised, Sparse};
use flowgait_federate::forest::TreeRound;
use flowgait_federate::ledger::Ledger;
use flowgait_federate::run::State;
use flowgait_model::forest::{Edges, ForestParams, Growth};
use flowgait_privacy::secagg::{
    Advert, Confirmation, Confirmations, Degree, Inbox, MaskedUpdate, Message, Neighbourhood,
    Reveal, Round, RoundParams, Shares, SigningKey, Survivors,
};

/// Entries of the round's updates.
pub(crate) const ENTRIES: usize = 5;

/// A round of four clients.
pub(crate) fn round() -> &'static Round {
    static ROUND: OnceLock<Round> = OnceLock::new();
    ROUND.get_or_init(|| {
        let params = RoundParams {
            run: [7; 32],
            round: 1,
            entries: ENTRIES as u32,
            update_bound: 1_000,
            noise_bound: 0,
            degree: Degree { neighbours: 3, threshold: 2 },
        };
        params.check(identities().iter().map(SigningKey::verifying_key).collect()).expect("a round")
    })
}

/// The clients' keys for signatures.
pub(crate) fn identities() -> Vec<SigningKey> {
    (1..=4).map(|client| SigningKey::from_bytes(&[client; 32])).collect()
}

/// Any bytes as a message of secure aggregation, the first of them says which: refused, or the same bytes again.
pub fn secagg_message(bytes: &[u8]) {
    fn check<M: Message>(bytes: &[u8]) {
        if let Ok(message) = M::from_bytes(round(), bytes) {
            assert_eq!(message.to_bytes(), bytes, "a message has one form");
            assert_eq!(message.encoded_len(), bytes.len());
        }
    }
    let Some((&kind, rest)) = bytes.split_first() else { return };
    match kind % 9 {
        0 => check::<Advert>(rest),
        1 => check::<Neighbourhood>(rest),
        2 => check::<Shares>(rest),
        3 => check::<Inbox>(rest),
        4 => check::<MaskedUpdate>(rest),
        5 => check::<Survivors>(rest),
        6 => check::<Confirmation>(rest),
        7 => check::<Confirmations>(rest),
        _ => check::<Reveal>(rest),
    }
}

/// Any bytes as a packed update: refused, or numbers, and the same update when they are packed again.
pub fn packed_update(bytes: &[u8]) {
    packed_both(bytes);
    if let Ok(sparse) = Sparse::decode(bytes, ENTRIES) {
        assert_eq!(sparse.dense().len(), ENTRIES);
        let again = Sparse::decode(&sparse.encode(), ENTRIES).expect("what we packed is read");
        assert_eq!(again, sparse);
    }
    if let Ok(packed) = Quantised::decode(bytes, ENTRIES) {
        assert!(packed.values().iter().all(|value| value.is_finite()));
        let again = Quantised::decode(&packed.encode(), ENTRIES).expect("what we packed is read");
        assert_eq!(again.values(), packed.values());
    }
}

/// The same bytes with both ways of packing at once.
fn packed_both(bytes: &[u8]) {
    let both = CompressionPlan { top_k: Some(0.5), bits: Some(Bits::Eight) };
    if let Ok(values) = both.unpack(bytes, ENTRIES) {
        assert_eq!(values.len(), ENTRIES);
        assert!(values.iter().all(|value| value.is_finite()));
    }
}

/// Any bytes as what a run keeps, its state or its ledger: refused, or read and written alike.
pub fn run_kept(bytes: &[u8]) {
    if let Ok(state) = State::from_octets(bytes) {
        let again = State::from_octets(&state.to_octets()).expect("what we wrote is read");
        assert_eq!(again.to_octets(), state.to_octets());
    }
    if let Ok((round, rest)) = TreeRound::read(bytes) {
        let octets = round.to_octets();
        let (again, none) = TreeRound::read(&octets).expect("what we wrote is read");
        assert_eq!((again, none), (round, &[][..]));
        assert!(rest.len() < bytes.len());
    }
    tree_kept(bytes);
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(ledger) = Ledger::read(text)
    {
        let lines = text.lines().count();
        assert_eq!(ledger.entries().len(), lines);
    }
}

/// Any bytes as a tree that a run keeps: refused, or one that answers.
fn tree_kept(bytes: &[u8]) {
    let edges = Edges::new(vec![(vec![0.5, 1.5], true), (vec![2.0], false)]).expect("two columns");
    let params = ForestParams::new().trees(1).check().expect("one tree");
    let growth = Growth::new(&params, &edges, &[1, 1, 1], 1).expect("three classes");
    let mut growth = growth.held();
    if growth.take(bytes).is_ok()
        && let Ok(forest) = growth.finish()
    {
        assert_eq!(forest.predict_row(&[1.0, f32::NAN]).expect("two columns").len(), 3);
    }
}
