//! Chooses how a conversation is carried, and carries it.

use crate::application::{Application, Carriage, Host};
use crate::client::Client;
use crate::draw::{Chance, Purpose};
use crate::framing::datagram::{self, Datagrams};
use crate::framing::hello::{ClientHello, Library, Manner};
use crate::framing::quic::{self, Goodbye};
use crate::framing::tcp::{self, Closing, Habits, OptionOrder};
use crate::framing::tls::{Security, Version};
use crate::framing::{Endpoints, Flow};
use crate::process::{Conversation, Direction, MILLISECOND, Role, Session, seconds};

/// A conversation to be carried.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub application: &'a Application,
    pub client: &'a Client,
    pub host: &'a Host,
    pub endpoints: Endpoints,
    pub session: Session,
    pub conversation: Conversation,
    pub packets_most: usize,
}

/// Makes the flow of a conversation.
pub(super) fn carry(call: &Call<'_>) -> Flow {
    let c = &call.conversation;
    let index = call.session.index << 26 | u64::from(c.host & 0x3f) << 20 | u64::from(c.first);
    let mut chance = Chance::new(call.session.seed, Purpose::Framing, index);
    // People leave: the limit differs from flow to flow, or it would be a mark of its own.
    let limit = (call.packets_most as f64 * chance.uniform(0.25, 1.0)) as usize;
    let messages = call.application.traffic.messages(&call.session, c, limit);
    let path = call.client.path(call.host);
    let carriage = &call.application.carriage;
    if c.role == Role::Media {
        let datagrams = Datagrams {
            endpoints: call.endpoints,
            path,
            header: carriage.header,
            greeting: carriage.greeting,
            messages: &messages,
            limit,
        };
        return datagram::flow(&datagrams, &mut chance);
    }
    // Whether somebody uses the browser does not change within a session.
    let mut habit = Chance::new(call.session.seed, Purpose::Framing, !call.session.index);
    let browser = habit.happens(carriage.browser).then_some(call.client.browser);
    let manner = browser.map_or_else(|| carriage.native.clone(), Library::manner);
    let over_quic = manner.tls13 && call.client.quic && chance.happens(carriage.quic);
    let resumed = manner.tls13 && carriage.version == Version::Tls13 && chance.happens(carriage.resumed);
    let ticket = resumed.then_some(carriage.tickets.1.clamp(32, 1_000) as u16);
    let hello = Hello { manner: &manner, ticket, in_browser: browser.is_some() };
    if over_quic {
        over_quic_flow(call, &hello, browser, &messages, limit, &mut chance)
    } else {
        over_tcp_flow(call, &hello, &messages, limit, &mut chance)
    }
}

struct Hello<'a> {
    manner: &'a Manner,
    ticket: Option<u16>,
    in_browser: bool,
}

fn over_tcp_flow(
    call: &Call<'_>,
    hello: &Hello<'_>,
    messages: &[crate::process::Message],
    limit: usize,
    chance: &mut Chance,
) -> Flow {
    let carriage = &call.application.carriage;
    let protocols: &[&str] = if hello.in_browser { &["h2", "http/1.1"] } else { &carriage.protocols };
    let version = if hello.manner.tls13 { carriage.version } else { Version::Tls12 };
    let security = Security {
        version,
        hello: ClientHello {
            manner: hello.manner,
            name: &call.host.name,
            protocols,
            ticket: hello.ticket.filter(|_| version == Version::Tls13),
            quic: None,
        },
        chain: chain(carriage, chance),
        record: carriage.record,
        tickets: carriage.tickets.0,
        ticket: carriage.tickets.1,
    };
    let connection = tcp::Connection {
        endpoints: call.endpoints,
        path: call.client.path(call.host),
        client: call.client.habits,
        server: server_habits(call.host),
        security: Some(security),
        messages,
        closing: closing(carriage, chance),
        linger: carriage.linger + seconds(chance.exponential(0.3)),
        limit,
    };
    tcp::flow(&connection, chance)
}

fn over_quic_flow(
    call: &Call<'_>,
    hello: &Hello<'_>,
    browser: Option<Library>,
    messages: &[crate::process::Message],
    limit: usize,
    chance: &mut Chance,
) -> Flow {
    let carriage = &call.application.carriage;
    let (client_id, scatter, each) = match browser {
        Some(Library::BrowserOne) => (0, true, 10),
        Some(Library::BrowserTwo) => (3, false, 2),
        Some(_) => (8, false, 8),
        None => (if hello.manner.grease { 0 } else { 5 }, false, 4),
    };
    let habits = quic::Habits {
        client_id,
        server_id: if carriage.datagram[1] > 1_300 { 8 } else { 20 },
        datagram: carriage.datagram,
        scatter,
        acknowledge_each: each,
        acknowledge_delay: 25 * MILLISECOND,
    };
    let connection = quic::Connection {
        endpoints: call.endpoints,
        path: call.client.path(call.host),
        habits,
        hello: ClientHello {
            manner: hello.manner,
            name: &call.host.name,
            protocols: &["h3"],
            ticket: hello.ticket,
            quic: None,
        },
        chain: chain(carriage, chance),
        messages,
        goodbye: if chance.happens(carriage.closing.0) { Goodbye::Close } else { Goodbye::Silence },
        linger: carriage.linger,
        limit,
    };
    quic::flow(&connection, chance)
}

/// Chains differ a little from one server to the next.
fn chain(carriage: &Carriage, chance: &mut Chance) -> u32 {
    carriage.chain + chance.below(24) as u32
}

fn closing(carriage: &Carriage, chance: &mut Chance) -> Closing {
    let (client, server, reset) = carriage.closing;
    let u = chance.unit();
    if u < client {
        Closing::Fin(Direction::Up)
    } else if u < client + server {
        Closing::Fin(Direction::Down)
    } else if u < client + server + reset {
        Closing::Reset
    } else {
        Closing::Left
    }
}

/// What a server's TCP does: most run one family of systems.
fn server_habits(host: &Host) -> Habits {
    Habits {
        window: if host.network.is_some() { 65_535 } else { 65_160 },
        scale: if host.network.is_some() { 8 } else { 7 },
        window_most: 6_291_456,
        timestamps: host.servers != 5,
        order: OptionOrder::One,
        acknowledge_each: 2,
        acknowledge_delay: 40 * MILLISECOND,
        ttl: 64,
    }
}
