//! What is seen of a flow in the tables of known tools, and in cells that are nothing.

use super::*;
use crate::schema::flow_columns;

/// A row from pairs of name and cell.
fn look(cells: &[(&str, &str)]) -> (Glance, Vec<String>, Gait) {
    let header: Vec<String> = cells.iter().map(|(name, _)| (*name).to_owned()).collect();
    let texts: Vec<String> = cells.iter().map(|(_, cell)| (*cell).to_owned()).collect();
    let glance = Glance::of(&header);
    let mut gait = Gait::default();
    glance.gait(&texts.iter().map(String::as_str).collect::<Vec<_>>(), &mut gait);
    (glance, texts, gait)
}

fn glimpse(cells: &[(&str, &str)]) -> String {
    let (glance, texts, _) = look(cells);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let Glimpse { server, protocol, octets_up, octets_down, duration, start } = glance.at(&texts);
    let protocol = protocol.unwrap_or_default();
    let server = server.unwrap_or_default();
    format!("{server} {protocol} {octets_up} {octets_down} {duration} {start}")
}

#[test]
fn every_column_that_is_looked_for_in_our_table_is_there() {
    let header: Vec<String> = flow_columns().iter().map(|column| column.name.clone()).collect();
    let glance = Glance::of(&header);
    let names: Vec<&str> = glance.columns().iter().map(|&place| header[place].as_str()).collect();
    assert_eq!(
        names,
        [
            "responder_address",
            "start",
            "ja4",
            "protocol",
            "forward_octets",
            "backward_octets",
            "duration_micros",
            "handshake_carrier",
            "packet_payload",
            "packet_gap_micros",
            "payload_octets_sequence",
            "payload_gap_micros_sequence",
        ]
    );
}

#[test]
fn the_tables_of_other_tools_tell_what_they_have() {
    use super::super::foreign;
    let names = |table: &foreign::ForeignTable| {
        let header: Vec<String> = table
            .row_schema(false)
            .columns
            .iter()
            .map(|column| column.name.trim().to_owned())
            .collect();
        let glance = Glance::of(&header);
        let names = glance.columns().iter().map(|&at| header[at].clone()).collect::<Vec<_>>();
        names.join(" ")
    };
    assert_eq!(
        names(&foreign::NFSTREAM),
        "dst_ip protocol bidirectional_first_seen_ms bidirectional_duration_ms src2dst_bytes dst2src_bytes splt_direction splt_ps splt_piat_ms client_fingerprint"
    );
    assert_eq!(
        names(&foreign::CICFLOWMETER),
        "Dst IP Protocol Timestamp Flow Duration Total Length of Fwd Packet Total Length of Bwd Packet"
    );
    let radcom = names(&foreign::RADCOM);
    assert!(
        radcom.starts_with(
            "Destination_IP Protocol Timestamp fwd_packets_length first_packet_sizes_0"
        ),
        "{radcom}"
    );
    assert!(radcom.ends_with("first_packet_sizes_29 pps_fwd"), "{radcom}");
}

#[test]
fn what_tells_most_of_the_protocol_is_said() {
    let check = |cells: &[(&str, &str)], expected: &str| {
        assert_eq!(glimpse(cells).split_whitespace().next(), Some(expected), "{cells:?}");
    };
    check(&[("protocol", "17"), ("handshake_carrier", "3")], "QUIC");
    check(&[("protocol", "6"), ("handshake_carrier", "1")], "TLS");
    check(&[("protocol", "17"), ("handshake_carrier", "")], "UDP");
    check(&[("Protocol", "tcp")], "TCP");
    check(&[("proto", "6.0")], "TCP");
    check(&[("protocol", "58")], "ICMPv6");
    let ja4 = "q13d0310h3_55b375c5d22e_cd85d2d88918";
    check(&[("protocol", "17"), ("client_fingerprint", ja4)], "QUIC");
    check(&[("protocol", "17"), ("client_fingerprint", "d3b07384d113edec49eaa6238ad5ff00")], "UDP");
}

