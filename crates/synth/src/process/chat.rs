//! Messages between people: short texts after long gaps over one connection, pictures over another.
//!
//! # Reference
//! Li et al. on instant messaging report that lengths follow a power law and gaps a lognormal; their exponents were not
//! found, so all numbers here are assumed.

use super::{Conversation, MILLISECOND, Message, Nanos, Role, Session, seconds};
use crate::draw::{Chance, whole};

/// Shape, least and most of the Pareto octets of a text. Assumed.
pub const TEXT: (f64, f64, f64) = (1.4, 24.0, 4_000.0);
/// μ and σ of the logarithm of the seconds between texts (median 6 s). Assumed.
pub const GAP: (f64, f64) = (1.8, 1.3);
/// μ and σ of the logarithm of a picture's octets (median 60 kB). Assumed.
pub const PICTURE: (f64, f64) = (11.0, 0.8);
/// Mean texts a session. Assumed.
pub const TEXTS: f64 = 25.0;

/// How one application carries messages.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatTraffic {
    /// Octets around each text (identifiers, keys).
    pub envelope: u32,
    /// Octets of the receipt that answers each text; 0 for none.
    pub receipt: u32,
    /// Time between signs of life while nobody writes.
    pub keep_alive: Nanos,
    /// Octets of a sign of life.
    pub ping: u32,
    /// Octets that come down at sign-in (roster, missed messages).
    pub backlog: f64,
    /// Texts are padded to a multiple of this; 1 for none.
    pub padding: u32,
    /// How often a text comes with a picture.
    pub pictures: f64,
    /// Mean seconds the server needs to answer.
    pub think: f64,
}

impl ChatTraffic {
    pub(super) fn plan(&self, session: &Session) -> Vec<Conversation> {
        let mut chance = session.chance();
        let mut plan = vec![Conversation { offset: 0, host: 0, role: Role::Exchange, first: 0, last: 0 }];
        let texts = chance.exponential(TEXTS);
        let pictures = whole(texts * self.pictures, 0).min(6);
        let mut at = 5.0;
        for n in 1..=pictures {
            at += chance.exponential(40.0);
            plan.push(Conversation { offset: seconds(at), host: 1, role: Role::Exchange, first: n, last: n });
        }
        plan
    }

    pub(super) fn messages(
        &self,
        session: &Session,
        conversation: &Conversation,
        limit: usize,
    ) -> Vec<Message> {
        let mut chance = session.conversation_chance(conversation);
        match conversation.host {
            0 => self.texts(&mut chance, limit),
            _ => self.picture(&mut chance),
        }
    }

    fn texts(&self, chance: &mut Chance, limit: usize) -> Vec<Message> {
        let mut out = vec![
            Message::up_after(0, chance.between(300, 700) as u32),
            Message::down_after(
                seconds(chance.exponential(self.think)),
                whole(chance.lognormal_within(self.backlog, 0.8, 200.0, 300_000.0), 1),
            ),
        ];
        let count = whole(chance.exponential(TEXTS), 2);
        let mut at: Nanos = seconds(chance.uniform(0.5, 4.0));
        for _ in 0..count {
            let next = at + seconds(chance.lognormal_within(GAP.0, GAP.1, 0.2, 600.0));
            // Signs of life fill the silence.
            let mut quiet = at + self.keep_alive;
            while quiet < next && out.len() < limit {
                out.push(Message::up(quiet, self.ping));
                out.push(Message::down_after(2 * MILLISECOND, self.ping));
                quiet += self.keep_alive;
            }
            at = next;
            let text = self.text_octets(chance);
            if chance.happens(0.5) {
                out.push(Message::up(at, text));
                if self.receipt > 0 {
                    out.push(Message::down_after(seconds(chance.exponential(self.think)), self.receipt));
                }
            } else {
                out.push(Message::down(at, text));
                if self.receipt > 0 {
                    out.push(Message::up_after(15 * MILLISECOND, self.receipt));
                }
            }
            if out.len() >= limit {
                break;
            }
        }
        out
    }

    fn text_octets(&self, chance: &mut Chance) -> u32 {
        let text = whole(chance.pareto(TEXT.0, TEXT.1, TEXT.2), 1);
        text.next_multiple_of(self.padding.max(1)) + self.envelope
    }

    fn picture(&self, chance: &mut Chance) -> Vec<Message> {
        let octets = whole(chance.lognormal_within(PICTURE.0, PICTURE.1, 4_000.0, 4_000_000.0), 1);
        let think = seconds(chance.exponential(self.think));
        if chance.happens(0.4) {
            vec![Message::up_after(0, octets + 600), Message::down_after(think, 350)]
        } else {
            vec![Message::up_after(0, 450), Message::down_after(think, octets)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    #[test]
    fn texts_are_padded_and_enveloped() {
        let traffic = ChatTraffic {
            envelope: 70,
            receipt: 40,
            keep_alive: 30 * crate::process::SECOND,
            ping: 30,
            backlog: 7.0,
            padding: 64,
            pictures: 0.1,
            think: 0.02,
        };
        let mut chance = Chance::new(9, Purpose::Session, 0);
        let all: Vec<u32> = (0..5_000).map(|_| traffic.text_octets(&mut chance)).collect();
        assert!(all.iter().all(|o| (o - 70) % 64 == 0));
        // The least, 24, is padded to 64; P(text > 64) = (24/64)^1.4 = 0.253.
        let longer = all.iter().filter(|o| **o > 134).count() as f64 / all.len() as f64;
        assert!((longer - 0.253).abs() < 0.02, "{longer}");
    }
}
