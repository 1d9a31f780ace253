//! Which packets to give: a small part of the usual capture-filter words, with their usual meaning.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::error::Error;
use crate::packet::{Address, Packet, Protocol};

/// How deep parentheses and negations may nest.
const NESTING_MAX: usize = 64;

/// Protocols whose packets have ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

/// A filter expression that was understood.
///
/// | words | a packet passes when |
/// | --- | --- |
/// | `host A`, `src host A`, `dst host A`, `src A`, `dst A` | an address (the sender's, the receiver's) is A, IPv4 or IPv6; no names |
/// | `net A/LEN`, `src net …`, `dst net …` | an address lies in the network |
/// | `port N`, `src port N`, `dst port N`, `portrange N-M` | a port is N (from N to M) |
/// | `tcp port N`, `udp portrange N-M`, `ip host A`, `ip6 net …` | both hold |
/// | `tcp`, `udp`, `sctp`, `icmp`, `icmp6`, `ip`, `ip6`, `proto N`, `ip proto N`, `ip6 proto N` | the protocol, or the version of IP, is that |
/// | `vlan`, `vlan N` | the frame had a VLAN tag (the outermost was N) |
/// | `not X`, `! X`, `X and Y`, `X && Y`, `X or Y`, `X \|\| Y`, `( X )` | as they say |
///
/// As in `pcap-filter(7)`, `and` and `or` bind equally and from left to right, `not` binds tighter, and the words before a value need not be
/// repeated: `port 80 or 443`. Also `src or dst` and `src and dst` may stand where `src` may. Unlike there, the innermost packet of a tunnel is what
/// is looked at, and `vlan` does not change what the words behind it mean.
///
/// # Example
/// ```
/// use flowgait_capture::Filter;
/// let filter: Filter = "tcp port 443 and not net 10.0.0.0/8".parse()?;
/// assert_eq!(filter.to_string(), "tcp port 443 and not net 10.0.0.0/8");
/// let error = "tcp prot 443".parse::<Filter>().unwrap_err();
/// assert!(error.to_string().starts_with("filter, column 5: expected"));
/// # Ok::<(), flowgait_capture::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    node: Node,
}

impl Filter {
    /// Whether a packet passes.
    #[must_use]
    pub fn passes(&self, packet: &Packet) -> bool {
        self.node.holds(packet)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parser = Parser { tokens: tokens(text), next: 0, depth: 0, last: None };
        let node = parser.chain()?;
        if parser.peek().is_some() {
            return Err(parser.expected("`and`, `or` or the end"));
        }
        Ok(Self { text: text.to_owned(), node })
    }
}

/// An expression. Chains are lists, so that only parentheses and negations nest.
#[derive(Clone, Debug)]
enum Node {
    Test(Test),
    Not(Box<Node>),
    Chain(Box<Node>, Vec<(Joint, Node)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

/// What is asked of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Test {
    family: Family,
    subject: Subject,
}

/// What kind of packet it has to be first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Any,
    Ip,
    Ip6,
    Transport(Protocol),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Anything,
    Net(Ends, Net),
    Ports(Ends, u16, u16),
    Proto(Protocol),
    Vlan(Option<u16>),
}

/// Which ends of a packet are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Either,
    Source,
    Destination,
    Both,
}

