//! Scenarios: which clients use which applications for how long; and the capture that comes of it.
//!
//! Sessions are planned first (one small record a flow). Then flows are made whole one by one as their time comes and
//! their packets merged by time, so memory holds the plan and the flows that are open. Seen on one core: about a
//! million packets a second, most of it in payload noise and checksums.

use std::collections::{BinaryHeap, HashMap};
use std::cmp::Reverse;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;

use crate::application::{Application, profiles, written};
use crate::client::{CLIENTS_MOST, Client, Lines, Resolver, clients, host_v4, host_v6};
use crate::draw::{Chance, Purpose};
use crate::error::{Error, within};
use crate::framing::{Flow, dns, wire};
use crate::pcap::{Resolution, Writer};
use crate::process::{Conversation, Kind, MILLISECOND, Nanos, SECOND, Session};
use crate::truth::{Truth, TruthRow};

mod carry;

/// When made captures begin: 2025-01-06T08:00:00Z, a Monday.
pub const EPOCH: Nanos = 1_736_150_400 * SECOND;
/// Most flows of a run.
pub const FLOWS_MOST: u64 = 1_000_000;
/// Most applications of a run.
pub const APPLICATIONS_MOST: u64 = 2_000;

/// Where a scenario's applications come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applications {
    /// Those written by hand.
    Written,
    /// So many, drawn from the run's seed.
    Drawn(usize),
}

/// A scenario, as it stands in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    shares: &'static [(Kind, f64)],
    flows: u64,
    clients: u64,
    minutes: u64,
    packets_most: u64,
    applications: Applications,
    lines: Lines,
}

const DEMO: &[(Kind, f64)] = &[
    (Kind::Web, 0.30),
    (Kind::Video, 0.17),
    (Kind::Voice, 0.13),
    (Kind::Game, 0.14),
    (Kind::Chat, 0.14),
    (Kind::Transfer, 0.12),
];
const HOMES: &[(Kind, f64)] = &[
    (Kind::Web, 0.52),
    (Kind::Video, 0.14),
    (Kind::Voice, 0.06),
    (Kind::Game, 0.08),
    (Kind::Chat, 0.12),
    (Kind::Transfer, 0.06),
    (Kind::CloudGame, 0.02),
];
const EQUAL: &[(Kind, f64)] = &[
    (Kind::Web, 1.0),
    (Kind::Video, 1.0),
    (Kind::Voice, 1.0),
    (Kind::Game, 1.0),
    (Kind::Chat, 1.0),
    (Kind::Transfer, 1.0),
    (Kind::CloudGame, 1.0),
];

const BASE: Scenario = Scenario {
    name: "demo",
    about: "24 applications of six kinds from 16 homes, short flows: a capture for a first look",
    shares: DEMO,
    flows: 2_000,
    clients: 16,
    minutes: 20,
    packets_most: 420,
    applications: Applications::Written,
    lines: Lines::Mixed,
};

static SCENARIOS: [Scenario; 12] = [
    BASE,
    Scenario {
        name: "homes",
        about: "what 40 homes do in an hour, in lifelike shares, flows up to 20,000 packets",
        shares: HOMES,
        flows: 4_000,
        clients: 40,
        minutes: 60,
        packets_most: 20_000,
        ..BASE
    },
    Scenario {
        name: "mixed",
        about: "all seven kinds in equal shares, flows up to 3,000 packets",
        shares: EQUAL,
        clients: 24,
        packets_most: 3_000,
        ..BASE
    },
    Scenario { name: "web", about: "pages only", shares: &[(Kind::Web, 1.0)], packets_most: 10_000, ..BASE },
    Scenario {
        name: "video",
        about: "video on demand only, long enough to see its on-off cycle",
        shares: &[(Kind::Video, 1.0)],
        flows: 200,
        packets_most: 30_000,
        ..BASE
    },
    Scenario {
        name: "calls",
        about: "voice calls only",
        shares: &[(Kind::Voice, 1.0)],
        flows: 400,
        packets_most: 20_000,
        ..BASE
    },
    Scenario {
        name: "games",
        about: "games played at home and games streamed from a server",
        shares: &[(Kind::Game, 3.0), (Kind::CloudGame, 1.0)],
        flows: 400,
        packets_most: 10_000,
        ..BASE
    },
    Scenario { name: "chat", about: "messages between people only", shares: &[(Kind::Chat, 1.0)], flows: 1_000, minutes: 60, packets_most: 10_000, ..BASE },
    Scenario {
        name: "files",
        about: "file transfers only, both ways",
        shares: &[(Kind::Transfer, 1.0)],
        flows: 400,
        minutes: 30,
        packets_most: 10_000,
        ..BASE
    },
    Scenario {
        name: "crowd",
        about: "140 applications drawn from the seed, 20 of each kind, from 60 homes",
        shares: EQUAL,
        flows: 14_000,
        clients: 60,
        minutes: 60,
        packets_most: 300,
        applications: Applications::Drawn(140),
        ..BASE
    },
    Scenario {
        name: "poor-lines",
        about: "the demo's applications over slow, far and lossy lines",
        lines: Lines::Poor,
        ..BASE
    },
    Scenario {
        name: "tiny",
        about: "sixty flows of all kinds: for a test, or for reading packet by packet",
        shares: EQUAL,
        flows: 60,
        clients: 4,
        minutes: 2,
        packets_most: 120,
        ..BASE
    },
];

