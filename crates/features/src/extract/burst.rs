//! In what pulses: runs of packets with gaps below 100 ms, flow-wide and by direction.

use flowgait_flow::record::Moments;

use super::timing::duration_micros;
use super::volume::{share, some};
use super::{Row, SIDES};
use crate::schema::Value;

const BURST: &str =
    "runs of this direction's packets with gaps below 100 ms; a lone packet is a burst";
const MEAN: &str = "IP octets or packets of a burst; missing without one";
const PERIOD: &str = "between the starts of consecutive bursts; missing below two bursts";
const PERIOD_SD: &str = "between the starts of consecutive bursts; missing below three bursts";
const SOURCE: &str = "flowgait";
const VIDEO: &str = "flowgait; the segment period of adaptive video";

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row { name: "{}_burst_count", unit: "bursts", scopes: SIDES, index: 0,
        rule: BURST, source: SOURCE,
        value: Value::Integer(|v| Some(v.bursts.octets.count)) },
    Row { name: "{}_burst_mean_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: MEAN, source: SOURCE,
        value: Value::Float(|v| v.bursts.octets.mean()) },
    Row { name: "{}_burst_max_octets", unit: "octets", scopes: SIDES, index: 0,
        rule: MEAN, source: SOURCE,
        value: Value::Integer(|v| some(&v.bursts.octets, v.bursts.octets.max)) },
    Row { name: "{}_burst_mean_packets", unit: "packets", scopes: SIDES, index: 0,
        rule: MEAN, source: SOURCE,
        value: Value::Float(|v| v.bursts.packets.mean()) },
    Row { name: "{}_burst_max_packets", unit: "packets", scopes: SIDES, index: 0,
        rule: MEAN, source: SOURCE,
        value: Value::Integer(|v| some(&v.bursts.packets, v.bursts.packets.max)) },
    Row { name: "{}_burst_largest_2_octets", unit: "octets", scopes: SIDES, index: 1,
        rule: "IP octets of the second largest burst; missing below 2 bursts", source: "Radcom table `bpp_0` to `bpp_2`",
        value: Value::Integer(|v| (v.bursts.octets.count > v.index as u64).then_some(v.bursts.largest[v.index])) },
    Row { name: "{}_burst_largest_3_octets", unit: "octets", scopes: SIDES, index: 2,
        rule: "IP octets of the third largest burst; missing below 3 bursts", source: "Radcom table `bpp_0` to `bpp_2`",
        value: Value::Integer(|v| (v.bursts.octets.count > v.index as u64).then_some(v.bursts.largest[v.index])) },
    Row { name: "{}_burst_period_mean_micros", unit: "micros", scopes: SIDES, index: 0,
        rule: PERIOD, source: VIDEO,
        value: Value::Float(|v| v.bursts.periods.mean()) },
    Row { name: "{}_burst_period_sd_micros", unit: "micros", scopes: SIDES, index: 0,
        rule: PERIOD_SD, source: VIDEO,
        value: Value::Float(|v| v.bursts.periods.sd_sample()) },
    Row { name: "{}_burst_period_variation", unit: "ratio", scopes: SIDES, index: 0,
        rule: "deviation of the periods by their mean; missing below three bursts, or when the mean is 0", source: VIDEO,
        value: Value::Float(|v| variation(&v.bursts.periods)) },
    Row { name: "{}_burst_on_micros", unit: "micros", scopes: SIDES, index: 0,
        rule: "time inside bursts, from the first packet of each to its last", source: SOURCE,
        value: Value::Integer(|v| Some(v.bursts.on_micros)) },
    Row { name: "{}_burst_on_share", unit: "share", scopes: SIDES, index: 0,
        rule: "time inside bursts by the flow's duration (on/(on + off)); missing when that is 0", source: SOURCE,
        value: Value::Float(|v| share(v.bursts.on_micros, duration_micros(v.record))) },
];

fn variation(moments: &Moments) -> Option<f64> {
    let mean = moments.mean().filter(|&mean| mean > 0.0)?;
    Some(moments.sd_sample()? / mean)
}
