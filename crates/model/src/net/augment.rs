//! Flows as they could have been on another day: other round-trip times, a pause, lost packets, an early look.
//!
//! Used while a network learns and never when it answers.
//!
//! # Reference
//! Xie et al., *Rosetta: Enabling Robust TLS Encrypted Traffic Classification in Diverse Network Environments*, USENIX Security 2023
//! (changes that networks make to sequences); Horowicz et al., *A few shots traffic classification with mini-FlowPic augmentations*, IMC 2022
//! (round-trip time, time shift, packet loss). How much of each is our choice.

use flowgait_features::layout::ListKind;
use rand_chacha::rand_core::Rng;

use super::inputs::{Inputs, Packets, packets_known};
use crate::chance;

/// How often each change is made, as shares of the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augmentation {
    /// All gaps of a flow are multiplied by one factor between ½ and 2.
    pub round_trip: f32,
    /// One packet and all after it come later, by up to the mean gap.
    pub shift: f32,
    /// Each packet is lost with a probability of 3 %.
    pub loss: f32,
    /// Only the first packets are known, three at least, and nothing of the flow as a whole.
    pub cut: f32,
}

impl Augmentation {
    /// None of it.
    pub const NONE: Self = Self { round_trip: 0.0, shift: 0.0, loss: 0.0, cut: 0.0 };
    /// What a network learns with when nobody says otherwise.
    pub const USUAL: Self = Self { round_trip: 0.8, shift: 0.3, loss: 0.3, cut: 0.15 };
}

/// Probability of a packet to be lost, where some are.
const LOST: f32 = 0.03;
/// Fewer packets are not cut to.
const CUT_MIN: usize = 3;

/// What of a row is left to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Everything.
    Whole,
    /// Its packets only.
    PacketsOnly,
}

impl Augmentation {
    /// Changes a row's packets, and says what else may be seen of the row.
    pub(crate) fn apply(self, inputs: &Inputs, packets: &mut Packets, rng: &mut impl Rng) -> Seen {
        if packets.0.is_empty() {
            return Seen::Whole;
        }
        let mut happens = |share: f32| chance::unit(rng) < share;
        let [round_trip, shift, loss, cut] =
            [self.round_trip, self.shift, self.loss, self.cut].map(&mut happens);
        if round_trip {
            let factor = (2.0 * chance::unit(rng) - 1.0).exp2();
            each_gaps(inputs, packets, |gaps, _| gaps.iter_mut().for_each(|gap| *gap *= factor));
        }
        if shift {
            let (place, share) = (chance::unit(rng), chance::unit(rng));
            each_gaps(inputs, packets, |gaps, known| delay(&mut gaps[..known], place, share));
        }
        if loss {
            lose(inputs, packets, rng);
        }
        if !cut {
            return Seen::Whole;
        }
        let share = chance::unit(rng);
        for sequence in &mut packets.0 {
            let known = packets_known(sequence);
            let kept = CUT_MIN + (share * known.saturating_sub(CUT_MIN) as f32) as usize;
            sequence.iter_mut().for_each(|list| list.iter_mut().skip(kept).for_each(forget));
        }
        Seen::PacketsOnly
    }
}

fn forget(value: &mut f32) {
    *value = f32::NAN;
}

/// Does something to the gaps of each sequence, of which so many are known.
fn each_gaps(inputs: &Inputs, packets: &mut Packets, act: impl Fn(&mut [f32], usize)) {
    for (sequence, values) in inputs.sequences.iter().zip(&mut packets.0) {
        let known = packets_known(values);
        for (list, values) in sequence.lists.iter().zip(values) {
            if list.kind == ListKind::Gap {
                act(values, known);
            }
        }
    }
}

fn delay(gaps: &mut [f32], place: f32, share: f32) {
    let mean = gaps.iter().filter(|gap| !gap.is_nan()).sum::<f32>() / gaps.len().max(1) as f32;
    let place = (place * gaps.len() as f32) as usize;
    if let Some(gap) = gaps.get_mut(place.max(1)) {
        *gap += mean * share;
    }
}

