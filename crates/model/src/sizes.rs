//! The sizes of a flow's packets without what says nothing: acknowledgements dropped, headers subtracted.
//!
//! As tokens they feed the linear classifier; as columns (`SizeColumns`) they help trees, for which the fifth packet of a row and
//! the sixth of another, with an acknowledgement before it, are two different things.

use flowgait_features::layout::Sizes;

/// A packet without payload is no larger than this, in octets with all headers (IPv6, TCP with every usual option, Ethernet).
const BARE_OCTETS_MAX: i64 = 94;
/// How much the options of a handshake add to a packet without payload, in octets.
const OPTIONS_OCTETS: i64 = 20;
/// No packet is larger; a table may say anything, and sums of it must not overflow.
const OCTETS_MAX: i64 = 1 << 24;
/// So many first sizes of each direction are columns.
const PLACES: usize = 8;
/// So many first runs of packets in one direction are columns.
const RUNS: usize = 10;

/// The sizes that tell something, in order, negative from the responder: whole flows differ by what they carry, not by the options of
/// their TCP.
pub(crate) fn payload(sizes: &Sizes, columns: &[Vec<f32>], row: usize) -> Vec<i64> {
    let whole = whole(sizes, columns, row);
    let least = whole.iter().map(|size| size.abs()).min().unwrap_or_default();
    let header = if sizes.payload || least > BARE_OCTETS_MAX { 0 } else { least };
    let bare = if header > 0 { header + OPTIONS_OCTETS } else { 0 };
    let bears = whole.iter().filter(|size| size.abs() > bare);
    bears.map(|size| (size.abs() - header) * size.signum()).collect()
}

/// The sizes as they are, in order, negative from the responder.
pub(crate) fn whole(sizes: &Sizes, columns: &[Vec<f32>], row: usize) -> Vec<i64> {
    let values = sizes.columns.iter().map(|&column| columns[column][row]);
    values
        .filter(|value| !value.is_nan() && *value != 0.0)
        .map(|value| (value as i64).clamp(-OCTETS_MAX, OCTETS_MAX))
        .collect()
}

/// Runs of sizes in one direction.
pub(crate) fn runs(sizes: &[i64]) -> impl Iterator<Item = &[i64]> {
    sizes.chunk_by(|a, b| (*a < 0) == (*b < 0))
}

/// Columns that follow from the sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SizeColumns(pub(crate) Sizes);

impl SizeColumns {
    /// How many there are.
    pub(crate) const COUNT: usize = 2 * PLACES + RUNS + 6;

    /// The columns of some rows: the first sizes forward and backward, the totals of the first runs; then in both directions how
    /// many, how much, and the largest. What a row does not reach is missing.
    pub(crate) fn of(&self, columns: &[Vec<f32>], rows: &[u32]) -> Vec<Vec<f32>> {
        let mut found = vec![vec![f32::NAN; rows.len()]; Self::COUNT];
        for (at, &row) in rows.iter().enumerate() {
            let sizes = payload(&self.0, columns, row as usize);
            let mut seen = [0; 2];
            for &size in &sizes {
                let side = usize::from(size < 0);
                if seen[side] < PLACES {
                    found[side * PLACES + seen[side]][at] = size as f32;
                }
                seen[side] += 1;
            }
            for (place, run) in runs(&sizes).take(RUNS).enumerate() {
                found[2 * PLACES + place][at] = run.iter().sum::<i64>() as f32;
            }
            let totals = 2 * PLACES + RUNS;
            for (side, count) in seen.into_iter().enumerate() {
                let own = sizes.iter().filter(|size| usize::from(**size < 0) == side);
                let octets = own.clone().map(|size| size.unsigned_abs());
                found[totals + side][at] = count as f32;
                found[totals + 2 + side][at] = octets.clone().sum::<u64>() as f32;
                found[totals + 4 + side][at] = octets.max().unwrap_or(0) as f32;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_no_packet_has_do_no_harm() {
        let columns = [vec![f32::MAX], vec![f32::MIN], vec![1e30], vec![f32::NAN]];
        let sizes = Sizes { columns: (0..4).collect(), payload: false };
        assert_eq!(payload(&sizes, &columns, 0), [OCTETS_MAX, -OCTETS_MAX, OCTETS_MAX]);
        let found = SizeColumns(sizes).of(&columns, &[0]).concat();
        assert!(found.iter().all(|value| !value.is_infinite()));
    }

    #[test]
    fn an_acknowledgement_more_changes_no_column() {
        let flow = |values: &[f32]| {
            let columns: Vec<Vec<f32>> = values.iter().map(|&value| vec![value]).collect();
            let sizes = Sizes { columns: (0..values.len()).collect(), payload: false };
            SizeColumns(sizes).of(&columns, &[0]).concat()
        };
        let plain = flow(&[60.0, -60.0, 40.0, 557.0, -40.0, -1_440.0, -640.0]);
        let stamped = flow(&[60.0, -60.0, 52.0, 569.0, -52.0, -1_452.0, 52.0, -652.0]);
        assert!(plain.iter().zip(&stamped).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())));
        assert_eq!((plain[0], plain[PLACES], plain[PLACES + 1]), (517.0, -1_400.0, -600.0));
        assert_eq!((plain[2 * PLACES], plain[2 * PLACES + 1]), (517.0, -2_000.0));
        assert_eq!(plain[2 * PLACES + RUNS..], [1.0, 2.0, 517.0, 2_000.0, 517.0, 1_400.0]);
        assert!(plain[1].is_nan());
    }
}