impl Ends {
    fn hold<T>(self, source: T, destination: T, test: impl Fn(T) -> bool) -> bool {
        match self {
            Self::Either => test(source) || test(destination),
            Self::Source => test(source),
            Self::Destination => test(destination),
            Self::Both => test(source) && test(destination),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Net {
    address: Address,
    mask: u128,
}

impl Net {
    /// None when the length is beyond the address, or the address has bits beyond the length.
    fn new(ip: IpAddr, length: u32) -> Option<Self> {
        let address = Address::from(ip);
        let bits = if ip.is_ipv4() { 32 } else { 128 };
        let host_bits = 128_u32.checked_sub(length + 128 - bits)?;
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        // The mapped prefix of an IPv4 address always counts.
        let mask = if ip.is_ipv4() { mask | (u128::MAX << 32) } else { mask };
        (address.0 & !mask == 0).then_some(Self { address, mask })
    }

    fn holds(&self, address: Address) -> bool {
        address.0 & self.mask == self.address.0 && address.is_v4() == self.address.is_v4()
    }
}

impl Node {
    fn holds(&self, packet: &Packet) -> bool {
        match self {
            Self::Test(test) => test.holds(packet),
            Self::Not(node) => !node.holds(packet),
            Self::Chain(first, rest) => {
                rest.iter().fold(first.holds(packet), |so_far, (joint, node)| match joint {
                    Joint::And => so_far && node.holds(packet),
                    Joint::Or => so_far || node.holds(packet),
                })
            }
        }
    }
}

impl Test {
    fn holds(&self, packet: &Packet) -> bool {
        let is_family = match self.family {
            Family::Any => true,
            Family::Ip => packet.source.is_v4(),
            Family::Ip6 => !packet.source.is_v4(),
            Family::Transport(protocol) => packet.protocol == protocol,
        };
        is_family
            && match self.subject {
                Subject::Anything => true,
                Subject::Net(ends, net) => {
                    ends.hold(packet.source, packet.destination, |address| net.holds(address))
                }
                Subject::Ports(ends, first, last) => {
                    WITH_PORTS.contains(&packet.protocol.0)
                        && ends.hold(packet.source_port, packet.destination_port, |port| {
                            (first..=last).contains(&port)
                        })
                }
                Subject::Proto(protocol) => packet.protocol == protocol,
                Subject::Vlan(None) => packet.vlan().is_some(),
                Subject::Vlan(id) => packet.vlan() == id,
            }
    }
}

/// A word of the expression.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    text: String,
    /// In characters, from 1.
    column: usize,
}

/// Splits at blanks and around parentheses and operators.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut joins = false;
    for (index, character) in text.chars().enumerate() {
        if character.is_whitespace() {
            joins = false;
            continue;
        }
        let is_operator = "()!&|".contains(character);
        let doubles = matches!(character, '&' | '|');
        match tokens.last_mut() {
            Some(last) if joins && !is_operator => last.text.push(character),
            // The second half of `&&` or `||`.
            Some(last)
                if doubles
                    && last.column == index
                    && last.text.len() == 1
                    && last.text.starts_with(character) =>
            {
                last.text.push(character);
            }
            _ => tokens.push(Token { text: character.to_string(), column: index + 1 }),
        }
        joins = !is_operator;
    }
    // Where the end is, for messages.
    tokens.push(Token { text: String::new(), column: text.chars().count() + 1 });
    tokens
}

/// The words before a value, kept for values that come without.
#[derive(Clone, Copy, Debug)]
struct Words {
    family: Family,
    ends: Ends,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Host,
    Net,
    Port,
    PortRange,
    Proto,
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    last: Option<Words>,
}

impl Parser {
    /// The next word; none at the end.
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.next).map(|token| token.text.as_str()).filter(|text| !text.is_empty())
    }

    /// Takes the next word if it is one of these.
    fn take(&mut self, words: &[&str]) -> bool {
        let takes = self.peek().is_some_and(|word| words.contains(&word));
        self.next += usize::from(takes);
        takes
    }

    fn expected(&self, expected: &str) -> Error {
        let (column, found) = match self.tokens.get(self.next) {
            Some(token) if !token.text.is_empty() => (token.column, format!("`{}`", token.text)),
            token => (token.map_or(1, |token| token.column), "the end".to_owned()),
        };
        Error::Filter { column, expected: expected.to_owned(), found }
    }

    /// One operand after another, joined from left to right.
    fn chain(&mut self) -> Result<Node, Error> {
        let first = self.operand()?;
        let mut rest = Vec::new();
        loop {
            let joint = if self.take(&["and", "&&"]) {
                Joint::And
            } else if self.take(&["or", "||"]) {
                Joint::Or
            } else {
                break;
            };
            rest.push((joint, self.operand()?));
        }
        Ok(if rest.is_empty() { first } else { Node::Chain(Box::new(first), rest) })
    }

    fn operand(&mut self) -> Result<Node, Error> {
        if self.depth == NESTING_MAX {
            return Err(self.expected(&format!("at most {NESTING_MAX} levels of nesting")));
        }
        self.depth += 1;
        let node = if self.take(&["not", "!"]) {
            Node::Not(Box::new(self.operand()?))
        } else if self.take(&["("]) {
            let node = self.chain()?;
            if !self.take(&[")"]) {
                return Err(self.expected("`and`, `or` or `)`"));
            }
            node
        } else {
            Node::Test(self.test()?)
        };
        self.depth -= 1;
        Ok(node)
    }

    fn test(&mut self) -> Result<Test, Error> {
        if let Some(protocol) =
            self.take_any(&[("icmp", Protocol::ICMP), ("icmp6", Protocol::ICMP6)])
        {
            return Ok(Test { family: Family::Any, subject: Subject::Proto(protocol) });
        }
        if self.take(&["vlan"]) {
            return self.vlan();
        }
        let family = self.take_any(&[
            ("ip", Family::Ip),
            ("ip6", Family::Ip6),
            ("tcp", Family::Transport(Protocol::TCP)),
            ("udp", Family::Transport(Protocol::UDP)),
            ("sctp", Family::Transport(Protocol(132))),
        ]);
        let ends = self.ends();
        let kind = self.kind(family, ends.is_some());
        let words = match (family, ends, kind) {
            (family, ends, Some(kind)) => Words {
                family: family.unwrap_or(Family::Any),
                ends: ends.unwrap_or(Ends::Either),
                kind,
            },
            // `src 10.0.0.1` means `src host 10.0.0.1`.
            (family, Some(ends), None) if self.address().is_some() => {
                Words { family: family.unwrap_or(Family::Any), ends, kind: Kind::Host }
            }
            (_, Some(_), None) => return Err(self.expected("`host`, `net`, `port`, `portrange` or an address")),
            (Some(family), None, None) if self.is_at_end_of_test() => {
                return Ok(Test { family, subject: Subject::Anything });
            }
            (Some(_), None, None) => {
                return Err(self.expected("`host`, `net`, `port`, `portrange`, `proto`, `src`, `dst`, `and` or `or`, as fits"));
            }
            (None, None, None) => match self.last {
                Some(words) if self.starts_with_digit() => words,
                _ => return Err(self.expected(
                    "`host`, `net`, `port`, `portrange`, `src`, `dst`, `tcp`, `udp`, `sctp`, `icmp`, `icmp6`, `ip`, `ip6`, `proto`, `vlan`, `not` or `(`",
                )),
            },
        };
        self.last = Some(words);
        Ok(Test { family: words.family, subject: self.subject(words)? })
    }

    fn take_any<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<T> {
        let (_, value) = *words.iter().find(|(word, _)| self.peek() == Some(word))?;
        self.next += 1;
        Some(value)
    }

    fn ends(&mut self) -> Option<Ends> {
        let (first, other) = match self.peek()? {
            "src" => (Ends::Source, "dst"),
            "dst" => (Ends::Destination, "src"),
            _ => return None,
        };
        self.next += 1;
        // `src or dst`, but not the `or dst port 2` of `src port 1 or dst port 2`, which cannot come right behind `src`.
        let word = |at: usize| self.tokens.get(at).map(|token| token.text.as_str());
        if word(self.next + 1) != Some(other) {
            return Some(first);
        }
        let both = match word(self.next) {
            Some("or" | "||") => Ends::Either,
            Some("and" | "&&") => Ends::Both,
            _ => return Some(first),
        };
        self.next += 2;
        Some(both)
    }

    /// Which kind of value follows, if the words before it allow it.
    fn kind(&mut self, family: Option<Family>, has_ends: bool) -> Option<Kind> {
        let is_transport = matches!(family, Some(Family::Transport(_)));
        let is_ip = matches!(family, Some(Family::Ip | Family::Ip6));
        let kind = match self.peek()? {
            "host" if !is_transport => Kind::Host,
            "net" if !is_transport => Kind::Net,
            "port" if !is_ip => Kind::Port,
            "portrange" if !is_ip => Kind::PortRange,
            "proto" if !is_transport && !has_ends => Kind::Proto,
            _ => return None,
        };
        self.next += 1;
        Some(kind)
    }

    fn is_at_end_of_test(&self) -> bool {
        matches!(self.peek(), None | Some("and" | "or" | "&&" | "||" | ")"))
    }

    /// Values without words of their own begin like this; no word does.
    fn starts_with_digit(&self) -> bool {
        self.peek()
            .is_some_and(|word| word.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':'))
            && (self.address().is_some()
                || self.peek().is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit())))
    }

    fn address(&self) -> Option<IpAddr> {
        self.peek()?.parse().ok()
    }

    fn vlan(&mut self) -> Result<Test, Error> {
        let id = if self.is_at_end_of_test() {
            None
        } else {
            Some(self.number(4_095, "a VLAN identifier (0 to 4095), `and`, `or` or the end")?)
        };
        Ok(Test { family: Family::Any, subject: Subject::Vlan(id) })
    }

    fn number(&mut self, largest: u16, expected: &str) -> Result<u16, Error> {
        let number = self.peek().and_then(decimal).filter(|number| *number <= largest);
        let number = number.ok_or_else(|| self.expected(expected))?;
        self.next += 1;
        Ok(number)
    }

    /// The value that the words announce.
    fn subject(&mut self, Words { ends, kind, .. }: Words) -> Result<Subject, Error> {
        match kind {
            Kind::Host => {
                let net = self.address().and_then(|ip| Net::new(ip, bits(ip)));
                let net = net.ok_or_else(|| self.expected("an IPv4 or IPv6 address"))?;
                self.next += 1;
                Ok(Subject::Net(ends, net))
            }
            Kind::Net => {
                let net = self.peek().and_then(net).ok_or_else(|| {
                    self.expected("a network ADDRESS/LENGTH with no bits beyond its length")
                })?;
                self.next += 1;
                Ok(Subject::Net(ends, net))
            }
            Kind::Port => {
                let port = self.number(u16::MAX, "a port (0 to 65535)")?;
                Ok(Subject::Ports(ends, port, port))
            }
            Kind::PortRange => {
                let range = self.peek().and_then(|word| word.split_once('-'));
                let range = range.and_then(|(first, last)| Some((decimal(first)?, decimal(last)?)));
                let (first, last) = range
                    .filter(|(first, last)| first <= last)
                    .ok_or_else(|| self.expected("two ports FIRST-LAST, the smaller first"))?;
                self.next += 1;
                Ok(Subject::Ports(ends, first, last))
            }
            Kind::Proto => {
                let named = [("tcp", 6), ("udp", 17), ("sctp", 132), ("icmp", 1), ("icmp6", 58)];
                let number = match self.take_any(&named) {
                    Some(number) => number,
                    None => self.number(255, "a protocol number (0 to 255)")?,
                };
                Ok(Subject::Proto(Protocol(u8::try_from(number).unwrap_or(u8::MAX))))
            }
        }
    }
}

