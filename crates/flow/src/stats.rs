//! The statistics of one flow: exact integer sums, fed packet by packet in capture order.
//!
//! Sides are kept by endpoint, low and high, because a later SYN may still tell who the initiator was; they are put the right
//! way round when the record is made. A packet whose time lies before that of an earlier packet of its flow is taken to be at
//! that one's time (and counted), so gaps are never negative and add up to the flow's duration.

use crate::key::Sender;
use crate::record::{
    BURST_GAP_MICROS, Bursts, FirstPayload, FlowRecord, HISTOGRAM_BINS, Moments,
    SILENCE_THRESHOLDS_MICROS, Side, Silence,
};
use crate::samples::Step;

/// Gaps longer than this are counted in [`FlowRecord::gaps_over_15_ms`].
const LONG_GAP_MICROS: u64 = 15_000;
/// Forward packets with more IP octets than this are counted in [`FlowRecord::big_requests`].
const BIG_REQUEST_OCTETS: u16 = 200;

/// Sums that give [`Moments`] without rounding before the end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    count: u64,
    min: u64,
    max: u64,
    sum: u64,
    squares: u128,
}

impl Sums {
    pub fn push(&mut self, value: u64) {
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = self.max.max(value);
        self.count += 1;
        self.sum += value;
        self.squares += u128::from(value) * u128::from(value);
    }

    fn and(self, other: Self) -> Self {
        let min = match (self.count, other.count) {
            (0, _) => other.min,
            (_, 0) => self.min,
            _ => self.min.min(other.min),
        };
        Self {
            count: self.count + other.count,
            min,
            max: self.max.max(other.max),
            sum: self.sum + other.sum,
            squares: self.squares + other.squares,
        }
    }

    /// Sum of squared differences from the mean is (n Σx² − (Σx)²) / n, whose numerator is a whole number.
    fn moments(&self) -> Moments {
        let Self { count, min, max, sum, squares } = *self;
        if count == 0 {
            return Moments::default();
        }
        let total = u128::from(sum) * u128::from(sum);
        let squares = match u128::from(count).checked_mul(squares) {
            Some(scaled) => (scaled - total) as f64 / count as f64,
            // Only clocks that are wrong by years come here.
            None => (squares as f64 - total as f64 / count as f64).max(0.0),
        };
        Moments { count, min, max, sum, squares }
    }
}

/// One endpoint's packets.
#[derive(Clone, Debug, Default)]
struct SideSums {
    octets: Sums,
    payload: Sums,
    gaps: Sums,
    header_octets: u64,
    flags: [u32; 8],
    octets_histogram: [u32; HISTOGRAM_BINS],
    gaps_histogram: [u32; HISTOGRAM_BINS],
    window_first: u16,
    big: u32,
    /// Microseconds from the flow's first packet to this side's last.
    last: u64,
    bursts: BurstSums,
}

/// Bursts so far, and the one that may still go on.
#[derive(Clone, Debug, Default)]
struct BurstSums {
    octets: Sums,
    packets: Sums,
    periods: Sums,
    on_micros: u64,
    largest: [u64; 3],
    start: u64,
    last: u64,
    open_octets: u64,
    open_packets: u64,
}

impl BurstSums {
    fn push(&mut self, at: u64, octets: u16) {
        if self.open_packets == 0 {
            self.start = at;
        } else if at - self.last >= BURST_GAP_MICROS {
            self.close();
            self.periods.push(at - self.start);
            self.start = at;
        }
        self.last = at;
        self.open_packets += 1;
        self.open_octets += u64::from(octets);
    }

    fn close(&mut self) {
        if self.open_packets == 0 {
            return;
        }
        let octets = std::mem::take(&mut self.open_octets);
        self.octets.push(octets);
        self.packets.push(std::mem::take(&mut self.open_packets));
        self.on_micros += self.last - self.start;
        if octets > self.largest[2] {
            self.largest[2] = octets;
            self.largest.sort_unstable_by(|a, b| b.cmp(a));
        }
    }

    fn bursts(&self) -> Bursts {
        let mut sums = self.clone();
        sums.close();
        Bursts {
            octets: sums.octets.moments(),
            packets: sums.packets.moments(),
            periods: sums.periods.moments(),
            on_micros: sums.on_micros,
            largest: sums.largest,
        }
    }
}

/// Everything that a record says in numbers about a flow's packets.
#[derive(Clone, Debug)]
pub(crate) struct Statistics {
    sides: [SideSums; 2],
    gaps: Sums,
    gaps_histogram: [u32; HISTOGRAM_BINS],
    delta: Sums,
    silences: [Silence; 4],
    gaps_over_15_ms: u32,
    gaps_clamped: u32,
    bursts: BurstSums,
    first: Option<Sender>,
    last_octets: u16,
    /// Microseconds from the first packet to the latest.
    now: u64,
    /// The first payload-bearing packets, positive from the low endpoint.
    payloads: Vec<FirstPayload>,
    payloads_max: usize,
    payload_last: Option<u64>,
}

impl Statistics {
    /// Of a flow without packets, whose record will list `packets` of each kind.
    pub fn new(packets: usize) -> Self {
        Self {
            sides: [SideSums::default(), SideSums::default()],
            gaps: Sums::default(),
            gaps_histogram: [0; HISTOGRAM_BINS],
            delta: Sums::default(),
            silences: [Silence::default(); 4],
            gaps_over_15_ms: 0,
            gaps_clamped: 0,
            bursts: BurstSums::default(),
            first: None,
            last_octets: 0,
            now: 0,
            payloads: Vec::new(),
            payloads_max: packets,
            payload_last: None,
        }
    }

