//! Games: small datagrams on two clocks; and streamed games: a video frame each sixtieth of a second.
//!
//! # Reference
//! NGMN, *Radio Access Performance Evaluation Methodology*, 2008, annex A (gaming); IEEE 802.11-18/2009 (RTA TIG report)
//! for status-sync and lockstep; 3GPP TR 38.838 for streamed games, as in 5G-LENA.

use super::{Conversation, MILLISECOND, Message, Nanos, Role, SECOND, Session, merge_by_time, seconds};
use crate::draw::{Chance, whole};
use crate::process::{Direction, Due};

/// A largest-extreme-value distribution, a and b.
pub type Extreme = (f64, f64);

/// Octets and milliseconds of one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beat {
    /// Octets of a datagram's payload.
    pub octets: Extreme,
    /// Milliseconds to the next; b is 0 for a fixed clock.
    pub gap: Extreme,
}

/// Classic shooter, server to client. Source: NGMN.
pub const CLASSIC_DOWN: Beat = Beat { octets: (120.0, 36.0), gap: (55.0, 5.7) };
/// Classic shooter, client to server. Source: NGMN.
pub const CLASSIC_UP: Beat = Beat { octets: (45.0, 5.7), gap: (40.0, 0.0) };
/// Status-sync, server to client. Source: IEEE 802.11 RTA TIG.
pub const STATUS_DOWN: Beat = Beat { octets: (50.0, 11.0), gap: (13.0, 3.7) };
/// Status-sync, client to server. Source: IEEE 802.11 RTA TIG.
pub const STATUS_UP: Beat = Beat { octets: (38.0, 3.7), gap: (15.0, 5.7) };
/// Lockstep, server to client. Source: IEEE 802.11 RTA TIG.
pub const LOCKSTEP_DOWN: Beat = Beat { octets: (210.0, 35.0), gap: (28.0, 4.2) };
/// Lockstep, client to server. Source: IEEE 802.11 RTA TIG.
pub const LOCKSTEP_UP: Beat = Beat { octets: (92.0, 38.0), gap: (22.0, 3.4) };
/// Mean seconds of a match. Assumed.
pub const MATCH: f64 = 300.0;

/// How one game talks.
#[derive(Clone, Debug, PartialEq)]
pub struct GameTraffic {
    /// Client to server.
    pub up: Beat,
    /// Server to client.
    pub down: Beat,
    /// Factor on the octets of both.
    pub size: f64,
    /// Factor on the gaps of both.
    pub pace: f64,
    /// Octets of a connection's first datagrams each way (a key, a map); 0 for none.
    pub greeting: u32,
    /// Mean seconds the lobby needs to answer.
    pub think: f64,
}

impl GameTraffic {
    pub(super) fn plan(&self, session: &Session) -> Vec<Conversation> {
        lobby_then_media(session)
    }

    pub(super) fn messages(
        &self,
        session: &Session,
        conversation: &Conversation,
        limit: usize,
    ) -> Vec<Message> {
        let mut chance = session.conversation_chance(conversation);
        if conversation.role == Role::Exchange {
            return lobby(&mut chance, self.think);
        }
        let length = seconds(chance.exponential(MATCH)).max(5 * SECOND);
        let mut up = self.beats(Direction::Up, self.up, length, &mut chance, limit);
        let down = self.beats(Direction::Down, self.down, length, &mut chance, limit);
        if self.greeting > 0 {
            up.insert(0, Message::up(0, self.greeting));
            up.insert(1, Message::down(0, self.greeting));
        }
        merge_by_time(up, down, limit)
    }

    fn beats(
        &self,
        direction: Direction,
        beat: Beat,
        length: Nanos,
        chance: &mut Chance,
        limit: usize,
    ) -> Vec<Message> {
        let mut out = Vec::new();
        let mut at = seconds(0.05) + chance.below(50 * MILLISECOND);
        while at < length && out.len() < limit {
            let octets = whole(chance.extreme(beat.octets.0, beat.octets.1) * self.size, 12);
            out.push(Message { due: Due::At(at), direction, octets });
            at += gap(beat, self.pace, chance);
        }
        out
    }
}

fn gap(beat: Beat, pace: f64, chance: &mut Chance) -> Nanos {
    let milliseconds =
        if beat.gap.1 == 0.0 { beat.gap.0 } else { chance.extreme(beat.gap.0, beat.gap.1).max(0.5) };
    seconds(milliseconds * pace / 1e3)
}

/// A frame's octets about their mean: relative deviation, least and most. Source: 3GPP TR 38.838.
pub const CLOUD_FRAME: (f64, f64, f64) = (0.105, 0.5, 1.5);
/// Frames a second. Source: 3GPP TR 38.838.
pub const CLOUD_FPS: f64 = 60.0;
/// Deviation of a frame's arrival, seconds; cut at ±4 ms. Source: 3GPP TR 38.838.
pub const CLOUD_JITTER: f64 = 0.002;
/// Octets of a pose or of an input. Source: 3GPP TR 38.838.
pub const CLOUD_POSE: u32 = 100;
/// Time between them. Source: 3GPP TR 38.838.
pub const CLOUD_POSE_GAP: Nanos = 4 * MILLISECOND;

