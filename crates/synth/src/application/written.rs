//! The applications written by hand: twenty-four, and two that stream games.

use super::{Application, Carriage, hosts};
use crate::draw::{Chance, Purpose};
use crate::framing::datagram::{Greeting, Header};
use crate::framing::hello::Library;
use crate::framing::tls::Version;
use crate::process::chat::ChatTraffic;
use crate::process::game::{self, Beat, CloudGameTraffic, GameTraffic};
use crate::process::transfer::{Sizes, TransferTraffic};
use crate::process::video::{self, VideoTraffic};
use crate::process::voice::{self, Silence, VoiceTraffic};
use crate::process::web::WebTraffic;
use crate::process::{MILLISECOND, Nanos, SECOND, Traffic};

/// All of them; always the same.
#[must_use]
pub fn written() -> Vec<Application> {
    let mut all = Vec::with_capacity(26);
    all.extend(web());
    all.extend(video_on_demand());
    all.extend(voice_calls());
    all.extend(games());
    all.extend(chats());
    all.extend(transfers());
    all.extend(streamed_games());
    all
}

fn application(name: &str, traffic: Traffic, carriage: Carriage) -> Application {
    // Distances belong to the application, not to a run: they come from its name.
    let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let hosts = hosts(name, &traffic, &mut Chance::new(seed, Purpose::Profile, 0));
    Application { name: name.into(), traffic, hosts, carriage }
}

/// What the profiles below start from.
fn carriage(library: Library) -> Carriage {
    Carriage {
        quic: 0.0,
        version: Version::Tls13,
        native: library.manner(),
        browser: 0.0,
        protocols: vec!["h2", "http/1.1"],
        chain: 3_000,
        record: 16_384,
        tickets: (2, 180),
        resumed: 0.2,
        closing: (0.6, 0.2, 0.1),
        linger: 2 * SECOND,
        datagram: [1_250, 1_350],
        header: Header::Counter { magic: [0, 0] },
        greeting: Greeting::None,
    }
}

fn in_browser() -> Carriage {
    Carriage { browser: 0.95, ..carriage(Library::BrowserOne) }
}

#[rustfmt::skip]
fn pages(hosts: u16, request: f64, shifts: (f64, f64), objects_more: u32, parallel: u32, think: f64, keep_alive: Nanos) -> Traffic {
    Traffic::Web(WebTraffic {
        hosts, request, main_shift: shifts.0, embedded_shift: shifts.1, objects_more, parallel, think, keep_alive,
    })
}

fn web() -> [Application; 5] {
    [
        application(
            "pages-rowan",
            pages(4, 420.0, (0.4, 0.6), 8, 6, 0.030, 60 * SECOND),
            Carriage { quic: 0.5, chain: 2_700, ..in_browser() },
        ),
        application(
            "pages-maple",
            pages(2, 330.0, (0.0, 0.0), 0, 2, 0.060, 15 * SECOND),
            Carriage { version: Version::Tls12, chain: 4_400, record: 8_192, tickets: (0, 0), ..in_browser() },
        ),
        application(
            "pages-linden",
            pages(6, 780.0, (0.8, 0.9), 14, 8, 0.020, 90 * SECOND),
            Carriage { quic: 0.8, chain: 2_200, resumed: 0.4, ..in_browser() },
        ),
        application(
            "pages-cedar",
            pages(1, 280.0, (-0.3, 0.2), 2, 1, 0.110, 5 * SECOND),
            Carriage { chain: 5_100, record: 4_096, closing: (0.1, 0.8, 0.05), ..in_browser() },
        ),
        application(
            "pages-hazel",
            pages(3, 560.0, (1.0, -0.4), 20, 4, 0.045, 30 * SECOND),
            Carriage { chain: 3_600, record: 1_369, ..in_browser() },
        ),
    ]
}

#[rustfmt::skip]
fn stream(segment: Nanos, ladder: &[f64], buffer: u32, sound: f64, request: f64, batch: u32, think: f64) -> Traffic {
    Traffic::Video(VideoTraffic { segment, ladder: ladder.to_vec(), buffer, sound, request, batch, think })
}

