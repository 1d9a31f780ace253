//! The four-class table: the preset of the original federated demo, made row by row without packets.
//!
//! # Units
//! Columns: `packet_size` in octets, `gap` in milliseconds, `tcp` 1 for TCP and 0 for UDP, `bitrate` in kilobits per
//! second, `label`, and `client` (from 0). Each quantity is an independent normal, so a naive Bayes classifier comes
//! close to certainty, and a network learns nothing unless the columns are standardised first.

use std::io::{self, Write};

use crate::draw::{Chance, Purpose};
use crate::error::{Error, within};

/// One class: mean and deviation of each quantity, and how often it is TCP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Class {
    /// Its label.
    pub label: &'static str,
    /// Octets of a packet.
    pub packet_size: (f64, f64),
    /// Milliseconds between packets.
    pub gap: (f64, f64),
    /// Share of TCP.
    pub tcp: f64,
    /// Kilobits per second.
    pub bitrate: (f64, f64),
}

/// The classes. Source: the original demo's table.
pub const CLASSES: [Class; 4] = [
    Class {
        label: "Streaming",
        packet_size: (1_200.0, 200.0),
        gap: (5.0, 2.0),
        tcp: 0.80,
        bitrate: (5_000.0, 1_000.0),
    },
    Class {
        label: "VoIP",
        packet_size: (200.0, 50.0),
        gap: (20.0, 5.0),
        tcp: 0.10,
        bitrate: (100.0, 20.0),
    },
    Class {
        label: "Gaming",
        packet_size: (100.0, 30.0),
        gap: (10.0, 8.0),
        tcp: 0.50,
        bitrate: (500.0, 150.0),
    },
    Class {
        label: "Web Browsing",
        packet_size: (800.0, 400.0),
        gap: (500.0, 200.0),
        tcp: 0.95,
        bitrate: (1_000.0, 800.0),
    },
];

/// Least and most octets of a packet; what lies outside is put at the nearer end. Source: the original demo.
pub const PACKET_SIZE: (f64, f64) = (40.0, 1_500.0);
/// Least gap (ms) and least bit rate (kb/s): the normals go below zero, time and rate do not. Assumed.
pub const LEAST: (f64, f64) = (0.1, 1.0);
/// Share of a client's own class in the skewed split; the other three share the rest. Source: the original demo.
pub const SKEW: f64 = 0.7;
/// Most rows of one table.
pub const ROWS_MOST: u64 = 50_000_000;

/// How classes are spread over clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// All classes alike at every client.
    #[default]
    Iid,
    /// Class `client mod 4` with [`SKEW`], the others alike.
    Skewed,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Octets of a packet.
    pub packet_size: f64,
    /// Milliseconds between packets.
    pub gap: f64,
    /// Whether it is TCP.
    pub tcp: bool,
    /// Kilobits per second.
    pub bitrate: f64,
    /// Its class, by its place in [`CLASSES`].
    pub class: usize,
    /// Whose it is.
    pub client: u64,
}

impl Row {
    /// The four inputs, in the order of the columns.
    #[must_use]
    pub fn inputs(&self) -> [f64; 4] {
        [self.packet_size, self.gap, f64::from(u8::from(self.tcp)), self.bitrate]
    }

    /// Its label.
    #[must_use]
    pub fn label(&self) -> &'static str {
        CLASSES[self.class].label
    }
}

/// What a person may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    clients: u64,
    rows: u64,
    split: Split,
    seed: u64,
}

/// Parameters that were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidParams(Params);

impl Default for Params {
    fn default() -> Self {
        Self::new()
    }
}

impl Params {
    /// Three clients of 300 rows, all classes alike, seed 1: the original demo.
    #[must_use]
    pub fn new() -> Self {
        Self { clients: 3, rows: 300, split: Split::Iid, seed: 1 }
    }

    /// How many clients.
    #[must_use]
    pub fn clients(self, clients: u64) -> Self {
        Self { clients, ..self }
    }

    /// Rows of each client.
    #[must_use]
    pub fn rows(self, rows: u64) -> Self {
        Self { rows, ..self }
    }

    /// How classes are spread.
    #[must_use]
    pub fn split(self, split: Split) -> Self {
        Self { split, ..self }
    }

    /// The seed.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Checks every limit.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for the first that does not hold.
    pub fn check(self) -> Result<ValidParams, Error> {
        within("the number of clients", self.clients, 1, 1_000_000)?;
        within("the number of rows a client", self.rows, 1, ROWS_MOST)?;
        within("the number of rows", self.clients.saturating_mul(self.rows), 1, ROWS_MOST)?;
        Ok(ValidParams(self))
    }
}

impl ValidParams {
    /// The rows, client by client.
    pub fn rows(&self) -> impl Iterator<Item = Row> + use<> {
        let Params { clients, rows, split, seed } = self.0;
        (0..clients).flat_map(move |client| {
            let mut chance = Chance::new(seed, Purpose::Table, client);
            (0..rows).map(move |_| row(client, split, &mut chance))
        })
    }

