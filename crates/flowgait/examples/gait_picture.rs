//! Draws how six kinds of use walk, a typical flow of made traffic each: `cargo run -p flowgait --example gait_picture > docs/images/gaits.svg`.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Cursor;
use std::net::IpAddr;
use std::path::Path;

use flowgait_capture::{Protocol, Reader, ReaderParams};
use flowgait_flow::record::FirstPayload;
use flowgait_flow::{FlowRecord, Meter, MeterParams};
use flowgait_synth::framing::Transport;
use flowgait_synth::process::Kind;
use flowgait_synth::scenario::{self, Params};
use flowgait_synth::truth::{Truth, TruthRow};

const SEED: u64 = 1;
/// Payload-bearing packets that a flow needs to show its gait.
const PACKETS_LEAST: usize = 25;
/// Payload-bearing packets that the meter keeps, more than a strip has room for.
const PACKETS_KEPT: usize = 120;

/// One strip: a kind of use and how it is drawn on paper and on a dark page.
struct Strip {
    kind: Kind,
    name: &'static str,
    light: &'static str,
    dark: &'static str,
    /// The mark's outline, in a square of 12 around (0, 0): colour is never alone.
    mark: &'static str,
}

const STRIPS: [Strip; 6] = [
    Strip {
        kind: Kind::Video,
        name: "Video on demand",
        light: "#BE7C00",
        dark: "#EBA41C",
        mark: "M-5-5h10v10h-10z",
    },
    Strip {
        kind: Kind::Web,
        name: "Web browsing",
        light: "#1C8ACB",
        dark: "#5CBCEB",
        mark: "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0z",
    },
    Strip {
        kind: Kind::Voice,
        name: "Voice call",
        light: "#00805F",
        dark: "#14AE80",
        mark: "M0-5.5L6 5h-12z",
    },
    Strip {
        kind: Kind::Game,
        name: "Game",
        light: "#4D4900",
        dark: "#F0E65A",
        mark: "M0-6.5L6.5 0L0 6.5L-6.5 0z",
    },
    Strip {
        kind: Kind::Chat,
        name: "Chat",
        light: "#B8559A",
        dark: "#EC9CCB",
        mark: "M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
    },
    Strip {
        kind: Kind::Transfer,
        name: "File transfer",
        light: "#3C46B8",
        dark: "#7C8CF5",
        mark: "M0 5.5L6-5h-12z",
    },
];

const WIDTH: f64 = 840.0;
const MARGIN: f64 = 24.0;
/// Where the strips begin; names stand to the left.
const STRIP_LEFT: f64 = 212.0;
const STRIP_WIDTH: f64 = WIDTH - MARGIN - STRIP_LEFT;
const STRIP_HEIGHT: f64 = 60.0;
const ROW_HEIGHT: f64 = 72.0;
const CAPTION_HEIGHT: f64 = 36.0;
/// A step, what a decade of silence adds to it, and how wide a packet is.
const STEP: f64 = 6.0;
const DECADE: f64 = 3.6;
const BAR: f64 = 4.0;
const OCTETS_MOST: f64 = 1_500.0;

#[expect(clippy::print_stdout, reason = "the picture is what this program gives")]
fn main() -> Result<(), Box<dyn Error>> {
    let params = Params::new(scenario::find("demo")?).seed(SEED).check()?;
    let mut capture = Vec::new();
    let truth = scenario::write(&params, &mut capture)?;
    let flows = meter(capture)?;
    print!("{}", picture(&by_kind(&flows, &truth))?);
    Ok(())
}

fn meter(capture: Vec<u8>) -> Result<Vec<FlowRecord>, Box<dyn Error>> {
    let name = Path::new("made.pcap");
    let params = ReaderParams::default();
    let mut reader = Reader::from_read(Box::new(Cursor::new(capture)), name, &params)?;
    let mut meter = Meter::new(&MeterParams::new().packets(PACKETS_KEPT).check()?);
    let mut flows = Vec::new();
    let mut emit = |record| {
        flows.push(record);
        Ok::<(), flowgait_capture::Error>(())
    };
    meter.run(&mut reader, "made.pcap", &mut emit)?;
    meter.finish(&mut emit)?;
    Ok(flows)
}

