//! Random flow records, with the extremes that a meter could give.

use std::sync::Arc;

use flowgait_capture::{Address, Protocol, Timestamp, Tunnel};
use flowgait_flow::FlowRecord;
use flowgait_flow::handshake::{Carrier, Handshake};
use flowgait_flow::label::{Label, LabelSource};
use flowgait_flow::record::{
    Bursts, EndReason, Endpoint, FirstPacket, FirstPayload, InitiatorRule, Moments, Side, Silence,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A record drawn from a seed: no meter would make it, but every writer must carry it.
pub fn record(seed: u64) -> FlowRecord {
    let mut draw = Draw(ChaCha8Rng::seed_from_u64(seed));
    let start = draw.0.random_range(-4_000_000_000_000_000_000_i64..4_000_000_000_000_000_000);
    let length = draw.number(4_000_000_000_000_000_000);
    FlowRecord {
        capture: draw.text().into(),
        first_packet: draw.number(u64::MAX),
        initiator: draw.endpoint(),
        responder: draw.endpoint(),
        initiator_rule: draw.one(&[
            InitiatorRule::Syn,
            InitiatorRule::SynAck,
            InitiatorRule::FirstPacket,
        ]),
        protocol: draw.one(&[Protocol::TCP, Protocol::UDP, Protocol(1), Protocol(255)]),
        tunnel: draw.one(&[
            Tunnel::None,
            Tunnel::Gre,
            Tunnel::Vxlan,
            Tunnel::Gtpu,
            Tunnel::Capwap,
            Tunnel::IpInIp,
        ]),
        vlan: draw.some(|d| d.number(4095) as u16),
        start: Timestamp(start),
        end: Timestamp(start.saturating_add(length as i64)),
        end_reason: draw.one(&[
            EndReason::Idle,
            EndReason::Active,
            EndReason::EndOfFlow,
            EndReason::ForcedEnd,
            EndReason::LackOfResources,
        ]),
        forward: draw.side(),
        backward: draw.side(),
        both: draw.side(),
        octets_delta: draw.moments(),
        gaps_clamped: draw.number(u32::MAX.into()) as u32,
        packets: draw.packets(),
        payload_packets: draw.payload_packets(),
        silences: [draw.silence(), draw.silence(), draw.silence(), draw.silence()],
        gaps_over_15_ms: draw.number(u32::MAX.into()) as u32,
        big_requests: draw.number(u32::MAX.into()) as u32,
        bursts: draw.bursts(),
        bursts_forward: draw.bursts(),
        bursts_backward: draw.bursts(),
        handshake: draw.some(|d| Box::new(d.handshake())),
        dns_name: draw.some(|d| Arc::from(d.text())),
        label: draw.some(|d| Label {
            application: d.text().into(),
            category: d.some(|d| Arc::from(d.text())),
            source: d.one(&[LabelSource::Truth, LabelSource::Sni, LabelSource::Dns]),
        }),
    }
}

struct Draw(ChaCha8Rng);

impl Draw {
    /// Small, of any size, or an extreme.
    fn number(&mut self, max: u64) -> u64 {
        match self.0.random_range(0..8) {
            0 | 1 => 0,
            2 => 1,
            3 => max,
            4 => self.0.random_range(0..=max),
            _ => self.0.random_range(0..=max.min(100_000)),
        }
    }

    fn signed(&mut self) -> i32 {
        let value = self.number(65_535) as i32;
        if self.0.random() { value } else { -value }
    }

    fn one<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.0.random_range(0..values.len())]
    }

    fn some<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.0.random_bool(0.6).then(|| value(self))
    }

    fn text(&mut self) -> String {
        let texts = [
            "web",
            "a,b",
            "say \"hi\"",
            "two\nlines",
            "été",
            "Ω",
            "x y",
            "www.example.org",
            "=1+1",
            "🙂",
        ];
        self.one(&texts).to_string()
    }

    fn endpoint(&mut self) -> Endpoint {
        let address = if self.0.random() {
            Address::v4(self.0.random())
        } else {
            Address::v6(self.0.random())
        };
        Endpoint { address, port: self.number(65_535) as u16 }
    }

    fn moments(&mut self) -> Moments {
        let squares = self.number(u64::MAX) as f64 * 1.000_000_1;
        Moments {
            count: self.number(u64::MAX),
            min: self.number(u64::MAX),
            max: self.number(u64::MAX),
            sum: self.number(u64::MAX),
            squares,
        }
    }

    fn side(&mut self) -> Side {
        Side {
            octets: self.moments(),
            payload: self.moments(),
            gaps: self.moments(),
            header_octets: self.number(u64::MAX),
            flags: std::array::from_fn(|_| self.number(u32::MAX.into()) as u32),
            octets_histogram: std::array::from_fn(|_| self.number(u32::MAX.into()) as u32),
            gaps_histogram: std::array::from_fn(|_| self.number(u32::MAX.into()) as u32),
            window_first: self.number(65_535) as u16,
            ttl_first: self.number(255) as u8,
        }
    }

    fn silence(&mut self) -> Silence {
        Silence {
            count: self.number(u32::MAX.into()) as u32,
            sum_micros: self.number(u64::MAX),
            longest_micros: self.number(u64::MAX),
        }
    }

    fn bursts(&mut self) -> Bursts {
        Bursts {
            octets: self.moments(),
            packets: self.moments(),
            periods: self.moments(),
            on_micros: self.number(u64::MAX),
            largest: std::array::from_fn(|_| self.number(u64::MAX)),
        }
    }

    fn packets(&mut self) -> Vec<FirstPacket> {
        let count = self.0.random_range(0..35);
        (0..count)
            .map(|_| FirstPacket {
                octets: self.signed(),
                payload: self.signed(),
                gap_micros: self.number(u64::MAX),
                window: self.number(65_535) as u16,
            })
            .collect()
    }

    fn payload_packets(&mut self) -> Vec<FirstPayload> {
        let count = self.0.random_range(0..35);
        (0..count)
            .map(|_| FirstPayload { octets: self.signed(), gap_micros: self.number(u64::MAX) })
            .collect()
    }

    fn handshake(&mut self) -> Handshake {
        let protocols = self.0.random_range(0..3);
        Handshake {
            carrier: self.one(&[Carrier::Tls, Carrier::Dtls, Carrier::Quic]),
            sni: self.some(|d| d.text().into()),
            alpn: (0..protocols).map(|_| self.one(&["h2", "http/1.1", "h3"]).into()).collect(),
            version_offered: self.number(65_535) as u16,
            quic_version: self.number(u32::MAX.into()) as u32,
            ja4: self.some(|_| "t13d1516h2_8daaf6152771_02713d6af862".into()).unwrap_or_default(),
            ech: self.0.random(),
            client_hello_octets: self.number(u32::MAX.into()) as u32,
            ciphers: self.number(65_535) as u16,
            extensions: self.number(65_535) as u16,
        }
    }
}