/// All scenarios.
#[must_use]
pub fn all() -> &'static [Scenario] {
    &SCENARIOS
}

/// Names of all scenarios, each with one line about it.
#[must_use]
pub fn names() -> Vec<(&'static str, &'static str)> {
    SCENARIOS.iter().map(|s| (s.name, s.about)).collect()
}

/// The scenario of that name.
///
/// # Errors
/// [`Error::UnknownScenario`], which lists those there are.
pub fn find(name: &str) -> Result<&'static Scenario, Error> {
    SCENARIOS.iter().find(|s| s.name == name).ok_or_else(|| Error::UnknownScenario {
        name: name.into(),
        known: SCENARIOS.iter().map(|s| s.name).collect::<Vec<_>>().join(", "),
    })
}

/// What a person may change of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    scenario: Scenario,
    seed: u64,
    snap: u64,
    resolution: Resolution,
}

/// Parameters that were checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidParams(Params);

impl Params {
    /// A scenario as it stands, with seed 1.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self { scenario: scenario.clone(), seed: 1, snap: 65_535, resolution: Resolution::default() }
    }

    /// How many flows, DNS look-ups not counted. Clients grow with them: at least one for each thousand.
    #[must_use]
    pub fn flows(mut self, flows: u64) -> Self {
        self.scenario.flows = flows;
        self.scenario.clients = self.scenario.clients.max(flows.min(FLOWS_MOST) / 1_000);
        self
    }

    /// The seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many clients.
    #[must_use]
    pub fn clients(mut self, clients: u64) -> Self {
        self.scenario.clients = clients;
        self
    }

    /// Over how many minutes sessions begin.
    #[must_use]
    pub fn minutes(mut self, minutes: u64) -> Self {
        self.scenario.minutes = minutes;
        self
    }

    /// The longest flow, in packets.
    #[must_use]
    pub fn packets_most(mut self, packets: u64) -> Self {
        self.scenario.packets_most = packets;
        self
    }

    /// Draws so many applications from the seed instead of taking the scenario's.
    #[must_use]
    pub fn applications(mut self, applications: usize) -> Self {
        self.scenario.applications = Applications::Drawn(applications);
        self
    }

    /// Keeps no more than so many octets of each frame.
    #[must_use]
    pub fn snap(mut self, octets: u64) -> Self {
        self.snap = octets;
        self
    }

    /// How finely the capture tells time.
    #[must_use]
    pub fn resolution(mut self, resolution: Resolution) -> Self {
        self.resolution = resolution;
        self
    }

    /// Checks every limit.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for the first that does not hold.
    pub fn check(self) -> Result<ValidParams, Error> {
        let s = &self.scenario;
        within("the number of flows", s.flows, 1, FLOWS_MOST)?;
        within("the number of clients", s.clients, 1, CLIENTS_MOST)?;
        within("the number of minutes", s.minutes, 1, 24 * 60)?;
        within("the longest flow in packets", s.packets_most, 20, 1_000_000)?;
        within("the snap length in octets", self.snap, 64, 262_144)?;
        if let Applications::Drawn(n) = s.applications {
            // Every kind that is asked for needs one; kinds come in turn.
            within("the number of applications", n as u64, Kind::ALL.len() as u64, APPLICATIONS_MOST)?;
        }
        Ok(ValidParams(self))
    }
}

/// One flow to be.
#[derive(Clone, Copy, Debug)]
struct Planned {
    start: Nanos,
    client: u32,
    application: u32,
    session: u64,
    conversation: Conversation,
}

/// A flow whose packets are being written.
struct Open {
    flow: Flow,
    begun: Nanos,
    next: usize,
}

/// Makes the scenario's capture, writes it to `out` as a pcap file, and tells what every flow in it is.
///
/// # Errors
/// [`Error::Write`] when `out` refuses.
pub fn write(params: &ValidParams, out: impl Write) -> Result<Truth, Error> {
    let refused = |source| Error::Write { what: "capture", source };
    let mut writer = Writer::new(out, params.0.resolution, params.0.snap as u32).map_err(refused)?;
    let truth = generate(params, |time, frame| writer.packet(time, frame).map_err(refused))?;
    writer.finish().map_err(refused)?;
    Ok(truth)
}

