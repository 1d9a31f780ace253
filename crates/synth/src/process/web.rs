//! Reading pages: the 3GPP HTTP model, its objects spread over a page's hosts.
//!
//! # Reference
//! 3GPP2 C.R1002-0 and 3GPP TR 25.892, annex A.2.1, as in ns-3's `ThreeGppHttpVariables`.

use super::{Conversation, Message, Nanos, Role, SECOND, Session, seconds};
use crate::draw::{Chance, whole};

/// μ of the logarithm of a main object's octets (mean 10,710). Source: 3GPP HTTP model.
pub const MAIN_MU: f64 = 8.346;
/// σ of the same (deviation 25,032). Source: 3GPP HTTP model.
pub const MAIN_SIGMA: f64 = 1.366;
/// Least octets of a main object. Source: 3GPP HTTP model.
pub const MAIN_LEAST: f64 = 100.0;
/// Most octets of any object. Source: 3GPP HTTP model.
pub const OBJECT_MOST: f64 = 2_000_000.0;
/// μ of the logarithm of an embedded object's octets (mean 7,758). Source: 3GPP HTTP model.
pub const EMBEDDED_MU: f64 = 6.166;
/// σ of the same (deviation 126,168). Source: 3GPP HTTP model.
pub const EMBEDDED_SIGMA: f64 = 2.363;
/// Least octets of an embedded object. Source: 3GPP HTTP model.
pub const EMBEDDED_LEAST: f64 = 50.0;
/// Shape, least and most of the Pareto number of objects, from which [`OBJECTS_SHIFT`] is taken (mean 5.64). Source: 3GPP HTTP model.
pub const OBJECTS: (f64, f64, f64) = (1.1, 2.0, 55.0);
/// What is taken from that number. Source: 3GPP HTTP model.
pub const OBJECTS_SHIFT: u64 = 2;
/// Mean reading time, seconds. Source: 3GPP HTTP model.
pub const READING: f64 = 30.0;
/// Mean parsing time, seconds. Source: 3GPP HTTP model.
pub const PARSING: f64 = 0.13;
/// μ and σ of the logarithm of pages a session. Source: as in TRAFFIC's table of the 3GPP HTTP model.
pub const PAGES: (f64, f64) = (2.341, 0.992);
/// Most pages a session: a limit, so that one session is no whole capture. Assumed.
pub const PAGES_MOST: u32 = 40;
/// Octets of a request. Source: 3GPP HTTP model.
pub const REQUEST: f64 = 328.0;

/// How one application reads pages.
#[derive(Clone, Debug, PartialEq)]
pub struct WebTraffic {
    /// Hosts beside the first: content servers and third parties. The first serves the main objects.
    pub hosts: u16,
    /// Mean octets of a request.
    pub request: f64,
    /// Added to μ of the main object.
    pub main_shift: f64,
    /// Added to μ of the embedded objects.
    pub embedded_shift: f64,
    /// Embedded objects beyond the model's.
    pub objects_more: u32,
    /// Requests that are sent together.
    pub parallel: u32,
    /// Mean time the server needs to answer, seconds.
    pub think: f64,
    /// A connection idle for longer is closed.
    pub keep_alive: Nanos,
}

/// One object of a page.
#[derive(Clone, Copy, Debug)]
struct Object {
    host: u16,
    octets: u32,
}

#[derive(Debug)]
struct Page {
    at: Nanos,
    objects: Vec<Object>,
}

/// Octets of a main object.
pub fn main_object(chance: &mut Chance, shift: f64) -> u32 {
    whole(chance.lognormal_within(MAIN_MU + shift, MAIN_SIGMA, MAIN_LEAST, OBJECT_MOST), 1)
}

/// Octets of an embedded object.
pub fn embedded_object(chance: &mut Chance, shift: f64) -> u32 {
    whole(chance.lognormal_within(EMBEDDED_MU + shift, EMBEDDED_SIGMA, EMBEDDED_LEAST, OBJECT_MOST), 1)
}

/// How many objects a page embeds: not rounded, so that its mean is the source's.
pub fn embedded_count(chance: &mut Chance) -> f64 {
    chance.pareto(OBJECTS.0, OBJECTS.1, OBJECTS.2) - OBJECTS_SHIFT as f64
}

