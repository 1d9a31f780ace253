//! Whether the right class stands high: top-k accuracy and the area under the curve.

use rayon::prelude::*;

use super::Answers;

impl<P: Copy + Into<f64> + Sync> Answers<'_, P> {
    /// Top-1 to top-`k_max` accuracy.
    ///
    /// Among equally probable classes the lowest code stands first, as in [`Answers::predicted`], so top-1 is the accuracy.
    #[must_use]
    pub fn top_k(&self, k_max: usize) -> Vec<f64> {
        let mut at_rank = vec![0_u64; k_max];
        for (truth, row) in self.each() {
            let own: f64 = row[truth].into();
            let before = |(class, &p): (usize, &P)| {
                let p: f64 = p.into();
                p > own || (p == own && class < truth)
            };
            let rank = row.iter().enumerate().filter(|&each| before(each)).count();
            if let Some(count) = at_rank.get_mut(rank) {
                *count += 1;
            }
        }
        let mut hits = 0;
        let share = |count| {
            hits += count;
            hits as f64 / self.rows() as f64
        };
        at_rank.into_iter().map(share).collect()
    }

    /// The area under the curve of each class against the rest; none for a class that no row or every row has.
    #[must_use]
    pub fn auroc_one_vs_rest(&self) -> Vec<Option<f64>> {
        let area = |class: usize| {
            let mut ranked: Vec<(f64, bool)> = Vec::with_capacity(self.rows());
            for (truth, row) in self.each() {
                ranked.push((row[class].into(), truth == class));
            }
            auroc(&mut ranked)
        };
        (0..self.classes()).into_par_iter().map(area).collect()
    }

    /// The mean of [`Answers::auroc_one_vs_rest`] over the classes that have one; none where no class has.
    #[must_use]
    pub fn auroc_macro(&self) -> Option<f64> {
        let areas: Vec<f64> = self.auroc_one_vs_rest().into_iter().flatten().collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    }
}

/// The chance that a positive scores above a negative, ties counting half; none without both.
pub(super) fn auroc(ranked: &mut [(f64, bool)]) -> Option<f64> {
    ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let positives = ranked.iter().filter(|each| each.1).count() as u64;
    let negatives = ranked.len() as u64 - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    // Twice the number of pairs won: whole numbers, so the sum is exact in any order.
    let (mut won, mut below) = (0_u128, 0_u64);
    for tied in ranked.chunk_by(|a, b| a.0 == b.0) {
        let here = tied.iter().filter(|each| each.1).count() as u64;
        let others = tied.len() as u64 - here;
        won += u128::from(here) * u128::from(2 * below + others);
        below += others;
    }
    Some(won as f64 / 2.0 / (positives as f64 * negatives as f64))
}
