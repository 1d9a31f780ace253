//! What a meter did, in numbers: nothing is dropped without being counted here.

use crate::record::EndReason;

/// What a meter did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MeterReport {
    /// Packets taken in.
    pub packets: u64,
    /// Their IP octets.
    pub octets: u64,
    /// Packets whose time lies before that of an earlier packet of the stream.
    pub packets_behind: u64,
    /// Records given out.
    pub flows: u64,
    /// Flows ended by the idle timeout.
    pub flows_idle: u64,
    /// Records cut by the active timeout.
    pub flows_active: u64,
    /// Flows closed by FIN, RST or a new SYN.
    pub flows_closed: u64,
    /// Flows ended because the stream did.
    pub flows_forced: u64,
    /// Flows ended because the table was full.
    pub flows_evicted: u64,
    /// Flows removed because the table was full; also those that only lingered or were only remembered.
    pub evictions: u64,
    /// Most flows open at the end of a block.
    pub open_peak: u64,
    /// Gaps within flows that were negative and were taken as zero.
    pub gaps_clamped: u64,
    /// Packets that a closed flow took in.
    pub strays: u64,
    /// ClientHellos found.
    pub handshakes: u64,
    /// Searches for a handshake given up because the meter held too many octets.
    pub watches_dropped: u64,
    /// Addresses that DNS answers named.
    pub names: u64,
    /// Records given out after one that belongs behind them, because too many waited.
    pub out_of_order: u64,
}

/// One shard's part of the report.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ShardReport {
    /// By [`EndReason`].
    flows: [u64; 6],
    pub evictions: u64,
    pub gaps_clamped: u64,
    pub strays: u64,
    pub handshakes: u64,
    pub watches_dropped: u64,
}

impl ShardReport {
    pub fn ended(&mut self, reason: EndReason) {
        self.flows[reason as usize] += 1;
    }

    pub fn add(&mut self, other: &Self) {
        self.flows.iter_mut().zip(other.flows).for_each(|(sum, flows)| *sum += flows);
        self.evictions += other.evictions;
        self.gaps_clamped += other.gaps_clamped;
        self.strays += other.strays;
        self.handshakes += other.handshakes;
        self.watches_dropped += other.watches_dropped;
    }
}

impl MeterReport {
    pub(crate) fn add(&mut self, shard: &ShardReport) {
        self.flows_idle += shard.flows[EndReason::Idle as usize];
        self.flows_active += shard.flows[EndReason::Active as usize];
        self.flows_closed += shard.flows[EndReason::EndOfFlow as usize];
        self.flows_forced += shard.flows[EndReason::ForcedEnd as usize];
        self.flows_evicted += shard.flows[EndReason::LackOfResources as usize];
        self.evictions += shard.evictions;
        self.gaps_clamped += shard.gaps_clamped;
        self.strays += shard.strays;
        self.handshakes += shard.handshakes;
        self.watches_dropped += shard.watches_dropped;
    }
}
