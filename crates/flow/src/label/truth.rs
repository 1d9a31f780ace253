//! Labels by a table that says which flow is what.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use flowgait_capture::{Address, Protocol};

use super::{Label, LabelSource, time_micros};
use crate::record::Endpoint;
use crate::{Error, FlowRecord};

/// How far a row's start may lie outside a flow that it still belongs to: clocks differ, and some tools round to the second.
const SLACK_MICROS: i64 = 1_000_000;

/// A truth table: CSV with the columns `capture`, `transport`, `source_address`, `source_port`, `destination_address`, `destination_port`, `start`,
/// `application`, `category`, in any order, other columns ignored.
///
/// - A row fits a flow of the same capture (an empty or missing `capture` fits any), transport and ends, whichever end comes first.
/// - `start` (seconds since 1970 or ISO 8601) may be empty or missing. Where ends were used again, rows whose start lies within the flow, give or take a
///   second, go before the others; then the nearest row before the flow, whose later piece it may be; then the nearest behind it.
/// - When the rows that fit a flow best say different things, the flow gets no label, and both are counted as ambiguous.
///
/// Some other spellings of the columns are read too, among them those of nDPI-style tables (`l4`, `ip_a`, `port_a`, `app`, …).
#[derive(Debug, Default)]
pub struct TruthTable {
    rows: Vec<Row>,
    by_ends: HashMap<Key, Vec<u32>>,
    unreadable: Vec<TruthRow>,
    flows: u64,
    flows_labelled: u64,
    flows_ambiguous: u64,
}

/// What a truth table labelled, and what it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TruthReport {
    /// Rows of the table that name an application and can be read.
    pub rows: u64,
    /// Rows with a cell that is no address, port, transport or time, and what is wrong with it.
    pub rows_unreadable: Vec<TruthRow>,
    /// Rows that labelled a flow.
    pub rows_matched: u64,
    /// Rows that fitted a flow as well as another row that says something else, and labelled none.
    pub rows_ambiguous: Vec<TruthRow>,
    /// Rows that fitted no flow.
    pub rows_unmatched: Vec<TruthRow>,
    /// Flows seen.
    pub flows: u64,
    /// Flows that got a label.
    pub flows_labelled: u64,
    /// Flows whose best rows say different things.
    pub flows_ambiguous: u64,
}

/// A row of a truth table, for a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthRow {
    /// Line in the file, from 1.
    pub line: u64,
    /// The row's capture, ends and application; or what is wrong with it.
    pub text: String,
}

#[derive(Debug)]
struct Row {
    line: u64,
    capture: Option<Arc<str>>,
    key: Key,
    start_micros: Option<i64>,
    application: Arc<str>,
    category: Option<Arc<str>>,
    used: Used,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Used {
    No,
    Ambiguous,
    Yes,
}

/// A flow's ends without a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    protocol: Protocol,
    low: Endpoint,
    high: Endpoint,
}

impl Key {
    fn new(protocol: Protocol, a: Endpoint, b: Endpoint) -> Self {
        Self { protocol, low: a.min(b), high: a.max(b) }
    }
}

