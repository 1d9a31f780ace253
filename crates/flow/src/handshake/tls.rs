//! A ClientHello in TLS records over TCP: found, put together again from records and segments.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::stream::Stream;
use super::{Carrier, HELLO_OCTETS_MAX, Handshake, Segment, hello};

/// Content type of handshake records.
const HANDSHAKE: u8 = 22;

/// Octets of a record before its fragment.
const RECORD_HEADER_OCTETS: usize = 5;

/// Most octets of a record's fragment (RFC 8446, section 5.1).
const FRAGMENT_OCTETS_MAX: u16 = 1 << 14;

/// What the start of a byte stream holds.
#[derive(Debug)]
pub(super) enum Start<'a> {
    /// A whole ClientHello, its header included.
    Whole(Cow<'a, [u8]>),
    /// It may become one, when at least so many octets of the stream are there.
    More(usize),
    /// Something else.
    Other,
}

/// Whether `payload` starts like a record with a ClientHello, as far as it goes.
#[inline]
pub(super) fn begins(payload: &[u8]) -> bool {
    payload.first() == Some(&HANDSHAKE) && !matches!(start(payload), Start::Other)
}

/// Looks at the first octets of a byte stream.
pub(super) fn start(octets: &[u8]) -> Start<'_> {
    let mut stream = Cursor(octets);
    let mut first: Option<&[u8]> = None;
    let mut gathered = 0;
    let mut message_octets = hello::HEADER_OCTETS;
    let mut header = [0; hello::HEADER_OCTETS];
    loop {
        let fragment = match record(&mut stream) {
            Ok(fragment) => fragment,
            Err(Broken::Short) => {
                return Start::More(octets.len() + (message_octets - gathered).max(1));
            }
            Err(Broken::Other) => return Start::Other,
        };
        if gathered < header.len() {
            let count = fragment.len().min(header.len() - gathered);
            header[gathered..gathered + count].copy_from_slice(&fragment[..count]);
            if gathered == 0 && !fragment.is_empty() && header[0] != hello::CLIENT_HELLO {
                return Start::Other;
            }
            if gathered + count == header.len() {
                match hello::octets(&header) {
                    Some(octets) if octets <= HELLO_OCTETS_MAX => message_octets = octets,
                    _ => return Start::Other,
                }
            }
        }
        gathered += fragment.len();
        if gathered >= header.len() && gathered >= message_octets {
            return Start::Whole(match first {
                None => Cow::Borrowed(&fragment[..message_octets]),
                Some(_) => Cow::Owned(joined(octets, message_octets)),
            });
        }
        first = first.or(Some(fragment));
    }
}

enum Broken {
    Short,
    Other,
}

/// The fragment of the next record, as far as it is there.
fn record<'a>(stream: &mut Cursor<'a>) -> Result<&'a [u8], Broken> {
    let header = stream.0.get(..RECORD_HEADER_OCTETS).unwrap_or(stream.0);
    let fits = header.first().is_none_or(|&kind| kind == HANDSHAKE)
        && header.get(1).is_none_or(|&major| major == 3)
        && header.get(2).is_none_or(|&minor| minor <= 4);
    if !fits {
        return Err(Broken::Other);
    }
    let &[_, _, _, high, low] = header else { return Err(Broken::Short) };
    let octets = u16::from_be_bytes([high, low]);
    if octets == 0 || octets > FRAGMENT_OCTETS_MAX {
        return Err(Broken::Other);
    }
    let rest = &stream.0[RECORD_HEADER_OCTETS..];
    let fragment = &rest[..rest.len().min(usize::from(octets))];
    stream.0 = &rest[fragment.len()..];
    Ok(fragment)
}

/// The message out of its records, which are known to hold it.
fn joined(octets: &[u8], message_octets: usize) -> Vec<u8> {
    let mut message = Vec::with_capacity(message_octets);
    let mut stream = Cursor(octets);
    while let Ok(fragment) = record(&mut stream)
        && message.len() < message_octets
    {
        message.extend_from_slice(&fragment[..fragment.len().min(message_octets - message.len())]);
    }
    message
}

