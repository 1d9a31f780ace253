//! What of a flow's features is known after its first packets, under the schema of whole flows: so that one model can answer at any time.

use crate::Error;
use crate::schema::Schema;

/// How much of each column is known after some packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Early {
    columns: Vec<Known>,
    /// The columns of the packets' payload, in order: they tell how many payload-bearing packets are known.
    payload: Vec<usize>,
}

/// When a column is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// With the first packet.
    Always,
    /// With the packet of this place.
    Packet(usize),
    /// With the payload-bearing packet of this place.
    Payload(usize),
    /// When the flow is over.
    Never,
}

impl Early {
    /// For a table with the flow table's sequences.
    ///
    /// # Errors
    /// [`Error::NoSequence`] where it has none.
    pub fn of(schema: &Schema) -> Result<Self, Error> {
        let columns = schema.features.iter().map(|feature| known(&feature.name)).collect();
        let payload: Vec<usize> =
            (0..).map_while(|k| schema.position(&format!("packet_payload_{k}"))).collect();
        for column in ["packet_octets_0", "packet_payload_0"] {
            if schema.position(column).is_none() {
                return Err(Error::NoSequence { column: column.to_owned() });
            }
        }
        Ok(Self { columns, payload })
    }

    /// Some rows as they are known after their first packets; everything about a flow as a whole is missing, and so are later packets.
    ///
    /// # Shapes
    /// `columns` is `[n_features][n_rows_of_the_table]`, the result `[n_features][rows.len()]`.
    #[must_use]
    pub fn after(&self, columns: &[Vec<f32>], rows: &[u32], packets: usize) -> Vec<Vec<f32>> {
        let bears = |column: &usize, row: u32| {
            let octets = columns[*column][row as usize];
            !octets.is_nan() && octets != 0.0
        };
        let first = &self.payload[..packets.min(self.payload.len())];
        let payload_packets: Vec<usize> =
            rows.iter().map(|&row| first.iter().filter(|of| bears(of, row)).count()).collect();
        let cut = |(values, known): (&Vec<f32>, &Known)| -> Vec<f32> {
            let pick = |(&row, &payload_packets): (&u32, &usize)| {
                let is_known = match *known {
                    Known::Always => true,
                    Known::Packet(place) => place < packets,
                    Known::Payload(place) => place < payload_packets,
                    Known::Never => false,
                };
                if is_known { values[row as usize] } else { f32::NAN }
            };
            rows.iter().zip(&payload_packets).map(pick).collect()
        };
        columns.iter().zip(&self.columns).map(cut).collect()
    }
}

/// When a column of the flow table is known, by its name.
fn known(name: &str) -> Known {
    let place = |stem: &str| name.strip_prefix(stem)?.parse().ok();
    let packet = ["packet_octets_", "packet_payload_", "packet_gap_micros_", "packet_window_"];
    let payload = ["payload_octets_sequence_", "payload_gap_micros_sequence_"];
    if name == "protocol" {
        Known::Always
    } else if let Some(place) = packet.iter().find_map(|stem| place(stem)) {
        Known::Packet(place)
    } else if let Some(place) = payload.iter().find_map(|stem| place(stem)) {
        Known::Payload(place)
    } else {
        Known::Never
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Feature, flow_schema};

    #[test]
    fn later_packets_and_whole_flows_are_not_known() {
        let names = ["protocol", "packet_octets_0", "packet_octets_1", "packet_payload_0"];
        let names =
            names.iter().chain(&["packet_payload_1", "payload_octets_sequence_0", "both_octets"]);
        let feature = |name: &&str| Feature { name: (*name).to_owned(), unit: String::new() };
        let schema = Schema { name: "flows".into(), features: names.map(feature).collect() };
        // The first row's first packet bears no payload, the second's does.
        let columns: Vec<Vec<f32>> = [
            [6.0, 17.0],
            [60.0, 80.0],
            [-90.0, 0.0],
            [0.0, 40.0],
            [50.0, 0.0],
            [50.0, 40.0],
            [150.0, 80.0],
        ]
        .map(|column| column.to_vec())
        .into();
        let early = Early::of(&schema).unwrap();
        let is_known = |packets: usize, row: u32| -> Vec<bool> {
            early
                .after(&columns, &[row], packets)
                .iter()
                .map(|column| !column[0].is_nan())
                .collect()
        };
        assert_eq!(is_known(1, 0), [true, true, false, true, false, false, false]);
        assert_eq!(is_known(1, 1), [true, true, false, true, false, true, false]);
        assert_eq!(is_known(2, 0), [true, true, true, true, true, true, false]);
        let other = Schema { name: "table".into(), features: schema.features[..1].to_vec() };
        assert!(matches!(Early::of(&other), Err(Error::NoSequence { .. })));
    }

    #[test]
    fn every_sequence_of_the_flow_table_is_known_packet_by_packet() {
        let early = Early::of(flow_schema()).unwrap();
        let count =
            |kind: fn(&Known) -> bool| early.columns.iter().filter(|known| kind(known)).count();
        assert_eq!(count(|known| matches!(known, Known::Packet(_))), 120);
        assert_eq!(count(|known| matches!(known, Known::Payload(_))), 60);
        assert_eq!(count(|known| *known == Known::Always), 1);
        assert_eq!(early.payload.len(), 30);
    }
}
