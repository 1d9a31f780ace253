//! What a TLS, DTLS or QUIC handshake shows in the clear: the ClientHello, put together again from its pieces, bounded.
//!
//! # Speed
//! A packet that is no part of a handshake costs one look at its first octet or few (about 15 ns); a ClientHello in one segment is read where it
//! lies (1 to 2 µs with its JA4); one in a QUIC packet costs 3 to 5 µs.

mod cursor;
mod dtls;
mod google;
mod hello;
mod ja4;
mod quic;
mod stream;
mod tls;

use flowgait_capture::Protocol;

/// Octets that are kept of a ClientHello and the records around it; a longer one is given up.
///
/// With post-quantum key shares one takes 1.5 to 4 KiB.
pub const HELLO_OCTETS_MAX: usize = 16 * 1024;

/// Payload-bearing packets of each direction that a ClientHello may start in: before it come greetings (STARTTLS), proxies' and STUN's talk.
pub const SEARCH_PACKETS_MAX: u8 = 12;

/// Payload-bearing packets of both directions after which a watch ends, whether or not it has begun to put a ClientHello together.
pub const WATCH_PACKETS_MAX: u8 = 64;

/// What the handshake of a flow showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handshake {
    /// What carried the ClientHello.
    pub carrier: Carrier,
    /// Server name (RFC 6066), lower case.
    pub sni: Option<Box<str>>,
    /// Offered application protocols, in order, as text; bytes that are not printable ASCII as `\xNN`.
    pub alpn: Vec<Box<str>>,
    /// The highest version offered (`0x0304` is TLS 1.3); GREASE left out.
    pub version_offered: u16,
    /// QUIC version of the Initial packet, 0 when not QUIC.
    pub quic_version: u32,
    /// JA4 fingerprint (FoxIO), 36 characters; empty where Google's own handshake before TLS (QUIC versions Q024 to Q050) gave the name.
    pub ja4: Box<str>,
    /// Whether an encrypted ClientHello extension (0xfe0d) is there.
    pub ech: bool,
    /// Octets of the ClientHello message, its four-octet header included.
    pub client_hello_octets: u32,
    /// Cipher suites offered, GREASE left out.
    pub ciphers: u16,
    /// Extensions offered, GREASE left out.
    pub extensions: u16,
}

/// What carried a ClientHello.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carrier {
    /// TLS over TCP.
    #[default]
    Tls,
    /// DTLS over UDP.
    Dtls,
    /// QUIC over UDP.
    Quic,
}

/// A payload-bearing packet, as the watch sees it.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Whether the sender is the one that sent the flow's first packet.
    pub forward: bool,
    /// TCP sequence number of the first payload octet; 0 for UDP.
    pub tcp_sequence: u32,
    /// Payload octets as the headers state them; more than `payload.len()` when the capture was cut short.
    pub payload_octets: u16,
    /// The captured payload.
    pub payload: &'a [u8],
}

/// What a watch says after a packet.
#[derive(Debug)]
pub enum Look {
    /// Show me the next payload-bearing packet too.
    More,
    /// The ClientHello is whole.
    Done(Box<Handshake>),
    /// There is nothing (more) to be found: drop the watch.
    Stop,
}

/// Looks for a ClientHello in a flow's first payload-bearing packets, holding no more than it must.
#[derive(Debug)]
pub struct Watch {
    state: State,
    /// Packets seen in each direction.
    seen: [u8; 2],
    /// QUIC packets that could not be opened.
    failures: u8,
}

/// What is looked for, and the parts of a ClientHello that came so far.
#[derive(Debug)]
enum State {
    Tcp(Option<Box<tls::Assembly>>, Option<Box<tls::Early>>),
    Udp(Option<Box<dtls::Assembly>>, Option<Box<quic::Assembly>>),
    Neither,
}

impl Watch {
    /// A watch over one flow. Holds no heap memory until a packet looks like part of a handshake.
    ///
    /// A TCP flow's first segment looks so too when it starts neither like text nor like a record: it may have overtaken the one before it, and
    /// is kept until the other side speaks or two more segments came.
    #[must_use]
    pub fn new(protocol: Protocol) -> Self {
        let state = match protocol {
            Protocol::TCP => State::Tcp(None, None),
            Protocol::UDP => State::Udp(None, None),
            _ => State::Neither,
        };
        Self { state, seen: [0; 2], failures: 0 }
    }