/// Makes the scenario's packets and hands each frame to `sink`, with its time in nanoseconds since 1970.
///
/// # Errors
/// What `sink` fails with.
pub fn generate<E>(params: &ValidParams, mut sink: impl FnMut(Nanos, &[u8]) -> Result<(), E>) -> Result<Truth, E> {
    let mut world = World::new(&params.0);
    let plan = world.plan();
    let mut truth = Truth::default();
    let mut open: HashMap<u64, Open> = HashMap::new();
    let mut queue: BinaryHeap<Reverse<(Nanos, u64)>> = BinaryHeap::new();
    let mut count = 0;
    let mut frame = Vec::with_capacity(2_048);
    let mut plan = plan.into_iter().peekable();
    loop {
        // Flows begin before any packet that is not earlier.
        while let Some(planned) = plan.next_if(|p| queue.peek().is_none_or(|Reverse((t, _))| p.start <= *t)) {
            for flow in world.begin(&planned, &mut truth) {
                let Some(first) = flow.flow.packets.first() else { continue };
                queue.push(Reverse((flow.begun + first.time, count)));
                open.insert(count, flow);
                count += 1;
            }
        }
        let Some(Reverse((time, number))) = queue.pop() else {
            if plan.peek().is_none() {
                break;
            }
            continue;
        };
        let entry = open.get_mut(&number).expect("a queued flow is open until its last packet");
        let packet = &entry.flow.packets[entry.next];
        wire::frame(&entry.flow, packet, entry.next as u32, &mut frame);
        truth.packets += 1;
        truth.octets += frame.len() as u64;
        sink(EPOCH + time, &frame)?;
        entry.next += 1;
        match entry.flow.packets.get(entry.next) {
            Some(next) => queue.push(Reverse((entry.begun + next.time, number))),
            None => drop(open.remove(&number)),
        }
    }
    truth.rows.sort_by_key(|r| (r.start, r.source, r.destination));
    Ok(truth)
}

/// Everything that a run's flows come from.
struct World<'a> {
    params: &'a Params,
    applications: Vec<Application>,
    names: Vec<Arc<str>>,
    clients: Vec<Client>,
    client_names: Vec<Arc<str>>,
    /// Until when a client remembers a host's address.
    known: HashMap<(u32, u32, u16), Nanos>,
}

impl<'a> World<'a> {
    fn new(params: &'a Params) -> Self {
        let s = &params.scenario;
        let wanted = |a: &Application| s.shares.iter().any(|(kind, _)| *kind == a.kind());
        let applications: Vec<Application> = match s.applications {
            Applications::Written => written(),
            Applications::Drawn(n) => profiles(params.seed, n),
        }
        .into_iter()
        .filter(wanted)
        .collect();
        let clients = clients(params.seed, s.clients as usize, s.lines, &applications);
        Self {
            params,
            names: applications.iter().map(|a| a.name.as_str().into()).collect(),
            applications,
            client_names: clients.iter().map(|c| c.name.as_str().into()).collect(),
            clients,
            known: HashMap::new(),
        }
    }

    /// All flows to be, by their start.
    fn plan(&self) -> Vec<Planned> {
        let s = &self.params.scenario;
        let mut chance = Chance::new(self.params.seed, Purpose::Plan, 0);
        let mut plan = Vec::with_capacity(s.flows as usize);
        let mut session = 0;
        let mut used = vec![0u64; self.applications.len()];
        let total: f64 = s.shares.iter().map(|(_, share)| share).sum();
        let mut sum = 0.0;
        for (kind, share) in s.shares {
            sum += share;
            // Rounded sums add up to the number of flows; rounded shares would not.
            let until = (sum / total * s.flows as f64).round() as usize;
            while plan.len() < until {
                let room = until - plan.len();
                self.plan_session(*kind, session, room, &mut used, &mut chance, &mut plan);
                session += 1;
            }
        }
        plan.sort_by_key(|p| (p.start, p.session, p.conversation.host));
        plan
    }

    fn plan_session(
        &self,
        kind: Kind,
        index: u64,
        room: usize,
        used: &mut [u64],
        chance: &mut Chance,
        plan: &mut Vec<Planned>,
    ) {
        let duration = self.params.scenario.minutes * 60 * SECOND;
        let client = chance.below(self.clients.len() as u64) as usize;
        let application = self.application(kind, client, used);
        let session = self.session(index, client);
        let begin = chance.below(duration);
        // No session is more than a few of its application's flows, however many pages it reads.
        let most = room.min(12);
        let conversations = self.applications[application].traffic.plan(&session);
        for (k, conversation) in conversations.into_iter().take(most).enumerate() {
            let start = begin + conversation.offset;
            if k > 0 && start > duration {
                break;
            }
            used[application] += 1;
            plan.push(Planned {
                start,
                client: client as u32,
                application: application as u32,
                session: index,
                conversation,
            });
        }
    }

