//! Stochastic processes, one per kind of use: what an application says, before anything carries it.
//!
//! A user's *session* with an application consists of *conversations* (each becomes one flow), and a conversation of
//! *messages*: so many octets, this way, due then. Sizes and gaps follow published models; each constant names its
//! source, or says `assumed` where none was found.

pub mod chat;
pub mod game;
pub mod transfer;
pub mod video;
pub mod voice;
pub mod web;

use crate::draw::{Chance, Purpose};

/// Time in nanoseconds.
pub type Nanos = u64;
/// A millisecond.
pub const MILLISECOND: Nanos = 1_000_000;
/// A second.
pub const SECOND: Nanos = 1_000_000_000;

/// Seconds as nanoseconds; negative ones are 0.
#[must_use]
pub fn seconds(s: f64) -> Nanos {
    (s.max(0.0) * 1e9) as Nanos
}

/// Kinds of use: the `category` of the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Reading pages.
    Web,
    /// Video on demand.
    Video,
    /// Calls.
    Voice,
    /// Games whose state is computed at home.
    Game,
    /// Messages between people.
    Chat,
    /// Files.
    Transfer,
    /// Games whose pictures come from a server.
    CloudGame,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Web, Self::Video, Self::Voice, Self::Game, Self::Chat, Self::Transfer, Self::CloudGame];

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Video => "video",
            Self::Voice => "voice",
            Self::Game => "game",
            Self::Chat => "chat",
            Self::Transfer => "transfer",
            Self::CloudGame => "cloud-game",
        }
    }
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From client to server.
    Up,
    /// From server to client.
    Down,
}

impl Direction {
    /// 0 for up, 1 for down.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Up => 0,
            Self::Down => 1,
        }
    }

    /// The other way.
    #[must_use]
    pub fn reverse(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// When a message is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// So long after the conversation could first carry messages, or when the previous one is whole, if that is later.
    At(Nanos),
    /// So long after the previous message was whole at its receiver.
    After(Nanos),
}

/// What an application hands to the network at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// When.
    pub due: Due,
    /// Which way.
    pub direction: Direction,
    /// How many octets, before any framing.
    pub octets: u32,
}

impl Message {
    /// From the client, at a time of the conversation.
    #[must_use]
    pub fn up(at: Nanos, octets: u32) -> Self {
        Self { due: Due::At(at), direction: Direction::Up, octets }
    }

    /// From the server, at a time of the conversation.
    #[must_use]
    pub fn down(at: Nanos, octets: u32) -> Self {
        Self { due: Due::At(at), direction: Direction::Down, octets }
    }

    /// From the client, once the previous message is whole.
    #[must_use]
    pub fn up_after(wait: Nanos, octets: u32) -> Self {
        Self { due: Due::After(wait), direction: Direction::Up, octets }
    }

    /// From the server, once the previous message is whole.
    #[must_use]
    pub fn down_after(wait: Nanos, octets: u32) -> Self {
        Self { due: Due::After(wait), direction: Direction::Down, octets }
    }
}

/// What a conversation needs from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reliable, in order, secured: TLS over TCP, or QUIC.
    Exchange,
    /// Datagrams as they come: RTP for voice, a plain header otherwise.
    Media,
}

/// One conversation of a session, planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// When it begins, from the session's start.
    pub offset: Nanos,
    /// Which of the application's hosts it is with.
    pub host: u16,
    /// What it needs.
    pub role: Role,
    /// The first of the session's steps (pages, files, …) in it.
    pub first: u32,
    /// The last of them.
    pub last: u32,
}

/// One user's sitting with one application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Session {
    /// The seed of the whole run.
    pub seed: u64,
    /// Its number in the run.
    pub index: u64,
    /// What the client's line brings down, in bits per second: players choose their quality by it.
    pub downlink: f64,
}

impl Session {
    /// The draws that all conversations of the session share.
    pub(crate) fn chance(&self) -> Chance {
        Chance::new(self.seed, Purpose::Session, self.index)
    }

    /// The draws of one conversation.
    pub(crate) fn conversation_chance(&self, conversation: &Conversation) -> Chance {
        // 2^10 hosts and 2^20 steps a session keep the streams of two conversations apart.
        let within = u64::from(conversation.host) << 20 | u64::from(conversation.first);
        Chance::new(self.seed ^ within.rotate_left(34), Purpose::Messages, self.index)
    }
}

/// The parameters of an application's traffic.
#[derive(Clone, Debug, PartialEq)]
pub enum Traffic {
    /// Pages.
    Web(web::WebTraffic),
    /// Video on demand.
    Video(video::VideoTraffic),
    /// Calls.
    Voice(voice::VoiceTraffic),
    /// Games.
    Game(game::GameTraffic),
    /// Messages.
    Chat(chat::ChatTraffic),
    /// Files.
    Transfer(transfer::TransferTraffic),
    /// Streamed games.
    CloudGame(game::CloudGameTraffic),
}

impl Traffic {
    /// Its kind of use.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Web(_) => Kind::Web,
            Self::Video(_) => Kind::Video,
            Self::Voice(_) => Kind::Voice,
            Self::Game(_) => Kind::Game,
            Self::Chat(_) => Kind::Chat,
            Self::Transfer(_) => Kind::Transfer,
            Self::CloudGame(_) => Kind::CloudGame,
        }
    }

    /// The conversations of a session, by their offset.
    #[must_use]
    pub fn plan(&self, session: &Session) -> Vec<Conversation> {
        let mut plan = match self {
            Self::Web(t) => t.plan(session),
            Self::Video(t) => t.plan(session),
            Self::Voice(t) => t.plan(session),
            Self::Game(t) => t.plan(session),
            Self::Chat(t) => t.plan(session),
            Self::Transfer(t) => t.plan(session),
            Self::CloudGame(t) => t.plan(session),
        };
        plan.sort_by_key(|c| (c.offset, c.host, c.first));
        plan
    }

    /// The first `limit` messages of a conversation, in the order in which they are handed over.
    #[must_use]
    pub fn messages(&self, session: &Session, conversation: &Conversation, limit: usize) -> Vec<Message> {
        let mut messages = match self {
            Self::Web(t) => t.messages(session, conversation, limit),
            Self::Video(t) => t.messages(session, conversation, limit),
            Self::Voice(t) => t.messages(session, conversation, limit),
            Self::Game(t) => t.messages(session, conversation, limit),
            Self::Chat(t) => t.messages(session, conversation, limit),
            Self::Transfer(t) => t.messages(session, conversation, limit),
            Self::CloudGame(t) => t.messages(session, conversation, limit),
        };
        messages.truncate(limit);
        messages
    }
}

/// Two timed sequences as one, by time; `due` must be [`Due::At`] in both.
pub(crate) fn merge_by_time(mut a: Vec<Message>, b: Vec<Message>, limit: usize) -> Vec<Message> {
    a.extend(b);
    a.sort_by_key(|m| match m.due {
        Due::At(t) | Due::After(t) => t,
    });
    a.truncate(limit);
    a
}