/// How one streamed game talks.
#[derive(Clone, Debug, PartialEq)]
pub struct CloudGameTraffic {
    /// Mean bits a second of its pictures.
    pub rate: f64,
    /// Frames a second.
    pub fps: f64,
    /// Time between the client's inputs.
    pub pose_gap: Nanos,
    /// Octets of an input.
    pub pose: u32,
    /// Mean seconds the lobby needs to answer.
    pub think: f64,
}

impl CloudGameTraffic {
    pub(super) fn plan(&self, session: &Session) -> Vec<Conversation> {
        lobby_then_media(session)
    }

    pub(super) fn messages(
        &self,
        session: &Session,
        conversation: &Conversation,
        limit: usize,
    ) -> Vec<Message> {
        let mut chance = session.conversation_chance(conversation);
        if conversation.role == Role::Exchange {
            return lobby(&mut chance, self.think);
        }
        let length = chance.exponential(MATCH).max(5.0);
        // A player whose line cannot bear the rate is given less.
        let mean = self.rate.min(session.downlink * 0.7) / self.fps / 8.0;
        let mut down = Vec::new();
        let mut up = Vec::new();
        let frames = (length * self.fps) as usize;
        for k in 0..frames.min(limit) {
            let jitter = chance.normal_within(0.0, CLOUD_JITTER, -0.004, 0.004);
            let at = seconds(k as f64 / self.fps + 0.004 + jitter);
            let octets = mean * chance.normal_within(1.0, CLOUD_FRAME.0, CLOUD_FRAME.1, CLOUD_FRAME.2);
            down.push(Message::down(at, whole(octets, 40)));
        }
        let mut at = 0;
        while at < seconds(length) && up.len() < limit {
            up.push(Message::up(at, self.pose));
            at += self.pose_gap;
        }
        merge_by_time(up, down, limit)
    }
}

/// A lobby over a secured connection, then the game's own datagrams.
fn lobby_then_media(session: &Session) -> Vec<Conversation> {
    let mut chance = session.chance();
    let offset = seconds(chance.uniform(1.0, 8.0));
    vec![
        Conversation { offset: 0, host: 0, role: Role::Exchange, first: 0, last: 0 },
        Conversation { offset, host: 1, role: Role::Media, first: 1, last: 1 },
    ]
}

/// Signing in, finding a match, and reports. Assumed.
fn lobby(chance: &mut Chance, think: f64) -> Vec<Message> {
    let mut out = Vec::new();
    for _ in 0..chance.between(2, 7) {
        out.push(Message::up_after(seconds(chance.exponential(0.3)), chance.between(180, 1_200) as u32));
        out.push(Message::down_after(
            seconds(chance.exponential(think)),
            whole(chance.lognormal_within(7.2, 1.0, 120.0, 40_000.0), 1),
        ));
    }
    for k in 1..=chance.below(5) {
        out.push(Message::up(k * 30 * SECOND, 90));
        out.push(Message::down_after(seconds(chance.exponential(think)), 70));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    /// Means of the largest extreme value: a + 0.5772 b.
    #[test]
    fn the_two_clocks_have_the_sources_means() {
        for (up, down) in
            [(CLASSIC_UP, CLASSIC_DOWN), (STATUS_UP, STATUS_DOWN), (LOCKSTEP_UP, LOCKSTEP_DOWN)]
        {
            let game = GameTraffic { up, down, size: 1.0, pace: 1.0, greeting: 0, think: 0.01 };
            for beat in [up, down] {
                let mut chance = Chance::new(2, Purpose::Session, 0);
                let all = game.beats(Direction::Up, beat, 4_000 * SECOND, &mut chance, usize::MAX);
                let n = all.len() as f64;
                let octets = all.iter().map(|m| f64::from(m.octets)).sum::<f64>() / n;
                let expected = beat.octets.0 + 0.577_2 * beat.octets.1;
                assert!((octets / expected - 1.0).abs() < 0.01, "{octets}, expected {expected}");
                let gap = 4_000_000.0 / n;
                let expected = beat.gap.0 + 0.577_2 * beat.gap.1;
                assert!((gap / expected - 1.0).abs() < 0.01, "{gap}, expected {expected}");
            }
        }
    }

    #[test]
    fn streamed_frames_add_up_to_the_rate() {
        let game =
            CloudGameTraffic { rate: 8e6, fps: 60.0, pose_gap: CLOUD_POSE_GAP, pose: CLOUD_POSE, think: 0.01 };
        let session = Session { seed: 1, index: 4, downlink: 100e6 };
        let media = game.plan(&session)[1];
        let all = game.messages(&session, &media, 100_000);
        let down: Vec<u32> = all.iter().filter(|m| m.direction == Direction::Down).map(|m| m.octets).collect();
        let mean = down.iter().map(|o| f64::from(*o)).sum::<f64>() / down.len() as f64;
        assert!((mean * 60.0 * 8.0 / 8e6 - 1.0).abs() < 0.01, "{mean}");
    }
}
