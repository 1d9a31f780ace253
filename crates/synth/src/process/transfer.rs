//! Files: some brought down, some sent up, with pauses between.
//!
//! # Reference
//! NGMN, *Radio Access Performance Evaluation Methodology*, 2008 (FTP), as in 5G-LENA; Barford and Crovella, *Generating
//! representative web workloads*, SIGMETRICS 1998 (SURGE), for the other file sizes.

use super::{Conversation, Message, Nanos, Role, Session, seconds};
use crate::draw::{Chance, whole};

/// μ and σ of the logarithm of a file's octets (mean 2 MB). Source: NGMN.
pub const FILE_NGMN: (f64, f64) = (14.45, 0.35);
/// Most octets of such a file. Source: NGMN.
pub const FILE_NGMN_MOST: f64 = 5_000_000.0;
/// Mean seconds from one file to the next. Source: NGMN.
pub const READING: f64 = 180.0;
/// μ and σ of the logarithm of the body of file sizes. Source: SURGE.
pub const FILE_SURGE: (f64, f64) = (9.357, 1.318);
/// Share of files in the body. Source: SURGE.
pub const FILE_SURGE_BODY: f64 = 0.93;
/// Shape and least octets of the tail. Source: SURGE.
pub const FILE_SURGE_TAIL: (f64, f64) = (1.1, 133_000.0);
/// Most octets of such a file: a limit, since the tail has no variance. Assumed.
pub const FILE_SURGE_MOST: f64 = 50_000_000.0;
/// Mean files a session. Assumed.
pub const FILES: f64 = 2.0;

/// Which sizes files have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// Lognormal about 2 MB.
    Ngmn,
    /// Lognormal body, Pareto tail.
    Surge,
}

/// How one application moves files.
#[derive(Clone, Debug, PartialEq)]
pub struct TransferTraffic {
    /// Which sizes.
    pub sizes: Sizes,
    /// Factor on them.
    pub scale: f64,
    /// Share of files that go up.
    pub uploads: f64,
    /// Files are asked for (or acknowledged) in pieces of so many octets.
    pub chunk: u32,
    /// Octets of a request.
    pub request: f64,
    /// A connection idle for longer is closed.
    pub keep_alive: Nanos,
    /// Mean seconds the server needs to answer.
    pub think: f64,
}

/// Octets of a file.
pub fn file(sizes: Sizes, chance: &mut Chance) -> f64 {
    match sizes {
        Sizes::Ngmn => chance.lognormal_within(FILE_NGMN.0, FILE_NGMN.1, 1.0, FILE_NGMN_MOST),
        Sizes::Surge if chance.happens(FILE_SURGE_BODY) => chance.lognormal(FILE_SURGE.0, FILE_SURGE.1),
        Sizes::Surge => chance.pareto(FILE_SURGE_TAIL.0, FILE_SURGE_TAIL.1, FILE_SURGE_MOST),
    }
}

#[derive(Clone, Copy, Debug)]
struct File {
    at: Nanos,
    octets: u32,
    upload: bool,
}

impl TransferTraffic {
    fn files(&self, session: &Session) -> Vec<File> {
        let mut chance = session.chance();
        let mean = match self.sizes {
            Sizes::Ngmn => FILES,
            // Small files come in numbers.
            Sizes::Surge => FILES * 6.0,
        };
        let count = whole(chance.exponential(mean), 1).min(60);
        let mut at = 0;
        let mut files = Vec::new();
        for _ in 0..count {
            let octets = whole(file(self.sizes, &mut chance) * self.scale, 64);
            files.push(File { at, octets, upload: chance.happens(self.uploads) });
            let pause = match self.sizes {
                Sizes::Ngmn => READING,
                Sizes::Surge => 2.0,
            };
            at += seconds(chance.exponential(pause));
        }
        files
    }

    pub(super) fn plan(&self, session: &Session) -> Vec<Conversation> {
        let mut plan: Vec<Conversation> = Vec::new();
        let mut used = 0;
        for (number, file) in self.files(session).iter().enumerate() {
            let number = number as u32;
            match plan.last_mut() {
                Some(last) if file.at - used <= self.keep_alive => last.last = number,
                _ => plan.push(Conversation {
                    offset: file.at,
                    host: 0,
                    role: Role::Exchange,
                    first: number,
                    last: number,
                }),
            }
            used = file.at;
        }
        plan
    }

    pub(super) fn messages(
        &self,
        session: &Session,
        conversation: &Conversation,
        limit: usize,
    ) -> Vec<Message> {
        let files = self.files(session);
        let mut chance = session.conversation_chance(conversation);
        let mut out = Vec::new();
        for file in &files[conversation.first as usize..=conversation.last as usize] {
            let mut left = file.octets;
            let mut at = Some(file.at.saturating_sub(conversation.offset));
            while left > 0 && out.len() < limit {
                let piece = left.min(self.chunk.max(1));
                left -= piece;
                let request = whole(chance.normal_within(self.request, self.request * 0.08, 40.0, 3_000.0), 1);
                let think = seconds(chance.exponential(self.think));
                let (up, down) = if file.upload { (request + piece, 260) } else { (request, piece) };
                out.push(match at.take() {
                    Some(at) => Message::up(at, up),
                    None => Message::up_after(0, up),
                });
                out.push(Message::down_after(think, down));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    fn mean(sizes: Sizes, n: usize) -> f64 {
        let mut chance = Chance::new(3, Purpose::Session, 0);
        (0..n).map(|_| file(sizes, &mut chance)).sum::<f64>() / n as f64
    }

    #[test]
    fn files_have_the_sources_means() {
        // exp(14.45 + 0.35²/2) = 2.0 MB; the cut at 5 MB takes little.
        let ngmn = mean(Sizes::Ngmn, 50_000);
        assert!((ngmn / 2.0e6 - 1.0).abs() < 0.02, "{ngmn}");
    }

    #[test]
    fn seven_files_in_a_hundred_are_of_the_tail() {
        let mut chance = Chance::new(3, Purpose::Session, 0);
        let n = 100_000;
        let large = (0..n).filter(|_| file(Sizes::Surge, &mut chance) >= 133_000.0).count() as f64 / f64::from(n);
        // The body passes 133 kB with P(Z > (ln 133,000 − 9.357)/1.318 = 1.852) = 0.032.
        assert!((large - (0.07 + 0.93 * 0.032)).abs() < 0.005, "{large}");
    }
}
