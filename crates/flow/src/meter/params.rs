//! What a person may choose about a meter, and the checked form.

use std::time::Duration;

use crate::error::Error;
use crate::key::SHARDS;

/// Timeouts longer than this are refused: a hundred years, so that no deadline overflows.
const TIMEOUT_MAX: Duration = Duration::from_secs(100 * 366 * 86_400);
/// Flows that one meter can index.
const FLOW_LIMIT_MAX: usize = 1 << 28;
/// The reading thread and one for each shard.
const THREADS_MAX: usize = SHARDS + 1;

/// What to do with a SYN on a pair of endpoints that has an open flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PortReuse {
    /// It opens a new flow, unless it belongs to the opening of the one that is there: a copy of its SYN (same sequence number), or
    /// a SYN while there was nothing but SYNs, from an end that has sent none yet or was not answered yet. FIN and RST close a flow.
    #[default]
    Split,
    /// It never does, and neither FIN nor RST closes a flow: all packets of a pair are one flow until a timeout.
    Keep,
}

/// How to meter, as a person chose it.
///
/// # Example
/// ```
/// use std::time::Duration;
/// let params = flowgait_flow::MeterParams::new().idle_timeout(Duration::from_secs(60)).threads(2).check()?;
/// # Ok::<(), flowgait_flow::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterParams {
    idle_timeout: Duration,
    active_timeout: Duration,
    linger: Duration,
    flow_limit: usize,
    threads: usize,
    packets: usize,
    port_reuse: PortReuse,
    reassembly_octets_max: usize,
    names_max: usize,
}

impl Default for MeterParams {
    fn default() -> Self {
        Self::new()
    }
}

impl MeterParams {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            idle_timeout: Duration::from_secs(120),
            active_timeout: Duration::from_secs(1_800),
            linger: Duration::from_secs(30),
            flow_limit: 1_000_000,
            threads: 1,
            packets: 30,
            port_reuse: PortReuse::Split,
            reassembly_octets_max: 64 << 20,
            names_max: 100_000,
        }
    }

    /// A flow ends when it had no packet for this long. Default 120 s.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// A flow that lasts this long is cut; the next record of the pair keeps its initiator. Default 1,800 s.
    #[must_use]
    pub fn active_timeout(mut self, timeout: Duration) -> Self {
        self.active_timeout = timeout;
        self
    }

    /// A closed TCP flow still takes in stray packets for this long, but not for longer than the idle timeout. Default 30 s.
    #[must_use]
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Flows that may be open (or lingering) at a time; beyond, the least recently active is evicted. Default 1,000,000.
    ///
    /// Each of 16 shards has an equal share, so with uneven luck the first eviction comes a little earlier. As many ended flows may
    /// wait for their turn in the output before some are released early.
    #[must_use]
    pub fn flow_limit(mut self, flows: usize) -> Self {
        self.flow_limit = flows;
        self
    }

    /// Threads, the one that reads and writes included; more than 17 are of no use. Default 1. Records do not depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// First packets, and first payload-bearing packets, to list in each record, 1 to 255. Default 30.
    #[must_use]
    pub fn packets(mut self, packets: usize) -> Self {
        self.packets = packets;
        self
    }

    /// What a SYN on a pair with an open flow does. Default [`PortReuse::Split`].
    #[must_use]
    pub fn port_reuse(mut self, reuse: PortReuse) -> Self {
        self.port_reuse = reuse;
        self
    }

    /// Octets of unfinished handshakes held at a time, in equal shares of 16 shards; beyond, searches are given up. Default 64 MiB.
    #[must_use]
    pub fn reassembly_octets_max(mut self, octets: usize) -> Self {
        self.reassembly_octets_max = octets;
        self
    }

    /// Addresses of DNS answers to remember; the oldest are forgotten first. Default 100,000; 0 reads no DNS.
    #[must_use]
    pub fn names_max(mut self, names: usize) -> Self {
        self.names_max = names;
        self
    }

    /// Checks everything once.
    ///
    /// # Errors
    /// [`Error::Param`] names the first parameter that is out of its range.
    pub fn check(self) -> Result<ValidMeterParams, Error> {
        let timeout = |name, timeout: Duration| {
            if timeout < Duration::from_micros(1) || timeout > TIMEOUT_MAX {
                return Err(Error::Param {
                    name,
                    rule: "must be from one microsecond to 100 years",
                });
            }
            Ok(micros(timeout))
        };
        let idle_micros = timeout("idle timeout", self.idle_timeout)?;
        let active_micros = timeout("active timeout", self.active_timeout)?;
        if !(SHARDS..=FLOW_LIMIT_MAX).contains(&self.flow_limit) {
            return Err(Error::Param {
                name: "flow limit",
                rule: "must be from 16 to 268,435,456",
            });
        }
        if self.threads == 0 {
            return Err(Error::Param { name: "threads", rule: "must be at least 1" });
        }
        let packets = u8::try_from(self.packets).ok().filter(|&packets| packets > 0);
        Ok(ValidMeterParams {
            idle_micros,
            active_micros,
            linger_micros: micros(self.linger.min(self.idle_timeout)),
            shard_flows: self.flow_limit / SHARDS,
            threads: self.threads.min(THREADS_MAX),
            packets: packets
                .ok_or(Error::Param { name: "packets", rule: "must be from 1 to 255" })?,
            port_reuse: self.port_reuse,
            shard_reassembly_octets: self.reassembly_octets_max / SHARDS,
            names_max: self.names_max,
        })
    }
}

/// Parameters that a meter can run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidMeterParams {
    pub(crate) idle_micros: i64,
    pub(crate) active_micros: i64,
    pub(crate) linger_micros: i64,
    pub(crate) shard_flows: usize,
    pub(crate) threads: usize,
    pub(crate) packets: u8,
    pub(crate) port_reuse: PortReuse,
    pub(crate) shard_reassembly_octets: usize,
    pub(crate) names_max: usize,
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(params: MeterParams, expected: &str) {
        match params.check() {
            Err(Error::Param { name, .. }) => assert_eq!(name, expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn refuses_what_cannot_work_by_name() {
        check(MeterParams::new().idle_timeout(Duration::ZERO), "idle timeout");
        check(MeterParams::new().active_timeout(Duration::MAX), "active timeout");
        check(MeterParams::new().flow_limit(15), "flow limit");
        check(MeterParams::new().flow_limit((1 << 28) + 1), "flow limit");
        check(MeterParams::new().threads(0), "threads");
        check(MeterParams::new().packets(0), "packets");
        check(MeterParams::new().packets(256), "packets");
    }

    #[test]
    fn takes_the_edges() {
        for params in [
            MeterParams::new(),
            MeterParams::new().flow_limit(16).packets(255).threads(1_000),
            MeterParams::new().linger(Duration::MAX).names_max(0).reassembly_octets_max(0),
        ] {
            assert!(params.check().is_ok());
        }
    }
}
