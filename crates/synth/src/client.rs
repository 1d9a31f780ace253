//! Clients: homes with lines of their own, systems of their own, and habits of their own.
//!
//! The same application looks different from two homes: another round-trip time, jitter, loss and MTU, another TCP,
//! another browser, IPv4 or IPv6, QUIC let through or not. The numbers of lines are assumed, in the range of what
//! access networks are known for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::application::{Application, Host};
use crate::draw::{Chance, Purpose};
use crate::framing::hello::Library;
use crate::framing::path::Path;
use crate::framing::tcp::{Habits, OptionOrder};
use crate::framing::{Endpoint, Endpoints};
use crate::process::{MILLISECOND, Nanos};

/// Which lines the clients of a scenario have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Fibre, cable, DSL and mobile.
    Mixed,
    /// Slow, far and lossy ones.
    Poor,
}

/// How a client learns addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolver {
    /// By DNS in the clear, from this server.
    Clear(IpAddr),
    /// By means that the capture does not show.
    Hidden,
}

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name in the truth.
    pub name: String,
    /// Its IPv4 address.
    pub v4: Ipv4Addr,
    /// Its IPv6 address, when its home has IPv6.
    pub v6: Option<Ipv6Addr>,
    /// What its TCP does.
    pub habits: Habits,
    /// Its path as far as the edge of its network.
    pub line: Path,
    /// Its browser.
    pub browser: Library,
    /// How it learns addresses.
    pub resolver: Resolver,
    /// Whether its network lets QUIC through.
    pub quic: bool,
    /// The applications it uses, by their place in the scenario's list.
    pub applications: Vec<usize>,
    mac: [u8; 6],
    ports: Ports,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    first: u16,
    next: u16,
}

/// Most clients: what the last two octets of their addresses hold.
pub const CLIENTS_MOST: u64 = 16_000;

/// Down and up in Mb/s, round trip and jitter in ms, loss, MTU.
type Line = (f64, f64, f64, f64, f64, u16);

const MIXED: [Line; 7] = [
    (250.0, 100.0, 4.0, 0.3, 0.000_1, 1_500),
    (100.0, 20.0, 12.0, 1.2, 0.000_5, 1_500),
    (50.0, 10.0, 18.0, 2.0, 0.001, 1_492),
    (25.0, 5.0, 24.0, 2.5, 0.002, 1_492),
    (40.0, 12.0, 38.0, 6.0, 0.003, 1_428),
    (12.0, 3.0, 55.0, 9.0, 0.006, 1_400),
    (60.0, 25.0, 9.0, 0.8, 0.000_3, 1_480),
];
const POOR: [Line; 3] = [
    (4.0, 0.8, 70.0, 14.0, 0.015, 1_400),
    (2.0, 0.5, 110.0, 20.0, 0.025, 1_420),
    (10.0, 2.0, 600.0, 25.0, 0.008, 1_450),
];

/// The clients of a run, with the applications each uses.
#[must_use]
pub fn clients(seed: u64, n: usize, lines: Lines, applications: &[Application]) -> Vec<Client> {
    (0..n).map(|k| client(seed, k, lines, applications)).collect()
}

fn client(seed: u64, number: usize, lines: Lines, applications: &[Application]) -> Client {
    let mut c = Chance::new(seed, Purpose::Client, number as u64);
    // A /24 a home, from the addresses kept for carriers (RFC 6598); IPv6 from those for documentation (RFC 3849).
    let (high, low) = ((number / 250) as u8, (number % 250) as u8 + 2);
    let v6 = Ipv6Addr::new(0x2001, 0xdb8, 1, number as u16, 0, 0, 0, 0x10 + c.below(200) as u16);
    let local = c.octets::<3>();
    let first = if c.happens(0.5) { 32_768 } else { 49_152 };
    let uses: Vec<usize> = (0..applications.len()).filter(|_| c.happens(0.7)).collect();
    Client {
        name: format!("client-{:02}", number + 1),
        v4: Ipv4Addr::new(100, 64 + high, low, 10 + c.below(200) as u8),
        v6: c.happens(0.3).then_some(v6),
        habits: habits(&mut c),
        line: line(lines, &mut c),
        browser: *c.pick(&[Library::BrowserOne, Library::BrowserOne, Library::BrowserTwo, Library::BrowserThree]),
        resolver: if c.happens(0.65) {
            Resolver::Clear(IpAddr::V4(*c.pick(&[
                Ipv4Addr::new(100, 64 + high, low, 1),
                Ipv4Addr::new(192, 0, 2, 53),
                Ipv4Addr::new(203, 0, 113, 53),
            ])))
        } else {
            Resolver::Hidden
        },
        quic: c.happens(0.88),
        applications: uses,
        mac: [0x02, 0x10, number as u8, local[0], local[1], local[2]],
        ports: Ports { first, next: first + c.below(8_000) as u16 },
    }
}