fn bits(ip: IpAddr) -> u32 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// Digits only: no sign.
fn decimal(word: &str) -> Option<u16> {
    word.bytes().all(|octet| octet.is_ascii_digit()).then(|| word.parse().ok())?
}

fn net(word: &str) -> Option<Net> {
    let Some((address, length)) = word.split_once('/') else {
        let ip: IpAddr = word.parse().ok()?;
        return Net::new(ip, bits(ip));
    };
    Net::new(address.parse().ok()?, u32::from(decimal(length)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TCP 10.1.2.3:51000 → 192.0.2.7:443 in VLAN 12.
    fn tcp() -> Packet {
        Packet {
            source: Address::v4([10, 1, 2, 3]),
            destination: Address::v4([192, 0, 2, 7]),
            source_port: 51_000,
            destination_port: 443,
            protocol: Protocol::TCP,
            vlan_plus_one: 13,
            ..Packet::default()
        }
    }

    /// UDP `[2001:db8::1]`:53 → `[2001:db8::2]`:53 in no VLAN.
    fn udp6() -> Packet {
        let address = |text: &str| Address::from(text.parse::<IpAddr>().unwrap());
        Packet {
            source: address("2001:db8::1"),
            destination: address("2001:db8::2"),
            source_port: 53,
            destination_port: 53,
            protocol: Protocol::UDP,
            ..Packet::default()
        }
    }

    fn icmp() -> Packet {
        Packet { protocol: Protocol::ICMP, source_port: 0, destination_port: 0, ..tcp() }
    }

    fn check(text: &str, expected: [bool; 3]) {
        let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let passes = [tcp(), udp6(), icmp()].map(|packet| filter.passes(&packet));
        assert_eq!(passes, expected, "{text} for TCP, UDP over IPv6, ICMP");
    }

    fn check_error(text: &str, column: usize, expected: &str, found: &str) {
        match text.parse::<Filter>() {
            Err(Error::Filter { column: c, expected: e, found: f }) => {
                assert_eq!((c, f.as_str()), (column, found), "{text}: expected {e}");
                assert!(e.contains(expected), "{text}: {e}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn addresses() {
        check("host 10.1.2.3", [true, false, true]);
        check("src host 10.1.2.3", [true, false, true]);
        check("dst host 10.1.2.3", [false, false, false]);
        check("src 10.1.2.3", [true, false, true]);
        check("dst 2001:db8::2", [false, true, false]);
        check("host 2001:db8::2", [false, true, false]);
        check("net 10.0.0.0/8", [true, false, true]);
        check("net 10.1.2.0/23", [true, false, true]);
        check("net 10.1.4.0/23", [false, false, false]);
        check("src net 192.0.2.0/24", [false, false, false]);
        check("dst net 192.0.2.0/24", [true, false, true]);
        check("src and dst net 2001:db8::/126", [false, true, false]);
        check("src or dst net 192.0.2.0/24", [true, false, true]);
        check("net 0.0.0.0/0", [true, false, true]);
        check("net ::/0", [false, true, false]);
        check("net 10.1.2.3", [true, false, true]);
    }

    #[test]
    fn ports() {
        check("port 443", [true, false, false]);
        check("port 53", [false, true, false]);
        check("src port 443", [false, false, false]);
        check("dst port 443", [true, false, false]);
        check("tcp port 443", [true, false, false]);
        check("udp port 443", [false, false, false]);
        check("udp src and dst port 53", [false, true, false]);
        check("portrange 440-450", [true, false, false]);
        check("tcp dst portrange 443-443", [true, false, false]);
        check("portrange 0-65535", [true, true, false]);
        check("port 0", [false, false, false]);
    }

    #[test]
    fn kinds() {
        check("tcp", [true, false, false]);
        check("udp", [false, true, false]);
        check("icmp", [false, false, true]);
        check("icmp6", [false, false, false]);
        check("ip", [true, false, true]);
        check("ip6", [false, true, false]);
        check("proto 17", [false, true, false]);
        check("ip6 proto 17", [false, true, false]);
        check("ip proto udp", [false, false, false]);
        check("vlan", [true, false, true]);
        check("vlan 12", [true, false, true]);
        check("vlan 13", [false, false, false]);
        check("ip host 10.1.2.3", [true, false, true]);
    }

    #[test]
    fn joints() {
        check("tcp and port 443", [true, false, false]);
        check("tcp && port 53", [false, false, false]);
        check("tcp or udp", [true, true, false]);
        check("tcp||udp", [true, true, false]);
        check("not tcp", [false, true, true]);
        check("!tcp", [false, true, true]);
        check("! tcp and ip", [false, false, true]);
        check("not (tcp or ip6)", [false, false, true]);
        check("not not tcp", [true, false, false]);
        check("port 80 or 443", [true, false, false]);
        check("host 10.1.2.9 or 2001:db8::1", [false, true, false]);
        check("vlan and tcp", [true, false, false]);
        // Equal binding from left to right: (udp or tcp) and ip.
        check("udp or tcp and ip", [true, false, false]);
        check("udp or (tcp and ip)", [true, true, false]);
    }

    #[test]
    fn nonsense_is_told_with_its_column() {
        check_error("", 1, "`host`", "the end");
        check_error("tcp prot 443", 5, "`port`", "`prot`");
        check_error("tcp and", 8, "`host`", "the end");
        check_error("host example.org", 6, "address", "`example.org`");
        check_error("net 10.0.0.1/8", 5, "no bits beyond", "`10.0.0.1/8`");
        check_error("net 10.0.0.0/33", 5, "ADDRESS/LENGTH", "`10.0.0.0/33`");
        check_error("port 65536", 6, "65535", "`65536`");
        check_error("port +1", 6, "65535", "`+1`");
        check_error("portrange 5-4", 11, "smaller first", "`5-4`");
        check_error("(tcp", 5, "`)`", "the end");
        check_error("tcp)", 4, "the end", "`)`");
        check_error("tcp udp", 5, "`and`", "`udp`");
        check_error("vlan 4096", 6, "4095", "`4096`");
        check_error("proto 256", 7, "255", "`256`");
        check_error("tcp host 10.1.2.3", 5, "`port`", "`host`");
        check_error("port 80 & port 81", 9, "`and`", "`&`");
        check_error("ünd", 1, "`host`", "`ünd`");
        check_error("443", 1, "`host`", "`443`");
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| format!("{}tcp{}", "(".repeat(levels), ")".repeat(levels));
        check(&nested(NESTING_MAX - 1), [true, false, false]);
        check_error(&nested(NESTING_MAX), NESTING_MAX + 1, "nesting", "`tcp`");
        check_error(&"!".repeat(100_000), NESTING_MAX + 1, "nesting", "`!`");
        check(&format!("tcp{}", " and ip".repeat(100_000)), [true, false, false]);
    }
}