fn video_on_demand() -> [Application; 5] {
    let half = [100e3, 180e3, 320e3, 560e3, 900e3, 1_500e3];
    [
        application(
            "stream-alder",
            stream(video::SEGMENT, &video::LADDER_DASH[..11], 5, 128e3, 420.0, 1, 0.012),
            Carriage { quic: 0.9, browser: 0.4, chain: 2_600, ..carriage(Library::Phone) },
        ),
        application(
            "stream-birch",
            stream(4 * SECOND, &half, 4, 0.0, 360.0, 1, 0.020),
            Carriage { browser: 0.2, chain: 3_900, closing: (0.2, 0.1, 0.6), ..carriage(Library::Classic) },
        ),
        application(
            "stream-larch",
            stream(video::SEGMENT, &video::LADDER_PUFFER[..6], 8, 64e3, 540.0, 3, 0.008),
            Carriage { quic: 0.3, browser: 0.7, chain: 2_300, record: 8_192, ..carriage(Library::Modern) },
        ),
        application(
            "stream-willow",
            stream(6 * SECOND, &half, 3, 96e3, 470.0, 1, 0.035),
            Carriage { browser: 0.1, version: Version::Tls12, chain: 4_700, ..carriage(Library::Embedded) },
        ),
        application(
            "stream-poplar",
            stream(SECOND, &video::LADDER_DASH[3..10], 10, 0.0, 310.0, 2, 0.015),
            Carriage {
                quic: 0.7,
                chain: 3_100,
                datagram: [1_357, 1_452],
                ..carriage(Library::BrowserThree)
            },
        ),
    ]
}

fn voice_calls() -> [Application; 4] {
    let call = VoiceTraffic {
        frame: voice::FRAME,
        octets: voice::FRAME_NGMN,
        spread: 0.0,
        spurts: voice::SPURTS_NGMN,
        silence: Silence::Descriptors,
        tag: 0,
        signalling: true,
        think: 0.04,
    };
    let rtp = |kind, ticks, tag| Header::Rtp { kind, ticks, tag };
    [
        application(
            "call-aspen",
            Traffic::Voice(call.clone()),
            Carriage { header: rtp(96, 8, 0), protocols: vec![], ..carriage(Library::Classic) },
        ),
        application(
            "call-elm",
            Traffic::Voice(VoiceTraffic {
                octets: voice::FRAME_G711,
                silence: Silence::Frames,
                signalling: false,
                ..call.clone()
            }),
            Carriage { header: rtp(0, 8, 0), ..carriage(Library::Embedded) },
        ),
        application(
            "call-juniper",
            Traffic::Voice(VoiceTraffic {
                octets: 80.0,
                spread: 0.2,
                spurts: voice::SPURTS_EURASIP,
                tag: 10,
                ..call.clone()
            }),
            Carriage {
                header: rtp(111, 48, 10),
                greeting: Greeting::Stun,
                quic: 0.4,
                browser: 0.5,
                ..carriage(Library::Phone)
            },
        ),
        application(
            "call-ash",
            Traffic::Voice(VoiceTraffic {
                frame: 60 * MILLISECOND,
                octets: 3.0 * voice::FRAME_G729,
                spread: 0.1,
                tag: 4,
                ..call
            }),
            Carriage {
                header: rtp(18, 8, 4),
                greeting: Greeting::Stun,
                chain: 2_100,
                ..carriage(Library::Modern)
            },
        ),
    ]
}