impl TruthTable {
    /// Reads a truth table.
    ///
    /// # Errors
    /// [`Error::ReadLabels`] when the file is not readable CSV, [`Error::LabelColumn`] when a column is missing. A row with a bad cell is no error: it is
    /// left out and listed in the report.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::ReadLabels { path: path.to_path_buf(), source };
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(failed)?;
        let columns = Columns::find(reader.headers().map_err(failed)?, path)?;
        let mut table = Self::default();
        let mut texts = Texts::default();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(failed)? {
            let line = record.position().map_or(0, csv::Position::line);
            match columns.row(&Cells { path, line, record: &record }, &mut texts) {
                Ok(None) => {}
                Ok(Some(row)) => {
                    let place = u32::try_from(table.rows.len()).expect("fewer rows than 2^32");
                    table.by_ends.entry(row.key).or_default().push(place);
                    table.rows.push(row);
                }
                // One bad row among thousands must not cost the others; it is counted and named.
                Err(error) => table.unreadable.push(TruthRow { line, text: error.to_string() }),
            }
        }
        Ok(table)
    }

    pub(super) fn label(&mut self, record: &FlowRecord) -> Option<Label> {
        self.flows += 1;
        let key = Key::new(record.protocol, record.initiator, record.responder);
        let best = best_rows(&self.rows, self.by_ends.get(&key)?, record);
        let &first = best.first()?;
        let says = |row: &Row| (row.application.clone(), row.category.clone());
        let (application, category) = says(&self.rows[first as usize]);
        let agree = best
            .iter()
            .all(|&row| says(&self.rows[row as usize]) == (application.clone(), category.clone()));
        let used = if agree { Used::Yes } else { Used::Ambiguous };
        for row in best {
            let row = &mut self.rows[row as usize];
            row.used = row.used.max(used);
        }
        if !agree {
            self.flows_ambiguous += 1;
            return None;
        }
        self.flows_labelled += 1;
        Some(Label { application, category, source: LabelSource::Truth })
    }

    pub(super) fn report(&self) -> TruthReport {
        let with = |used| self.rows.iter().filter(move |row| row.used == used);
        TruthReport {
            rows: self.rows.len() as u64,
            rows_unreadable: self.unreadable.clone(),
            rows_matched: with(Used::Yes).count() as u64,
            rows_ambiguous: with(Used::Ambiguous).map(Row::shown).collect(),
            rows_unmatched: with(Used::No).map(Row::shown).collect(),
            flows: self.flows,
            flows_labelled: self.flows_labelled,
            flows_ambiguous: self.flows_ambiguous,
        }
    }
}

impl Row {
    fn shown(&self) -> TruthRow {
        let Key { protocol, low, high } = self.key;
        let ends = format!("{}:{} {}:{}", low.address, low.port, high.address, high.port);
        let capture = self.capture.as_deref().unwrap_or("any capture");
        let protocol = match protocol {
            Protocol::TCP => "tcp".to_string(),
            Protocol::UDP => "udp".to_string(),
            Protocol(number) => number.to_string(),
        };
        TruthRow {
            line: self.line,
            text: format!("{capture} {protocol} {ends} {}", self.application),
        }
    }
}

/// Of the rows with the flow's ends, those that fit it best; several only where nothing tells them apart.
fn best_rows(rows: &[Row], places: &[u32], record: &FlowRecord) -> Vec<u32> {
    let (start, end) = (record.start.micros(), record.end.micros());
    let rank = |row: &Row| match row.start_micros {
        // A row without a start fits every flow of its ends.
        None => (0, 0),
        Some(at) if at < start.saturating_sub(SLACK_MICROS) => (1, start.saturating_sub(at)),
        Some(at) if at > end.saturating_add(SLACK_MICROS) => (2, at.saturating_sub(end)),
        Some(_) => (0, 0),
    };
    let fitting = || {
        let capture = |row: &&u32| {
            let row = &rows[**row as usize];
            row.capture.as_ref().is_none_or(|capture| *capture == record.capture)
        };
        places.iter().filter(capture)
    };
    let nearest = fitting().map(|&row| rank(&rows[row as usize])).min();
    fitting().copied().filter(|&row| Some(rank(&rows[row as usize])) == nearest).collect()
}

/// One text for each distinct label, so that a hundred thousand rows share a few.
#[derive(Default)]
struct Texts(HashMap<String, Arc<str>>);

impl Texts {
    fn get(&mut self, text: &str) -> Option<Arc<str>> {
        if text.is_empty() {
            return None;
        }
        if let Some(found) = self.0.get(text) {
            return Some(found.clone());
        }
        let shared: Arc<str> = text.into();
        self.0.insert(text.to_string(), shared.clone());
        Some(shared)
    }
}

/// Where the columns are.
struct Columns {
    capture: Option<usize>,
    transport: usize,
    ends: [(usize, Option<usize>); 2],
    start: Option<usize>,
    application: usize,
    category: Option<usize>,
}

/// A line of the table, for its cells and for errors.
struct Cells<'a> {
    path: &'a Path,
    line: u64,
    record: &'a csv::StringRecord,
}

const CAPTURE: &[&str] = &["capture", "file", "pcap"];
const TRANSPORT: &[&str] = &["transport", "protocol", "proto", "l4"];
const ADDRESS_A: &[&str] =
    &["source_address", "initiator_address", "src_ip", "source_ip", "client_ip", "ip_a"];
const PORT_A: &[&str] = &["source_port", "initiator_port", "src_port", "client_port", "port_a"];
const ADDRESS_B: &[&str] =
    &["destination_address", "responder_address", "dst_ip", "destination_ip", "server_ip", "ip_b"];
