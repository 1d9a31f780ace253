//! A message of each kind from a round of four clients, packed updates, and what a run keeps.

use flowgait_federate::buffered::{Flight, InFlight, Times};
use flowgait_federate::client::Memory;
use flowgait_federate::compress::{Bits, CompressionPlan, ErrorFeedback, Quantised};
use flowgait_federate::ledger::{Entry, Ledger, digest};
use flowgait_federate::run::State;
use flowgait_privacy::secagg::client::Joining;
use flowgait_privacy::secagg::server::Enrolling;
use flowgait_privacy::secagg::{ClientId, Message};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::Seed;
use crate::federate::{ENTRIES, identities, round};

pub fn seeds() -> Vec<Seed> {
    [messages(), packed(), kept()].concat()
}

/// Each message once, behind the octet that says which it is.
fn messages() -> Vec<Seed> {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let (round, mut seeds) = (round(), Vec::new());
    let mut keep = |kind: u8, name, bytes: Vec<u8>| {
        seeds.push(("secagg_message", name, [vec![kind], bytes].concat()));
    };
    let mut server = Enrolling::new(round);
    let mut sharing = Vec::new();
    for (client, identity) in (0..).map(ClientId).zip(identities()) {
        let joining = Joining::new(round, client, identity).expect("of the roster");
        let (step, advert) = joining.advertise(rng);
        if client.0 == 0 {
            keep(0, "advert", advert.to_bytes());
        }
        server.receive(advert).expect("an advert");
        sharing.push(step);
    }
    let (mut server, neighbourhoods) = server.close(rng).expect("four clients");
    keep(1, "neighbourhood", neighbourhoods[0].1.to_bytes());
    let mut masking = Vec::new();
    for (step, (client, neighbourhood)) in sharing.into_iter().zip(&neighbourhoods) {
        let (step, shares) = step.share(neighbourhood, rng).expect("neighbours");
        if client.0 == 0 {
            keep(2, "shares", shares.to_bytes());
        }
        server.receive(shares).expect("shares");
        masking.push(step);
    }
    let (mut server, inboxes) = server.close().expect("all shared");
    keep(3, "inbox", inboxes[0].1.to_bytes());
    let mut confirming = Vec::new();
    for (step, (client, inbox)) in masking.into_iter().zip(&inboxes).take(3) {
        let (step, masked) = step.mask(inbox, &[1, -2, 3, -4, 1_000]).expect("within the bound");
        if client.0 == 0 {
            keep(4, "masked-update", masked.to_bytes());
        }
        server.receive(&masked).expect("a masked update");
        confirming.push(step);
    }
    let (mut server, survivors) = server.close().expect("three survive");
    keep(5, "survivors", survivors.to_bytes());
    let mut unmasking = Vec::new();
    for step in confirming {
        let (step, confirmation) = step.confirm(&survivors).expect("the same survivors");
        if unmasking.is_empty() {
            keep(6, "confirmation", confirmation.to_bytes());
        }
        server.receive(confirmation).expect("a confirmation");
        unmasking.push(step);
    }
    let (_, confirmations) = server.close().expect("all confirmed");
    keep(7, "confirmations", confirmations[0].1.to_bytes());
    let first = unmasking.swap_remove(0);
    keep(8, "reveal", first.unmask(&confirmations[0].1).expect("agreed").to_bytes());
    seeds
}

fn packed() -> Vec<Seed> {
    let update = [0.5, -1.25, 0.0, 3.0, -0.125];
    let mut feedback = ErrorFeedback::new(ENTRIES, 2).expect("two of five");
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let mut quantised = |bits| Quantised::new(&update, bits, rng).expect("finite numbers").encode();
    let (eight, sixteen) = (quantised(Bits::Eight), quantised(Bits::Sixteen));
    let both = CompressionPlan { top_k: Some(0.5), bits: Some(Bits::Eight) };
    let both = both.pack(&update, rng).expect("finite numbers");
    vec![
        ("packed_update", "both", both),
        ("packed_update", "sparse", feedback.compress(&update).expect("finite").encode()),
        ("packed_update", "eight-bits", eight),
        ("packed_update", "sixteen-bits", sixteen),
    ]
}

fn kept() -> Vec<Seed> {
    let memory = Memory { variate: vec![0.5; 3], personal: vec![-1.0], owed: vec![0.5; 3] };
    let flight = |version| Flight { arrives: 9, client: 1, version, turn: 3 };
    let times = Times { now: 3, flights: [flight(1), flight(2)].into(), turns: vec![1, 3] };
    let in_flight = InFlight { times, versions: [(1, vec![0.5; 3].into())].into() };
    let state = State {
        round: 2,
        parameters: vec![0.1, 0.2, 0.3],
        strategy: vec![vec![1.0; 3]],
        memories: vec![memory, Memory::default()],
        clip_norm: Some(0.5),
        in_flight: Some(in_flight),
        moved: None,
        line: None,
    };
    let mut ledger = Ledger::default();
    let entry = |round| Entry {
        round,
        cohort: 2.0,
        survivors: Some(2),
        is_done: true,
        clip_norm: Some(1.0),
        noise_multiplier: Some(1.5),
        epsilon: Some(round as f64),
        model: digest(&[round as f32]),
        previous: String::new(),
    };
    let lines = [ledger.add(entry(1)), ledger.add(entry(2))].join("\n");
    vec![("run_kept", "state", state.to_octets()), ("run_kept", "ledger", lines.into_bytes())]
}
