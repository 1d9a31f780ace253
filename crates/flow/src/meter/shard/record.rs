//! The record of a flow that has ended.

use std::sync::Arc;

use flowgait_capture::Timestamp;

use super::Shard;
use crate::handshake::Handshake;
use crate::key::Sender;
use crate::record::{FirstPacket, FlowRecord};
use crate::samples::{Run, Samples};
use crate::stats::Statistics;
use crate::table::Hello;

impl Shard {
    /// Makes the record of an ended flow and frees what it held.
    pub(super) fn record(&mut self, at: u32) -> FlowRecord {
        let slot = &mut self.slots[at];
        let key = slot.key();
        let initiator = slot.state.initiator();
        let capture = &self.captures[slot.capture as usize];
        let mut record = FlowRecord {
            capture: Arc::clone(&capture.name),
            first_packet: slot.first - capture.before,
            initiator: key.endpoint(initiator),
            responder: key.endpoint(initiator.other()),
            initiator_rule: slot.state.rule(),
            protocol: key.protocol,
            tunnel: slot.tunnel,
            vlan: slot.vlan_plus_one.checked_sub(1),
            start: timestamp(slot.start),
            end: timestamp(slot.end),
            end_reason: slot.reason,
            packets: first_packets(&self.samples, slot.run(), usize::from(slot.listed), initiator),
            dns_name: slot.dns_name.take(),
            handshake: found(self.hellos.remove(slot.hello)),
            ..FlowRecord::default()
        };
        let statistics = match slot.long() {
            Some(long) => *self.longs.remove(long).expect("a long flow has statistics"),
            None => {
                let mut statistics = Statistics::new(usize::from(self.params.packets));
                self.samples.steps(slot.run()).for_each(|step| statistics.push(&step));
                statistics
            }
        };
        statistics.write(initiator, &mut record);
        record.forward.ttl_first = slot.ttl[initiator.index()];
        record.backward.ttl_first = slot.ttl[initiator.other().index()];
        record.both.ttl_first = slot.ttl[slot.state.first().index()];
        self.samples.free(slot.run());
        self.slots.free(at);
        record
    }
}

fn timestamp(micros: i64) -> Timestamp {
    Timestamp(micros.saturating_mul(1_000))
}

fn found(hello: Option<Hello>) -> Option<Box<Handshake>> {
    match hello? {
        Hello::Found(handshake) => Some(handshake),
        Hello::Watch(_) => None,
    }
}

fn first_packets(
    samples: &Samples,
    run: Run,
    packets: usize,
    initiator: Sender,
) -> Vec<FirstPacket> {
    let mut list = Vec::with_capacity(packets);
    list.extend(samples.steps(run).map(|step| {
        let sign = if step.sender == initiator { 1 } else { -1 };
        FirstPacket {
            octets: sign * i32::from(step.octets),
            payload: sign * i32::from(step.payload),
            gap_micros: step.gap,
            window: step.window,
        }
    }));
    list
}
