//! When: duration, rates, gaps and silences. Time is the packets' own.

use flowgait_flow::record::FlowRecord;

use super::volume::{share, some};
use super::{FLOW, Row, SIDES};
use crate::schema::Value;

const GAP: &str = "between this direction's consecutive packets, whole microseconds, a negative one as 0; missing below two packets";
const GAP_DEVIATION: &str = "between this direction's consecutive packets, whole microseconds, a negative one as 0; missing below three packets";
const FLOWGAIT: &str = "flowgait";
const MOORE: &str = "Moore, Zuev, Crogan 2005 (discriminators)";
const HISTOGRAM: &str = "flowgait, bins by powers of two";
const SILENCE: &str = "flowgait";

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row { name: "duration_micros", unit: "micros", scopes: FLOW, index: 0,
        rule: "from the first packet to the latest; 0 for one packet", source: "IPFIX flowDurationMicroseconds (162)",
        value: Value::Integer(|v| Some(duration_micros(v.record))) },
    Row { name: "{}_packets_per_second", unit: "packets per second", scopes: SIDES, index: 0,
        rule: "packets by the flow's duration; missing when that is 0", source: FLOWGAIT,
        value: Value::Float(|v| per_second(v.side.octets.count, v.record)) },
    Row { name: "{}_octets_per_second", unit: "octets per second", scopes: SIDES, index: 0,
        rule: "IP octets by the flow's duration; missing when that is 0", source: FLOWGAIT,
        value: Value::Float(|v| per_second(v.side.octets.sum, v.record)) },
    Row { name: "{}_gap_min_micros", unit: "micros", scopes: SIDES, index: 0,
        rule: GAP, source: MOORE,
        value: Value::Integer(|v| some(&v.side.gaps, v.side.gaps.min)) },
    Row { name: "{}_gap_max_micros", unit: "micros", scopes: SIDES, index: 0,
        rule: GAP, source: MOORE,
        value: Value::Integer(|v| some(&v.side.gaps, v.side.gaps.max)) },
    Row { name: "{}_gap_mean_micros", unit: "micros", scopes: SIDES, index: 0,
        rule: GAP, source: MOORE,
        value: Value::Float(|v| v.side.gaps.mean()) },
    Row { name: "{}_gap_sd_micros", unit: "micros", scopes: SIDES, index: 0,
        rule: GAP_DEVIATION, source: MOORE,
        value: Value::Float(|v| v.side.gaps.sd_sample()) },
    Row { name: "{}_histogram_gap_millis_0_15", unit: "gaps", scopes: SIDES, index: 0,
        rule: "gaps of 0 to 15 whole milliseconds between this direction's consecutive packets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.gaps_histogram[v.index].into())) },
    Row { name: "{}_histogram_gap_millis_16_31", unit: "gaps", scopes: SIDES, index: 1,
        rule: "gaps of 16 to 31 whole milliseconds between this direction's consecutive packets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.gaps_histogram[v.index].into())) },
    Row { name: "{}_histogram_gap_millis_32_63", unit: "gaps", scopes: SIDES, index: 2,
        rule: "gaps of 32 to 63 whole milliseconds between this direction's consecutive packets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.gaps_histogram[v.index].into())) },
    Row { name: "{}_histogram_gap_millis_64_127", unit: "gaps", scopes: SIDES, index: 3,
        rule: "gaps of 64 to 127 whole milliseconds between this direction's consecutive packets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.gaps_histogram[v.index].into())) },
    Row { name: "{}_histogram_gap_millis_128_255", unit: "gaps", scopes: SIDES, index: 4,
        rule: "gaps of 128 to 255 whole milliseconds between this direction's consecutive packets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.gaps_histogram[v.index].into())) },
    Row { name: "{}_histogram_gap_millis_256_511", unit: "gaps", scopes: SIDES, index: 5,
        rule: "gaps of 256 to 511 whole milliseconds between this direction's consecutive packets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.gaps_histogram[v.index].into())) },
    Row { name: "{}_histogram_gap_millis_512_1023", unit: "gaps", scopes: SIDES, index: 6,
        rule: "gaps of 512 to 1023 whole milliseconds between this direction's consecutive packets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.gaps_histogram[v.index].into())) },
    Row { name: "{}_histogram_gap_millis_1024_up", unit: "gaps", scopes: SIDES, index: 7,
        rule: "gaps of 1024 or more whole milliseconds between this direction's consecutive packets", source: HISTOGRAM,
        value: Value::Integer(|v| Some(v.side.gaps_histogram[v.index].into())) },
    Row { name: "silence_50_millis_count", unit: "gaps", scopes: FLOW, index: 0,
        rule: "gaps of at least 50 ms between consecutive packets, either direction", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].count.into())) },
    Row { name: "silence_50_millis_sum_micros", unit: "micros", scopes: FLOW, index: 0,
        rule: "their sum; 0 without one", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].sum_micros)) },
    Row { name: "silence_50_millis_longest_micros", unit: "micros", scopes: FLOW, index: 0,
        rule: "the longest of them; 0 without one", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].longest_micros)) },
    Row { name: "silence_50_millis_share", unit: "share", scopes: FLOW, index: 0,
        rule: "their sum by the flow's duration; missing when that is 0", source: SILENCE,
        value: Value::Float(|v| share(v.record.silences[v.index].sum_micros, duration_micros(v.record))) },
    Row { name: "silence_200_millis_count", unit: "gaps", scopes: FLOW, index: 1,
        rule: "gaps of at least 200 ms between consecutive packets, either direction", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].count.into())) },
    Row { name: "silence_200_millis_sum_micros", unit: "micros", scopes: FLOW, index: 1,
        rule: "their sum; 0 without one", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].sum_micros)) },
    Row { name: "silence_200_millis_longest_micros", unit: "micros", scopes: FLOW, index: 1,
        rule: "the longest of them; 0 without one", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].longest_micros)) },
    Row { name: "silence_200_millis_share", unit: "share", scopes: FLOW, index: 1,
        rule: "their sum by the flow's duration; missing when that is 0", source: SILENCE,
        value: Value::Float(|v| share(v.record.silences[v.index].sum_micros, duration_micros(v.record))) },
    Row { name: "silence_1_second_count", unit: "gaps", scopes: FLOW, index: 2,
        rule: "gaps of at least 1 s between consecutive packets, either direction", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].count.into())) },
    Row { name: "silence_1_second_sum_micros", unit: "micros", scopes: FLOW, index: 2,
        rule: "their sum; 0 without one", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].sum_micros)) },
    Row { name: "silence_1_second_longest_micros", unit: "micros", scopes: FLOW, index: 2,
        rule: "the longest of them; 0 without one", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].longest_micros)) },
    Row { name: "silence_1_second_share", unit: "share", scopes: FLOW, index: 2,
        rule: "their sum by the flow's duration; missing when that is 0", source: SILENCE,
        value: Value::Float(|v| share(v.record.silences[v.index].sum_micros, duration_micros(v.record))) },
    Row { name: "silence_5_seconds_count", unit: "gaps", scopes: FLOW, index: 3,
        rule: "gaps of at least 5 s between consecutive packets, either direction", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].count.into())) },
    Row { name: "silence_5_seconds_sum_micros", unit: "micros", scopes: FLOW, index: 3,
        rule: "their sum; 0 without one", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].sum_micros)) },
    Row { name: "silence_5_seconds_longest_micros", unit: "micros", scopes: FLOW, index: 3,
        rule: "the longest of them; 0 without one", source: SILENCE,
        value: Value::Integer(|v| Some(v.record.silences[v.index].longest_micros)) },
    Row { name: "silence_5_seconds_share", unit: "share", scopes: FLOW, index: 3,
        rule: "their sum by the flow's duration; missing when that is 0", source: SILENCE,
        value: Value::Float(|v| share(v.record.silences[v.index].sum_micros, duration_micros(v.record))) },
    Row { name: "silence_15_millis_count", unit: "gaps", scopes: FLOW, index: 0,
        rule: "gaps longer than 15 ms between consecutive packets, either direction", source: "Radcom table `silence_windows`",
        value: Value::Integer(|v| Some(v.record.gaps_over_15_ms.into())) },
];

/// Microseconds from a flow's first packet to its latest.
pub(super) fn duration_micros(record: &FlowRecord) -> u64 {
    u64::try_from(record.end.micros().saturating_sub(record.start.micros())).unwrap_or(0)
}

fn per_second(amount: u64, record: &FlowRecord) -> Option<f64> {
    share(amount, duration_micros(record)).map(|per_micro| per_micro * 1e6)
}