fn games() -> [Application; 4] {
    #[rustfmt::skip]
    let play = |(up, down): (Beat, Beat), size, pace, greeting| {
        Traffic::Game(GameTraffic { up, down, size, pace, greeting, think: 0.05 })
    };
    let classic = (game::CLASSIC_UP, game::CLASSIC_DOWN);
    let status = (game::STATUS_UP, game::STATUS_DOWN);
    let lockstep = (game::LOCKSTEP_UP, game::LOCKSTEP_DOWN);
    let own = |magic| Header::Counter { magic };
    [
        application(
            "arena-oak",
            play(classic, 1.0, 1.0, 48),
            Carriage { header: own([0x6f, 0x01]), ..carriage(Library::Classic) },
        ),
        application(
            "arena-thorn",
            play(status, 1.0, 1.0, 0),
            Carriage { header: own([0xff, 0x54]), chain: 2_400, ..carriage(Library::Phone) },
        ),
        application(
            "arena-yew",
            play(lockstep, 1.0, 1.0, 120),
            Carriage { header: own([0x11, 0x90]), protocols: vec!["http/1.1"], ..carriage(Library::Script) },
        ),
        application(
            "arena-holly",
            play(classic, 2.2, 0.55, 508),
            Carriage {
                header: own([0x80, 0x7e]),
                version: Version::Tls12,
                chain: 4_900,
                ..carriage(Library::Embedded)
            },
        ),
    ]
}

fn chats() -> [Application; 3] {
    let chat = ChatTraffic {
        envelope: 90,
        receipt: 42,
        keep_alive: 45 * SECOND,
        ping: 31,
        backlog: 8.0,
        padding: 1,
        pictures: 0.10,
        think: 0.03,
    };
    [
        application(
            "talk-fir",
            Traffic::Chat(chat.clone()),
            Carriage { protocols: vec![], closing: (0.3, 0.1, 0.2), ..carriage(Library::Phone) },
        ),
        application(
            "talk-pine",
            Traffic::Chat(ChatTraffic { envelope: 260, receipt: 0, padding: 160, keep_alive: 15 * SECOND, ping: 12, ..chat.clone() }),
            Carriage { chain: 2_000, tickets: (1, 240), protocols: vec!["http/1.1"], ..carriage(Library::Modern) },
        ),
        application(
            "talk-spruce",
            Traffic::Chat(ChatTraffic { envelope: 380, receipt: 120, backlog: 9.5, pictures: 0.25, keep_alive: 30 * SECOND, ..chat }),
            Carriage { quic: 0.5, browser: 0.6, chain: 3_300, record: 4_096, ..carriage(Library::BrowserTwo) },
        ),
    ]
}

fn transfers() -> [Application; 3] {
    let transfer = TransferTraffic {
        sizes: Sizes::Ngmn,
        scale: 1.0,
        uploads: 0.0,
        chunk: u32::MAX,
        request: 380.0,
        keep_alive: 30 * SECOND,
        think: 0.03,
    };
    [
        application(
            "drive-walnut",
            Traffic::Transfer(transfer.clone()),
            Carriage { browser: 0.3, closing: (0.3, 0.6, 0.05), ..carriage(Library::Classic) },
        ),
        application(
            "drive-chestnut",
            Traffic::Transfer(TransferTraffic { sizes: Sizes::Surge, uploads: 0.5, chunk: 262_144, request: 640.0, ..transfer.clone() }),
            Carriage { chain: 2_500, protocols: vec!["h2"], ..carriage(Library::Script) },
        ),
        application(
            "drive-pecan",
            Traffic::Transfer(TransferTraffic { uploads: 0.8, scale: 0.6, chunk: 1_048_576, request: 900.0, keep_alive: 120 * SECOND, ..transfer }),
            Carriage { quic: 0.4, chain: 3_700, record: 4_096, ..carriage(Library::Modern) },
        ),
    ]
}

fn streamed_games() -> [Application; 2] {
    let game = CloudGameTraffic {
        rate: 8e6,
        fps: game::CLOUD_FPS,
        pose_gap: game::CLOUD_POSE_GAP,
        pose: game::CLOUD_POSE,
        think: 0.03,
    };
    [
        application(
            "cloudplay-teak",
            Traffic::CloudGame(game.clone()),
            Carriage { header: Header::Rtp { kind: 98, ticks: 90, tag: 10 }, ..carriage(Library::Modern) },
        ),
        application(
            "cloudplay-ebony",
            Traffic::CloudGame(CloudGameTraffic { rate: 30e6, pose_gap: 8 * MILLISECOND, ..game }),
            Carriage { header: Header::Counter { magic: [0xa5, 0x10] }, quic: 0.5, ..carriage(Library::BrowserOne) },
        ),
    ]
}