fn habits(c: &mut Chance) -> Habits {
    // Three families of systems.
    let common = Habits {
        window: 64_240,
        scale: 7,
        window_most: 3_145_728,
        timestamps: true,
        order: OptionOrder::One,
        acknowledge_each: 2,
        acknowledge_delay: 40 * MILLISECOND,
        ttl: 64,
    };
    match c.below(3) {
        0 => common,
        1 => Habits { scale: 8, timestamps: false, order: OptionOrder::Two, ttl: 128, ..common },
        _ => Habits {
            window: 65_535,
            scale: 6,
            window_most: 2_097_152,
            order: OptionOrder::Three,
            acknowledge_each: 4,
            acknowledge_delay: 50 * MILLISECOND,
            ..common
        },
    }
}

fn line(lines: Lines, c: &mut Chance) -> Path {
    let (down, up, round_trip, jitter, loss, mtu) = match lines {
        Lines::Mixed => *c.pick(&MIXED),
        Lines::Poor => *c.pick(&POOR),
    };
    let mut about = |x: f64| x * c.uniform(0.6, 1.5);
    Path {
        near: (about(0.8) * 1e6) as Nanos,
        far: (about(round_trip / 2.0) * 1e6) as Nanos,
        jitter: about(jitter) * 1e6,
        loss: about(loss),
        down: about(down) * 1e6,
        up: about(up) * 1e6,
        mtu,
    }
}

/// The Ethernet address of a home's access point.
fn access_point(client: &Client) -> [u8; 6] {
    let mut mac = client.mac;
    mac[1] = 0xfe;
    mac
}

impl Client {
    /// Its path to a host.
    #[must_use]
    pub fn path(&self, host: &Host) -> Path {
        Path { far: self.line.far + host.distance, ..self.line }
    }

    /// The two ends of a new flow to a host.
    pub fn endpoints(&mut self, number: usize, host: &Host) -> Endpoints {
        let address = match self.v6 {
            Some(own) => (IpAddr::V6(own), IpAddr::V6(host_v6(host, number))),
            None => (IpAddr::V4(self.v4), IpAddr::V4(host_v4(host, number))),
        };
        // Routers on the way take some of the server's time to live.
        let hops = 6 + (host.distance / (4 * MILLISECOND)).min(20) as u8;
        Endpoints {
            client: Endpoint { mac: self.mac, address: address.0, port: self.port(), ttl: self.habits.ttl },
            server: Endpoint { mac: access_point(self), address: address.1, port: host.port, ttl: 64 - hops },
        }
    }

    /// The two ends of a look-up.
    pub fn lookup_endpoints(&mut self, resolver: IpAddr) -> Endpoints {
        let ttl = self.habits.ttl;
        Endpoints {
            client: Endpoint { mac: self.mac, address: IpAddr::V4(self.v4), port: self.port(), ttl },
            server: Endpoint { mac: access_point(self), address: resolver, port: 53, ttl: 64 },
        }
    }

    fn port(&mut self) -> u16 {
        let port = self.ports.next;
        self.ports.next = port.checked_add(1).unwrap_or(self.ports.first);
        port
    }
}

/// Servers live in the addresses kept for benchmarks (RFC 2544).
#[must_use]
pub fn host_v4(host: &Host, client: usize) -> Ipv4Addr {
    let server = (client % usize::from(host.servers.max(1))) as u8;
    let mark = fingerprint(&host.name);
    match host.network {
        // A content network gives every client one of a few addresses, whatever the application.
        Some(network) => Ipv4Addr::new(198, 18, 200 + network, 1 + (mark as u8 ^ client as u8) % 12),
        None => Ipv4Addr::new(198, 19, (mark >> 8) as u8, (mark as u8 & 0xf8) | server),
    }
}

/// The same, in IPv6.
#[must_use]
pub fn host_v6(host: &Host, client: usize) -> Ipv6Addr {
    let [_, b, c, d] = host_v4(host, client).octets();
    Ipv6Addr::new(0x2001, 0xdb8, 0xf000, b.into(), 0, 0, c.into(), d.into())
}

fn fingerprint(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |h: u32, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
}
