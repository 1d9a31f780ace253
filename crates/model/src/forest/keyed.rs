//! Chance that depends on where it is needed, not on what was drawn before: a row's by its key, a node's by its path.
//!
//! A forest that several clients grow together cannot draw its rows one after the other, since nobody holds them all. So whether and
//! how often a row is in a tree follows from the seed, the tree and the row's key; and what is drawn at a node follows from the seed,
//! the tree and the way from the root to it. Then a grower that goes depth first over rows and one that goes level by level over sums
//! draw the same.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The key of a tree's root.
pub(super) const ROOT_KEY: u64 = 1;

/// A number in which every bit of `value` has moved about half of the bits.
///
/// # Reference
/// The finaliser of SplitMix64: Steele, Lea, Flood, *Fast splittable pseudorandom number generators*, 2014, figure 16 (`mix64`, with
/// the constants of its variant 13).
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// A number from two.
pub(super) fn mix_two(a: u64, b: u64) -> u64 {
    mix(mix(a.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ b)
}

/// The keys of a node's children.
pub(super) fn children(key: u64) -> (u64, u64) {
    (mix_two(key, 2), mix_two(key, 3))
}

/// The chance of a node.
pub(super) fn node_rng(seed: u64, tree: usize, key: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(mix_two(seed, key));
    rng.set_stream(tree as u64);
    rng
}

/// How often a tree draws a row: Poisson with mean 1, what a bootstrap comes to when there are many rows.
///
/// # Reference
/// Oza, Russell, *Online bagging and boosting*, 2001, section 2.
pub(super) fn times(seed: u64, tree: usize, key: u64) -> u16 {
    let drawn = mix_two(mix_two(seed, tree as u64), key);
    POISSON.iter().take_while(|limit| drawn >= **limit).count() as u16
}

/// 2⁶⁴ times the chance of at most 0, 1, 2, … for Poisson with mean 1, rounded down; above the last of them no 64 bits lie.
#[rustfmt::skip]
const POISSON: [u64; 20] = [
    0x5e2d_58d8_b3bc_df1a, 0xbc5a_b1b1_6779_be35, 0xeb71_5e1d_c158_2dc2, 0xfb23_9797_34a2_52f1, 0xff10_25f5_9174_dc3d,
    0xffd9_0f3b_a405_5e19, 0xfffa_8b71_fc72_c913, 0xffff_540c_0914_b3c9, 0xffff_ed1f_4aa8_f120, 0xffff_fe21_6e64_1462,
    0xffff_ffd4_d85d_3183, 0xffff_fffc_6da2_62b4, 0xffff_ffff_ba12_d178, 0xffff_ffff_fb07_c64c, 0xffff_ffff_ffab_8ea5,
    0xffff_ffff_fffa_be22, 0xffff_ffff_ffff_b11a, 0xffff_ffff_ffff_fba1, 0xffff_ffff_ffff_ffc5, 0xffff_ffff_ffff_fffd,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_drawn_as_often_as_poisson_says() {
        // 200,000 draws: the share of each number is within five standard deviations of e^-1 / k!.
        let draws = 200_000_u64;
        let mut counts = [0_u32; 32];
        for key in 0..draws {
            counts[usize::from(times(7, (key % 13) as usize, key / 13))] += 1;
        }
        let mut expected = (-1.0_f64).exp();
        for (k, count) in (1..).zip(&counts[..8]) {
            let deviation = (expected * (1.0 - expected) / draws as f64).sqrt();
            let share = f64::from(*count) / draws as f64;
            assert!((share - expected).abs() < 5.0 * deviation, "{share} {expected}");
            expected /= f64::from(k);
        }
        assert_eq!(counts.iter().map(|count| u64::from(*count)).sum::<u64>(), draws);
    }

    #[test]
    fn trees_rows_and_nodes_draw_for_themselves() {
        let of_tree = |tree| (0..64).map(|key| times(1, tree, key)).collect::<Vec<_>>();
        assert_ne!(of_tree(0), of_tree(1));
        assert_eq!(of_tree(3), of_tree(3));
        let (left, right) = children(ROOT_KEY);
        assert_ne!(left, right);
        assert_ne!(children(left), children(right));
        assert_ne!(node_rng(1, 0, left), node_rng(1, 0, right));
        assert_ne!(node_rng(1, 0, left), node_rng(1, 1, left));
    }
}