impl WebTraffic {
    fn pages(&self, session: &Session) -> Vec<Page> {
        let mut chance = session.chance();
        let count = whole(chance.lognormal(PAGES.0, PAGES.1), 1).min(PAGES_MOST);
        let mut at = 0;
        let mut pages = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let embedded = whole(embedded_count(&mut chance), 0) + self.objects_more;
            let mut objects = Vec::with_capacity(embedded as usize + 1);
            objects.push(Object { host: 0, octets: main_object(&mut chance, self.main_shift) });
            for _ in 0..embedded {
                // Half of the objects come from the page's own host, the rest from the others. Assumed.
                let host = if chance.happens(0.5) { 0 } else { chance.between(0, self.hosts.into()) as u16 };
                let octets = embedded_object(&mut chance, self.embedded_shift);
                objects.push(Object { host, octets });
            }
            pages.push(Page { at, objects });
            at += SECOND + seconds(chance.exponential(READING));
        }
        pages
    }

    pub(super) fn plan(&self, session: &Session) -> Vec<Conversation> {
        let pages = self.pages(session);
        let mut plan: Vec<Conversation> = Vec::new();
        let mut open: Vec<Option<(usize, Nanos)>> = vec![None; usize::from(self.hosts) + 1];
        for (number, page) in pages.iter().enumerate() {
            for object in &page.objects {
                let number = number as u32;
                // Other hosts are asked once the main object was parsed; their names are looked up meanwhile.
                let at = if object.host == 0 { page.at } else { page.at + seconds(PARSING) };
                let slot = &mut open[usize::from(object.host)];
                match slot {
                    Some((place, used)) if at.saturating_sub(*used) <= self.keep_alive => {
                        plan[*place].last = number;
                        *used = at;
                    }
                    _ => {
                        *slot = Some((plan.len(), at));
                        plan.push(Conversation {
                            offset: at,
                            host: object.host,
                            role: Role::Exchange,
                            first: number,
                            last: number,
                        });
                    }
                }
            }
        }
        plan
    }

    pub(super) fn messages(
        &self,
        session: &Session,
        conversation: &Conversation,
        limit: usize,
    ) -> Vec<Message> {
        let pages = self.pages(session);
        let mut chance = session.conversation_chance(conversation);
        let mut out = Vec::new();
        for page in &pages[conversation.first as usize..=conversation.last as usize] {
            let mine: Vec<u32> =
                page.objects.iter().filter(|o| o.host == conversation.host).map(|o| o.octets).collect();
            let mut at = Some(page.at.saturating_sub(conversation.offset));
            // The main object comes alone, what it names after it and together.
            let alone = usize::from(conversation.host == 0).min(mine.len());
            let groups = mine[..alone].chunks(1).chain(mine[alone..].chunks(self.parallel.max(1) as usize));
            for group in groups {
                let request: u32 = group.iter().map(|_| self.request_octets(&mut chance)).sum();
                out.push(match at.take() {
                    Some(at) => Message::up(at, request),
                    None => Message::up_after(seconds(chance.exponential(PARSING)), request),
                });
                for octets in group {
                    out.push(Message::down_after(seconds(chance.exponential(self.think)), *octets));
                }
                if out.len() >= limit {
                    return out;
                }
            }
        }
        out
    }

    fn request_octets(&self, chance: &mut Chance) -> u32 {
        whole(chance.normal_within(self.request, self.request * 0.15, 60.0, 4_000.0), 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    const N: usize = 100_000;

    fn mean(mut draw: impl FnMut(&mut Chance) -> f64) -> f64 {
        let mut chance = Chance::new(11, Purpose::Session, 0);
        (0..N).map(|_| draw(&mut chance)).sum::<f64>() / N as f64
    }

    #[test]
    fn objects_have_the_sources_means() {
        let main = mean(|c| main_object(c, 0.0).into());
        assert!((main / 10_710.0 - 1.0).abs() < 0.05, "{main}");
        // The tail of σ 2.363 makes the mean slow to settle, and the cut at 2 MB takes some of it.
        let embedded = mean(|c| embedded_object(c, 0.0).into());
        assert!((embedded / 7_758.0 - 1.0).abs() < 0.15, "{embedded}");
        let count = mean(embedded_count);
        assert!((count - 5.64).abs() < 0.15, "{count}");
    }

    #[test]
    fn logarithms_have_the_sources_mu_and_sigma() {
        let mu = mean(|c| f64::from(embedded_object(c, 0.0)).ln());
        // The cuts lift μ from 6.166: E = μ + σ (φ(a) − φ(b)) / (Φ(b) − Φ(a)) = 6.88 with a = (ln 50 − μ)/σ, b = (ln 2e6 − μ)/σ.
        assert!((mu - 6.88).abs() < 0.03, "{mu}");
    }
}
