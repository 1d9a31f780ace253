//! What a page shows of a flow at a glance, out of any table: with whom, how much, when, and how it moved.
//!
//! Columns are found by the spellings of the known tools; what none of them has is missing. Nothing here is an input of a model.

use std::borrow::Cow;
use std::collections::HashMap;

use flowgait_capture::Protocol;

use super::cell::{self, Cell};
use super::known::Known;
use super::spelling::{self, bare};
use crate::layout;
use crate::schema::{Feature, Schema};

/// Packets of a flow's gait that are kept: no known tool lists more.
pub const GAIT_MAX: usize = 64;
/// A longer text is no address.
const ADDRESS_OCTETS_MAX: usize = 64;
/// A longer text is no protocol.
const PROTOCOL_OCTETS_MAX: usize = 32;

/// Where a table tells of its flows.
#[derive(Clone, Debug, Default)]
pub struct Glance {
    server: Option<usize>,
    carrier: Option<usize>,
    fingerprint: Option<usize>,
    protocol: Option<usize>,
    up: Option<usize>,
    down: Option<usize>,
    start: Option<usize>,
    duration: Option<Duration>,
    gait: Option<Steps>,
}

/// What a duration follows from.
#[derive(Clone, Debug)]
enum Duration {
    /// A column, and how many seconds its unit is.
    Column(usize, f64),
    /// Columns with the first and the latest moment.
    Between(usize, usize),
    /// A number that a known table's columns come to.
    Known(Known, HashMap<String, usize>),
}

const KNOWN_DURATION: &str = "duration_seconds";

/// Where sizes and times of packets are.
#[derive(Clone, Debug)]
enum Steps {
    /// Our own lists: payloads and the gaps between them, and all packets, which tell when the first payload came.
    Own { sizes: usize, gaps: Option<usize>, packets: Option<(usize, usize)> },
    /// Lists of sizes and of directions, and of the milliseconds before each.
    Directed { sizes: usize, directions: usize, gaps: Option<usize> },
    /// A column for each packet's signed size.
    Numbered(Vec<usize>),
}

/// A flow at a glance; a number that is not there is NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Glimpse<'a> {
    /// The far end's address.
    pub server: Option<&'a str>,
    /// QUIC, TLS or DTLS where a handshake was seen, else what is above IP.
    pub protocol: Option<Cow<'a, str>>,
    /// Octets from the near end.
    pub octets_up: f64,
    /// Octets from the far end.
    pub octets_down: f64,
    /// Seconds from the first packet to the latest.
    pub duration: f64,
    /// Seconds since 1970 of the first packet.
    pub start: f64,
}

/// The first packets of a flow, as a list that is filled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gait {
    /// Octets, positive from the near end, negative from the far end.
    pub sizes: Vec<i16>,
    /// Seconds since the flow's first packet; NaN where the table does not tell.
    pub times: Vec<f32>,
}

/// What the sizes of a gait are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaitOf {
    /// Payload, of packets that bear some.
    Payload,
    /// Whole packets, of any that the tool listed.
    Packets,
}

impl Glance {
    /// Looks where a table with this header tells what.
    #[must_use]
    pub fn of(header: &[String]) -> Self {
        let bares: Vec<String> = header.iter().map(|name| bare(name)).collect();
        let named = |names: &[&str]| {
            names.iter().find_map(|name| bares.iter().position(|bare| bare == name))
        };
        let that = |is: fn(&str) -> bool| header.iter().position(|name| is(name));
        let known = Known::recognise(header);
        let start = that(spelling::is_start);
        let duration = named_duration(&bares, known)
            .or_else(|| Some(Duration::Between(start?, named(spelling::END)?)))
            .or_else(|| {
                let places: HashMap<String, usize> = header.iter().cloned().zip(0..).collect();
                known
                    .filter(|k| k.needs(KNOWN_DURATION).is_some())
                    .map(|k| Duration::Known(k, places))
            });
        Self {
            server: that(spelling::is_far_address),
            carrier: named(&["handshakecarrier"]),
            fingerprint: named(&["ja4", "clientfingerprint"]),
            protocol: named(spelling::PROTOCOL),
            up: named(spelling::OCTETS_UP),
            down: named(spelling::OCTETS_DOWN),
            start,
            duration,
            gait: steps(header),
        }
    }

