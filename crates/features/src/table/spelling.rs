//! How the known tools spell columns that are no inputs: who and when, what it is, and where it was seen.

/// A name without case, spaces and punctuation, so that `Source_IP`, `source ip` and `SourceIP` are one spelling.
pub(super) fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A name without the number that a second column of that name gets: `label` of `label.1`.
fn first_of(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((first, number)) if is_number(number) => first,
        _ => name,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// Whether a name is one of these words with a number behind it.
fn is_numbered(bare: &str, words: &[&str]) -> bool {
    words.iter().any(|word| bare.strip_prefix(word).is_some_and(is_number))
}

/// Whether a column of this name says who, where or when.
pub(crate) fn is_identity(name: &str) -> bool {
    let name = first_of(name);
    is_near_address(name) || is_far_address(name) || IDENTITY.contains(&bare(name).as_str())
}

/// Whether a column of this name numbers the rows of its table.
pub(crate) fn is_row_number(name: &str) -> bool {
    let name = first_of(name);
    let bare = bare(name);
    name.trim() == "#"
        || ROW_NUMBER.contains(&bare.as_str())
        || is_numbered(&bare, &["unnamed", "level"])
}

/// Whether a column of this name tells which row it is: who, where, when, or its number.
#[must_use]
pub fn tells_which(name: &str) -> bool {
    is_identity(name) || is_row_number(name)
}

/// Whether a column of this name is the address of the near end: the client's, as far as the tool knows.
#[must_use]
pub fn is_near_address(name: &str) -> bool {
    NEAR_ADDRESS.contains(&bare(name).as_str())
}

/// Whether a column of this name is the address of the far end: the server's, as far as the tool knows.
#[must_use]
pub fn is_far_address(name: &str) -> bool {
    FAR_ADDRESS.contains(&bare(name).as_str())
}

/// Whether a column of this name says what a flow is.
pub(crate) fn is_label(name: &str) -> bool {
    let bare = bare(first_of(name));
    LABEL.contains(&bare.as_str()) || is_numbered(&bare, ANSWER)
}

/// Whether a column of this name is the start of its row in time.
pub(crate) fn is_start(name: &str) -> bool {
    START.contains(&bare(name).as_str())
}

/// Whether a column of this name is a length of time, such as a gap or a duration.
pub(crate) fn is_length_of_time(name: &str) -> bool {
    let bare = bare(name);
    LENGTH_OF_TIME.iter().any(|part| bare.contains(part))
}

/// Octets from the near end, of whole packets before those of payload.
pub(super) const OCTETS_UP: &[&str] = &[
    "forwardoctets",
    "src2dstbytes",
    "totallengthoffwdpacket",
    "totallengthoffwdpackets",
    "totlenfwdpkts",
    "origipbytes",
    "origbytes",
    "sbytes",
];

/// Octets from the far end, likewise.
pub(super) const OCTETS_DOWN: &[&str] = &[
    "backwardoctets",
    "dst2srcbytes",
    "totallengthofbwdpacket",
    "totallengthofbwdpackets",
    "totlenbwdpkts",
    "respipbytes",
    "respbytes",
    "dbytes",
];

/// From the first packet to the latest, and how many seconds the unit is; a name that leaves the unit open is none.
pub(super) const DURATION: &[(&str, f64)] = &[
    ("durationmicros", 1e-6),
    ("bidirectionaldurationms", 1e-3),
    ("flowduration", 1e-6),
    ("durationseconds", 1.0),
    ("durationms", 1e-3),
    ("durationus", 1e-6),
];

/// The latest packet's moment.
pub(super) const END: &[&str] = &[
    "end",
    "endepoch",
    "endtime",
    "flowend",
    "lastseen",
    "bidirectionallastseenms",
    "ltime",
    "flowendmicroseconds",
    "flowendmilliseconds",
];

/// What is above IP.
pub(super) const PROTOCOL: &[&str] = &["protocol", "proto", "protocolidentifier", "ipproto"];

/// What columns with lengths of time are called, in part.
const LENGTH_OF_TIME: &[&str] = &[
    "time", "gap", "iat", "duration", "arrival", "micros", "millis", "idle", "active", "period",
    "delay",
];

#[rustfmt::skip]
const NEAR_ADDRESS: &[&str] = &[
    "srcip", "sourceip", "ipsrc", "srcaddr", "saddr", "sourceaddress", "srcaddress", "clientip", "initiatoraddress", "ipa", "sip", "srcip4", "srcip6", "idorigh",
];

#[rustfmt::skip]
const FAR_ADDRESS: &[&str] = &[
    "dstip", "destinationip", "destip", "ipdst", "dstaddr", "daddr", "destinationaddress", "dstaddress", "serverip", "responderaddress", "ipb", "dip", "idresph",
];

#[rustfmt::skip]
const IDENTITY: &[&str] = &[
    // Hardware, and addresses of neither end.
    "srcmac", "dstmac", "sourcemac", "destinationmac", "srcoui", "dstoui", "smac", "dmac", "ip", "address", "srcip2", "ipguess",
    // Ports.
    "srcport", "sourceport", "sport", "portsrc", "clientport", "initiatorport", "porta", "dstport", "destinationport", "destport", "dport", "portdst",
    "serverport", "responderport", "portb", "port", "idorigp", "idrespp",
    // Time.
    "timestamp", "time", "datetime", "date", "day", "captureday", "start", "end", "starttime", "endtime", "startepoch", "endepoch", "stime", "ltime", "ts",
    "flowstart", "flowend", "firstseen", "lastseen", "bidirectionalfirstseenms", "bidirectionallastseenms", "src2dstfirstseenms", "src2dstlastseenms",
    "dst2srcfirstseenms", "dst2srclastseenms", "flowstartmicroseconds", "flowendmicroseconds", "flowstartmilliseconds", "flowendmilliseconds",
    // Numbers of flows, sessions, files.
    "flowid", "flowno", "flownumber", "id", "uid", "uuid", "guid", "sessionid", "session", "expirationid", "firstpacket", "capture",
    "sourcefile", "file", "filename", "pcap", "device", "deviceid", "client", "clientid", "user", "userid", "subscriber", "imsi", "msisdn", "imei",
    // Names and fingerprints that a handshake shows.
    "sni", "servername", "requestedservername", "tlssni", "hostname", "host", "domain", "dnsname", "dnsquery", "url", "useragent", "httphost", "contenttype",
    "ja3", "ja3c", "ja3s", "ja4", "ja4s", "clientfingerprint", "serverfingerprint", "alpn", "certificate", "issuer", "subject",
    // Where and how it was observed.
    "vlan", "vlanid", "tunnel", "tunnelid", "initiatorrule", "endreason", "gapsclamped", "forwardttlfirst", "backwardttlfirst", "ttl",
];

#[rustfmt::skip]
const LABEL: &[&str] = &[
    "label", "labels", "labelsource", "class", "class1", "classname", "target", "app", "appname", "application", "applicationname", "applicationcategoryname",
    "applicationisguessed", "applicationconfidence", "category", "attribution", "traffictype", "service", "ndpiproto", "ndpiids", "master", "confidence",
    "prediction", "predicted", "predictionset", "predictioncategory", "confidencecategory",
];

/// What `predict --proba` and `evaluate --export` number.
const ANSWER: &[&str] = &["prediction", "confidence", "fold", "ours"];

#[rustfmt::skip]
const ROW_NUMBER: &[&str] = &[
    "index", "idx", "no", "row", "rowid", "rowno", "rownum", "rownumber", "rowindex", "record", "recordid", "recordno", "recordnumber",
    "line", "lineno", "linenumber", "seq", "seqno",
];

const START: &[&str] = &[
    "start",
    "startepoch",
    "starttime",
    "timestamp",
    "flowstart",
    "firstseen",
    "bidirectionalfirstseenms",
    "stime",
    "flowstartmicroseconds",
    "flowstartmilliseconds",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_tools() {
        for name in [
            "src_ip",
            "Source_IP",
            "Src IP",
            "srcport",
            "Destination_port",
            "Flow ID",
            "Timestamp",
            "requested_server_name",
            "SNI",
            "ja3c",
            "id.orig_h",
            "id.resp_p",
        ] {
            assert!(is_identity(name), "{name}");
        }
        for name in ["Label", "attribution", "application_name", "appName", "class1"] {
            assert!(is_label(name), "{name}");
        }
        for name in [
            "duration",
            "proto",
            "Protocol",
            "fwd_packets_length",
            "silence_windows",
            "totalpkts",
            "min_fiat",
        ] {
            assert!(!is_identity(name) && !is_label(name), "{name}");
        }
        for name in
            ["idx", "No.", "#", "row_number", "Unnamed: 0", "Unnamed: 0.1", "level_0", "Seq"]
        {
            assert!(is_row_number(name), "{name}");
        }
        for name in
            ["prediction_2", "confidence_3", "prediction_set", "fold_0", "ours_12", "label.1"]
        {
            assert!(is_label(name), "{name}");
        }
        assert!(is_identity("src_ip.1") && is_identity("uuid"));
        for name in ["%", "level", "fold", "rows", "ratio.5", "confidence_low", "no_of_packets"] {
            assert!(!is_row_number(name) && !is_label(name) && !is_identity(name), "{name}");
        }
        assert!(is_near_address("Source_IP") && is_far_address("dst_ip"));
        assert!(!is_near_address("dst_ip") && !is_far_address("initiator_address"));
        assert!(is_start("bidirectional_first_seen_ms") && !is_start("end"));
    }

    #[test]
    fn every_column_of_ours_that_is_no_feature_is_known() {
        use crate::schema::{Role, flow_columns};
        for column in flow_columns() {
            let known = is_identity(&column.name) || is_label(&column.name);
            assert_eq!(known, column.role != Role::Feature, "{}", column.name);
        }
    }
}
