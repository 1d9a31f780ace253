//! Tables of other tools, known by their header: which numbers mean "nothing", and what their columns mean together.
//!
//! Derived columns stand behind the table's own, under [`DERIVED`] as their unit, and are computed in the same way when a model is
//! learnt and when it answers.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::schema::{DERIVED, Feature, SEQUENCE_LENGTH};

/// A table of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// The competition table of 2026.
    Radcom,
    /// NFStream's, with or without statistics and sequences.
    Nfstream,
    /// CICFlowMeter's, in any of its spellings.
    Cicflowmeter,
    /// That of ISCXFlowMeter, from which CICFlowMeter came: gaps and rates only, as the ISCX VPN and Tor data sets were published.
    Iscxflowmeter,
}

/// Columns by which each is known, without case, spaces and punctuation.
const MARKS: [(Known, &[&str]); 4] = [
    (
        Known::Radcom,
        &["fwdpacketslength", "firstpacketsizes0", "meandeltabyte", "countbigrequests"],
    ),
    (Known::Nfstream, &["bidirectionalpackets", "src2dstpackets", "dst2srcbytes"]),
    (Known::Cicflowmeter, &["flowduration", "flowiatmean", "fwdiattotal", "subflowfwdbytes"]),
    (Known::Iscxflowmeter, &["totalfiat", "totalbiat", "meanflowiat", "flowpktspersecond"]),
];

impl Known {
    /// Tells it from a header.
    pub(crate) fn recognise(header: &[String]) -> Option<Self> {
        let bare: Vec<String> = header.iter().map(|name| super::spelling::bare(name)).collect();
        let has = |mark: &&str| bare.iter().any(|name| name == mark);
        MARKS.iter().find(|(_, marks)| marks.iter().all(has)).map(|(known, _)| *known)
    }

    /// Of a model's schema.
    pub(crate) fn of_schema(name: &str) -> Option<Self> {
        MARKS.iter().map(|(known, _)| *known).find(|known| known.schema_name() == name)
    }

    /// Name and version of the schema of data sets that are read from it.
    pub(crate) fn schema_name(self) -> &'static str {
        match self {
            Self::Radcom => "radcom/1",
            Self::Nfstream => "nfstream/1",
            Self::Cicflowmeter => "cicflowmeter/1",
            Self::Iscxflowmeter => "iscxflowmeter/1",
        }
    }

    /// The names of the derived columns that can be computed from some columns.
    pub(crate) fn derived(self, features: &[Feature]) -> Vec<Feature> {
        let names: HashMap<&str, usize> = places(features);
        let possible =
            |derived: &&Derived| derived.from.iter().all(|name| names.contains_key(name.as_str()));
        // A table may have a column of that name; what it says stands.
        let free = |derived: &&Derived| !names.contains_key(derived.name.as_str());
        self.rows()
            .iter()
            .filter(possible)
            .filter(free)
            .map(|derived| Feature { name: derived.name.clone(), unit: DERIVED.to_owned() })
            .collect()
    }

    /// Makes the numbers that mean "nothing" missing, and computes the derived columns, which are there but empty.
    pub(crate) fn complete(self, features: &[Feature], columns: &mut [Vec<f32>], rows: usize) {
        let names = places(features);
        for (name, place) in &names {
            if let Some(nothing) = self.nothing(name) {
                columns[*place].iter_mut().filter(|v| nothing(**v)).for_each(|v| *v = f32::NAN);
            }
        }
        for derived in self.rows() {
            let from: Option<Vec<usize>> =
                derived.from.iter().map(|name| names.get(name.as_str()).copied()).collect();
            let to = names.get(derived.name.as_str()).copied();
            let to = to.filter(|&place| features[place].unit == DERIVED);
            let (Some(from), Some(to)) = (from, to) else { continue };
            let mut values = vec![0.0; from.len()];
            columns[to] = (0..rows)
                .map(|row| {
                    for (value, &place) in values.iter_mut().zip(&from) {
                        *value = columns[place][row];
                    }
                    let found = (derived.value)(&values);
                    if found.is_finite() { found } else { f32::NAN }
                })
                .collect();
        }
    }

    /// The columns that a derived one follows from, where this table has it.
    pub(crate) fn needs(self, derived: &str) -> Option<impl Iterator<Item = &'static str>> {
        let derived = self.rows().iter().find(|row| row.name == derived)?;
        Some(derived.from.iter().map(String::as_str))
    }

    /// A derived column's number in one row; NaN where it cannot be told.
    pub(crate) fn value(self, derived: &str, of: impl Fn(&str) -> f32) -> f32 {
        let Some(derived) = self.rows().iter().find(|row| row.name == derived) else {
            return f32::NAN;
        };
        let from: Vec<f32> = derived.from.iter().map(|name| of(name)).collect();
        let found = (derived.value)(&from);
        if found.is_finite() { found } else { f32::NAN }
    }

    /// Which numbers of a column mean that there is none.
    fn nothing(self, column: &str) -> Option<fn(f32) -> bool> {
        match self {
            // A shortest gap of 1,000 or 10,000 seconds stands where there was no gap.
            Self::Radcom if column.starts_with("min_") && column.ends_with("_arrival_time") => {
                Some(|value| value == 1_000.0 || value == 10_000.0)
            }
            // Sequences are filled up with -1.
            Self::Nfstream if column.starts_with("splt_") => Some(|value| value < 0.0),
            // Windows of a side that sent nothing are -1.
            Self::Cicflowmeter if super::spelling::bare(column).contains("win") => {
                Some(|value| value < 0.0)
            }
            // Of a side without two packets, and of a flow that never paused, gaps and pauses are -1.
            Self::Iscxflowmeter => Some(|value| value == -1.0),
            _ => None,
        }
    }

    fn rows(self) -> &'static [Derived] {
        match self {
            Self::Radcom => &DERIVED_OF_RADCOM,
            Self::Nfstream => &DERIVED_OF_NFSTREAM,
            Self::Cicflowmeter => &[],
            Self::Iscxflowmeter => &DERIVED_OF_ISCXFLOWMETER,
        }
    }
}

