//! Named application profiles: what each says, and how it is carried.
//!
//! Two applications of one kind share the kind's process and differ in what tells real applications apart: segment
//! length and ladder, request and frame sizes, server behaviour, TLS library, protocols offered, certificate chain,
//! QUIC or TCP, keep-alive. All names are invented and end in `.example` (RFC 6761). The values of single profiles are
//! assumed, within the ranges of the kinds' sources.

mod written;

use crate::draw::{Chance, Purpose};
use crate::framing::datagram::{Greeting, Header};
use crate::framing::hello::{Library, Manner};
use crate::framing::tls::Version;
use crate::process::chat::ChatTraffic;
use crate::process::game::{self, CloudGameTraffic, GameTraffic};
use crate::process::transfer::{Sizes, TransferTraffic};
use crate::process::video::{self, VideoTraffic};
use crate::process::voice::{self, Silence, VoiceTraffic};
use crate::process::web::WebTraffic;
use crate::process::{Kind, MILLISECOND, Nanos, SECOND, Traffic};

pub use written::written;

/// A host of an application.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// Its server name.
    pub name: String,
    /// One way from the edge of the client's network, beyond the client's own access.
    pub distance: Nanos,
    /// Port.
    pub port: u16,
    /// The content network it is behind, whose addresses many applications share; none for its own servers.
    pub network: Option<u8>,
    /// How many addresses it has.
    pub servers: u8,
}

/// How an application's conversations are carried.
#[derive(Clone, Debug, PartialEq)]
pub struct Carriage {
    /// Share of conversations over QUIC, where the client's network lets UDP through.
    pub quic: f64,
    /// The version its servers choose over TCP.
    pub version: Version,
    /// The TLS manner of its own client.
    pub native: Manner,
    /// Share of clients that use it in a browser, with the browser's manner.
    pub browser: f64,
    /// Application protocols its own client offers over TCP.
    pub protocols: Vec<&'static str>,
    /// Octets of its servers' certificate chain.
    pub chain: u32,
    /// Most octets in a record its servers write.
    pub record: u32,
    /// Session tickets its servers send, and the octets of each.
    pub tickets: (u32, u32),
    /// Share of connections that resume an earlier session.
    pub resumed: f64,
    /// Shares of connections that the client closes, the server closes, and the client resets; the rest is left open.
    pub closing: (f64, f64, f64),
    /// How long an idle connection stays open.
    pub linger: Nanos,
    /// Full datagrams of QUIC, each way.
    pub datagram: [u16; 2],
    /// What stands before each of its own datagrams.
    pub header: Header,
    /// How its clients find each other.
    pub greeting: Greeting,
}

/// An application.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// Its name in the truth.
    pub name: String,
    /// What it says.
    pub traffic: Traffic,
    /// Whom its clients talk to; the processes count from 0.
    pub hosts: Vec<Host>,
    /// How it is carried.
    pub carriage: Carriage,
}

impl Application {
    /// Its kind of use.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.traffic.kind()
    }
}

/// `n` applications drawn from a seed, all kinds in turn; the first ones stay the same when `n` grows.
#[must_use]
pub fn profiles(seed: u64, n: usize) -> Vec<Application> {
    (0..n).map(|k| drawn(Kind::ALL[k % Kind::ALL.len()], k, seed)).collect()
}

const TREES: [&str; 24] = [
    "acacia", "aspen", "baobab", "beech", "cypress", "ebony", "elder", "fir", "ginkgo", "hemlock",
    "holly", "juniper", "laurel", "mahogany", "mimosa", "myrtle", "olive", "pine", "poplar",
    "redwood", "sequoia", "spruce", "teak", "yew",
];

fn drawn(kind: Kind, number: usize, seed: u64) -> Application {
    let mut chance = Chance::new(seed, Purpose::Profile, number as u64);
    let tree = TREES[number / Kind::ALL.len() % TREES.len()];
    let name = format!("{}-{tree}-{number}", prefix(kind));
    let traffic = drawn_traffic(kind, &mut chance);
    let carriage = drawn_carriage(kind, &mut chance);
    let hosts = hosts(&name, &traffic, &mut chance);
    Application { name, traffic, hosts, carriage }
}

/// What the names of a kind's applications begin with.
#[must_use]
pub fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Web => "pages",
        Kind::Video => "stream",
        Kind::Voice => "call",
        Kind::Game => "arena",
        Kind::Chat => "talk",
        Kind::Transfer => "drive",
        Kind::CloudGame => "cloudplay",
    }
}

