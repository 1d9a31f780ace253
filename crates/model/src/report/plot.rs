//! Line charts as inline SVG that stretch in width without stretching their text.
//!
//! Places across are percentages and places down are pixels; only paths, which know no percentages, lie in an inner SVG that
//! stretches while its strokes do not. So one drawing serves a telephone and a wide screen, without script.

use std::fmt::Write;

use super::words::Text;

/// Appends formatted text; writing to a `String` cannot fail.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {{ let _ = write!($out, $($arg)*); }};
}
pub(super) use put;

/// Pixels above the highest value and below the lowest.
const TOP: f64 = 12.0;
const BOTTOM: f64 = 26.0;

/// Least distance of two labels at line ends, in pixels.
const LABELS_APART: f64 = 14.0;

/// One direction of a chart.
pub struct Axis {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
    unit: &'static str,
}

impl Axis {
    /// From 0 to 1, in quarters.
    #[must_use]
    pub fn share() -> Self {
        Self { low: 0.0, high: 1.0, ticks: vec![0.0, 0.25, 0.5, 0.75, 1.0], unit: "" }
    }

    /// Around these shares, with a step that is easy to read; never past 0 or 1.
    #[must_use]
    pub fn around(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) =
            values.fold((1.0_f64, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let step = [0.01, 0.02, 0.05, 0.1]
            .into_iter()
            .find(|step| (high - low) / step <= 4.0)
            .unwrap_or(0.2);
        // The hair keeps 0.98 / 0.02 from being a little more than 49.
        let whole = (1.0 / step).round();
        let first = (low / step + 1e-9).floor().clamp(0.0, whole - 1.0);
        let last = (high / step - 1e-9).ceil().clamp(first + 1.0, whole);
        let ticks = (first as u32..=last as u32).map(|tick| f64::from(tick) * step).collect();
        Self { low: first * step, high: last * step, ticks, unit: "" }
    }

    /// From 0 to a little above a value, in four or five steps that are easy to read.
    #[must_use]
    pub fn from_zero(most: f64, unit: &'static str) -> Self {
        let most = if most > 0.0 && most.is_finite() { most } else { 1.0 };
        let size = 10_f64.powf((most / 5.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|by| by * size);
        let step = step.into_iter().find(|step| most / step <= 5.0).unwrap_or(10.0 * size);
        let last = (most / step - 1e-9).ceil().max(1.0) as u32;
        let ticks: Vec<f64> = (0..=last).map(|tick| f64::from(tick) * step).collect();
        Self { low: 0.0, high: f64::from(last) * step, ticks, unit }
    }

    /// Whole numbers from `low` to `high`: both ends and every fifth or tenth between.
    #[must_use]
    pub fn whole(low: u32, high: u32, unit: &'static str) -> Self {
        let high = high.max(low + 1);
        let step = [1, 2, 5, 10, 20, 50, 100]
            .into_iter()
            .find(|step| (high - low) / step <= 7)
            .unwrap_or(500);
        let inner = (low + 1..high).filter(|at| at % step == 0 && 2 * (high - at) > step);
        let ticks = std::iter::once(low).chain(inner).chain([high]).map(f64::from).collect();
        Self { low: f64::from(low), high: f64::from(high), ticks, unit }
    }

    /// The ticks: how far along in percent, and their text.
    pub fn marks(&self) -> impl Iterator<Item = (f64, String)> {
        self.ticks.iter().map(|&tick| (self.percent(tick), tick_text(tick)))
    }

    /// How far along a value is, in percent.
    #[must_use]
    pub fn percent(&self, value: f64) -> f64 {
        self.part(value) * 100.0
    }

    fn part(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// A chart being drawn.
pub struct Plot {
    x: Axis,
    y: Axis,
    height: f64,
    under: String,
    paths: String,
    over: String,
    ends: Vec<(f64, String, &'static str)>,
}

impl Plot {
    /// An empty chart, so many pixels high.
    #[must_use]
    pub fn new(x: Axis, y: Axis, height: f64) -> Self {
        let empty = String::new;
        Self { x, y, height, under: empty(), paths: empty(), over: empty(), ends: Vec::new() }
    }

    fn across(&self, x: f64) -> f64 {
        self.x.percent(x)
    }

    fn down(&self, y: f64) -> f64 {
        TOP + (1.0 - self.y.part(y)) * (self.height - TOP - BOTTOM)
    }

    fn path(&self, points: &[(f64, f64)]) -> String {
        let mut d = String::new();
        for (place, &(x, y)) in points.iter().enumerate() {
            let pen = if place == 0 { 'M' } else { 'L' };
            put!(d, "{pen}{:.1} {:.1}", self.across(x) * 10.0, self.down(y));
        }
        d
    }

    /// A line through the points.
    pub fn line(&mut self, points: &[(f64, f64)], class: &str) {
        let d = self.path(points);
        put!(self.paths, "<path class=\"line {class}\" d=\"{d}\"/>");
    }

    /// The area between two lines over the same places.
    pub fn band(&mut self, lower: &[(f64, f64)], upper: &[(f64, f64)], class: &str) {
        let mut points = lower.to_vec();
        points.extend(upper.iter().rev());
        let d = self.path(&points);
        put!(self.paths, "<path class=\"band {class}\" d=\"{d}Z\"/>");
    }

    /// A point, with what it says when the pointer rests on it.
    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, class: &str, tip: &str) {
        let (cx, cy) = (self.across(x), self.down(y));
        put!(
            self.over,
            "<circle class=\"dot {class}\" cx=\"{cx:.2}%\" cy=\"{cy:.1}\" r=\"{radius}\">"
        );
        put!(self.over, "<title>{}</title></circle>", Text(tip));
    }

    /// A vertical interval.
    pub fn whisker(&mut self, x: f64, low: f64, high: f64) {
        let (x, low, high) = (self.across(x), self.down(low), self.down(high));
        put!(
            self.under,
            "<line class=\"whisker\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"{low:.1}\" y2=\"{high:.1}\"/>"
        );
    }

    /// A bar that stands on the lower axis and is this many pixels high.
    pub fn bar(&mut self, from: f64, to: f64, pixels: f64) {
        let (from, to) = (self.across(from), self.across(to));
        let y = self.height - BOTTOM - pixels;
        put!(
            self.under,
            "<rect class=\"mass\" x=\"{from:.2}%\" y=\"{y:.1}\" width=\"{:.2}%\" height=\"{pixels:.1}\"/>",
            to - from - 0.4
        );
    }

    /// A dotted rule from a value down to the lower axis, with a label at its foot.
    pub fn drop(&mut self, (x, y): (f64, f64), label: &str) {
        let (across, from, to) = (self.across(x), self.down(y), self.height - BOTTOM);
        put!(
            self.under,
            "<line class=\"drop\" x1=\"{across:.2}%\" x2=\"{across:.2}%\" y1=\"{from:.1}\" y2=\"{to:.1}\"/>"
        );
        let (anchor, dx) = if across > 60.0 { ("end", -7) } else { ("start", 7) };
        put!(
            self.over,
            "<text class=\"note you\" text-anchor=\"{anchor}\" x=\"{across:.2}%\" dx=\"{dx}\" y=\"{:.1}\">{}</text>",
            to - 8.0,
            Text(label)
        );
    }

    /// Text at a place.
    pub fn label(
        &mut self,
        (x, y): (f64, f64),
        (dx, dy): (f64, f64),
        anchor: &str,
        class: &str,
        text: &str,
    ) {
        let (x, y) = (self.across(x), self.down(y) + dy);
        put!(
            self.over,
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.2}%\" dx=\"{dx}\" y=\"{y:.1}\">{}</text>",
            Text(text)
        );
    }

    /// A label at the right end of a line.
    pub fn end(&mut self, y: f64, class: &'static str, text: String) {
        self.ends.push((self.down(y), text, class));
    }

    /// The chart. `id` is unique on the page; `about` is what somebody hears who cannot see it.
    #[must_use]
    pub fn finish(mut self, id: &str, title: &str, about: &str) -> String {
        let (height, floor) = (self.height, self.height - BOTTOM);
        let side = if self.ends.is_empty() { "" } else { " ends" };
        let mut out = format!(
            "<svg class=\"plot{side}\" height=\"{height}\" role=\"img\" aria-labelledby=\"{id}t {id}d\"><title id=\"{id}t\">{}</title><desc id=\"{id}d\">{}</desc>",
            Text(title),
            Text(about)
        );
        for &tick in &self.y.ticks {
            let y = self.down(tick);
            let class = if tick <= self.y.low { "axis" } else { "rule" };
            put!(out, "<line class=\"{class}\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
            put!(
                out,
                "<text text-anchor=\"end\" dx=\"-8\" y=\"{:.1}\">{}</text>",
                y + 4.0,
                tick_text(tick)
            );
        }
        for (place, &tick) in self.x.ticks.iter().enumerate() {
            let last = place + 1 == self.x.ticks.len();
            let unit = if last && !self.x.unit.is_empty() {
                format!("<tspan class=\"unit\"> {}</tspan>", self.x.unit)
            } else {
                String::new()
            };
            put!(
                out,
                "<text class=\"x\" text-anchor=\"middle\" x=\"{:.2}%\" y=\"{:.1}\">{}{unit}</text>",
                self.across(tick),
                floor + 18.0,
                tick_text(tick)
            );
        }
        out += &self.under;
        put!(
            out,
            "<svg class=\"stretch\" width=\"100%\" height=\"{height}\" viewBox=\"0 0 1000 {height}\" preserveAspectRatio=\"none\">{}</svg>",
            self.paths
        );
        out += &self.over;
        for (y, text, class) in spread(&mut self.ends, floor) {
            put!(
                out,
                "<text class=\"end {class}\" x=\"100%\" dx=\"8\" y=\"{:.1}\">{}</text>",
                y + 4.0,
                Text(&text)
            );
        }
        out + "</svg>"
    }
}

/// Pushes labels apart, from the top down, and back up where they would leave the chart.
fn spread(
    ends: &mut Vec<(f64, String, &'static str)>,
    floor: f64,
) -> Vec<(f64, String, &'static str)> {
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = f64::NEG_INFINITY;
    for end in ends.iter_mut() {
        end.0 = end.0.max(free);
        free = end.0 + LABELS_APART;
    }
    let mut free = floor;
    for end in ends.iter_mut().rev() {
        end.0 = end.0.min(free);
        free = end.0 - LABELS_APART;
    }
    std::mem::take(ends)
}

fn tick_text(tick: f64) -> String {
    let text = format!("{tick:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_easy_to_read() {
        let around = |values: &[f64]| {
            Axis::around(values.iter().copied())
                .ticks
                .iter()
                .map(|&t| tick_text(t))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(around(&[0.34, 0.86]), "0.2 0.4 0.6 0.8 1");
        assert_eq!(around(&[0.91, 0.98]), "0.9 0.92 0.94 0.96 0.98");
        assert_eq!(around(&[1.0, 1.0]), "0.99 1");
        assert_eq!(around(&[0.0]), "0 0.01");
        assert_eq!(around(&[]), "0 0.2 0.4 0.6 0.8 1");
        let whole = |low, high| {
            Axis::whole(low, high, "")
                .ticks
                .iter()
                .map(|&t| tick_text(t))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(whole(1, 30), "1 5 10 15 20 25 30");
        assert_eq!(whole(1, 8), "1 2 3 4 5 6 7 8");
        assert_eq!(whole(3, 3), "3 4");
    }

    #[test]
    fn labels_at_line_ends_keep_apart() {
        let mut ends = [50.0, 51.0, 48.0, 200.0].map(|y| (y, String::new(), "")).to_vec();
        let places: Vec<f64> = spread(&mut ends, 190.0).into_iter().map(|end| end.0).collect();
        assert_eq!(places, [48.0, 62.0, 76.0, 190.0]);
    }
}
