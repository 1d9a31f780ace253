//! Video on demand: segments asked for one after another until the buffer is full, then one each segment's time.
//!
//! # Reference
//! The ns-3 DASH module's ladder; Yan et al., *Learning in situ*, NSDI 2020 (Puffer) for today's; Rao et al., *Network
//! characteristics of video streaming traffic*, CoNEXT 2011, for buffering and the on–off cycle after it.

use super::{Conversation, MILLISECOND, Message, Nanos, Role, SECOND, Session, seconds};
use crate::draw::{Chance, whole};

/// Seconds of video in a segment. Source: ns-3 DASH, Puffer (2.002 s).
pub const SEGMENT: Nanos = 2 * SECOND;
/// Bit rates from 45 kb/s to 4.22 Mb/s. Source: ns-3 DASH (after Big Buck Bunny's MPEG-DASH set).
pub const LADDER_DASH: [f64; 12] = [
    45e3, 89e3, 131e3, 178e3, 221e3, 263e3, 396e3, 595e3, 791e3, 1_033e3, 2_134e3, 4_220e3,
];
/// Bit rates from 0.2 to 5.5 Mb/s. Source: Puffer, ends; between them assumed.
pub const LADDER_PUFFER: [f64; 8] = [200e3, 400e3, 700e3, 1_100e3, 1_700e3, 2_600e3, 3_800e3, 5_500e3];
/// Least and most octets of a segment's request. Source: ns-3 DASH and captures, as in TRAFFIC's table.
pub const REQUEST: (f64, f64) = (300.0, 600.0);
/// Share of the line that a player dares to use. Assumed.
pub const DARING: f64 = 0.6;
/// Relative deviation of a segment's octets about its rung (variable bit rate). Assumed.
pub const SEGMENT_SPREAD: f64 = 0.18;
/// Mean seconds watched. Assumed.
pub const WATCHING: f64 = 240.0;

/// How one application streams video.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoTraffic {
    /// Time in a segment.
    pub segment: Nanos,
    /// Bit rates on offer, ascending.
    pub ladder: Vec<f64>,
    /// Segments in the buffer before the player slows down.
    pub buffer: u32,
    /// Bit rate of the sound when it comes in its own segments; 0 when it is in the video's.
    pub sound: f64,
    /// Mean octets of a request.
    pub request: f64,
    /// Segments asked for together once the buffer is full.
    pub batch: u32,
    /// Mean seconds the server needs to answer.
    pub think: f64,
}

impl VideoTraffic {
    pub(super) fn plan(&self, session: &Session) -> Vec<Conversation> {
        let mut chance = session.chance();
        let catalogue = Conversation { offset: 0, host: 0, role: Role::Exchange, first: 0, last: 0 };
        let stream = Conversation {
            offset: seconds(chance.uniform(0.4, 3.0)),
            host: 1,
            role: Role::Exchange,
            first: 1,
            last: 1,
        };
        vec![catalogue, stream]
    }

    pub(super) fn messages(
        &self,
        session: &Session,
        conversation: &Conversation,
        limit: usize,
    ) -> Vec<Message> {
        let mut chance = session.conversation_chance(conversation);
        match conversation.host {
            0 => self.catalogue(&mut chance),
            _ => self.stream(session, &mut chance, limit),
        }
    }

    /// The page of titles, a licence, and reports while the video plays. Assumed.
    fn catalogue(&self, chance: &mut Chance) -> Vec<Message> {
        let mut out = Vec::new();
        for _ in 0..chance.between(2, 6) {
            out.push(Message::up_after(seconds(chance.exponential(0.2)), self.request_octets(chance)));
            out.push(Message::down_after(
                seconds(chance.exponential(self.think)),
                whole(chance.lognormal_within(9.0, 1.0, 300.0, 200_000.0), 300),
            ));
        }
        for report in 1..=chance.between(1, 6) {
            let at = report * 20 * SECOND + chance.below(SECOND);
            out.push(Message::up(at, self.request_octets(chance) * 2));
            out.push(Message::down_after(seconds(chance.exponential(self.think)), 180));
        }
        out
    }

    fn stream(&self, session: &Session, chance: &mut Chance, limit: usize) -> Vec<Message> {
        let seconds_each = self.segment as f64 / SECOND as f64;
        let segments = (chance.exponential(WATCHING) / seconds_each) as u32 + 4;
        let dare = session.downlink * DARING;
        let top = self.ladder.iter().rposition(|rate| *rate <= dare).unwrap_or(0);
        let mut rung = top / 2;
        let mut out = vec![
            Message::up_after(0, self.request_octets(chance)),
            Message::down_after(seconds(chance.exponential(self.think)), chance.between(1_500, 9_000) as u32),
        ];
        for k in 0..segments {
            // Filling, each segment is asked for when the last is whole; then in batches, as playing makes room.
            let steady = k.checked_sub(self.buffer);
            let mut due_at = steady.map(|n| {
                Nanos::from(n / self.batch.max(1) * self.batch.max(1)) * self.segment + self.segment
            });
            for rate in [self.ladder[rung], self.sound] {
                if rate <= 0.0 {
                    continue;
                }
                let request = self.request_octets(chance);
                out.push(match due_at.take() {
                    Some(at) => Message::up(at, request),
                    None => Message::up_after(chance.below(8 * MILLISECOND), request),
                });
                let octets = rate * seconds_each / 8.0 * chance.normal_within(1.0, SEGMENT_SPREAD, 0.4, 1.8);
                out.push(Message::down_after(seconds(chance.exponential(self.think)), whole(octets, 200)));
            }
            rung = next_rung(rung, top, chance);
            if out.len() >= limit {
                break;
            }
        }
        out
    }

    fn request_octets(&self, chance: &mut Chance) -> u32 {
        whole(chance.normal_within(self.request, self.request * 0.05, REQUEST.0, REQUEST.1), 1)
    }
}

/// One rung up at a time towards what the line bears, now and then one down. Probabilities assumed.
fn next_rung(rung: usize, top: usize, chance: &mut Chance) -> usize {
    if rung < top && chance.happens(0.5) {
        rung + 1
    } else if rung > 0 && chance.happens(0.04) {
        rung - 1
    } else {
        rung
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Direction, Due};

    fn traffic() -> VideoTraffic {
        VideoTraffic {
            segment: SEGMENT,
            ladder: LADDER_DASH.to_vec(),
            buffer: 5,
            sound: 0.0,
            request: 400.0,
            batch: 1,
            think: 0.01,
        }
    }

    #[test]
    fn a_full_buffer_is_followed_by_one_request_each_segment() {
        let session = Session { seed: 1, index: 1, downlink: 10e6 };
        let stream = traffic().plan(&session)[1];
        let messages = traffic().messages(&session, &stream, 10_000);
        let at: Vec<Nanos> = messages
            .iter()
            .filter_map(|m| match (m.direction, m.due) {
                (Direction::Up, Due::At(at)) => Some(at),
                _ => None,
            })
            .collect();
        assert!(at.len() > 10);
        assert!(at.windows(2).all(|w| w[1] - w[0] == SEGMENT), "{at:?}");
    }

    #[test]
    fn a_slow_line_gets_small_segments() {
        let octets = |downlink| -> u32 {
            let session = Session { seed: 1, index: 1, downlink };
            let stream = traffic().plan(&session)[1];
            let all = traffic().messages(&session, &stream, 60);
            all.iter().filter(|m| m.direction == Direction::Down).map(|m| m.octets).max().unwrap()
        };
        assert!(octets(1e6) < 300_000);
        assert!(octets(20e6) > 800_000);
    }
}
