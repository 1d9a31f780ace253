//! The path between a client and a server, with the capture between them, and how a sender fills it.

use crate::draw::Chance;
use crate::process::{Direction, MILLISECOND, Nanos};

/// A client's path to one server. The capture sits at the client's access point: `near` from the client, `far` from the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// One way between client and capture.
    pub near: Nanos,
    /// One way between capture and server.
    pub far: Nanos,
    /// Mean of what queues add each way (exponential).
    pub jitter: f64,
    /// Share of packets that get lost.
    pub loss: f64,
    /// Bits per second to the client.
    pub down: f64,
    /// Bits per second from the client.
    pub up: f64,
    /// Largest IP packet.
    pub mtu: u16,
}

/// Least time between two packets of one direction at the capture. Assumed.
const PACKET_GAP: Nanos = 900;

/// Where and when a packet was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// When the capture saw it; never, when it was lost before.
    pub seen: Option<Nanos>,
    /// When it reached its receiver; never, when it was lost.
    pub arrived: Option<Nanos>,
}

/// Clocks of both directions, which keep packets of one direction in order.
#[derive(Debug, Default)]
pub struct Clocks {
    seen: [Nanos; 2],
    arrived: [Nanos; 2],
}

impl Path {
    /// There and back, without queues.
    #[must_use]
    pub fn round_trip(&self) -> Nanos {
        2 * (self.near + self.far)
    }

    /// Time a packet of so many IP octets needs on the slowest link of a direction.
    #[must_use]
    pub fn serialise(&self, direction: Direction, octets: u32) -> Nanos {
        let rate = match direction {
            Direction::Up => self.up,
            Direction::Down => self.down,
        };
        (f64::from(octets) * 8e9 / rate) as Nanos
    }

    /// How long a sender waits for an acknowledgement (RFC 6298, with the usual floor of 200 ms).
    #[must_use]
    pub fn timeout(&self) -> Nanos {
        (self.round_trip() * 2 + (self.jitter * 4.0) as Nanos).max(200 * MILLISECOND)
    }

    /// Sends a packet at `at`.
    pub fn travel(&self, clocks: &mut Clocks, direction: Direction, at: Nanos, chance: &mut Chance) -> Trip {
        let lost = self.loss > 0.0 && chance.happens(self.loss);
        // Half of the losses happen between client and capture. Assumed.
        let lost_near = lost && chance.happens(0.5);
        let queue = chance.exponential(self.jitter) as Nanos;
        let (first, second) = match direction {
            Direction::Up => (self.near, self.far + queue),
            Direction::Down => (self.far + queue, self.near),
        };
        let d = direction.index();
        let lost_before_capture = match direction {
            Direction::Up => lost_near,
            Direction::Down => lost && !lost_near,
        };
        if lost_before_capture {
            return Trip { seen: None, arrived: None };
        }
        // Queues keep the order; a little less than a microsecond keeps two packets apart.
        let seen = (at + first).max(clocks.seen[d] + PACKET_GAP);
        clocks.seen[d] = seen;
        if lost {
            return Trip { seen: Some(seen), arrived: None };
        }
        let arrived = (seen + second).max(clocks.arrived[d] + 1);
        clocks.arrived[d] = arrived;
        Trip { seen: Some(seen), arrived: Some(arrived) }
    }
}

/// One segment of a flight.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// When it was sent.
    pub sent: Nanos,
    /// What became of it.
    pub trip: Trip,
    /// Its first octet, from the message's start.
    pub offset: u32,
    /// Its octets.
    pub octets: u32,
}

/// One side's congestion window (RFC 5681, in whole segments).
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    window: f64,
    threshold: f64,
    ready: Nanos,
}

/// Segments of the first window. Source: RFC 6928.
pub const WINDOW_INITIAL: f64 = 10.0;

impl Default for Sender {
    fn default() -> Self {
        Self { window: WINDOW_INITIAL, threshold: f64::INFINITY, ready: 0 }
    }
}

/// A message to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Cargo {
    /// Which way.
    pub direction: Direction,
    /// Not before.
    pub start: Nanos,
    /// Octets above the transport.
    pub octets: u32,
    /// Most octets a segment.
    pub segment: u32,
    /// Octets of headers on each.
    pub headers: u32,
    /// Segments sent before giving up: the flow's packet limit.
    pub limit: usize,
}

