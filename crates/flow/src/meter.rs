//! The meter: blocks of packets in, flow records out, in one order whatever the number of threads.
//!
//! Packets are spread over 16 shards by a hash of their key, whatever the number of threads, and each carries the stream's clock
//! (the latest packet time so far). A shard first lets time pass up to that clock, then takes the packet, so what it does depends
//! on the stream alone. With one thread all happens in the caller's; with more, workers that own the shards meter one block while
//! the caller's thread reads the next one and writes records.
//!
//! Records come ordered by the clock at their last packet, then by their first packet. Before each block, those are released that
//! belong before the oldest last activity of any open flow: no later record can belong before them. Only when more ended
//! flows wait than may be open are some released earlier, and counted in [`MeterReport::out_of_order`].
//!
//! # Speed
//! The sketch: 3 million packets a second on one core, 330 ns each, reading included; at most 700 octets a flow of 12 packets.
//! `benches/meter.rs` measures both.

mod names;
mod params;
mod report;
mod shard;
mod workers;

use std::convert::Infallible;
use std::sync::Arc;

use flowgait_capture::{Block, Packet, Reader};

pub use params::{MeterParams, PortReuse, ValidMeterParams};
pub use report::MeterReport;

use crate::key::{FlowKey, SHARDS, Sender, shard_of};
use crate::record::FlowRecord;
use names::{Answer, KnownNames, answers_of};
use shard::{Arrival, CaptureName, Place, Shard};
use workers::Pool;

/// Packets whose flows are looked up together, before any of them is metered.
const GROUP: usize = 16;

/// Turns packets into flow records.
///
/// # Example
/// ```
/// use flowgait_capture::{Address, Block, Packet, Protocol, Timestamp};
/// use flowgait_flow::{Meter, MeterParams};
///
/// let packet = Packet {
///     time: Timestamp(1_700_000_000_000_000_000),
///     number: 1,
///     source: Address::v4([10, 0, 0, 1]),
///     destination: Address::v4([10, 0, 0, 2]),
///     source_port: 40_000,
///     destination_port: 123,
///     protocol: Protocol::UDP,
///     ip_octets: 76,
///     payload_octets: 48,
///     ip_header_octets: 20,
///     ..Packet::default()
/// };
/// let mut flows = Vec::new();
/// let mut emit = |record| {
///     flows.push(record);
///     Ok::<(), std::convert::Infallible>(())
/// };
/// let mut meter = Meter::new(&MeterParams::new().check()?);
/// meter.set_capture("made.pcap");
/// meter.block(&mut Block { packets: vec![packet], bytes: Vec::new() }, &mut emit)?;
/// meter.finish(&mut emit)?;
/// assert_eq!(flows[0].forward.octets.sum, 76);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Meter {
    engine: Engine,
    names: Arc<KnownNames>,
    reads_names: bool,
    captures: Vec<CaptureName>,
    /// Number in the stream of the latest packet.
    ordinal: u64,
    clock: i64,
    /// Records that belong before this may be released.
    watermark: i64,
    output: Output,
    report: MeterReport,
}

/// Who runs the shards.
#[derive(Debug)]
enum Engine {
    Here(Vec<Shard>),
    Workers(Pool),
}

/// What was given out.
#[derive(Debug, Default)]
struct Output {
    records: u64,
    out_of_order: u64,
    last: Option<Place>,
}

/// What shards say after a block.
#[derive(Clone, Copy, Debug)]
struct Standing {
    /// Clock at the last packet of the least recently active flow.
    oldest: i64,
    /// Flows open.
    open: usize,
}

impl Meter {
    /// A meter without flows. With more than one thread, starts them.
    #[must_use]
    pub fn new(params: &ValidMeterParams) -> Self {
        let shards = (0..SHARDS).map(|_| Shard::new(params)).collect();
        Self {
            engine: match params.threads {
                1 => Engine::Here(shards),
                threads => Engine::Workers(Pool::new(shards, threads - 1)),
            },
            names: Arc::new(KnownNames::new(params.names_max)),
            reads_names: params.names_max > 0,
            captures: Vec::new(),
            ordinal: 0,
            clock: i64::MIN,
            watermark: i64::MIN,
            output: Output::default(),
            report: MeterReport::default(),
        }
    }