/// The ClientHello that `message` is.
pub(super) fn read(message: &[u8]) -> Option<Handshake> {
    hello::read(message.get(hello::HEADER_OCTETS..)?, Carrier::Tls)
}

/// One direction of a connection, from the record on in which a ClientHello starts.
#[derive(Debug)]
pub(super) struct Assembly {
    forward: bool,
    sequence: u32,
    stream: Stream,
    /// Looking again is of no use before this many octets are there; so the work stays linear.
    wanted: usize,
}

/// What an assembly says after a segment.
pub(super) enum Step {
    More,
    Done(Handshake),
    Failed,
}

/// A connection's first segment, kept for a moment when it may be a later part of a ClientHello that overtook the first.
#[derive(Debug)]
pub(super) struct Early {
    forward: bool,
    sequence: u32,
    octets: Vec<u8>,
}

impl Early {
    /// Keeps a segment, unless it starts like text or like a record.
    pub(super) fn of(segment: &Segment<'_>) -> Option<Box<Self>> {
        let start = segment.payload.get(..8)?;
        let text = start.iter().all(|octet| matches!(octet, b'\t'..=b'\r' | b' '..=b'~'));
        let record = (20..=24).contains(&start[0]) && start[1] == 3;
        if text || record || segment.payload.len() > HELLO_OCTETS_MAX {
            return None;
        }
        Some(Box::new(Self {
            forward: segment.forward,
            sequence: segment.tcp_sequence,
            octets: segment.payload.to_vec(),
        }))
    }

    /// Whether too much came since: anything from the other side, or two more segments.
    pub(super) fn is_late(&self, seen: [u8; 2]) -> bool {
        let [ours, theirs] = if self.forward { seen } else { [seen[1], seen[0]] };
        theirs > 0 || ours > 2
    }

    /// Octets held on the heap.
    pub(super) fn octets_held(&self) -> usize {
        size_of::<Self>() + self.octets.capacity()
    }
}

impl Assembly {
    /// Starts at a segment whose payload [`begins`] a ClientHello; `early` is one that came before it.
    pub(super) fn new(segment: &Segment<'_>, early: Option<Box<Early>>) -> Self {
        let mut stream = Stream::default();
        if let Some(early) = early.filter(|early| early.forward == segment.forward) {
            let ahead = early.sequence.wrapping_sub(segment.tcp_sequence);
            stream.put(ahead as usize, &early.octets);
        }
        Self { forward: segment.forward, sequence: segment.tcp_sequence, stream, wanted: 0 }
    }

    /// Takes a segment of either direction.
    pub(super) fn push(&mut self, segment: &Segment<'_>) -> Step {
        if segment.forward != self.forward {
            return Step::More;
        }
        // Sequence numbers wrap; what lies "behind" was sent before the ClientHello.
        let ahead = segment.tcp_sequence.wrapping_sub(self.sequence);
        if ahead < 1 << 31 {
            self.stream.put(ahead as usize, segment.payload);
        } else if let Some(payload) = segment.payload.get(ahead.wrapping_neg() as usize..) {
            self.stream.put(0, payload);
        }
        let whole = self.stream.whole();
        if whole.len() < self.wanted {
            return Step::More;
        }
        match start(whole) {
            Start::Whole(message) => read(&message).map_or(Step::Failed, Step::Done),
            Start::More(wanted) if wanted <= HELLO_OCTETS_MAX => {
                self.wanted = wanted;
                Step::More
            }
            Start::More(_) | Start::Other => Step::Failed,
        }
    }

    /// Octets held on the heap beside the assembly itself.
    pub(super) fn octets_held(&self) -> usize {
        self.stream.octets_held()
    }
}