fn drawn_traffic(kind: Kind, c: &mut Chance) -> Traffic {
    let think = c.lognormal_within(-4.0, 0.6, 0.003, 0.2);
    match kind {
        Kind::Web => Traffic::Web(WebTraffic {
            hosts: c.between(1, 6) as u16,
            request: c.uniform(250.0, 900.0),
            main_shift: c.uniform(-0.5, 1.2),
            embedded_shift: c.uniform(-0.5, 1.5),
            objects_more: c.between(0, 12) as u32,
            parallel: c.between(1, 8) as u32,
            think,
            keep_alive: c.between(10, 120) * SECOND,
        }),
        Kind::Video => Traffic::Video(VideoTraffic {
            segment: c.between(4, 20) * SECOND / 2,
            ladder: drawn_ladder(c),
            buffer: c.between(3, 15) as u32,
            sound: if c.happens(0.5) { c.uniform(64e3, 192e3) } else { 0.0 },
            request: c.uniform(video::REQUEST.0, video::REQUEST.1),
            batch: c.between(1, 4) as u32,
            think,
        }),
        Kind::Voice => Traffic::Voice(VoiceTraffic {
            frame: *c.pick(&[
                20 * MILLISECOND,
                20 * MILLISECOND,
                40 * MILLISECOND,
                60 * MILLISECOND,
            ]),
            octets: c.uniform(voice::FRAME_G729, voice::FRAME_G711),
            spread: *c.pick(&[0.0, 0.12, 0.25]),
            spurts: *c.pick(&[voice::SPURTS_NGMN, voice::SPURTS_EURASIP]),
            silence: *c.pick(&[Silence::Descriptors, Silence::Frames]),
            tag: *c.pick(&[0, 4, 10, 16]),
            signalling: c.happens(0.7),
            think,
        }),
        Kind::Game => {
            let (up, down) = *c.pick(&[
                (game::CLASSIC_UP, game::CLASSIC_DOWN),
                (game::STATUS_UP, game::STATUS_DOWN),
                (game::LOCKSTEP_UP, game::LOCKSTEP_DOWN),
            ]);
            Traffic::Game(GameTraffic {
                up,
                down,
                size: c.uniform(0.7, 2.0),
                pace: c.uniform(0.7, 1.6),
                greeting: *c.pick(&[0, 48, 120, 508]),
                think,
            })
        }
        Kind::Chat => Traffic::Chat(ChatTraffic {
            envelope: c.between(30, 400) as u32,
            receipt: *c.pick(&[0, 34, 60, 96]),
            keep_alive: c.between(10, 90) * SECOND,
            ping: c.between(2, 60) as u32,
            backlog: c.uniform(6.5, 9.5),
            padding: *c.pick(&[1, 1, 16, 160]),
            pictures: c.uniform(0.0, 0.08),
            think,
        }),
        Kind::Transfer => Traffic::Transfer(TransferTraffic {
            sizes: *c.pick(&[Sizes::Ngmn, Sizes::Surge]),
            scale: c.uniform(0.3, 2.0),
            uploads: c.unit(),
            chunk: 1 << c.between(16, 23),
            request: c.uniform(200.0, 1_200.0),
            keep_alive: c.between(5, 300) * SECOND,
            think,
        }),
        Kind::CloudGame => Traffic::CloudGame(CloudGameTraffic {
            rate: c.uniform(5e6, 30e6),
            fps: *c.pick(&[30.0, game::CLOUD_FPS, game::CLOUD_FPS, 120.0]),
            pose_gap: c.between(4, 16) * MILLISECOND,
            pose: c.between(60, 140) as u32,
            think,
        }),
    }
}

fn drawn_ladder(c: &mut Chance) -> Vec<f64> {
    let mut ladder = vec![c.uniform(45e3, 250e3)];
    let step = c.uniform(1.4, 2.0);
    while ladder.len() < 12 && ladder[ladder.len() - 1] * step < 5.5e6 {
        ladder.push(ladder[ladder.len() - 1] * step);
    }
    ladder
}