#[test]
fn durations_are_seconds_where_the_unit_is_known() {
    let check = |cells: &[(&str, &str)], expected: &str| {
        assert_eq!(glimpse(cells).split_whitespace().nth(2), Some(expected), "{cells:?}");
    };
    check(&[("duration_micros", "1500000")], "1.5");
    check(&[("bidirectional_duration_ms", "250")], "0.25");
    check(&[("start", "1000"), ("end", "1002.5")], "2.5");
    check(&[("start", "1000"), ("end", "")], "NaN");
    check(&[("start", "1000"), ("end", "900")], "NaN");
    // Nobody says what its unit is.
    check(&[("duration", "12")], "NaN");
    let radcom = [
        ("fwd_packets_length", "10"),
        ("first_packet_sizes_0", "60"),
        ("mean_delta_byte", "1"),
        ("count_big_requests", "0"),
        ("pps_fwd", "4"),
    ];
    check(&radcom, "2.5");
}

#[test]
fn texts_that_cannot_be_what_they_stand_for_are_missing() {
    let long = "x".repeat(300);
    assert_eq!(
        glimpse(&[
            ("dst_ip", &long),
            ("protocol", &long),
            ("src2dst_bytes", "many"),
            ("start", "?")
        ]),
        "  NaN NaN NaN NaN"
    );
}

#[test]
fn times_of_payloads_begin_at_the_first_packet() {
    let (glance, _, gait) = look(&[
        ("packet_payload", "0 0 0 517 -1200"),
        ("packet_gap_micros", "0 20000 100 400 21000"),
        ("payload_octets_sequence", "517 -1200 -40000 80"),
        ("payload_gap_micros_sequence", "0 21000 500 1000000"),
    ]);
    assert_eq!(glance.gait_of(), Some(GaitOf::Payload));
    assert_eq!(gait.sizes, [517, -1200, -32767, 80]);
    assert_eq!(gait.times, [0.0205, 0.0415, 0.042, 1.042]);
}

#[test]
fn the_lists_of_other_tools_end_where_their_flow_does() {
    let (glance, _, gait) = look(&[
        ("splt_direction", "[0, 1, 0, -1, -1]"),
        ("splt_ps", "[60, 1500, 52, -1, -1]"),
        ("splt_piat_ms", "[0, 20, 5, -1, -1]"),
    ]);
    assert_eq!(glance.gait_of(), Some(GaitOf::Packets));
    assert_eq!((gait.sizes, gait.times), (vec![60, -1500, 52], vec![0.0, 0.02, 0.025]));
    let names: Vec<String> = (0..12).map(|n| format!("first_packet_sizes_{n}")).collect();
    let cells: Vec<(&str, &str)> = names
        .iter()
        .map(String::as_str)
        .zip(["60", "-60", "0", "7.5", ""].into_iter().cycle())
        .collect();
    let (_, _, gait) = look(&cells[..8]);
    assert_eq!(gait.sizes, [60, -60, 7, 60, -60]);
    assert!(gait.times.iter().all(|time| time.is_nan()));
    let long = vec!["1"; 500].join(" ");
    let (_, _, gait) = look(&[("payload_octets_sequence", &long)]);
    assert_eq!(gait.sizes.len(), GAIT_MAX);
}

proptest::proptest! {
    #[test]
    fn any_cells_can_be_looked_at(cells in proptest::collection::vec("[-0-9., e\\[]{0,12}", 12)) {
        let names = [
            "start", "end", "dst_ip", "protocol", "src2dst_bytes", "splt_ps", "splt_direction",
            "splt_piat_ms", "packet_payload", "packet_gap_micros", "payload_octets_sequence",
            "payload_gap_micros_sequence",
        ];
        for names in [&names[..], &names[..8]] {
            let pairs: Vec<(&str, &str)> =
                names.iter().copied().zip(cells.iter().map(String::as_str)).collect();
            let (_, _, gait) = look(&pairs);
            proptest::prop_assert_eq!(gait.sizes.len(), gait.times.len());
            glimpse(&pairs);
        }
    }
}