/// Takes packets out. The gap before a lost packet is added to the gap behind it, so that the others keep their times.
fn lose(inputs: &Inputs, packets: &mut Packets, rng: &mut impl Rng) {
    for (sequence, values) in inputs.sequences.iter().zip(&mut packets.0) {
        let known = packets_known(values);
        let kept: Vec<bool> = (0..known).map(|_| chance::unit(rng) >= LOST).collect();
        // A flow of which nothing arrives is no flow.
        if kept.iter().all(|kept| !kept) {
            continue;
        }
        for (list, values) in sequence.lists.iter().zip(values) {
            let (mut to, mut waiting) = (0, 0.0);
            for from in 0..known {
                let value = values[from];
                if kept[from] {
                    values[to] = if list.kind == ListKind::Gap { value + waiting } else { value };
                    to += 1;
                    waiting = 0.0;
                } else {
                    waiting += value;
                }
            }
            values[to..known].fill(f32::NAN);
        }
    }
}

#[cfg(test)]
mod tests {
    use flowgait_features::layout::{Sequence, SequenceList};
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    const NONE: Augmentation = Augmentation::NONE;

    /// A row of twenty packets of 1, −2, 3 … octets, a millisecond apart, and a number of the whole flow.
    fn row() -> (Inputs, Packets) {
        let mut columns: Vec<Vec<f32>> = Vec::new();
        columns.extend((1..=20).map(|k| vec![k as f32 * if k % 2 == 0 { -1.0 } else { 1.0 }]));
        columns.extend((0..20).map(|_| vec![1_000.0]));
        columns.push(vec![20.0]);
        let list = |from: usize, kind| SequenceList { columns: (from..from + 20).collect(), kind };
        let lists = vec![list(0, ListKind::Size), list(20, ListKind::Gap)];
        let inputs = Inputs::fit(&columns, &[0], vec![Sequence { lists }]);
        let packets = inputs.packets(&columns, 0);
        (inputs, packets)
    }

    /// What becomes of the row under 200 seeds.
    fn changed(augmentation: Augmentation) -> Vec<(Seen, Vec<f32>, Vec<f32>)> {
        let (inputs, packets) = row();
        let change = |seed| {
            let mut packets = packets.clone();
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let seen = augmentation.apply(&inputs, &mut packets, &mut rng);
            let [lists] = packets.0.try_into().unwrap();
            let [sizes, gaps] = lists.try_into().unwrap();
            (seen, sizes, gaps)
        };
        (0..200).map(change).collect()
    }

    fn sum(values: &[f32]) -> f32 {
        values.iter().filter(|value| !value.is_nan()).sum()
    }

    #[test]
    fn nothing_changes_where_nothing_is_asked_for() {
        let (_, Packets(whole)) = row();
        for (seen, sizes, gaps) in changed(NONE) {
            assert_eq!((seen, &sizes, &gaps), (Seen::Whole, &whole[0][0], &whole[0][1]));
        }
    }

    #[test]
    fn round_trips_scale_all_gaps_alike_and_leave_sizes() {
        for (_, sizes, gaps) in changed(Augmentation { round_trip: 1.0, ..NONE }) {
            assert_eq!(sizes[19], -20.0);
            assert!(gaps.iter().all(|gap| *gap == gaps[0]) && (500.0..=2_000.0).contains(&gaps[0]));
        }
    }

    #[test]
    fn a_shift_moves_one_gap() {
        for (_, _, gaps) in changed(Augmentation { shift: 1.0, ..NONE }) {
            assert!(gaps.iter().filter(|gap| **gap != 1_000.0).count() <= 1);
            assert!((20_000.0..=21_000.0).contains(&sum(&gaps)));
        }
    }

    #[test]
    fn losses_keep_order_and_the_times_of_what_arrives() {
        let all = changed(Augmentation { loss: 1.0, ..NONE });
        let mut lost = 0;
        for (_, sizes, gaps) in &all {
            let arrived: Vec<usize> =
                sizes.iter().filter(|s| !s.is_nan()).map(|s| s.abs() as usize).collect();
            assert!(arrived.is_sorted() && !arrived.is_empty());
            lost += 20 - arrived.len();
            let mut time = 0.0;
            for (packet, gap) in arrived.iter().zip(gaps) {
                time += gap;
                assert_eq!(time, *packet as f32 * 1_000.0);
            }
        }
        // 3 % of 4,000 packets: 120, give or take four standard deviations.
        assert!((77..=163).contains(&lost), "{lost}");
    }

    #[test]
    fn a_cut_keeps_the_first_packets_and_nothing_else() {
        for (seen, sizes, gaps) in changed(Augmentation { cut: 1.0, ..NONE }) {
            assert_eq!(seen, Seen::PacketsOnly);
            let kept = sizes.iter().take_while(|size| !size.is_nan()).count();
            assert!((3..20).contains(&kept));
            assert!(sizes[kept..].iter().chain(&gaps[kept..]).all(|value| value.is_nan()));
        }
    }
}