const PORT_B: &[&str] =
    &["destination_port", "responder_port", "dst_port", "server_port", "port_b"];
const START: &[&str] = &["start", "start_epoch", "start_time", "timestamp"];
const APPLICATION: &[&str] = &["application", "app", "label"];
const CATEGORY: &[&str] = &["category"];

impl Columns {
    fn find(header: &csv::StringRecord, path: &Path) -> Result<Self, Error> {
        let bare = |name: &str| {
            name.trim_start_matches('\u{feff}').trim().to_ascii_lowercase().replace([' ', '-'], "_")
        };
        let names: Vec<String> = header.iter().map(bare).collect();
        // The first spelling goes before the others, wherever it stands.
        let find = |spellings: &[&str]| {
            spellings.iter().find_map(|spelling| names.iter().position(|name| name == spelling))
        };
        let need = |spellings: &[&str]| {
            find(spellings).ok_or_else(|| Error::LabelColumn {
                path: path.to_path_buf(),
                column: spellings.join(" or "),
                found: names.join(", "),
            })
        };
        Ok(Self {
            capture: find(CAPTURE),
            transport: need(TRANSPORT)?,
            ends: [(need(ADDRESS_A)?, find(PORT_A)), (need(ADDRESS_B)?, find(PORT_B))],
            start: find(START),
            application: need(APPLICATION)?,
            category: find(CATEGORY),
        })
    }

    /// The row, `None` when it names no application.
    fn row(&self, cells: &Cells<'_>, texts: &mut Texts) -> Result<Option<Row>, Error> {
        let text = |column: Option<usize>| column.and_then(|c| cells.record.get(c)).unwrap_or("");
        let Some(application) = texts.get(text(Some(self.application))) else { return Ok(None) };
        let [a, b] = self.ends.map(|(address, port)| cells.endpoint(address, port));
        let transport = text(Some(self.transport));
        let protocol = protocol(transport).ok_or_else(|| {
            cells.error(
                TRANSPORT[0],
                transport,
                "a transport (tcp, udp, or an IANA protocol number)",
            )
        })?;
        let start = text(self.start);
        let start_micros = match start {
            "" => None,
            start => Some(time_micros(start).ok_or_else(|| {
                cells.error(START[0], start, "a time (seconds since 1970, or 2026-11-21T08:00:00Z)")
            })?),
        };
        // The capture's name without folders, as records have it.
        let capture = text(self.capture).rsplit(['/', '\\']).next().unwrap_or("");
        Ok(Some(Row {
            line: cells.line,
            capture: texts.get(capture),
            key: Key::new(protocol, a?, b?),
            start_micros,
            application,
            category: texts.get(text(self.category)),
            used: Used::No,
        }))
    }
}

impl Cells<'_> {
    fn endpoint(&self, address: usize, port: Option<usize>) -> Result<Endpoint, Error> {
        let text = self.record.get(address).unwrap_or("");
        let ip: IpAddr = text
            .trim_matches(['[', ']'])
            .parse()
            .map_err(|_| self.error("address", text, "an IPv4 or IPv6 address"))?;
        let port = match port.and_then(|column| self.record.get(column)).unwrap_or("") {
            "" => 0,
            text => text.parse().map_err(|_| self.error("port", text, "a port (0 to 65535)"))?,
        };
        Ok(Endpoint { address: Address::from(ip), port })
    }

    fn error(&self, column: &str, value: &str, expected: &'static str) -> Error {
        Error::LabelCell {
            path: self.path.to_path_buf(),
            line: self.line,
            column: column.to_string(),
            value: value.to_string(),
            expected,
        }
    }
}

fn protocol(text: &str) -> Option<Protocol> {
    match text.to_ascii_lowercase().as_str() {
        "tcp" => Some(Protocol::TCP),
        "udp" => Some(Protocol::UDP),
        "icmp" => Some(Protocol(1)),
        "igmp" => Some(Protocol(2)),
        "icmpv6" | "icmp6" => Some(Protocol(58)),
        "gre" => Some(Protocol(47)),
        "esp" => Some(Protocol(50)),
        "ospf" => Some(Protocol(89)),
        "vrrp" => Some(Protocol(112)),
        "pgm" => Some(Protocol(113)),
        "sctp" => Some(Protocol(132)),
        number => number.parse().ok().map(Protocol),
    }
}
