//! Names that DNS answers gave to addresses, so that later flows without a handshake in the clear can be named.

use flowgait_capture::Address;

/// Addresses read from one response.
pub const ADDRESSES_MAX: usize = 64;

/// Resource records looked at in one response.
const RECORDS_MAX: usize = 128;

/// Names that one question may lead to over CNAMEs.
const ALIASES_MAX: usize = 16;

/// Octets of a name in its wire form (RFC 1035, section 2.3.4).
const NAME_OCTETS_MAX: usize = 255;

/// Compression pointers followed in one name. Each must point backwards, so that a loop cannot be; this bounds the work.
const POINTERS_MAX: usize = 16;

const HEADER_OCTETS: usize = 12;
const TYPE_A: u16 = 1;
const TYPE_CNAME: u16 = 5;
const TYPE_AAAA: u16 = 28;
const CLASS_INTERNET: u16 = 1;

/// The addresses that a DNS response (RFC 1035, over UDP) gives to the name that was asked for, CNAMEs followed.
///
/// The name is in lower case and without the last dot; octets that are no letter, digit, hyphen or underscore stand as `\NNN`, as in zone files.
///
/// Returns nothing when `payload` is no well-formed response without an error to one question, or when it gives no address. At most
/// [`ADDRESSES_MAX`] addresses are read.
#[must_use]
pub fn answers(payload: &[u8]) -> Option<(String, Vec<Address>)> {
    let header = payload.get(..HEADER_OCTETS)?;
    // QR set, a standard query, no error; one question, some answers.
    let response = header[2] & 0xf8 == 0x80 && header[3] & 0x0f == 0;
    let count = usize::from(u16::from_be_bytes([header[6], header[7]]));
    if !response || header[4..6] != [0, 1] || count == 0 {
        return None;
    }
    let mut at = HEADER_OCTETS;
    let question = name(payload, &mut at)?;
    at += 4; // Type and class.
    let records = records(payload, at, count.min(RECORDS_MAX));
    let mut names = vec![question];
    // An alias may stand behind what it leads to.
    while names.len() < ALIASES_MAX
        && let Some(alias) = records.iter().find_map(|record| record.alias_of(&names))
    {
        names.push(alias);
    }
    let addresses: Vec<Address> = records
        .iter()
        .filter(|record| names.contains(&record.owner))
        .filter_map(Record::address)
        .take(ADDRESSES_MAX)
        .collect();
    (!addresses.is_empty()).then(|| (text(&names[0]), addresses))
}

/// A name in its wire form, in lower case, without pointers.
type Name = Vec<u8>;

/// A resource record of the Internet class, of a type that is used here.
struct Record {
    owner: Name,
    content: Content,
}

enum Content {
    Address(Address),
    Alias(Name),
}

impl Record {
    fn address(&self) -> Option<Address> {
        match self.content {
            Content::Address(address) => Some(address),
            Content::Alias(_) => None,
        }
    }

    /// What a name among `names` stands for, when it is not among them yet.
    fn alias_of(&self, names: &[Name]) -> Option<Name> {
        match &self.content {
            Content::Alias(to) if names.contains(&self.owner) && !names.contains(to) => {
                Some(to.clone())
            }
            _ => None,
        }
    }
}

/// The records from `at`, up to the first that is not well formed: a truncated response still names what it holds.
fn records(payload: &[u8], mut at: usize, count: usize) -> Vec<Record> {
    let mut records = Vec::with_capacity(count.min(16));
    for _ in 0..count {
        match record(payload, &mut at) {
            Some(Some(record)) => records.push(record),
            Some(None) => {}
            None => break,
        }
    }
    records
}

