//! Which packets to give: a small part of the usual capture-filter words, with their usual meaning.

mod parse;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::error::Error;
use crate::packet::{Address, Packet, Protocol};

/// Protocols whose packets have ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

/// A filter expression that was understood.
///
/// | words | a packet passes when |
/// | --- | --- |
/// | `host A`, `src host A`, `dst host A`, `src A`, `dst A` | an address (the sender's, the receiver's) is A, IPv4 or IPv6; no names |
/// | `net A/LEN`, `src net …`, `dst net …` | an address lies in the network |
/// | `port N`, `src port N`, `dst port N`, `portrange N-M` | a port is N (from N to M) |
/// | `port < N`, `<=`, `=`, `>=`, `>` | a port compares so |
/// | `len < N`, `<=`, `=`, `>=`, `>`; `less N` (`len <= N`), `greater N` (`len >= N`) | the IP packet's octets, its header among them, compare so |
/// | `tcp port N`, `udp portrange N-M`, `ip host A`, `ip6 net …` | both hold |
/// | `tcp`, `udp`, `sctp`, `icmp`, `icmp6`, `ip`, `ip6`, `proto N`, `ip proto N`, `ip6 proto N` | the protocol, or the version of IP, is that |
/// | `vlan`, `vlan N` | the frame had a VLAN tag (the outermost was N) |
/// | `not X`, `! X`, `X and Y`, `X && Y`, `X or Y`, `X \|\| Y`, `( X )` | as they say |
///
/// As in `pcap-filter(7)`, `and` and `or` bind equally and from left to right, `not` binds tighter, and the words before a value need not be
/// repeated: `port 80 or 443`. Also `src or dst` and `src and dst` may stand where `src` may. Unlike there, the innermost packet of a tunnel is what
/// is looked at, `len` is without the frame around it, comparisons are of `port` and `len` with a number, and `vlan` does not change what the words behind it mean.
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
        let node = parse::parse(text)?;
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
    Octets(u16, u16),
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
                Subject::Octets(first, last) => (first..=last).contains(&packet.ip_octets),
            }
    }
}

#[cfg(test)]
mod tests;
