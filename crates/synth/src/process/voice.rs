//! Calls: speech frames in talk spurts, silence descriptors between them.
//!
//! # Reference
//! NGMN, *Radio Access Performance Evaluation Methodology*, 2008, annex B (VoIP), as in 5G-LENA; EURASIP JWCN 2012:287
//! for the other spurt lengths; ITU-T G.711 and G.729 for their frames.

use super::{Conversation, MILLISECOND, Message, Nanos, Role, SECOND, Session, merge_by_time, seconds};
use crate::draw::{Chance, whole};
use crate::process::{Direction, Due};

/// Time between speech frames. Source: NGMN.
pub const FRAME: Nanos = 20 * MILLISECOND;
/// Octets of an AMR 12.2 frame with its RTP payload header. Source: NGMN.
pub const FRAME_NGMN: f64 = 40.0;
/// Octets of a G.711 frame of 20 ms. Source: ITU-T G.711 (64 kb/s).
pub const FRAME_G711: f64 = 160.0;
/// Octets of a G.729 frame of 20 ms. Source: ITU-T G.729 (8 kb/s).
pub const FRAME_G729: f64 = 20.0;
/// Octets of a silence descriptor. Source: NGMN.
pub const SILENCE_OCTETS: u32 = 15;
/// Speech frames from one silence descriptor to the next: 160 ms. Source: NGMN.
pub const SILENCE_FRAMES: u64 = 8;
/// Mean talk spurt and mean silence, seconds. Source: NGMN (2 s, activity 0.5).
pub const SPURTS_NGMN: (f64, f64) = (2.0, 2.0);
/// Mean talk spurt and mean silence, seconds. Source: EURASIP JWCN 2012:287.
pub const SPURTS_EURASIP: (f64, f64) = (1.026, 1.171);
/// Mean seconds of a call. Assumed.
pub const CALL: f64 = 120.0;

/// What is sent while nobody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// A descriptor each 160 ms.
    Descriptors,
    /// Frames go on as if somebody spoke.
    Frames,
}

/// How one application carries calls.
#[derive(Clone, Debug, PartialEq)]
pub struct VoiceTraffic {
    /// Time between frames.
    pub frame: Nanos,
    /// Mean octets of a speech frame.
    pub octets: f64,
    /// Their relative deviation; 0 for codecs of constant rate.
    pub spread: f64,
    /// Mean talk spurt and mean silence, seconds.
    pub spurts: (f64, f64),
    /// What fills the silence.
    pub silence: Silence,
    /// Octets that a secured RTP stream adds to each frame: 0 for plain RTP, 10 for SRTP's usual tag.
    pub tag: u32,
    /// Whether signalling goes over a connection of its own.
    pub signalling: bool,
    /// Mean seconds the signalling server needs to answer.
    pub think: f64,
}

impl VoiceTraffic {
    pub(super) fn plan(&self, session: &Session) -> Vec<Conversation> {
        let mut chance = session.chance();
        let ringing = seconds(chance.uniform(1.0, 6.0));
        let media = Conversation {
            offset: if self.signalling { ringing } else { 0 },
            host: 1,
            role: Role::Media,
            first: 1,
            last: 1,
        };
        if self.signalling {
            vec![Conversation { offset: 0, host: 0, role: Role::Exchange, first: 0, last: 0 }, media]
        } else {
            vec![media]
        }
    }

    pub(super) fn messages(
        &self,
        session: &Session,
        conversation: &Conversation,
        limit: usize,
    ) -> Vec<Message> {
        let mut chance = session.conversation_chance(conversation);
        match conversation.role {
            Role::Exchange => self.signals(&mut chance),
            Role::Media => self.speech(&mut chance, limit),
        }
    }

    /// Invitation, ringing, answer, and a sign of life now and then. Assumed.
    fn signals(&self, chance: &mut Chance) -> Vec<Message> {
        let mut out = vec![
            Message::up_after(0, chance.between(700, 1_900) as u32),
            Message::down_after(seconds(chance.exponential(self.think)), chance.between(250, 500) as u32),
            Message::down_after(seconds(chance.uniform(0.1, 0.8)), chance.between(300, 600) as u32),
            Message::down_after(seconds(chance.uniform(0.8, 4.0)), chance.between(700, 1_800) as u32),
            Message::up_after(20 * MILLISECOND, chance.between(300, 600) as u32),
        ];
        let call = chance.exponential(CALL);
        let mut at = 15.0;
        while at < call {
            out.push(Message::up(seconds(at), 60));
            out.push(Message::down_after(seconds(chance.exponential(self.think)), 60));
            at += 15.0;
        }
        out.push(Message::up(seconds(call), chance.between(300, 500) as u32));
        out.push(Message::down_after(seconds(chance.exponential(self.think)), 300));
        out
    }

    fn speech(&self, chance: &mut Chance, limit: usize) -> Vec<Message> {
        let call = seconds(chance.exponential(CALL)).max(3 * SECOND);
        let up = self.talker(Direction::Up, call, chance, limit);
        let down = self.talker(Direction::Down, call, chance, limit);
        merge_by_time(up, down, limit)
    }

    fn talker(&self, direction: Direction, call: Nanos, chance: &mut Chance, limit: usize) -> Vec<Message> {
        let mut out = Vec::new();
        // The two clocks tick alike, but not together.
        let mut at = chance.below(self.frame);
        let mut talking = chance.happens(self.spurts.0 / (self.spurts.0 + self.spurts.1));
        while at < call && out.len() < limit {
            let mean = if talking { self.spurts.0 } else { self.spurts.1 };
            let frames = seconds(chance.exponential(mean)) / self.frame + 1;
            let silent = !talking && self.silence == Silence::Descriptors;
            for k in 0..frames {
                if silent && k % SILENCE_FRAMES != 0 {
                    continue;
                }
                let octets = if silent { SILENCE_OCTETS } else { self.frame_octets(chance) };
                out.push(Message { due: Due::At(at + k * self.frame), direction, octets });
            }
            at += frames * self.frame;
            talking = !talking;
        }
        out
    }

    fn frame_octets(&self, chance: &mut Chance) -> u32 {
        if self.spread == 0.0 {
            return whole(self.octets, 1);
        }
        let (low, high) = (self.octets * 0.4, self.octets * 2.0);
        whole(chance.normal_within(self.octets, self.octets * self.spread, low, high), 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    #[test]
    fn half_of_the_time_is_speech() {
        let traffic = VoiceTraffic {
            frame: FRAME,
            octets: FRAME_NGMN,
            spread: 0.0,
            spurts: SPURTS_NGMN,
            silence: Silence::Descriptors,
            tag: 0,
            signalling: false,
            think: 0.01,
        };
        let mut chance = Chance::new(5, Purpose::Session, 0);
        let call = 20_000 * SECOND;
        let all = traffic.talker(Direction::Up, call, &mut chance, usize::MAX);
        let speech = all.iter().filter(|m| m.octets == 40).count() as f64;
        let descriptors = all.iter().filter(|m| m.octets == 15).count() as f64;
        let slots = (call / FRAME) as f64;
        assert!((speech / slots - 0.5).abs() < 0.02, "activity {}", speech / slots);
        // Each silence begins with a descriptor, so there are a few more than one in eight slots.
        let share = descriptors / (slots - speech);
        assert!((0.125..0.145).contains(&share), "descriptors {share}");
    }
}
