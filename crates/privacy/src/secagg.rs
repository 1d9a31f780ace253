//! Secure aggregation: a server that learns the sum of its clients' vectors, and nothing else of them.
//!
//! Each client adds to its vector masks that cancel in the sum, one for each neighbour, and one of its own. So that a client
//! may be lost at any moment, it first hands its neighbours shares of the secrets behind its masks. In the end they give the
//! server one half for each client: of those who survived, what takes off their own mask; of the lost, what takes off the
//! masks that wait for them. Nobody ever gives both.
//!
//! There is no transport here and no clock: a step takes messages and gives messages ([`Message`] makes bytes of them), and
//! uses up the step before it, so that none can be skipped or taken twice. Of many clients each needs only a few neighbours:
//! [`degree`] says how many.
//!
//! | step | client | sends | server | answers |
//! | --- | --- | --- | --- | --- |
//! | advertise keys | [`Joining`](client::Joining) | [`Advert`]: two X25519 keys, signed | [`Enrolling`](server::Enrolling) | [`Neighbourhood`] |
//! | share keys | [`Sharing`](client::Sharing) | [`Shares`], sealed for each neighbour | [`Relaying`](server::Relaying) | [`Inbox`] |
//! | masked input | [`Masking`](client::Masking) | [`MaskedUpdate`], packed | [`Summing`](server::Summing) | [`Survivors`] |
//! | consistency | [`Confirming`](client::Confirming) | [`Confirmation`]: a signature | [`Agreeing`](server::Agreeing) | [`Confirmations`] |
//! | unmask | [`Unmasking`](client::Unmasking) | [`Reveal`]: a share of each neighbour | [`Revealing`](server::Revealing) | [`Sum`](server::Sum) |
//!
//! # Example
//! Four clients, of which one is lost after the others have masked their updates with it in mind.
//! ```
//! use flowgait_privacy::secagg::client::Joining;
//! use flowgait_privacy::secagg::server::Enrolling;
//! use flowgait_privacy::secagg::{ClientId, Degree, Message, RoundParams, SigningKey};
//! use rand::SeedableRng;
//! use rand_chacha::ChaCha20Rng;
//!
//! // 0. All agree beforehand on the round and on who may take part. In use, identities and generators are seeded by the
//! //    operating system of each party; here one fixed generator plays for everybody.
//! let rng = &mut ChaCha20Rng::seed_from_u64(1);
//! let identities: Vec<SigningKey> = (0..4).map(|_| SigningKey::generate(rng)).collect();
//! let params = RoundParams {
//!     run: [7; 32],
//!     round: 1,
//!     entries: 3,
//!     update_bound: 1 << 16, // the steps of a grid
//!     noise_bound: 0,
//!     degree: Degree { neighbours: 3, threshold: 2 },
//! };
//! let round = params.check(identities.iter().map(SigningKey::verifying_key).collect())?;
//! // Four entries of up to 2^16 stay below half of 2^20.
//! assert_eq!(round.ring().bits(), 20);
//!
//! // 1. Each client draws two key pairs and a seed, and advertises the public keys, signed.
//! let mut server = Enrolling::new(&round);
//! let mut clients = Vec::new();
//! for (client, identity) in (0..).map(ClientId).zip(identities) {
//!     let (client, advert) = Joining::new(&round, client, identity)?.advertise(rng);
//!     server.receive(advert)?;
//!     clients.push(client);
//! }
//! // The server draws who is whose neighbour (of four, everybody) and shows each client its neighbours' keys.
//! let (mut server, neighbourhoods) = server.close(rng)?;
//!
//! // 2. Each client splits its seed and its mask key among its neighbours: any two shares give them back. The server
//! //    carries the shares, but they are sealed.
//! let mut masking = Vec::new();
//! for (client, (_, neighbourhood)) in clients.into_iter().zip(&neighbourhoods) {
//!     let (client, shares) = client.share(neighbourhood, rng)?;
//!     server.receive(shares)?;
//!     masking.push(client);
//! }
//! let (mut server, inboxes) = server.close()?;
//!
//! // 3. Each client masks its update with its own mask and one for each neighbour. Client 3 is lost here.
//! let updates = [[1, 2, 3], [10, 20, -30], [100, -200, 300], [9999, 9999, 9999]];
//! let mut confirming = Vec::new();
//! for ((client, (id, inbox)), update) in masking.into_iter().zip(&inboxes).zip(&updates) {
//!     if *id != ClientId(3) {
//!         let (client, masked) = client.mask(inbox, update)?;
//!         // Three entries of 20 bits, and who sent them.
//!         assert_eq!(masked.to_bytes().len(), 1 + 4 + 8);
//!         server.receive(&masked)?;
//!         confirming.push(client);
//!     }
//! }
//! // The server's sum is still masked: by three clients' own masks, and by their pair masks for client 3.
//! let (mut server, survivors) = server.close()?;
//! assert_eq!(survivors.iter().collect::<Vec<_>>(), [0, 1, 2].map(ClientId));
//!
//! // 4. Each survivor signs whom it was told to have survived.
//! let mut unmasking = Vec::new();
//! for client in confirming {
//!     let (client, confirmation) = client.confirm(&survivors)?;
//!     server.receive(confirmation)?;
//!     unmasking.push(client);
//! }
//! let (mut server, confirmations) = server.close()?;
//!
//! // 5. Each sees that its neighbours were told the same, and reveals one share of each: of the seeds of the two other
//! //    survivors, and of the mask key of client 3.
//! for (client, (_, confirmations)) in unmasking.into_iter().zip(&confirmations) {
//!     server.receive(&client.unmask(confirmations)?)?;
//! }
//! // Two shares are enough: the masks come off, and the sum is exact.
//! let sum = server.close()?;
//! assert_eq!(sum.entries, [111, -178, 273]);
//! assert_eq!(sum.clients, [0, 1, 2].map(ClientId));
//! # Ok::<(), flowgait_privacy::secagg::Error>(())
//! ```
//!
//! # What each party learns
//! | | server | neighbour | other client |
//! | --- | --- | --- | --- |
//! | who takes part, who was lost and when | yes | yes, by the survivors | yes, by the survivors |
//! | public keys | all | its neighbours' | its neighbours' |
//! | an update | no | no | no |
//! | a masked update, which looks like chance | yes | no | no |
//! | a survivor's seed | yes, and with it the mask that only the sum needs off | one share | no |
//! | a survivor's mask key | no | one share | no |
//! | a lost client's seed | no | one share | no |
//! | a lost client's mask key | yes | one share | no |
//! | the sum of survivors' updates | yes | no, unless told | no, unless told |
//!
//! # What is not protected
//! - **The sum.** The server learns it exactly. What it tells of one client is the matter of noise and
//!   [accounts](crate::account), and of `noise_bound` for clients that add their own.
//! - **Against what clients put in.** Each entry is within the bound, and that is all: a malicious client may send any such
//!   vector, or, with wrong masks, spoil the sum unnoticed. A client that deals wrong shares or reveals wrong ones is named,
//!   but a round that lacks them is lost.
//! - **Beyond the limits of collusion.** A server with `2t − k` or more of a client's `k` neighbours can learn that client's
//!   update, where `t` is the threshold. With all other clients on its side it can do so by subtraction in any protocol.
//! - **From an active server, where the graph is sparse.** The server draws the graph, and could give a client the neighbours
//!   that it likes; and it could part the cohort in large groups with a sum each. Against a server that keeps to the
//!   protocol, and one that only lies about who survived, [`degree`] holds as it says. Where the server is not trusted to draw,
//!   take everybody as neighbours.
//! - **Identities.** Who is in the roster must be known from elsewhere; a server that fills it with inventions is all the
//!   other clients.
//! - **Secrets in memory** are wiped when dropped, but what the hash, the stream and the compiler copied may not be; and whoever
//!   may time a client learns how many neighbours it has, not what it hides.
//!
//! # Speed
//! Sketch: at `k` neighbours and `m` entries a client multiplies `2k` times on the curve (70 µs each), checks up to `2k` signatures
//! (40 µs) and draws `k + 1` masks of `4m` bytes (35 µs for 19,000). A hundred clients with 26 neighbours each, a tenth lost,
//! are 0.7 s of work at that for all of them together, of which the server's is a twelfth; with everybody as neighbour, 2.7 s.
//! `benches/secagg.rs` measured 0.66 s and 2.6 s of processor time.
//!
//! # Reference
//! Bonawitz, Ivanov, Kreuter, Marcedone, McMahan, Patel, Ramage, Segal, Seth, *Practical Secure Aggregation for
//! Privacy-Preserving Machine Learning*, CCS 2017, the protocol for active adversaries, with its consistency check. Bell, Bonawitz, Gascón, Lepoint,
//! Raykova, *Secure Single-Server Aggregation with (Poly)Logarithmic Overhead*, CCS 2020, for the graph. We differ in hashes of
//! seeds and shares, by which a wrong one is known and its sender named; in shares among neighbours only, none for oneself; and
//! in the survivors of the whole cohort, not only of neighbours, being shown to and signed by all.

pub mod client;
pub mod server;

mod degree;
mod error;
mod graph;
mod mask;
mod message;
mod ring;
mod round;
mod seal;
mod secret;
mod share;
mod survivors;
mod wire;

pub use degree::{Degree, degree};
pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use error::Error;
pub use message::{
    Advert, Confirmation, Confirmations, Inbox, MaskedUpdate, Message, Neighbourhood, Reveal,
    Shares,
};
pub use ring::Ring;
pub use round::{ClientId, Round, RoundParams};
pub use survivors::Survivors;