    /// Names the capture that the next blocks come from; its packets are numbered from 1.
    ///
    /// After [`Self::finish`] a new timeline begins; without, the captures are one stream (rotated files).
    pub fn set_capture(&mut self, name: &str) {
        self.captures.push(CaptureName { name: name.into(), before: self.ordinal });
    }

    /// Takes in a whole capture, and gives out the records whose turn has come. [`Self::finish`] gives the others.
    ///
    /// # Errors
    /// Those of the reader and of `emit`.
    pub fn run<E: From<flowgait_capture::Error>>(
        &mut self,
        reader: &mut Reader,
        capture: &str,
        emit: &mut dyn FnMut(FlowRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        self.set_capture(capture);
        let mut block = Block::default();
        while reader.read_block(&mut block)? {
            self.block(&mut block, emit)?;
        }
        Ok(())
    }

    /// Takes in the packets of a block, and gives out the records whose turn has come.
    ///
    /// The block may be filled again afterwards; what it then holds is not said.
    ///
    /// # Errors
    /// Those of `emit`. The meter can go on, without the records that were due.
    pub fn block<E>(
        &mut self,
        block: &mut Block,
        emit: &mut dyn FnMut(FlowRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.captures.is_empty() {
            self.set_capture("");
        }
        let answers = self.count(block);
        self.settle();
        let names = Arc::get_mut(&mut self.names).expect("no worker runs between blocks");
        names.enter(answers.into_iter());
        let capture = self.captures.len() - 1;
        let feed = Feed {
            capture: u32::try_from(capture).expect("fewer captures than 2^32"),
            before: self.captures[capture].before,
            clock: self.clock,
        };
        let (watermark, output) = (self.watermark, &mut self.output);
        match &mut self.engine {
            Engine::Here(shards) => {
                let result = release(shards, watermark, &mut |place, record| {
                    output.give(place, record, emit)
                });
                shards.iter_mut().for_each(|shard| shard.set_captures(&self.captures));
                self.clock = feed.run(block, |group| {
                    group.iter().for_each(|next| shards[shard_of(next.hash)].touch(next.hash));
                    for arrival in group {
                        shards[shard_of(arrival.hash)].packet(arrival, &self.names);
                    }
                });
                shards.iter_mut().for_each(|shard| shard.clock(self.clock));
                result
            }
            Engine::Workers(pool) => {
                let mut epoch = pool.spare();
                self.clock = epoch.fill(block, &feed, &self.captures);
                pool.start(epoch, &self.names, watermark);
                pool.released(&mut |place, record| output.give(place, record, emit))
            }
        }
    }

    /// Ends all flows, because the stream has ended, and gives out all records. The meter can then take another stream.
    ///
    /// # Errors
    /// Those of `emit`.
    pub fn finish<E>(
        &mut self,
        emit: &mut dyn FnMut(FlowRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        self.settle();
        let output = &mut self.output;
        let mut give = |place, record| output.give(place, record, emit);
        let result = match &mut self.engine {
            Engine::Here(shards) => {
                shards.iter_mut().for_each(Shard::finish);
                let mut result = Ok(());
                let Ok(()) = release(shards, i64::MAX, &mut |place, record| {
                    if result.is_ok() {
                        result = give(place, record);
                    }
                    Ok::<(), Infallible>(())
                });
                result
            }
            Engine::Workers(pool) => {
                pool.finish();
                pool.released(&mut give)
            }
        };
        self.settle();
        self.output.last = None;
        Arc::get_mut(&mut self.names).expect("no worker runs between blocks").clear();
        self.captures.clear();
        self.ordinal = 0;
        self.clock = i64::MIN;
        self.watermark = i64::MIN;
        result
    }

    /// What the meter has done so far; whole after [`Self::finish`].
    #[must_use]
    pub fn report(&self) -> MeterReport {
        let mut report = MeterReport {
            flows: self.output.records,
            out_of_order: self.output.out_of_order,
            ..self.report
        };
        match &self.engine {
            Engine::Here(shards) => shards.iter().for_each(|shard| report.add(&shard.report())),
            Engine::Workers(pool) => pool.reports().for_each(|shard| report.add(shard)),
        }
        report
    }

    /// Counts a block's packets and reads its DNS answers.
    fn count(&mut self, block: &Block) -> Vec<Answer> {
        let before = self.captures.last().map_or(0, |capture| capture.before);
        let mut answers = Vec::new();
        let mut latest = self.clock;
        for packet in &block.packets {
            self.report.octets += u64::from(packet.ip_octets);
            let time = packet.time.micros();
            self.report.packets_behind += u64::from(time < latest);
            latest = latest.max(time);
            if self.reads_names {
                answers.extend(answers_of(packet, before + packet.number, block));
            }
        }
        self.ordinal = block.packets.last().map_or(self.ordinal, |last| before + last.number);
        self.report.packets += block.packets.len() as u64;
        self.report.names += answers.len() as u64;
        answers
    }

    /// Waits until the block before is metered, and tells what may be released.
    fn settle(&mut self) {
        let standing = match &mut self.engine {
            Engine::Here(shards) => Standing::of(shards),
            Engine::Workers(pool) => pool.wait(),
        };
        self.report.open_peak = self.report.open_peak.max(standing.open as u64);
        self.watermark = standing.oldest.min(self.clock);
    }
}

impl Standing {
    fn of(shards: &[Shard]) -> Self {
        Self {
            oldest: shards.iter().map(Shard::oldest).min().unwrap_or(i64::MAX),
            open: shards.iter().map(Shard::open_flows).sum(),
        }
    }

    fn and(self, other: Self) -> Self {
        Self { oldest: self.oldest.min(other.oldest), open: self.open + other.open }
    }
}

impl Output {
    fn give<E>(
        &mut self,
        place: Place,
        record: FlowRecord,
        emit: &mut dyn FnMut(FlowRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        self.records += 1;
        self.out_of_order += u64::from(self.last.is_some_and(|last| place < last));
        self.last = self.last.max(Some(place));
        emit(record)
    }
}

/// What turns a block's packets into arrivals.
#[derive(Clone, Copy, Debug, Default)]
struct Feed {
    capture: u32,
    /// Number in the stream of the last packet before the capture.
    before: u64,
    clock: i64,
}

impl Feed {
    /// Hands over the block's packets in order, some at a time; gives the clock after the last.
    fn run<'a>(&self, block: &'a Block, mut take: impl FnMut(&[Arrival<'a>])) -> i64 {
        let mut clock = self.clock;
        let mut group = Vec::with_capacity(GROUP);
        for packets in block.packets.chunks(GROUP) {
            group.clear();
            group.extend(packets.iter().map(|packet| {
                clock = clock.max(packet.time.micros());
                let (key, sender) = FlowKey::of(packet);
                self.arrival(block, packet, (key, sender), key.hash(), clock)
            }));
            take(&group);
        }
        clock
    }

    fn arrival<'a>(
        &self,
        block: &'a Block,
        packet: &'a Packet,
        (key, sender): (FlowKey, Sender),
        hash: u64,
        clock: i64,
    ) -> Arrival<'a> {
        Arrival {
            packet,
            payload: block.payload(packet),
            key,
            sender,
            hash,
            clock,
            ordinal: self.before + packet.number,
            capture: self.capture,
        }
    }
}

/// Gives out, in order, the records of some shards that belong before the bound, and those of which too many wait.
fn release<E>(
    shards: &mut [Shard],
    bound: i64,
    give: &mut dyn FnMut(Place, FlowRecord) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let next = shards
            .iter()
            .enumerate()
            .filter_map(|(at, shard)| Some((shard.next_place(bound)?, at)))
            .min();
        let Some((place, at)) = next else { return Ok(()) };
        if let Some(record) = shards[at].release() {
            give(place, record)?;
        }
    }
}
