//! Speed of whole rounds of secure aggregation: a hundred clients and the server, a tenth of the clients lost after sharing.
//!
//! Clients are independent, so they run side by side on all cores here; `one_core` is the processor time of everybody.

use divan::{Bencher, counter::ItemsCount};
use flowgait_privacy::secagg::client::Joining;
use flowgait_privacy::secagg::server::{Enrolling, Sum};
use flowgait_privacy::secagg::{ClientId, Degree, Round, RoundParams, SigningKey, degree};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

const CLIENTS: u32 = 100;
const ENTRIES: u32 = 19_000;
const LOST: u32 = 10;

fn main() {
    divan::main();
}

fn identity(client: u32) -> SigningKey {
    SigningKey::from_bytes(&[client as u8; 32])
}

fn rng(client: u32) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(client.into())
}

fn round_of(degree: Degree) -> Round {
    let roster = (0..CLIENTS).map(|client| identity(client).verifying_key()).collect();
    let (update_bound, noise_bound) = (1 << 16, 1 << 15);
    let params =
        RoundParams { run: [1; 32], round: 1, entries: ENTRIES, update_bound, noise_bound, degree };
    params.check(roster).expect("a round")
}

/// A twentieth corrupt and a tenth lost, except with a chance of 2^-40.
fn sparse() -> Degree {
    degree(CLIENTS, 0.05, 0.1, 40).expect("a degree")
}

/// The same with everybody as everybody's neighbour.
fn complete() -> Degree {
    Degree { neighbours: CLIENTS - 1, threshold: 53 }
}

fn hold(round: &Round, updates: &[Vec<i64>]) -> Sum {
    let mut server = Enrolling::new(round);
    let clients: Vec<_> = (0..CLIENTS)
        .into_par_iter()
        .map(|client| {
            let joining =
                Joining::new(round, ClientId(client), identity(client)).expect("a member");
            joining.advertise(&mut rng(client))
        })
        .collect();
    let mut sharing = Vec::new();
    for (client, advert) in clients {
        server.receive(advert).expect("an advert");
        sharing.push(client);
    }
    let (mut server, messages) = server.close(&mut rng(CLIENTS)).expect("enough clients");
    let clients: Vec<_> = sharing
        .into_par_iter()
        .zip(messages)
        .map(|(client, (id, message))| client.share(&message, &mut rng(id.0)).expect("neighbours"))
        .collect();
    let mut masking = Vec::new();
    for (client, shares) in clients {
        server.receive(shares).expect("shares");
        masking.push(client);
    }
    let (mut server, messages) = server.close().expect("enough clients");
    let stay = masking.into_par_iter().zip(messages).take((CLIENTS - LOST) as usize);
    let clients: Vec<_> = stay
        .map(|(client, (id, inbox))| client.mask(&inbox, &updates[id.0 as usize]).expect("shares"))
        .collect();
    let mut confirming = Vec::new();
    for (client, masked) in clients {
        server.receive(&masked).expect("an update");
        confirming.push(client);
    }
    let (mut server, survivors) = server.close().expect("enough clients");
    let mut unmasking = Vec::new();
    for client in confirming {
        let (client, confirmation) = client.confirm(&survivors).expect("a survivor");
        server.receive(confirmation).expect("a signature");
        unmasking.push(client);
    }
    let (mut server, messages) = server.close().expect("enough clients");
    let reveals: Vec<_> = unmasking
        .into_par_iter()
        .zip(messages)
        .map(|(client, (_, confirmations))| client.unmask(&confirmations).expect("signatures"))
        .collect();
    for reveal in &reveals {
        server.receive(reveal).expect("shares");
    }
    server.close().expect("enough shares")
}

fn bench(bencher: Bencher, degree: Degree, threads: usize) {
    let round = round_of(degree);
    let update = |client: u32| (0..ENTRIES).map(|at| i64::from(at + client) % 65_536).collect();
    let updates: Vec<Vec<i64>> = (0..CLIENTS).map(update).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let entries = ItemsCount::new(CLIENTS as usize * ENTRIES as usize);
    bencher.counter(entries).bench(|| pool.install(|| hold(&round, &updates)));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn sparse_all_cores(bencher: Bencher) {
    bench(bencher, sparse(), 0);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn sparse_one_core(bencher: Bencher) {
    bench(bencher, sparse(), 1);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn complete_all_cores(bencher: Bencher) {
    bench(bencher, complete(), 0);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn complete_one_core(bencher: Bencher) {
    bench(bencher, complete(), 1);
}
