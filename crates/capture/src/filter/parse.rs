//! Understands the words of a filter expression, or tells the column of the first that does not fit.

use std::net::IpAddr;

use super::{Ends, Family, Joint, Net, Node, Subject, Test};
use crate::error::Error;
use crate::packet::Protocol;

/// How deep parentheses and negations may nest.
pub(super) const NESTING_MAX: usize = 64;

/// The whole expression.
pub(super) fn parse(text: &str) -> Result<Node, Error> {
    let mut parser = Parser { tokens: tokens(text), next: 0, depth: 0, last: None };
    let node = parser.chain()?;
    if parser.peek().is_some() {
        return Err(parser.expected("`and`, `or` or the end"));
    }
    Ok(node)
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
        let is_operator = "()!&|<>=".contains(character);
        match tokens.last_mut() {
            Some(last) if joins && !is_operator => last.text.push(character),
            // The second half of an operator, right behind the first.
            Some(last) if last.column == index && is_pair(&last.text, character) => {
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

/// Whether two characters are one operator.
fn is_pair(first: &str, second: char) -> bool {
    matches!((first, second), ("&", '&') | ("|", '|') | ("<" | ">" | "=", '='))
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
        if let Some(subject) = self.octets()? {
            return Ok(Test { family: Family::Any, subject });
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
                    "`host`, `net`, `port`, `portrange`, `src`, `dst`, `tcp`, `udp`, `sctp`, `icmp`, `icmp6`, `ip`, `ip6`, `proto`, `vlan`, `len`, `less`, `greater`, `not` or `(`",
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

    /// What compares the length of a packet; none where nothing does.
    fn octets(&mut self) -> Result<Option<Subject>, Error> {
        const OCTETS: &str = "a number of octets (0 to 65535)";
        let (first, last) = if self.take(&["less"]) {
            (0, self.number(u16::MAX, OCTETS)?)
        } else if self.take(&["greater"]) {
            (self.number(u16::MAX, OCTETS)?, u16::MAX)
        } else if self.take(&["len"]) {
            self.compared()?.ok_or_else(|| self.expected("`<`, `<=`, `=`, `>=` or `>`"))?
        } else {
            return Ok(None);
        };
        Ok(Some(Subject::Octets(first, last)))
    }

    /// The first and the last number that a comparison allows; none where no sign of one stands here.
    fn compared(&mut self) -> Result<Option<(u16, u16)>, Error> {
        type Range = fn(u16) -> Option<(u16, u16)>;
        let signs: [(&str, Range); 6] = [
            ("<", |n| Some((0, n.checked_sub(1)?))),
            ("<=", |n| Some((0, n))),
            ("=", |n| Some((n, n))),
            ("==", |n| Some((n, n))),
            (">=", |n| Some((n, u16::MAX))),
            (">", |n| Some((n.checked_add(1)?, u16::MAX))),
        ];
        let Some(range) = self.take_any(&signs) else { return Ok(None) };
        let range = self.peek().and_then(decimal).and_then(range);
        let range = range.ok_or_else(|| {
            self.expected("a number from 0 to 65535 that has others on that side of it")
        })?;
        self.next += 1;
        Ok(Some(range))
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
                if let Some((first, last)) = self.compared()? {
                    return Ok(Subject::Ports(ends, first, last));
                }
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
