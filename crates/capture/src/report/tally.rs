//! The running account of one reader, kept cheaply for each packet.

use std::collections::BTreeMap;

use super::{CaptureReport, LinkType, Skip};
use crate::packet::{Packet, Protocol, Timestamp, Tunnel};
use crate::wire::{Frame, Layers};

/// As [`CaptureReport`], with arrays where maps would cost time for each packet.
pub(crate) struct Tally {
    pub(crate) packets_read: u64,
    pub(crate) packets_filtered: u64,
    pub(crate) metadata_blocks: u64,
    pub(crate) unknown_blocks: u64,
    packets_used: u64,
    octets: u64,
    captured_short: u64,
    times_backwards: u64,
    time_first: Option<Timestamp>,
    time_last: Option<Timestamp>,
    /// The link type of the run of packets now being read, and how many they are so far.
    link_run: (LinkType, u64),
    link_types: BTreeMap<LinkType, u64>,
    /// Protocols of IPv4, then of IPv6.
    protocols: Box<[u64; 512]>,
    tunnels: BTreeMap<Tunnel, u64>,
    skipped: BTreeMap<Skip, u64>,
    vlan: u64,
    qinq: u64,
    mpls: u64,
    pppoe: u64,
    fragments_first: u64,
    fragments_later: u64,
    fragments_unattributed: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            packets_read: 0,
            packets_filtered: 0,
            metadata_blocks: 0,
            unknown_blocks: 0,
            packets_used: 0,
            octets: 0,
            captured_short: 0,
            times_backwards: 0,
            time_first: None,
            time_last: None,
            link_run: (LinkType::default(), 0),
            link_types: BTreeMap::new(),
            protocols: Box::new([0; 512]),
            tunnels: BTreeMap::new(),
            skipped: BTreeMap::new(),
            vlan: 0,
            qinq: 0,
            mpls: 0,
            pppoe: 0,
            fragments_first: 0,
            fragments_later: 0,
            fragments_unattributed: 0,
        }
    }
}

impl Tally {
    /// A packet was read, `before` is the time of the one before it.
    #[inline]
    pub(crate) fn record(
        &mut self,
        link: LinkType,
        time: Timestamp,
        before: Timestamp,
        frame: &Frame<'_>,
    ) {
        self.packets_read += 1;
        self.octets += frame.original as u64;
        self.captured_short += u64::from(frame.bytes.len() < frame.original);
        if link != self.link_run.0 {
            self.end_link_run();
            self.link_run.0 = link;
        }
        self.link_run.1 += 1;
        match self.time_last {
            None => (self.time_first, self.time_last) = (Some(time), Some(time)),
            Some(last) if time > last => self.time_last = Some(time),
            Some(_) if time < before => {
                self.times_backwards += 1;
                self.time_first = self.time_first.min(Some(time));
            }
            Some(_) => {}
        }
    }

    fn end_link_run(&mut self) {
        let (link, packets) = self.link_run;
        if packets > 0 {
            *self.link_types.entry(link).or_default() += packets;
        }
        self.link_run.1 = 0;
    }

    /// A packet was read that has no usable record.
    pub(crate) fn unusable(&mut self, skip: Skip, original: usize) {
        self.packets_read += 1;
        self.octets += original as u64;
        self.skip(skip);
    }

    pub(crate) fn skip(&mut self, skip: Skip) {
        *self.skipped.entry(skip).or_default() += 1;
    }

    #[inline]
    pub(crate) fn used(&mut self, packet: &Packet) {
        self.packets_used += 1;
        let version = usize::from(!packet.source.is_v4());
        self.protocols[version << 8 | usize::from(packet.protocol.0)] += 1;
        if packet.tunnel != Tunnel::None {
            *self.tunnels.entry(packet.tunnel).or_default() += 1;
        }
    }

    #[inline]
    pub(crate) fn layers(&mut self, layers: Layers) {
        if !layers.is_empty() {
            self.rare_layers(layers);
        }
    }

    fn rare_layers(&mut self, layers: Layers) {
        self.vlan += u64::from(layers.has(Layers::VLAN));
        self.qinq += u64::from(layers.has(Layers::QINQ));
        self.mpls += u64::from(layers.has(Layers::MPLS));
        self.pppoe += u64::from(layers.has(Layers::PPPOE));
        self.fragments_first += u64::from(layers.has(Layers::FRAGMENT_FIRST));
        self.fragments_later += u64::from(layers.has(Layers::FRAGMENT_LATER));
        self.fragments_unattributed += u64::from(layers.has(Layers::FRAGMENT_UNATTRIBUTED));
    }

    pub(crate) fn report(&self) -> CaptureReport {
        let mut link_types = self.link_types.clone();
        if self.link_run.1 > 0 {
            *link_types.entry(self.link_run.0).or_default() += self.link_run.1;
        }
        let protocols = (0..=u8::MAX)
            .flat_map(|number| [(4, number), (6, number)])
            .map(|(version, number)| {
                let count = self.protocols[usize::from(version == 6) << 8 | usize::from(number)];
                ((version, Protocol(number)), count)
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        CaptureReport {
            captures: 1,
            packets_read: self.packets_read,
            packets_used: self.packets_used,
            packets_filtered: self.packets_filtered,
            skipped: self.skipped.clone(),
            octets: self.octets,
            link_types,
            protocols,
            tunnels: self.tunnels.clone(),
            vlan: self.vlan,
            qinq: self.qinq,
            mpls: self.mpls,
            pppoe: self.pppoe,
            fragments_first: self.fragments_first,
            fragments_later: self.fragments_later,
            fragments_unattributed: self.fragments_unattributed,
            captured_short: self.captured_short,
            time_first: self.time_first,
            time_last: self.time_last,
            times_backwards: self.times_backwards,
            metadata_blocks: self.metadata_blocks,
            unknown_blocks: self.unknown_blocks,
            damage: Vec::new(),
        }
    }
}