    /// So many rows with all classes alike, of no client's stream: for testing.
    pub fn test_rows(&self, n: usize) -> impl Iterator<Item = Row> + use<> {
        let clients = self.0.clients;
        let mut chance = Chance::new(self.0.seed, Purpose::Table, u64::MAX);
        (0..n).map(move |_| row(clients, Split::Iid, &mut chance))
    }
}

fn row(client: u64, split: Split, chance: &mut Chance) -> Row {
    let own = (client % 4) as usize;
    let class = match split {
        Split::Iid => chance.below(4) as usize,
        Split::Skewed if chance.happens(SKEW) => own,
        Split::Skewed => (own + 1 + chance.below(3) as usize) % 4,
    };
    let of = &CLASSES[class];
    let mut normal = |(mean, sd)| chance.normal(mean, sd);
    let packet_size = normal(of.packet_size).clamp(PACKET_SIZE.0, PACKET_SIZE.1);
    let gap = normal(of.gap).max(LEAST.0);
    let bitrate = normal(of.bitrate).max(LEAST.1);
    Row { packet_size, gap, tcp: chance.happens(of.tcp), bitrate, class, client }
}

/// The columns of [`write_csv`].
pub const COLUMNS: [&str; 6] = ["packet_size", "gap", "tcp", "bitrate", "label", "client"];

/// Writes rows as CSV, three decimals a quantity.
///
/// # Errors
/// [`Error::Write`] when `out` refuses.
pub fn write_csv(rows: impl Iterator<Item = Row>, mut out: impl Write) -> Result<(), Error> {
    lines(rows, &mut out).map_err(|source| Error::Write { what: "table", source })
}

fn lines(rows: impl Iterator<Item = Row>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    for r in rows {
        let tcp = u8::from(r.tcp);
        let label = r.label();
        writeln!(
            out,
            "{:.3},{:.3},{tcp},{:.3},{label},{}",
            r.packet_size, r.gap, r.bitrate, r.client
        )?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_means_and_deviations() {
        let all: Vec<Row> = Params::new().rows(100_000).check().unwrap().rows().collect();
        for (k, class) in CLASSES.iter().enumerate() {
            let own: Vec<&Row> = all.iter().filter(|r| r.class == k).collect();
            let n = own.len() as f64;
            assert!((n / all.len() as f64 - 0.25).abs() < 0.01);
            let tcp = own.iter().filter(|r| r.tcp).count() as f64 / n;
            assert!((tcp - class.tcp).abs() < 0.01, "{tcp}");
            // Quantities that clipping hardly touches: those with their mean three deviations above the least.
            for (value, (mean, sd), least) in [
                (0, class.packet_size, PACKET_SIZE.0),
                (1, class.gap, LEAST.0),
                (3, class.bitrate, LEAST.1),
            ] {
                if mean - 2.9 * sd < least || (value == 0 && mean + 2.9 * sd > PACKET_SIZE.1) {
                    continue;
                }
                let m = own.iter().map(|r| r.inputs()[value]).sum::<f64>() / n;
                let v = own.iter().map(|r| (r.inputs()[value] - m).powi(2)).sum::<f64>() / n;
                assert!((m - mean).abs() < 0.02 * sd, "{} {value}: {m}", class.label);
                assert!(
                    (v.sqrt() / sd - 1.0).abs() < 0.02,
                    "{} {value}: {}",
                    class.label,
                    v.sqrt()
                );
            }
        }
        assert!(
            all.iter().all(|r| (40.0..=1_500.0).contains(&r.packet_size)
                && r.gap > 0.0
                && r.bitrate >= 1.0)
        );
    }

    #[test]
    fn the_skewed_split_gives_each_client_mostly_its_own_class() {
        let params = Params::new().clients(5).rows(20_000).split(Split::Skewed).check().unwrap();
        let mut count = [[0.0f64; 4]; 5];
        params.rows().for_each(|r| count[r.client as usize][r.class] += 1.0 / 20_000.0);
        for (client, shares) in count.iter().enumerate() {
            for (class, share) in shares.iter().enumerate() {
                let expected = if class == client % 4 { 0.7 } else { 0.1 };
                assert!((share - expected).abs() < 0.02, "client {client}: {shares:?}");
            }
        }
    }

    #[test]
    fn the_table_reads_as_it_should() {
        let params = Params::new().clients(2).rows(2).seed(5).check().unwrap();
        let mut out = Vec::new();
        write_csv(params.rows(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[0], "packet_size,gap,tcp,bitrate,label,client");
        assert!(lines.iter().all(|l| l.split(',').count() == 6));
        assert!(params.test_rows(3).all(|r| r.client == 2));
        assert!(Params::new().clients(0).check().is_err());
        assert!(Params::new().clients(100_000).rows(100_000).check().is_err());
    }
}