impl Sender {
    /// Sends a message, again where pieces get lost, until all of it arrived.
    pub fn send(&mut self, cargo: Cargo, path: &Path, clocks: &mut Clocks, chance: &mut Chance) -> Vec<Segment> {
        let mut sent = Vec::with_capacity((cargo.octets / cargo.segment + 1) as usize);
        let mut time = cargo.start.max(self.ready);
        // After an idle timeout the old window says nothing about the path (RFC 5681, 4.1).
        if time > self.ready + path.timeout() {
            self.window = self.window.min(WINDOW_INITIAL);
        }
        // Beyond twice what the line holds, a window would only fill queues.
        let rate_wait = path.serialise(cargo.direction, cargo.segment + cargo.headers).max(1);
        let ceiling = (2.0 * path.round_trip() as f64 / rate_wait as f64).clamp(WINDOW_INITIAL, 2_000.0);
        let mut next = 0;
        let mut again: Vec<(u32, u32)> = Vec::new();
        while (next < cargo.octets || !again.is_empty()) && sent.len() < cargo.limit {
            let began = time;
            let mut lost = Vec::new();
            let mut budget = self.window as usize;
            while budget > 0 && (next < cargo.octets || !again.is_empty()) {
                let (offset, octets) = if again.is_empty() {
                    let piece = (next, (cargo.octets - next).min(cargo.segment));
                    next += piece.1;
                    piece
                } else {
                    again.remove(0)
                };
                let trip = path.travel(clocks, cargo.direction, time, chance);
                if trip.arrived.is_none() {
                    lost.push((offset, octets));
                }
                sent.push(Segment { sent: time, trip, offset, octets });
                time += path.serialise(cargo.direction, octets + cargo.headers);
                budget -= 1;
            }
            self.ready = time;
            let in_flight = self.window as usize - budget;
            self.grow(&lost, ceiling);
            // Fewer than three segments behind a loss raise no duplicate acknowledgements: only the timeout helps.
            let silent = !lost.is_empty() && in_flight < 4;
            let wait = if silent { path.timeout() } else { path.round_trip() };
            again.extend(lost);
            if next < cargo.octets || !again.is_empty() {
                time = time.max(began + wait);
            }
        }
        sent
    }

    fn grow(&mut self, lost: &[(u32, u32)], ceiling: f64) {
        if lost.is_empty() {
            self.window = if self.window < self.threshold { self.window * 2.0 } else { self.window + 1.0 };
            self.window = self.window.min(ceiling);
        } else {
            // CUBIC's factor (RFC 9438, 4.6).
            self.threshold = (self.window * 0.7).max(2.0);
            self.window = self.threshold;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;
    use proptest::prelude::*;

    fn path(loss: f64) -> Path {
        Path {
            near: MILLISECOND,
            far: 9 * MILLISECOND,
            jitter: 1e5,
            loss,
            down: 20e6,
            up: 5e6,
            mtu: 1500,
        }
    }

    proptest! {
        #[test]
        fn every_octet_arrives_whatever_is_lost(octets in 1u32..400_000, loss in 0.0f64..0.3, seed: u64) {
            let mut chance = Chance::new(seed, Purpose::Framing, 0);
            let cargo = Cargo {
                direction: Direction::Down, start: 5, octets, segment: 1_400, headers: 40, limit: usize::MAX,
            };
            let all = Sender::default().send(cargo, &path(loss), &mut Clocks::default(), &mut chance);
            let mut got = vec![false; octets.div_ceil(1_400) as usize];
            for s in all.iter().filter(|s| s.trip.arrived.is_some()) {
                prop_assert!(!std::mem::replace(&mut got[(s.offset / 1_400) as usize], true), "twice");
            }
            prop_assert!(got.iter().all(|g| *g));
            prop_assert!(all.windows(2).all(|w| w[0].sent <= w[1].sent));
            let arrivals: Vec<Nanos> = all.iter().filter_map(|s| s.trip.arrived).collect();
            prop_assert!(arrivals.windows(2).all(|w| w[0] < w[1]));
        }
    }

    #[test]
    fn a_long_transfer_fills_the_line_but_no_more() {
        let mut chance = Chance::new(1, Purpose::Framing, 0);
        let cargo = Cargo {
            direction: Direction::Down,
            start: 0,
            octets: 5_000_000,
            segment: 1_400,
            headers: 40,
            limit: usize::MAX,
        };
        let all = Sender::default().send(cargo, &path(0.0), &mut Clocks::default(), &mut chance);
        let took = all.last().unwrap().trip.arrived.unwrap() as f64 / 1e9;
        let rate = 5e6 * 8.0 / took;
        assert!((15e6..20e6).contains(&rate), "{rate}");
    }
}
