//! Every coordinate's values in ascending order, many coordinates at a time.
//!
//! A sorting network compares the same places whatever the values, so one comparison serves a whole block of
//! coordinates and the compiler can use vector instructions for it. That is several times as fast as a sort for each
//! coordinate, and a sorted list does not tell the order of clients: nor does the rounding of a sum over it.

use rayon::prelude::*;

use crate::robust::updates::Number;

/// Coordinates that one task takes at a time: at 100 clients 51 kB, which a core's own cache holds.
const BLOCK: usize = 64;

/// Applies `combine` to all clients' values of each coordinate, in ascending order.
///
/// # Shapes
/// `updates` is `[n_clients][n_parameters]`, checked; `combine` sees `[n_clients]`; the result is `[n_parameters]`.
pub fn by_sorted_coordinate<T: Number>(
    updates: &[&[T]],
    parameters: usize,
    combine: impl Fn(&[f64]) -> f64 + Sync,
) -> Vec<f64> {
    let clients = updates.len();
    let network = network(clients);
    let mut result = vec![0.0; parameters];
    result.par_chunks_mut(BLOCK).enumerate().for_each(|(block, out)| {
        let mut rows = vec![[0.0; BLOCK]; clients];
        for (row, update) in rows.iter_mut().zip(updates) {
            for (wide, &value) in row.iter_mut().zip(&update[block * BLOCK..][..out.len()]) {
                *wide = value.into();
            }
        }
        for &(low, high) in &network {
            let (front, back) = rows.split_at_mut(high);
            exchange(&mut front[low], &mut back[0]);
        }
        let mut values = vec![0.0; clients];
        for (at, out) in out.iter_mut().enumerate() {
            for (value, row) in values.iter_mut().zip(&rows) {
                *value = row[at];
            }
            *out = combine(&values);
        }
    });
    result
}

/// The smaller values to `low`, the larger ones to `high`. Written so that it becomes two instructions for two
/// coordinates: over iterators, or with a single comparison for both, the compiler makes branches, which is six times
/// as slow, and `f64::min` needs more, to know what to do with what is no number.
fn exchange(low: &mut [f64; BLOCK], high: &mut [f64; BLOCK]) {
    for at in 0..BLOCK {
        let (a, b) = (low[at], high[at]);
        low[at] = if a < b { a } else { b };
        high[at] = if b > a { b } else { a };
    }
}

/// The places to compare and exchange, in order, to sort `n` values.
///
/// # Reference
/// Knuth, *The Art of Computer Programming*, volume 3, section 5.2.2, Algorithm M (Batcher's merge exchange).
fn network(n: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let top = n.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            pairs.extend((0..n - d).filter(|i| i & p == r).map(|i| (i, i + d)));
            if q == p {
                break;
            }
            (d, q, r) = (q - p, q / 2, p);
        }
        p /= 2;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_sorts_every_pattern() {
        // A network that sorts all lists of zeros and ones sorts all lists (Knuth, Theorem Z).
        for n in 1..=14usize {
            let network = network(n);
            for pattern in 0..1u32 << n {
                let mut bits = pattern;
                for &(low, high) in &network {
                    let swap = bits >> low & 1 & !(bits >> high);
                    bits ^= swap << low | swap << high;
                }
                let sorted = (1 << n) - (1 << (n as u32 - pattern.count_ones()));
                assert_eq!(bits, sorted, "{n} {pattern:b}");
            }
        }
    }

    #[test]
    fn every_coordinate_of_every_block_is_sorted() {
        for clients in [1usize, 2, 7, 100] {
            let value = |client: usize, at: usize| ((client * 7919 + at * 104_729) % 1009) as f32;
            let parameters = 2 * BLOCK + 7;
            let updates: Vec<Vec<f32>> = (0..clients)
                .map(|client| (0..parameters).map(|at| value(client, at)).collect())
                .collect();
            let views: Vec<&[f32]> = updates.iter().map(Vec::as_slice).collect();
            for place in [0, clients / 2, clients - 1] {
                let found = by_sorted_coordinate(&views, parameters, |sorted| sorted[place]);
                for (at, found) in found.into_iter().enumerate() {
                    let mut column: Vec<f64> =
                        (0..clients).map(|client| f64::from(value(client, at))).collect();
                    column.sort_by(f64::total_cmp);
                    assert_eq!(found, column[place], "{clients} {at}");
                }
            }
        }
    }
}