    /// Takes the flow's next payload-bearing packet, in capture order, either direction.
    pub fn push(&mut self, segment: &Segment<'_>) -> Look {
        let seen = &mut self.seen[usize::from(!segment.forward)];
        *seen = seen.saturating_add(1);
        let searched = *seen > SEARCH_PACKETS_MAX;
        let found = match &mut self.state {
            State::Tcp(Some(_), _) => self.push_held_tcp(segment),
            State::Tcp(None, _) if !searched && tls::begins(segment.payload) => {
                self.push_tcp(segment)
            }
            State::Tcp(None, early) => {
                if self.seen == [1, 0] || self.seen == [0, 1] {
                    *early = tls::Early::of(segment);
                } else if early.as_ref().is_some_and(|early| early.is_late(self.seen)) {
                    *early = None;
                }
                None
            }
            State::Udp(dtls, quic) if !searched || dtls.is_some() || quic.is_some() => {
                self.push_udp(segment.payload)
            }
            State::Udp(..) => None,
            State::Neither => return Look::Stop,
        };
        if let Some(handshake) = found {
            self.state = State::Neither;
            return Look::Done(Box::new(handshake));
        }
        if self.is_over() {
            self.state = State::Neither;
            return Look::Stop;
        }
        Look::More
    }

    /// Octets held on the heap, for the meter's account.
    #[must_use]
    pub fn octets_held(&self) -> usize {
        match &self.state {
            State::Tcp(held, early) => {
                held.as_ref().map_or(0, |held| size_of::<tls::Assembly>() + held.octets_held())
                    + early.as_ref().map_or(0, |early| early.octets_held())
            }
            State::Udp(dtls, quic) => {
                dtls.as_ref().map_or(0, |held| size_of::<dtls::Assembly>() + held.octets_held())
                    + quic
                        .as_ref()
                        .map_or(0, |held| size_of::<quic::Assembly>() + held.octets_held())
            }
            State::Neither => 0,
        }
    }

    fn is_over(&self) -> bool {
        let [forward, backward] = self.seen;
        let idle = matches!(self.state, State::Tcp(None, _) | State::Udp(None, None));
        idle && (forward.min(backward) >= SEARCH_PACKETS_MAX || self.failures >= quic::FAILURES_MAX)
            || forward.saturating_add(backward) >= WATCH_PACKETS_MAX
    }

    /// A segment that starts like a ClientHello: read where it lies when it holds all of it.
    fn push_tcp(&mut self, segment: &Segment<'_>) -> Option<Handshake> {
        match tls::start(segment.payload) {
            tls::Start::Whole(message) => return tls::read(&message),
            tls::Start::More(wanted) if wanted <= HELLO_OCTETS_MAX => {
                let State::Tcp(held, early) = &mut self.state else { return None };
                *held = Some(Box::new(tls::Assembly::new(segment, early.take())));
                return self.push_held_tcp(segment);
            }
            tls::Start::More(_) | tls::Start::Other => {}
        }
        None
    }

    fn push_held_tcp(&mut self, segment: &Segment<'_>) -> Option<Handshake> {
        let State::Tcp(Some(held), _) = &mut self.state else { return None };
        match held.push(segment) {
            tls::Step::More => None,
            tls::Step::Done(handshake) => Some(handshake),
            tls::Step::Failed => {
                self.state = State::Tcp(None, None);
                None
            }
        }
    }

    fn push_udp(&mut self, payload: &[u8]) -> Option<Handshake> {
        let State::Udp(dtls, quic) = &mut self.state else { return None };
        if quic::begins(payload) {
            let found = quic::push(quic, &mut self.failures, payload);
            if quic.is_some() {
                *dtls = None;
            }
            found
        } else if quic.is_none()
            && let Some(records) = dtls::begins(payload)
        {
            dtls::push(dtls, records)
        } else {
            let version = google::begins(payload)?;
            google::find(payload, version)
        }
    }
}

#[cfg(test)]
mod tests;