type FiveTuple = (Protocol, (IpAddr, u16), (IpAddr, u16));

/// The flows that bear payload, joined to the truth about them.
fn by_kind<'a>(
    flows: &'a [FlowRecord],
    truth: &Truth,
) -> HashMap<&'static str, Vec<&'a FlowRecord>> {
    let kinds: HashMap<FiveTuple, Kind> =
        truth.rows.iter().map(|row| (five_tuple(row), row.kind)).collect();
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for flow in flows.iter().filter(|flow| !flow.payload_packets.is_empty()) {
        let (near, far) = (flow.initiator, flow.responder);
        let ends = ((near.address.ip(), near.port), (far.address.ip(), far.port));
        if let Some(kind) = kinds.get(&(flow.protocol, ends.0, ends.1)) {
            found.entry(kind.name()).or_default().push(flow);
        }
    }
    found
}

fn five_tuple(row: &TruthRow) -> FiveTuple {
    let protocol = match row.transport {
        Transport::Tcp => Protocol::TCP,
        Transport::Udp => Protocol::UDP,
    };
    (protocol, row.source, row.destination)
}

/// The medoid: of the flows long enough to be drawn, the one whose first steps are nearest to those of all the kind's flows, short
/// ones too. Never an average, which walks like nobody.
fn typical<'a>(flows: &[&'a FlowRecord]) -> Option<&'a FlowRecord> {
    let walks: Vec<_> = flows.iter().map(|flow| walk(&flow.payload_packets)).collect();
    let long = flows.iter().zip(&walks).filter(|(f, _)| f.payload_packets.len() >= PACKETS_LEAST);
    let apart = long
        .map(|(flow, own)| (*flow, walks.iter().map(|other| distance(own, other)).sum::<f64>()));
    apart.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(flow, _)| flow)
}

/// The first packets as they are drawn: signed height, and stride as a share of a second's. What a short flow lacks is 0.
type Walk = [(f64, f64); PACKETS_LEAST];

fn walk(packets: &[FirstPayload]) -> Walk {
    let mut walk = [(0.0, 0.0); PACKETS_LEAST];
    for (step, packet) in walk.iter_mut().zip(packets) {
        *step = (share(packet).copysign(f64::from(packet.octets)), decades(packet) / 3.0);
    }
    walk
}

fn distance(a: &Walk, b: &Walk) -> f64 {
    a.iter().zip(b).map(|((h, s), (i, t))| (h - i).abs() + (s - t).abs()).sum()
}

/// Height as a share of the highest.
fn share(packet: &FirstPayload) -> f64 {
    (f64::from(packet.octets.unsigned_abs()).min(OCTETS_MOST) / OCTETS_MOST).sqrt()
}

/// Decades of the silence before a packet, from one millisecond.
fn decades(packet: &FirstPayload) -> f64 {
    (1.0 + packet.gap_micros as f64 / 1_000.0).log10()
}

fn picture(flows: &HashMap<&str, Vec<&FlowRecord>>) -> Result<String, Box<dyn Error>> {
    let height = 2.0 * MARGIN + STRIPS.len() as f64 * ROW_HEIGHT + CAPTION_HEIGHT - 12.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title\">\n\
         <title id=\"title\">The gaits of six kinds of use</title>\n<style>\n{}</style>\n\
         <rect class=\"bg\" width=\"{WIDTH}\" height=\"{height}\" rx=\"12\"/>\n",
        style()
    );
    for (at, strip) in STRIPS.iter().enumerate() {
        let kind = strip.kind.name();
        let flow = flows.get(kind).and_then(|flows| typical(flows));
        let flow = flow.ok_or_else(|| format!("no flow of {kind} is long enough"))?;
        let axis = MARGIN + at as f64 * ROW_HEIGHT + STRIP_HEIGHT / 2.0;
        svg.push_str(&row(strip, flow, axis.round())?);
    }
    let caption = height - MARGIN;
    writeln!(
        svg,
        "<text class=\"small\" x=\"{MARGIN}\" y=\"{caption}\">up: client → server, down: server → client</text>\n\
         <text class=\"small\" x=\"{}\" y=\"{caption}\" text-anchor=\"end\">\
         a packet is a step, a longer silence a longer stride · height √ of payload · made traffic</text>\n</svg>",
        WIDTH - MARGIN
    )?;
    Ok(svg)
}