    /// The columns that are looked at.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        let mut all: Vec<usize> = [
            self.server,
            self.carrier,
            self.fingerprint,
            self.protocol,
            self.up,
            self.down,
            self.start,
        ]
        .into_iter()
        .flatten()
        .collect();
        match &self.duration {
            Some(Duration::Column(place, _)) => all.push(*place),
            Some(Duration::Between(from, to)) => all.extend([*from, *to]),
            Some(Duration::Known(known, places)) => {
                let needs = known.needs(KNOWN_DURATION).into_iter().flatten();
                all.extend(needs.filter_map(|name| places.get(name)));
            }
            None => {}
        }
        match &self.gait {
            Some(Steps::Own { sizes, gaps, packets }) => {
                all.push(*sizes);
                all.extend(gaps);
                all.extend(packets.iter().flat_map(|(sizes, gaps)| [*sizes, *gaps]));
            }
            Some(Steps::Directed { sizes, directions, gaps }) => {
                all.extend([*sizes, *directions]);
                all.extend(gaps);
            }
            Some(Steps::Numbered(places)) => all.extend(places),
            None => {}
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What the sizes of gaits are of, where the table lists any.
    #[must_use]
    pub fn gait_of(&self) -> Option<GaitOf> {
        match self.gait {
            None => None,
            Some(Steps::Own { .. }) => Some(GaitOf::Payload),
            Some(Steps::Directed { .. } | Steps::Numbered(_)) => Some(GaitOf::Packets),
        }
    }

    /// A flow, from the cells of its row in the order of the header.
    #[must_use]
    pub fn at<'a>(&self, cells: &[&'a str]) -> Glimpse<'a> {
        let text = |place: Option<usize>| {
            let text = cells[place?].trim();
            (!cell::is_missing(text)).then_some(text)
        };
        let of = |place: Option<usize>| text(place).map_or(f64::NAN, number);
        let start = self.start.map_or(f64::NAN, |place| moment(cells[place]));
        let duration = match &self.duration {
            Some(Duration::Column(place, seconds)) => of(Some(*place)) * seconds,
            Some(Duration::Between(from, to)) => moment(cells[*to]) - moment(cells[*from]),
            Some(Duration::Known(known, places)) => {
                let value = |name: &str| places.get(name).map_or(f32::NAN, |&p| of(Some(p)) as f32);
                known.value(KNOWN_DURATION, value).into()
            }
            None => f64::NAN,
        };
        Glimpse {
            server: text(self.server).filter(|text| text.len() <= ADDRESS_OCTETS_MAX),
            protocol: self.protocol_of(text),
            octets_up: of(self.up),
            octets_down: of(self.down),
            duration: if duration >= 0.0 { duration } else { f64::NAN },
            start,
        }
    }

    /// What tells most of how a flow speaks.
    fn protocol_of<'a>(
        &self,
        text: impl Fn(Option<usize>) -> Option<&'a str>,
    ) -> Option<Cow<'a, str>> {
        match text(self.carrier) {
            Some("1") => return Some("TLS".into()),
            Some("2") => return Some("DTLS".into()),
            Some("3") => return Some("QUIC".into()),
            _ => {}
        }
        if let Some(carrier) = text(self.fingerprint).and_then(ja4_carrier) {
            return Some(carrier.into());
        }
        let text = text(self.protocol).filter(|text| text.len() <= PROTOCOL_OCTETS_MAX)?;
        let number = number(text);
        Some(if number.is_nan() {
            text.to_uppercase().into()
        } else if number.fract() == 0.0 && (0.0..256.0).contains(&number) {
            Protocol(number as u8).keyword()
        } else {
            text.into()
        })
    }

    /// Fills the gait of a flow; leaves it empty where the table tells nothing of it.
    pub fn gait(&self, cells: &[&str], gait: &mut Gait) {
        gait.sizes.clear();
        gait.times.clear();
        let Some(steps) = &self.gait else { return };
        let mut step = |size: i64, seconds: f64| {
            if size != 0 && gait.sizes.len() < GAIT_MAX {
                let most = i64::from(i16::MAX);
                gait.sizes.push(size.clamp(-most, most) as i16);
                gait.times.push(seconds as f32);
            }
        };
        let list = |place: usize| cell::integers(cells[place]).map_while(|value| value);
        match steps {
            Steps::Own { sizes, gaps: Some(gaps), packets } => {
                let first = packets.map_or(0.0, |(sizes, gaps)| first_at(list(sizes), list(gaps)));
                let mut micros = first;
                for (size, gap) in list(*sizes).zip(list(*gaps)) {
                    micros += gap as f64;
                    step(size, micros / 1e6);
                }
            }
            Steps::Own { sizes, gaps: None, .. } => {
                list(*sizes).for_each(|size| step(size, f64::NAN))
            }
            Steps::Directed { sizes, directions, gaps } => {
                let mut gaps = gaps.map(list);
                let mut millis = 0.0;
                for (size, direction) in list(*sizes).zip(list(*directions)) {
                    let gap = gaps.as_mut().map_or(Some(0), Iterator::next);
                    // Behind the last packet everything is -1.
                    if size < 0 || direction < 0 || gap.is_none_or(|gap| gap < 0) {
                        break;
                    }
                    millis += gap.unwrap_or_default() as f64;
                    let seconds = if gaps.is_some() { millis / 1e3 } else { f64::NAN };
                    step(if direction == 0 { size } else { -size }, seconds);
                }
            }
            Steps::Numbered(places) => {
                for &place in places {
                    let size = number(cells[place].trim());
                    step(if size.is_nan() { 0 } else { size as i64 }, f64::NAN);
                }
            }
        }
    }
}