/// Reads one record; `Some(None)` when it is of no use here.
fn record(payload: &[u8], at: &mut usize) -> Option<Option<Record>> {
    let owner = name(payload, at)?;
    let fixed = payload.get(*at..*at + 10)?;
    let kind = u16::from_be_bytes([fixed[0], fixed[1]]);
    let class = u16::from_be_bytes([fixed[2], fixed[3]]);
    let start = *at + 10;
    let data = payload.get(start..start + usize::from(u16::from_be_bytes([fixed[8], fixed[9]])))?;
    *at = start + data.len();
    if class != CLASS_INTERNET {
        return Some(None);
    }
    let content = match kind {
        TYPE_A => Content::Address(Address::v4(data.try_into().ok()?)),
        TYPE_AAAA => Content::Address(Address::v6(data.try_into().ok()?)),
        TYPE_CNAME => {
            let mut inside = start;
            let alias = name(payload, &mut inside)?;
            if inside != *at {
                return None;
            }
            Content::Alias(alias)
        }
        _ => return Some(None),
    };
    Some(Some(Record { owner, content }))
}

/// Reads a name (RFC 1035, section 4.1.4) and moves `at` behind it.
fn name(payload: &[u8], at: &mut usize) -> Option<Name> {
    let mut name = Vec::with_capacity(32);
    let mut from = *at;
    let mut behind = None;
    let mut pointers = 0;
    loop {
        let length = usize::from(*payload.get(from)?);
        match length >> 6 {
            0 => {
                let label = payload.get(from..from + 1 + length)?;
                name.extend(label.iter().map(u8::to_ascii_lowercase));
                from += label.len();
                if length == 0 {
                    break;
                }
                if name.len() >= NAME_OCTETS_MAX {
                    return None;
                }
            }
            3 => {
                let to = (length & 0x3f) << 8 | usize::from(*payload.get(from + 1)?);
                pointers += 1;
                if to >= from || pointers > POINTERS_MAX {
                    return None;
                }
                behind.get_or_insert(from + 2);
                from = to;
            }
            _ => return None,
        }
    }
    *at = behind.unwrap_or(from);
    Some(name)
}

