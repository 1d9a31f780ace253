//! Watching a flow's first payload for its handshake, within the shard's memory.

use flowgait_capture::Protocol;

use super::{Arrival, Shard};
use crate::expiry::NONE;
use crate::handshake::{Look, Segment, Watch};
use crate::table::{Hello, State};

impl Shard {
    /// Shows a payload to the flow's watch, if it still looks for a handshake.
    pub(super) fn watch(&mut self, at: u32, arrival: &Arrival<'_>) {
        let packet = arrival.packet;
        let slot = &mut self.slots[at];
        if !slot.state.is(State::WATCHED) {
            slot.state.set(State::WATCHED);
            if packet.protocol == Protocol::TCP || packet.protocol == Protocol::UDP {
                slot.state.set(State::WATCHING);
                slot.hello = self.hellos.insert(Hello::Watch(Watch::new(packet.protocol)));
            }
        }
        if !slot.state.is(State::WATCHING) {
            return;
        }
        let Some(hello) = self.hellos.get_mut(slot.hello) else { return };
        let Hello::Watch(watch) = hello else { return };
        let held_before = watch.octets_held();
        let look = watch.push(&Segment {
            forward: arrival.sender == slot.state.first(),
            tcp_sequence: packet.tcp_sequence,
            payload_octets: packet.payload_octets,
            payload: arrival.payload,
        });
        self.held -= held_before;
        match look {
            Look::More => {
                let held = watch.octets_held();
                self.held += held;
                if held == 0 || self.held <= self.params.shard_reassembly_octets {
                    return;
                }
                self.report.watches_dropped += 1;
                self.stop_watch(at);
            }
            Look::Done(handshake) => {
                self.report.handshakes += 1;
                *hello = Hello::Found(handshake);
                slot.state.clear(State::WATCHING);
            }
            Look::Stop => {
                slot.state.clear(State::WATCHING);
                self.hellos.remove(slot.hello);
                slot.hello = NONE;
            }
        }
    }

    pub(super) fn stop_watch(&mut self, at: u32) {
        let slot = &mut self.slots[at];
        if slot.state.is(State::WATCHING) {
            slot.state.clear(State::WATCHING);
            if let Some(Hello::Watch(watch)) = self.hellos.remove(slot.hello) {
                self.held -= watch.octets_held();
            }
            slot.hello = NONE;
        }
    }
}