fn named_duration(bares: &[String], known: Option<Known>) -> Option<Duration> {
    let place = |name: &str| bares.iter().position(|bare| bare == name);
    // What the same word means in different tools is told by the other columns.
    if let (Some(place), Some(Known::Iscxflowmeter)) = (place("duration"), known) {
        return Some(Duration::Column(place, 1e-6));
    }
    spelling::DURATION
        .iter()
        .find_map(|(name, seconds)| Some(Duration::Column(place(name)?, *seconds)))
}

/// Where a table lists its first packets.
fn steps(header: &[String]) -> Option<Steps> {
    let named = |name: &str| header.iter().position(|column| column == name);
    if let Some(sizes) = named("payload_octets_sequence") {
        let packets = Option::zip(named("packet_payload"), named("packet_gap_micros"));
        return Some(Steps::Own { sizes, gaps: named("payload_gap_micros_sequence"), packets });
    }
    if let (Some(sizes), Some(directions)) = (named("splt_ps"), named("splt_direction")) {
        return Some(Steps::Directed { sizes, directions, gaps: named("splt_piat_ms") });
    }
    let feature = |name: &String| Feature { name: name.clone(), unit: String::new() };
    let schema = Schema { name: String::new(), features: header.iter().map(feature).collect() };
    let lists = layout::together(&schema);
    let sizes = lists
        .into_iter()
        .find(|(stem, columns)| columns.len() > 1 && bare(stem) == "firstpacketsizes");
    sizes.map(|(_, columns)| Steps::Numbered(columns))
}

/// Microseconds from a flow's first packet to the first that bears payload; to the last of the list where none does.
fn first_at(payloads: impl Iterator<Item = i64>, gaps: impl Iterator<Item = i64>) -> f64 {
    let mut micros = 0.0;
    for (payload, gap) in payloads.zip(gaps) {
        micros += gap as f64;
        if payload != 0 {
            break;
        }
    }
    micros
}

/// What a JA4 fingerprint says the ClientHello came by; none where the text is no such fingerprint.
fn ja4_carrier(text: &str) -> Option<&'static str> {
    let is_ja4 = text.len() == 36 && text.bytes().filter(|&octet| octet == b'_').count() == 2;
    match text.bytes().next().filter(|_| is_ja4)? {
        b't' => Some("TLS"),
        b'q' => Some("QUIC"),
        b'd' => Some("DTLS"),
        _ => None,
    }
}

/// A number of 64 bits; NaN where a text is none.
fn number(text: &str) -> f64 {
    text.parse().ok().filter(|value: &f64| value.is_finite()).unwrap_or(f64::NAN)
}

/// Seconds since 1970; NaN where a text is no time.
fn moment(text: &str) -> f64 {
    match Cell::Text(text).time_micros() {
        Some(micros) => micros as f64 / 1e6,
        None => f64::NAN,
    }
}

#[cfg(test)]
mod tests;