/// The labels with dots between them.
fn text(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((&length, tail)) = rest.split_first()
        && length > 0
    {
        let (label, tail) = tail.split_at(usize::from(length).min(tail.len()));
        if !text.is_empty() {
            text.push('.');
        }
        for &octet in label {
            if octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_' {
                text.push(char::from(octet));
            } else {
                text.push_str(&format!("\\{octet:03}"));
            }
        }
        rest = tail;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(name: &str) -> Vec<u8> {
        let mut wire = Vec::new();
        for label in name.split('.').filter(|label| !label.is_empty()) {
            wire.push(label.len() as u8);
            wire.extend(label.bytes());
        }
        wire.push(0);
        wire
    }

    fn resource(owner: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
        let mut record = owner.to_vec();
        record.extend(kind.to_be_bytes());
        record.extend([0, 1, 0, 0, 0, 60]);
        record.extend((data.len() as u16).to_be_bytes());
        record.extend(data);
        record
    }

    fn response(question: &str, records: &[Vec<u8>]) -> Vec<u8> {
        let mut message = vec![7, 7, 0x81, 0x80, 0, 1, 0, records.len() as u8, 0, 0, 0, 0];
        message.extend(labels(question));
        message.extend([0, 1, 0, 1]);
        message.extend(records.concat());
        message
    }

    /// A pointer to the question.
    const ASKED: [u8; 2] = [0xc0, 12];

    fn v4(last: u8) -> Address {
        Address::v4([192, 0, 2, last])
    }

    #[test]
    fn the_name_that_was_asked_for_names_the_end_of_the_aliases() {
        let six = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
        let message = response(
            "WWW.Example.com",
            &[
                // The second alias stands before the first.
                resource(&labels("a.example.net"), 5, &labels("b.example.net")),
                resource(&ASKED, 5, &labels("a.example.net")),
                resource(&labels("B.example.NET"), 1, &[192, 0, 2, 1]),
                resource(&labels("b.example.net"), 28, &six),
                resource(&labels("other.example.net"), 1, &[192, 0, 2, 2]),
                resource(&ASKED, 16, b"\x03txt"),
                resource(&ASKED, 1, &[192, 0, 2, 3]),
            ],
        );
        let (name, addresses) = answers(&message).unwrap();
        assert_eq!(name, "www.example.com");
        assert_eq!(addresses, [v4(1), Address::v6(six), v4(3)]);
    }

    #[test]
    fn a_pointer_into_a_name() {
        // The alias is "cdn" and then the question from its second label on.
        let message = response(
            "www.example.com",
            &[
                resource(&ASKED, 5, &[3, b'c', b'd', b'n', 0xc0, 16]),
                resource(&labels("cdn.example.com"), 1, &[192, 0, 2, 1]),
            ],
        );
        assert_eq!(answers(&message).unwrap().1, [v4(1)]);
    }

    #[test]
    fn what_is_no_answer() {
        let good = response("a.example", &[resource(&ASKED, 1, &[192, 0, 2, 1])]);
        assert!(answers(&good).is_some());
        let check = |at: usize, octet: u8| {
            let mut bad = good.clone();
            bad[at] = octet;
            assert_eq!(answers(&bad), None, "octet {at}");
        };
        check(2, 0x01); // A query.
        check(2, 0xa8); // Another operation.
        check(3, 0x83); // No such name.
        check(5, 2); // Two questions.
        check(7, 0); // No answers.
        check(12, 0x40); // A label of a kind that is not used.
        check(12, 0xc0); // A pointer that does not lead back.
        assert_eq!(answers(&[]), None);
        assert_eq!(answers(&response("a.example", &[resource(&ASKED, 1, &[1, 2, 3])])), None);
        assert_eq!(answers(&response("a.example", &[resource(&labels("b"), 1, &[1; 4])])), None);
    }

    #[test]
    fn loops_and_lengths_are_bounded() {
        let looped = response(
            "a.example",
            &[
                resource(&ASKED, 5, &labels("b")),
                resource(&labels("b"), 5, &ASKED),
                resource(&labels("b"), 1, &[192, 0, 2, 1]),
            ],
        );
        assert_eq!(answers(&looped).unwrap().1, [v4(1)]);
        let many: Vec<_> = (0..100).map(|i| resource(&ASKED, 1, &[192, 0, 2, i])).collect();
        assert_eq!(answers(&response("a.example", &many)).unwrap().1.len(), ADDRESSES_MAX);
        let long = vec!["a".repeat(63); 4].join(".");
        assert_eq!(answers(&response(&long, &[resource(&ASKED, 1, &[1; 4])])), None);
        // Labels whose pointers lead back to each other.
        let mut message = response("a.example", &[resource(&[0xc0, 40, 0xc0, 38], 1, &[1; 4])]);
        message.extend([0; 20]);
        assert_eq!(answers(&message), None);
    }

    #[test]
    fn odd_octets_stand_as_numbers() {
        let message = response("_s.a b", &[resource(&ASKED, 1, &[192, 0, 2, 1])]);
        assert_eq!(answers(&message).unwrap().0, "_s.a\\032b");
    }

    proptest! {
        #[test]
        fn random_octets_do_no_harm(octets in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Some((_, addresses)) = answers(&octets) {
                prop_assert!(!addresses.is_empty());
            }
        }

        #[test]
        fn damaged_responses_do_no_harm(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            end: prop::sample::Index,
        ) {
            let mut message = response(
                "www.example.com",
                &[
                    resource(&ASKED, 5, &[3, b'c', b'd', b'n', 0xc0, 16]),
                    resource(&labels("cdn.example.com"), 1, &[192, 0, 2, 1]),
                    resource(&[0xc0, 43], 1, &[192, 0, 2, 2]),
                ],
            );
            for (at, octet) in damage {
                let at = at.index(message.len());
                message[at] = octet;
            }
            message.truncate(end.index(message.len()) + 1);
            if let Some((_, addresses)) = answers(&message) {
                prop_assert!(addresses.len() <= ADDRESSES_MAX);
            }
        }
    }
}
