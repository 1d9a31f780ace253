//! What is known of flows after their first k packets, for "accuracy after k packets".

use super::early::Early;
use crate::Error;
use crate::dataset::Dataset;
use crate::schema::{Feature, SEQUENCE_LENGTH, Schema};

/// The data set that knows only the first `packets` packets of each flow.
///
/// From a data set with the flow table's sequence columns: the sequences, cut, and sizes and gaps of those packets by direction, computed anew from them.
/// Every column about the flow as a whole is left out, the protocol apart, which the first packet tells. Labels, groups and times stay.
///
/// # Units
/// As in the flow table; the statistics' names begin with `prefix_`.
/// # Errors
/// [`Error::NoSequence`] when a sequence column is missing.
pub fn prefix(dataset: &Dataset, packets: usize) -> Result<Dataset, Error> {
    let packets = packets.clamp(1, SEQUENCE_LENGTH);
    let rows: Vec<u32> = (0..dataset.rows as u32).collect();
    // Places of payload-bearing packets that are not among the first are missing already.
    let known = Early::of(&dataset.schema)?.after(&dataset.columns, &rows, packets);
    let sequence = |name: &str| sequence(&dataset.schema, &known, name, packets);
    let lists = Lists {
        octets: sequence("packet_octets")?,
        payload: sequence("packet_payload")?,
        gaps: sequence("packet_gap_micros")?,
    };
    let windows = sequence("packet_window")?;
    let payload_octets = sequence("payload_octets_sequence")?;
    let payload_gaps = sequence("payload_gap_micros_sequence")?;

    let mut features = Vec::new();
    let mut columns = Vec::new();
    let mut add = |name: String, unit: &str, values: Vec<f32>| {
        features.push(Feature { name, unit: unit.to_string() });
        columns.push(values);
    };
    if let Some(place) = dataset.schema.position("protocol") {
        add("protocol".to_string(), "number", dataset.columns[place].clone());
    }
    for (name, unit, list) in [
        ("packet_octets", "octets", &lists.octets),
        ("packet_payload", "octets", &lists.payload),
        ("packet_gap_micros", "micros", &lists.gaps),
        ("packet_window", "octets", &windows),
        ("payload_octets_sequence", "octets", &payload_octets),
        ("payload_gap_micros_sequence", "micros", &payload_gaps),
    ] {
        for (place, values) in list.iter().enumerate() {
            add(format!("{name}_{place}"), unit, values.to_vec());
        }
    }
    let statistics = lists.statistics(dataset.rows);
    for (place, (name, unit)) in STATISTICS.iter().enumerate() {
        let values = statistics.iter().map(|row| row[place]).collect();
        add(format!("prefix_{name}"), unit, values);
    }
    let schema = Schema { name: format!("{}/first-{packets}", dataset.schema.name), features };
    let (labels, groups, times) =
        (dataset.labels.clone(), dataset.groups.clone(), dataset.times.clone());
    Ok(Dataset { schema, columns, labels, groups, times, rows: dataset.rows })
}

/// The first places of a sequence.
fn sequence<'a>(
    schema: &Schema,
    columns: &'a [Vec<f32>],
    name: &str,
    packets: usize,
) -> Result<Vec<&'a [f32]>, Error> {
    (0..packets)
        .map(|place| {
            let column = format!("{name}_{place}");
            match schema.position(&column) {
                Some(found) => Ok(columns[found].as_slice()),
                None => Err(Error::NoSequence { column }),
            }
        })
        .collect()
}

/// The sequences that the statistics come from, place by place.
struct Lists<'a> {
    octets: Vec<&'a [f32]>,
    payload: Vec<&'a [f32]>,
    gaps: Vec<&'a [f32]>,
}

const VALUES: usize = 25;

#[rustfmt::skip]
pub(super) const STATISTICS: [(&str, &str); VALUES] = [
    ("duration_micros", "micros"),
    ("forward_packets", "packets"), ("forward_octets", "octets"), ("forward_packet_min_octets", "octets"), ("forward_packet_max_octets", "octets"),
    ("forward_packet_mean_octets", "octets"), ("forward_packet_sd_octets", "octets"), ("forward_payload_octets", "octets"),
    ("backward_packets", "packets"), ("backward_octets", "octets"), ("backward_packet_min_octets", "octets"), ("backward_packet_max_octets", "octets"),
    ("backward_packet_mean_octets", "octets"), ("backward_packet_sd_octets", "octets"), ("backward_payload_octets", "octets"),
    ("both_packets", "packets"), ("both_octets", "octets"), ("both_packet_mean_octets", "octets"), ("both_packet_sd_octets", "octets"),
    ("both_gap_min_micros", "micros"), ("both_gap_max_micros", "micros"), ("both_gap_mean_micros", "micros"), ("both_gap_sd_micros", "micros"),
    ("forward_share_octets", "share"), ("both_octets_per_second", "octets per second"),
];

impl Lists<'_> {
    fn statistics(&self, rows: usize) -> Vec<[f32; VALUES]> {
        (0..rows).map(|row| self.row(row)).collect()
    }

    fn row(&self, row: usize) -> [f32; VALUES] {
        let (mut forward, mut backward, mut both, mut gaps) = <(Sum, Sum, Sum, Sum)>::default();
        let (mut payload_forward, mut payload_backward) = (0.0, 0.0);
        for (place, octets) in self.octets.iter().enumerate() {
            let octets = f64::from(octets[row]);
            if octets.is_nan() {
                break;
            }
            let payload = f64::from(self.payload[place][row]).abs();
            let (side, payload_side) = if octets >= 0.0 {
                (&mut forward, &mut payload_forward)
            } else {
                (&mut backward, &mut payload_backward)
            };
            side.push(octets.abs());
            *payload_side += payload;
            both.push(octets.abs());
            if place > 0 {
                gaps.push(self.gaps[place][row].into());
            }
        }
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { f64::NAN };
        let [f, b, a, g] = [&forward, &backward, &both, &gaps];
        [
            g.sum,
            f.count,
            f.sum,
            f.min(),
            f.max(),
            f.mean(),
            f.sd(),
            payload_forward,
            b.count,
            b.sum,
            b.min(),
            b.max(),
            b.mean(),
            b.sd(),
            payload_backward,
            a.count,
            a.sum,
            a.mean(),
            a.sd(),
            g.min(),
            g.max(),
            g.mean(),
            g.sd(),
            share(f.sum, a.sum),
            share(a.sum * 1e6, g.sum),
        ]
        .map(super::float)
    }
}

/// Few values, so their squares are summed around the mean at the end.
#[derive(Default)]
struct Sum {
    count: f64,
    sum: f64,
    values: Vec<f64>,
}

impl Sum {
    fn push(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
        self.values.push(value);
    }

    fn min(&self) -> f64 {
        self.values.iter().copied().fold(f64::NAN, f64::min)
    }

    fn max(&self) -> f64 {
        self.values.iter().copied().fold(f64::NAN, f64::max)
    }

    fn mean(&self) -> f64 {
        self.sum / self.count
    }

    fn sd(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.values.iter().map(|value| (value - mean).powi(2)).sum();
        if self.count > 1.0 { (squares / (self.count - 1.0)).sqrt() } else { f64::NAN }
    }
}