    /// The application of that kind, among those the client uses, which has the fewest flows so far.
    fn application(&self, kind: Kind, client: usize, used: &[u64]) -> usize {
        let of_kind = |a: &usize| self.applications[*a].kind() == kind;
        let own = self.clients[client].applications.iter().copied().filter(of_kind).min_by_key(|a| used[*a]);
        let any = || (0..self.applications.len()).filter(of_kind).min_by_key(|a| used[*a]);
        own.or_else(any).expect("parameters are checked: every kind has an application")
    }

    fn session(&self, index: u64, client: usize) -> Session {
        Session { seed: self.params.seed, index, downlink: self.clients[client].line.down }
    }

    /// Makes a flow, and the look-ups before it, and notes what it is.
    fn begin(&mut self, planned: &Planned, truth: &mut Truth) -> Vec<Open> {
        let mut made = Vec::with_capacity(3);
        let begun = planned.start + self.look_up(planned, &mut made);
        let number = planned.client as usize;
        let application = &self.applications[planned.application as usize];
        let session = self.session(planned.session, number);
        let host = &application.hosts[usize::from(planned.conversation.host)];
        let endpoints = self.clients[number].endpoints(number, host);
        let call = carry::Call {
            application,
            client: &self.clients[number],
            host,
            endpoints,
            session,
            conversation: planned.conversation,
            packets_most: self.params.scenario.packets_most as usize,
        };
        let flow = carry::carry(&call);
        if let Some(first) = flow.packets.first() {
            let ends = [&endpoints.client, &endpoints.server].map(|e| (e.address, e.port));
            // Whoever is seen first opened it: a lost first datagram may turn a call round.
            let [source, destination] = match first.direction {
                crate::process::Direction::Up => ends,
                crate::process::Direction::Down => [ends[1], ends[0]],
            };
            truth.rows.push(TruthRow {
                transport: flow.transport,
                source,
                destination,
                start: EPOCH + begun + first.time,
                application: Arc::clone(&self.names[planned.application as usize]),
                kind: application.kind(),
                client: Arc::clone(&self.client_names[number]),
            });
        }
        made.push(Open { flow, begun, next: 0 });
        made
    }

    /// Asks for the host's address when the client does not know it, and tells how long that takes.
    fn look_up(&mut self, planned: &Planned, made: &mut Vec<Open>) -> Nanos {
        let number = planned.client as usize;
        let Resolver::Clear(resolver) = self.clients[number].resolver else { return 0 };
        let key = (planned.client, planned.application, planned.conversation.host);
        if self.known.get(&key).is_some_and(|until| *until > planned.start) {
            return 0;
        }
        let host = &self.applications[planned.application as usize].hosts[usize::from(planned.conversation.host)];
        let index = planned.session << 12 | u64::from(planned.conversation.host) << 6 | u64::from(planned.conversation.first & 0x3f);
        let mut chance = Chance::new(self.params.seed ^ 0x646e_7300, Purpose::Framing, index);
        let lifetime = *chance.pick(&[60, 120, 300, 900]);
        self.known.insert(key, planned.start + Nanos::from(lifetime) * SECOND);
        let alias = host.network.map(|n| format!("{}.network-{n}.test", host.name.split('.').next().unwrap_or("edge")));
        let mut answers: Vec<Vec<IpAddr>> = vec![vec![IpAddr::V4(host_v4(host, number))]];
        if self.clients[number].v6.is_some() {
            answers.push(vec![IpAddr::V6(host_v6(host, number))]);
        }
        let wait = 2 * self.clients[number].line.near + MILLISECOND + crate::process::seconds(chance.exponential(0.012));
        let mut longest = 0;
        for (k, addresses) in answers.iter().enumerate() {
            let endpoints = self.clients[number].lookup_endpoints(resolver);
            let id = chance.bits() as u16;
            let lookup = dns::Lookup { name: &host.name, alias: alias.as_deref(), addresses, lifetime, id };
            let this = wait + chance.below(2 * MILLISECOND);
            let begun = planned.start + k as Nanos * 40_000;
            longest = longest.max(this + k as Nanos * 40_000);
            made.push(Open { flow: dns::flow(&lookup, endpoints, this), begun, next: 0 });
        }
        longest + 300_000
    }
}