fn style() -> String {
    let theme = |[bg, ink, ink_3, line_2]: [&str; 4], class: fn(&Strip) -> &str| {
        let mut css = format!(
            ".bg{{fill:{bg}}}\n.name{{fill:{ink}}}\n.small{{fill:{ink_3}}}\n.axis{{stroke:{line_2}}}\n"
        );
        for strip in &STRIPS {
            let (kind, class) = (strip.kind.name(), class(strip));
            // Where colours cannot be mixed, up has the colour of down.
            let _ = writeln!(
                css,
                ".{kind}{{fill:{class}}}\n.{kind}.up{{fill:color-mix(in oklab,{class} 55%,{ink})}}"
            );
        }
        css
    };
    format!(
        "text{{font-family:system-ui,\"Segoe UI\",Roboto,\"Helvetica Neue\",sans-serif;\
         font-variant-numeric:tabular-nums}}\n\
         .name{{font-size:15px;font-weight:600}}\n.small{{font-size:12px}}\n.axis{{fill:none;stroke-width:1}}\n\
         {}@media (prefers-color-scheme:dark){{\n{}}}\n",
        theme(["#F6F5F1", "#16191E", "#656D79", "#BDBAAE"], |strip| strip.light),
        theme(["#0B0E13", "#E9EDF3", "#8792A2", "#3A4656"], |strip| strip.dark),
    )
}

fn row(strip: &Strip, flow: &FlowRecord, axis: f64) -> Result<String, std::fmt::Error> {
    let half = STRIP_HEIGHT / 2.0 - 1.0;
    let (mut up, mut down) = (String::new(), String::new());
    let (mut x, mut drawn, mut micros) = (0.0, 0_u64, 0);
    for packet in &flow.payload_packets {
        if drawn > 0 {
            x += STEP + DECADE * decades(packet);
            if x + BAR > STRIP_WIDTH {
                break;
            }
            micros += packet.gap_micros;
        }
        let left = (STRIP_LEFT + x).round();
        let high = (share(packet) * half).max(1.5);
        let (path, to) = if packet.octets > 0 { (&mut up, -high) } else { (&mut down, high) };
        write!(path, "M{left} {axis}v{to:.1}h{BAR}v{:.1}z", -to)?;
        drawn += 1;
    }
    let whole = flow.forward.payload.count + flow.backward.payload.count == drawn;
    let first = if whole { "" } else { "first " };
    let (kind, right) = (strip.kind.name(), WIDTH - MARGIN);
    let mut row = String::new();
    writeln!(
        row,
        "<path class=\"{kind}\" transform=\"translate({} {})\" d=\"{}\"/>\n\
         <text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
        MARGIN + 7.0,
        axis - 7.0,
        strip.mark,
        MARGIN + 24.0,
        axis - 2.0,
        strip.name
    )?;
    writeln!(
        row,
        "<text class=\"small\" x=\"{}\" y=\"{}\">{first}{drawn} packets in {}</text>",
        MARGIN + 24.0,
        axis + 16.0,
        span(micros)
    )?;
    writeln!(row, "<path class=\"{kind} up\" d=\"{up}\"/>\n<path class=\"{kind}\" d=\"{down}\"/>")?;
    // Half a pixel lower, so that the axis fills one row of pixels. A tick at its end: the flow goes on.
    let tick = if whole { "" } else { "m-.5-3v6" };
    writeln!(row, "<path class=\"axis\" d=\"M{STRIP_LEFT} {}H{right}{tick}\"/>", axis + 0.5)?;
    Ok(row)
}

fn span(micros: u64) -> String {
    let seconds = micros as f64 / 1e6;
    match seconds {
        s if s < 1.0 => format!("{:.0}\u{2009}ms", s * 1e3),
        s if s < 10.0 => format!("{s:.1}\u{2009}s"),
        s => format!("{s:.0}\u{2009}s"),
    }
}