fn drawn_carriage(kind: Kind, c: &mut Chance) -> Carriage {
    let library = *c.pick(&Library::ALL);
    let old = library == Library::Embedded || c.happens(0.1);
    let datagram = *c.pick(&[[1_250, 1_350], [1_200, 1_252], [1_357, 1_460], [1_232, 1_200]]);
    let rtp = kind == Kind::Voice;
    Carriage {
        quic: if old || library == Library::Classic { 0.0 } else { *c.pick(&[0.0, 0.0, 0.5, 0.9]) },
        version: if old { Version::Tls12 } else { Version::Tls13 },
        native: tweaked(library.manner(), c),
        browser: match kind {
            Kind::Web => 0.9,
            Kind::Video | Kind::Transfer => c.uniform(0.0, 0.6),
            _ => c.uniform(0.0, 0.3),
        },
        protocols: c.pick(&[vec!["h2", "http/1.1"], vec!["h2"], vec!["http/1.1"], vec![]]).clone(),
        chain: c.between(1_800, 5_200) as u32,
        record: *c.pick(&[1_369, 4_096, 8_192, 16_384]),
        tickets: (c.between(0, 2) as u32, c.between(90, 260) as u32),
        resumed: c.uniform(0.0, 0.5),
        closing: *c.pick(&[(0.8, 0.1, 0.05), (0.2, 0.6, 0.1), (0.3, 0.1, 0.5), (0.4, 0.3, 0.1)]),
        linger: c.between(0, 20) * SECOND / 2 + 20 * MILLISECOND,
        datagram,
        header: if rtp {
            Header::Rtp { kind: *c.pick(&[0, 18, 96, 111]), ticks: *c.pick(&[8, 48]), tag: 10 }
        } else {
            Header::Counter { magic: c.octets() }
        },
        greeting: if rtp && c.happens(0.5) { Greeting::Stun } else { Greeting::None },
    }
}

/// A library as an application configures it: with fewer suites, or without an extension.
fn tweaked(mut manner: Manner, c: &mut Chance) -> Manner {
    use crate::framing::hello::extension;
    for _ in 0..c.below(4) {
        // The suites of TLS 1.3 stay: QUIC offers no others.
        if let Some(last) = manner.ciphers.iter().rposition(|c| c >> 8 != 0x13) {
            manner.ciphers.remove(last);
        }
    }
    if c.happens(0.3) {
        manner.extensions.retain(|e| *e != extension::STATUS_REQUEST);
    }
    if c.happens(0.3) {
        manner.signatures.truncate(6);
    }
    manner
}

/// The hosts that a kind's process talks to, in its order.
pub(crate) fn hosts(name: &str, traffic: &Traffic, chance: &mut Chance) -> Vec<Host> {
    let domain = format!("{name}.example");
    let mut host = |label: &str, port: u16, near: bool| {
        // Content networks are a few milliseconds away, an application's own servers up to an ocean. Assumed.
        let network = (near && chance.happens(0.6)).then(|| chance.below(6) as u8);
        let distance = if near {
            chance.uniform(1.0, 8.0)
        } else {
            chance.lognormal_within(2.6, 0.8, 2.0, 90.0)
        };
        Host {
            name: format!("{label}.{domain}"),
            distance: (distance * 1e6) as Nanos,
            port,
            network,
            servers: chance.between(1, 6) as u8,
        }
    };
    match traffic {
        Traffic::Web(t) => {
            let mut all = vec![host("www", 443, false)];
            all.extend((1..=t.hosts).map(|k| host(&format!("static{k}"), 443, true)));
            all
        }
        Traffic::Video(_) => vec![host("api", 443, false), host("edge", 443, true)],
        Traffic::Voice(_) => vec![host("signal", 443, false), host("media", 34_784, true)],
        Traffic::Game(_) => vec![host("lobby", 443, false), host("match", 27_615, true)],
        Traffic::Chat(_) => vec![host("gateway", 443, false), host("pictures", 443, true)],
        Traffic::Transfer(_) => vec![host("files", 443, false)],
        Traffic::CloudGame(_) => vec![host("session", 443, false), host("render", 49_306, true)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn two_dozen_and_two_applications_are_written_by_hand() {
        let all = written();
        let names: BTreeSet<&str> = all.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        let streamed = all.iter().filter(|a| a.kind() == Kind::CloudGame).count();
        assert_eq!((all.len() - streamed, streamed), (24, 2));
        for kind in Kind::ALL {
            assert!(all.iter().any(|a| a.kind() == kind), "{kind:?}");
        }
    }

    #[test]
    fn any_number_of_applications_comes_from_a_seed() {
        let many = profiles(3, 140);
        let names: BTreeSet<&str> = many.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names.len(), 140);
        assert_eq!(many[..20], profiles(3, 20)[..]);
        assert_ne!(many[0].traffic, profiles(4, 1)[0].traffic);
    }

    #[test]
    fn every_hello_offers_what_its_version_needs() {
        for app in written().iter().chain(&profiles(1, 700)) {
            let manner = &app.carriage.native;
            assert_eq!(manner.tls13, manner.ciphers.iter().any(|c| c >> 8 == 0x13), "{}", app.name);
            assert!(manner.ciphers.iter().any(|c| c >> 8 != 0x13), "{}", app.name);
        }
    }

    #[test]
    fn names_cannot_be_anybodys() {
        for app in written().iter().chain(&profiles(1, 50)) {
            assert!(app.hosts.iter().all(|h| h.name.ends_with(".example")), "{}", app.name);
        }
    }
}
