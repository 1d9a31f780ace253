//! What TCP flags say about the connection: who opened it, when it closes, and when a SYN belongs to a later one.

use flowgait_capture::{Packet, Protocol, TcpFlags};

use super::{Arrival, Shard};
use crate::meter::params::PortReuse;
use crate::record::InitiatorRule;
use crate::table::{Slot, State};

impl Shard {
    /// Whether this packet is a SYN that belongs to a later connection than the flow does.
    pub(super) fn opens_anew(&self, at: u32, arrival: &Arrival<'_>) -> bool {
        let flags = tcp_flags(arrival.packet);
        if !flags.has(TcpFlags::SYN)
            || flags.has(TcpFlags::ACK)
            || self.params.port_reuse == PortReuse::Keep
        {
            return false;
        }
        let Slot { state, syn_sequence, .. } = &self.slots[at];
        let sender = arrival.sender;
        let is_copy =
            state.has_syn(sender) && syn_sequence[sender.index()] == arrival.packet.tcp_sequence;
        // While there was nothing but SYNs: another try of an end that was not answered, or the other end's part.
        let is_opening = !state.is(State::CLOSED)
            && state.is(State::ONLY_SYN)
            && (!state.has_syn(sender) || !state.has_syn(sender.other()));
        !is_copy && !is_opening
    }

    /// What the flags say about the connection; whether they told who the initiator is.
    pub(super) fn take_flags(&mut self, at: u32, arrival: &Arrival<'_>) -> bool {
        let flags = tcp_flags(arrival.packet);
        let sender = arrival.sender;
        let slot = &mut self.slots[at];
        let mut is_told = false;
        if flags.has(TcpFlags::SYN) {
            slot.state.set_syn(sender);
            slot.syn_sequence[sender.index()] = arrival.packet.tcp_sequence;
            let (initiator, rule) = if flags.has(TcpFlags::ACK) {
                (sender.other(), InitiatorRule::SynAck)
            } else {
                (sender, InitiatorRule::Syn)
            };
            // The first SYN is the best witness, then the first SYN-ACK.
            is_told = match slot.state.rule() {
                InitiatorRule::Syn => false,
                InitiatorRule::SynAck => rule == InitiatorRule::Syn,
                InitiatorRule::FirstPacket => true,
            };
            if is_told {
                slot.state.set_initiator(initiator, rule);
            }
        } else {
            slot.state.clear(State::ONLY_SYN);
        }
        if self.params.port_reuse == PortReuse::Split && !slot.state.is(State::CLOSED) {
            let is_fin = flags.has(TcpFlags::FIN);
            // Both have said their FIN before; the ACK of the second one is the last packet that has to come.
            let is_last_ack = slot.state.has_both_fins() && flags.has(TcpFlags::ACK) && !is_fin;
            if is_fin {
                slot.state.set_fin(sender);
            }
            if flags.has(TcpFlags::RST) || is_last_ack {
                self.close(at, arrival.clock);
            }
        }
        is_told
    }

    fn close(&mut self, at: u32, clock: i64) {
        self.starts.remove(&mut self.slots.timer, at);
        self.lingering.push(&mut self.slots.timer, at);
        let slot = &mut self.slots[at];
        slot.state.set(State::CLOSED);
        slot.timer_clock = clock;
        self.wake = self.wake.min(clock.saturating_add(self.params.linger_micros));
    }
}

/// The flags, of packets that have any.
fn tcp_flags(packet: &Packet) -> TcpFlags {
    if packet.protocol == Protocol::TCP && !packet.fragment {
        packet.tcp_flags
    } else {
        TcpFlags(0)
    }
}