    /// Takes the flow's next packet. The gap of the first is not looked at.
    pub fn push(&mut self, step: &Step) {
        if self.first.is_none() {
            self.first = Some(step.sender);
        } else {
            self.now += step.gap;
            self.gap(step);
            self.delta.push(u64::from(self.last_octets.abs_diff(step.octets)));
        }
        self.last_octets = step.octets;
        self.bursts.push(self.now, step.octets);
        self.side(step);
        if step.payload > 0 {
            self.payload(step);
        }
    }

    fn gap(&mut self, step: &Step) {
        let gap = step.gap;
        self.gaps.push(gap);
        self.gaps_histogram[bin(gap / 1_000)] += 1;
        self.gaps_clamped += u32::from(step.clamped);
        self.gaps_over_15_ms += u32::from(gap > LONG_GAP_MICROS);
        for (silence, threshold) in self.silences.iter_mut().zip(SILENCE_THRESHOLDS_MICROS) {
            if gap < threshold {
                break;
            }
            silence.count += 1;
            silence.sum_micros += gap;
            silence.longest_micros = silence.longest_micros.max(gap);
        }
    }

    fn side(&mut self, step: &Step) {
        let side = &mut self.sides[step.sender.index()];
        if side.octets.count == 0 {
            side.window_first = step.window;
        } else {
            let gap = self.now - side.last;
            side.gaps.push(gap);
            side.gaps_histogram[bin(gap / 1_000)] += 1;
        }
        side.last = self.now;
        side.octets.push(u64::from(step.octets));
        side.octets_histogram[bin(u64::from(step.octets))] += 1;
        side.header_octets += u64::from(step.octets.saturating_sub(step.payload));
        side.big += u32::from(step.octets > BIG_REQUEST_OCTETS);
        if step.payload > 0 {
            side.payload.push(u64::from(step.payload));
        }
        let mut flags = step.flags;
        while flags != 0 {
            side.flags[flags.trailing_zeros() as usize] += 1;
            flags &= flags - 1;
        }
        side.bursts.push(self.now, step.octets);
    }

    fn payload(&mut self, step: &Step) {
        if self.payloads.len() < self.payloads_max {
            let octets = i32::from(step.payload);
            self.payloads.push(FirstPayload {
                octets: if step.sender == Sender::Low { octets } else { -octets },
                gap_micros: self.payload_last.map_or(0, |last| self.now - last),
            });
        }
        self.payload_last = Some(self.now);
    }

    /// Writes the numbers into a record whose initiator is known.
    pub fn write(self, initiator: Sender, record: &mut FlowRecord) {
        let [low, high] = &self.sides;
        let (forward, backward) = match initiator {
            Sender::Low => (low, high),
            Sender::High => (high, low),
        };
        record.forward = forward.side();
        record.backward = backward.side();
        record.both = self.both();
        record.octets_delta = self.delta.moments();
        record.gaps_clamped = self.gaps_clamped;
        record.silences = self.silences;
        record.gaps_over_15_ms = self.gaps_over_15_ms;
        record.big_requests = forward.big;
        record.bursts = self.bursts.bursts();
        record.bursts_forward = forward.bursts.bursts();
        record.bursts_backward = backward.bursts.bursts();
        record.payload_packets = self.payloads;
        if initiator == Sender::High {
            record.payload_packets.iter_mut().for_each(|packet| packet.octets = -packet.octets);
        }
    }

    fn both(&self) -> Side {
        let [low, high] = &self.sides;
        let pairs = |a: [u32; 8], b: [u32; 8]| std::array::from_fn(|at| a[at] + b[at]);
        Side {
            octets: low.octets.and(high.octets).moments(),
            payload: low.payload.and(high.payload).moments(),
            gaps: self.gaps.moments(),
            header_octets: low.header_octets + high.header_octets,
            flags: pairs(low.flags, high.flags),
            octets_histogram: pairs(low.octets_histogram, high.octets_histogram),
            gaps_histogram: self.gaps_histogram,
            window_first: self.first.map_or(0, |first| self.sides[first.index()].window_first),
            ttl_first: 0,
        }
    }
}

impl SideSums {
    fn side(&self) -> Side {
        Side {
            octets: self.octets.moments(),
            payload: self.payload.moments(),
            gaps: self.gaps.moments(),
            header_octets: self.header_octets,
            flags: self.flags,
            octets_histogram: self.octets_histogram,
            gaps_histogram: self.gaps_histogram,
            window_first: self.window_first,
            ttl_first: 0,
        }
    }
}

/// The histogram bin of a value: 0–15, 16–31, 32–63, …, 1024 and more.
fn bin(value: u64) -> usize {
    (value.max(8).ilog2() as usize - 3).min(HISTOGRAM_BINS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_start_where_the_record_says() {
        for (value, expected) in [
            (0, 0),
            (15, 0),
            (16, 1),
            (31, 1),
            (32, 2),
            (64, 3),
            (128, 4),
            (256, 5),
            (512, 6),
            (1_023, 6),
            (1_024, 7),
            (u64::MAX, 7),
        ] {
            assert_eq!(bin(value), expected, "{value}");
        }
    }

    #[test]
    fn squares_stay_exact_far_from_zero() {
        let mut sums = Sums::default();
        for value in [1_000_000_000_000_u64, 1_000_000_000_001, 1_000_000_000_002] {
            sums.push(value);
        }
        assert_eq!(sums.moments().squares.to_bits(), 2.0_f64.to_bits());
    }

    #[test]
    fn sums_of_absurd_clocks_do_not_overflow() {
        let mut sums = Sums::default();
        for _ in 0..1_000 {
            sums.push(1 << 53);
        }
        sums.push(0);
        assert!(sums.moments().squares.is_finite());
    }
}
