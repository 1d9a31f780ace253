//! Who is whose neighbour: everybody, or a few on a ring in random order.

use rand::CryptoRng;
use rand::seq::SliceRandom;

use super::round::ClientId;

/// The neighbours of each client of a round.
///
/// # Reference
/// Bell, Bonawitz, Gascón, Lepoint, Raykova, *Secure Single-Server Aggregation with (Poly)Logarithmic Overhead*, CCS 2020:
/// a Harary graph over a random permutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Graph {
    /// By client; each in ascending order, empty for who is not there.
    neighbours: Vec<Vec<ClientId>>,
}

impl Graph {
    /// A graph of this degree over `members` out of a cohort, or the complete one where there are not more of them.
    pub(super) fn draw<R: CryptoRng>(
        cohort: usize,
        members: &[ClientId],
        degree: usize,
        rng: &mut R,
    ) -> Self {
        let mut neighbours = vec![Vec::new(); cohort];
        let mut ring = members.to_vec();
        ring.shuffle(rng);
        for (place, client) in ring.iter().enumerate() {
            let mut others = if degree + 1 >= ring.len() {
                ring.iter().copied().filter(|other| other != client).collect()
            } else {
                within_reach(&ring, place, degree / 2)
            };
            others.sort_unstable();
            neighbours[client.place()] = others;
        }
        Self { neighbours }
    }

    /// A client's neighbours, in ascending order.
    pub(super) fn neighbours(&self, client: ClientId) -> &[ClientId] {
        &self.neighbours[client.place()]
    }

    /// The place of a neighbour among a client's: the share that it holds.
    pub(super) fn place(&self, client: ClientId, neighbour: ClientId) -> Option<usize> {
        self.neighbours(client).binary_search(&neighbour).ok()
    }
}

/// The next few of a ring on both sides of a place; twice `reach` is less than the ring's length.
fn within_reach(ring: &[ClientId], place: usize, reach: usize) -> Vec<ClientId> {
    let both = |step| [place + step, place + ring.len() - step].map(|at| ring[at % ring.len()]);
    (1..=reach).flat_map(both).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    proptest! {
        #[test]
        fn every_member_has_the_degree_and_neighbours_are_mutual(
            present in prop::collection::vec(any::<bool>(), 1..60),
            half in 1usize..12,
            seed: u64,
        ) {
            let clients = (0u32..).map(ClientId).zip(&present);
            let members: Vec<_> = clients.filter(|(_, there)| **there).map(|(id, _)| id).collect();
            let rng = &mut ChaCha20Rng::seed_from_u64(seed);
            let graph = Graph::draw(present.len(), &members, 2 * half, rng);
            let degree = (2 * half).min(members.len().saturating_sub(1));
            for &client in &members {
                prop_assert_eq!(graph.neighbours(client).len(), degree);
                prop_assert!(graph.neighbours(client).is_sorted_by(|a, b| a < b));
                for &other in graph.neighbours(client) {
                    prop_assert!(other != client && members.contains(&other));
                    prop_assert!(graph.place(other, client).is_some());
                }
            }
        }
    }

    #[test]
    fn the_order_on_the_ring_is_drawn_anew() {
        let members: Vec<ClientId> = (0..50).map(ClientId).collect();
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let graphs = [0, 1].map(|_| Graph::draw(50, &members, 8, rng));
        assert_ne!(graphs[0], graphs[1]);
    }
}