fn places(features: &[Feature]) -> HashMap<&str, usize> {
    features.iter().zip(0..).map(|(feature, place)| (feature.name.as_str(), place)).collect()
}

/// A number that follows from others.
struct Derived {
    name: String,
    from: Vec<String>,
    /// From the values of `from`, any of which may be missing (NaN).
    value: fn(&[f32]) -> f32,
}

static DERIVED_OF_RADCOM: LazyLock<Vec<Derived>> = LazyLock::new(|| derived(RADCOM));
static DERIVED_OF_ISCXFLOWMETER: LazyLock<Vec<Derived>> = LazyLock::new(|| derived(ISCXFLOWMETER));

fn derived(rows: &[Row]) -> Vec<Derived> {
    let derived = |&(name, from, value): &Row| Derived {
        name: name.to_owned(),
        from: from.iter().map(|&name| name.to_owned()).collect(),
        value,
    };
    rows.iter().map(derived).collect()
}

/// Sequences of sizes and of directions are one of signed sizes.
static DERIVED_OF_NFSTREAM: LazyLock<Vec<Derived>> = LazyLock::new(|| {
    let derived = |place| Derived {
        name: format!("signed_size_{place}"),
        from: vec![format!("splt_ps_{place}"), format!("splt_direction_{place}")],
        // 0 is from the initiator, 1 from the responder.
        value: |v| if v[1] == 0.0 { v[0] } else { -v[0] * v[1] },
    };
    (0..SEQUENCE_LENGTH).map(derived).collect()
});

type Row = (&'static str, &'static [&'static str], fn(&[f32]) -> f32);

/// Their counts of packets are called lengths, and octets are in no column.
#[rustfmt::skip]
const RADCOM: &[Row] = &[
    ("packets", &["fwd_packets_length", "bwd_packets_length"], |v| v[0] + v[1]),
    ("octets", &["mean_packet_size", "fwd_packets_length", "bwd_packets_length"], |v| v[0] * (v[1] + v[2])),
    ("duration_seconds", &["fwd_packets_length", "pps_fwd"], |v| v[0] / v[1]),
    ("octets_per_second", &["mean_packet_size", "fwd_packets_length", "bwd_packets_length", "pps_fwd"], |v| v[0] * (v[1] + v[2]) * v[3] / v[1]),
    ("packets_per_second", &["pps_fwd", "pps_bwd"], |v| v[0] + v[1]),
    ("share_of_packets_forward", &["fwd_packets_length", "bwd_packets_length"], |v| v[0] / (v[0] + v[1])),
    ("silences_per_packet", &["silence_windows", "fwd_packets_length", "bwd_packets_length"], |v| v[0] / (v[1] + v[2])),
    ("big_requests_per_packet", &["count_big_requests", "fwd_packets_length"], |v| v[0] / v[1]),
    ("size_variation", &["STD_packet_size", "mean_packet_size"], |v| v[0] / v[1]),
    ("delta_variation", &["STD_delta_byte", "mean_delta_byte"], |v| v[0] / v[1]),
    ("share_of_largest_burst", &["bpp_0", "mean_packet_size", "fwd_packets_length", "bwd_packets_length"], |v| v[0] / (v[1] * (v[2] + v[3]))),
    ("burst_fall", &["bpp_1", "bpp_0"], |v| v[0] / v[1]),
];

/// The published tables name gaps one place off: `total_` holds the shortest, `min_` the longest, `max_` the mean and `mean_` the
/// deviation of a side's gaps. So read, they ascend in every row of ISCX VPN 15 s but for rounding, and both sides' gaps add up to
/// the packets that rate and duration give. Durations and gaps are in microseconds.
#[rustfmt::skip]
const ISCXFLOWMETER: &[Row] = &[
    ("octets_per_packet", &["flowBytesPerSecond", "flowPktsPerSecond"], |v| v[0] / v[1]),
    ("packets", &["flowPktsPerSecond", "duration"], |v| v[0] * v[1] / 1e6),
    ("octets", &["flowBytesPerSecond", "duration"], |v| v[0] * v[1] / 1e6),
    ("gaps_forward", &["duration", "max_fiat"], |v| v[0] / v[1]),
    ("gaps_backward", &["duration", "max_biat"], |v| v[0] / v[1]),
    ("share_of_gaps_forward", &["max_fiat", "max_biat"], |v| v[1] / (v[0] + v[1])),
    ("gap_variation", &["std_flowiat", "mean_flowiat"], |v| v[0] / v[1]),
    ("gap_variation_forward", &["mean_fiat", "max_fiat"], |v| v[0] / v[1]),
    ("gap_variation_backward", &["mean_biat", "max_biat"], |v| v[0] / v[1]),
    ("longest_gap_by_mean_forward", &["min_fiat", "max_fiat"], |v| v[0] / v[1]),
    ("longest_gap_by_mean_backward", &["min_biat", "max_biat"], |v| v[0] / v[1]),
    ("share_of_longest_gap", &["max_flowiat", "duration"], |v| v[0] / v[1]),
];
