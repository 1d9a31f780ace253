//! Session fingerprints: times whose exact values come back in other rows, and almost only in rows of the same label.
//!
//! No two flows have the same gap to the microsecond by chance. Where a table's time is the same in several rows, it was measured once
//! for all of them (over a session, or a host) and tells which session a row is from; a model that learns it knows the sessions of its
//! training rows and nothing else. Tables of our own meter are not looked at, nor are the places of lists: each of those was measured
//! for its flow alone, and a timer in an application may well fire to the microsecond.

use std::collections::HashMap;

use crate::dataset::Dataset;
use crate::layout;
use crate::schema::FLOW_SCHEMA;
use crate::table::spelling;

/// A share of rows this large must have a twin.
const TWINS_MIN: f64 = 0.1;
/// Fewer rows with a twin than this may be an accident.
const TWIN_ROWS_MIN: usize = 20;
/// A share of twins this large must have the same label.
const WITHIN_MIN: f64 = 0.9;
/// More rows than this with one value are no session but a timer or a limit of the tool.
const GROUP_ROWS_MAX: usize = 50;

/// A column that tells the session.
#[derive(Clone, Debug, PartialEq)]
pub struct Fingerprint {
    /// Its place in the schema.
    pub column: usize,
    /// The share of its rows whose exact value another row has too.
    pub twins: f64,
    /// The share of pairs of such rows that have the same label.
    pub within: f64,
}

/// The columns of a labelled data set that tell the session.
#[must_use]
pub fn fingerprints(dataset: &Dataset) -> Vec<Fingerprint> {
    let Some(labels) = &dataset.labels else { return Vec::new() };
    if dataset.schema.name == FLOW_SCHEMA {
        return Vec::new();
    }
    let alone = layout::together(&dataset.schema);
    let alone: Vec<usize> =
        alone.into_iter().filter(|(_, c)| c.len() == 1).map(|(_, c)| c[0]).collect();
    let mut counts = vec![0.0_f64; labels.values.len()];
    labels.codes.iter().for_each(|&code| counts[code as usize] += 1.0);
    let chance: f64 = counts.iter().map(|n| (n / dataset.rows as f64).powi(2)).sum();
    let features = dataset.schema.features.iter().zip(&dataset.columns).enumerate();
    features
        .filter(|(column, (feature, _))| {
            spelling::is_length_of_time(&feature.name) && alone.contains(column)
        })
        .filter_map(|(column, (_, values))| {
            let (twins, within) = look(values, &labels.codes)?;
            // Where one label has nearly all rows, twins of one label say nothing.
            let tells = within >= WITHIN_MIN && within - chance > (1.0 - chance) / 2.0;
            (twins >= TWINS_MIN && tells).then_some(Fingerprint { column, twins, within })
        })
        .collect()
}

/// The share of rows with a twin, and the share of pairs of twins with the same label.
fn look(values: &[f32], codes: &[u32]) -> Option<(f64, f64)> {
    let mut rows_of: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut known = 0_usize;
    for (value, &code) in values.iter().zip(codes).filter(|(value, _)| !value.is_nan()) {
        known += 1;
        if is_fine(*value) {
            rows_of.entry(value.to_bits()).or_default().push(code);
        }
    }
    let (mut twins, mut same, mut pairs) = (0, 0, 0);
    for rows in rows_of.values().filter(|rows| (2..=GROUP_ROWS_MAX).contains(&rows.len())) {
        twins += rows.len();
        for (at, a) in rows.iter().enumerate() {
            same += rows[at + 1..].iter().filter(|b| *b == a).count();
            pairs += rows.len() - at - 1;
        }
    }
    let enough = twins >= TWIN_ROWS_MIN && pairs > 0;
    enough.then(|| (twins as f64 / known as f64, same as f64 / pairs as f64))
}

/// Whether a value has more than three digits that count: coarse times are the same by chance.
fn is_fine(value: f32) -> bool {
    if value == 0.0 || !value.is_finite() {
        return false;
    }
    let value = f64::from(value);
    let scale = 10_f64.powi(2 - value.abs().log10().floor() as i32);
    let coarse = (value * scale).round() / scale;
    ((value - coarse) / value).abs() > 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Codes;
    use crate::schema::{Feature, Schema};

    /// Forty sessions of five rows, each of one of four labels, with a gap measured once for the session and one for each row.
    fn table(session_gap: &str) -> Dataset {
        let noise = |n: u32| f64::from((n.wrapping_mul(0x9e37_79b9) ^ n << 7) >> 9) as f32 / 37.0;
        let codes: Vec<u32> = (0..200).map(|row| row / 5 % 4).collect();
        let of_session = (0..200).map(|row| noise(row / 5 + 1_000)).collect();
        let of_row = (0..200).map(noise).collect();
        let coarse = (0..200).map(|row| (row % 3 * 100) as f32).collect();
        let size = (0..200).map(|row| noise(row / 5 + 5_000)).collect();
        let names = [session_gap, "min_gap", "active_timeout", "mean_size"];
        let feature = |name: &&str| Feature { name: (*name).to_owned(), unit: String::new() };
        Dataset {
            schema: Schema { name: "table".into(), features: names.iter().map(feature).collect() },
            columns: vec![of_session, of_row, coarse, size],
            labels: Some(Codes {
                name: "label".into(),
                values: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
                codes,
            }),
            rows: 200,
            ..Dataset::default()
        }
    }

    #[test]
    fn a_time_measured_once_for_a_session_is_found_and_nothing_else() {
        let found = fingerprints(&table("max_forward_idle_time"));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].column, found[0].twins, found[0].within), (0, 1.0, 1.0));
        // What is no time may well be the same in all flows to one server.
        assert!(fingerprints(&table("certificate_octets")).is_empty());
    }

    #[test]
    fn twins_of_any_label_and_tables_of_one_label_are_left_alone() {
        let mut shuffled = table("max_gap");
        shuffled.labels.as_mut().unwrap().codes = (0..200).map(|row| row % 4).collect();
        assert!(fingerprints(&shuffled).is_empty());
        let mut alone = table("max_gap");
        alone.labels.as_mut().unwrap().codes = vec![0; 200];
        assert!(fingerprints(&alone).is_empty());
        assert!(fingerprints(&Dataset { labels: None, ..table("max_gap") }).is_empty());
    }

    #[test]
    fn our_own_tables_and_places_of_lists_are_not_looked_at() {
        let own = table("max_gap");
        let schema = Schema { name: FLOW_SCHEMA.into(), ..own.schema.clone() };
        assert!(fingerprints(&Dataset { schema, ..own }).is_empty());
        let mut list = table("max_gap");
        let of_session = list.columns[0].clone();
        for (place, feature) in list.schema.features.iter_mut().enumerate() {
            feature.name = format!("gap_{place}");
        }
        for place in 4..10 {
            list.columns.push(of_session.clone());
            list.schema
                .features
                .push(Feature { name: format!("gap_{place}"), unit: String::new() });
        }
        assert!(fingerprints(&list).is_empty());
    }

    #[test]
    fn digits_that_count() {
        for (value, fine) in [(0.0, false), (120.0, false), (0.125, false), (1_500_000.0, false)] {
            assert_eq!(is_fine(value), fine, "{value}");
        }
        for value in [1_234.0, 0.012_345, 1_500_321.0, -17.043_7] {
            assert!(is_fine(value), "{value}");
        }
    }
}
