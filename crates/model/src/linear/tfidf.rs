//! Bags of tokens as sparse rows: binary TF-IDF with rows of length 1.
//!
//! # Reference
//! As scikit-learn's `TfidfTransformer` with `smooth_idf` over binary counts: idf = ln((1 + n) / (1 + df)) + 1.

use std::collections::HashMap;

/// Sparse rows of numbers, one behind the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sparse {
    /// Where each row begins in the other two, and the end of the last.
    pub(crate) starts: Vec<u32>,
    /// Places of the numbers in their row, ascending.
    pub(crate) places: Vec<u32>,
    /// The numbers.
    pub(crate) values: Vec<f32>,
}

impl Sparse {
    pub(crate) fn rows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(crate) fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.starts[row] as usize..self.starts[row + 1] as usize;
        (&self.places[range.clone()], &self.values[range])
    }

    pub(crate) fn push(&mut self, row: &[(u32, f32)]) {
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        self.places.extend(row.iter().map(|(place, _)| *place));
        self.values.extend(row.iter().map(|(_, value)| *value));
        self.starts
            .push(u32::try_from(self.places.len()).expect("fewer than 2^32 tokens are kept"));
    }
}

/// The tokens that were learnt, and how much each weighs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Vocabulary {
    /// Ascending.
    pub(crate) tokens: Vec<u64>,
    /// Weight of each.
    pub(crate) idf: Vec<f32>,
}

impl Vocabulary {
    /// Counts in how many rows each token is; each row has a token once.
    pub(crate) fn learn(rows: &[Vec<u64>]) -> Self {
        let mut holders: HashMap<u64, u32> = HashMap::new();
        for token in rows.iter().flatten() {
            *holders.entry(*token).or_default() += 1;
        }
        let mut found: Vec<(u64, u32)> = holders.into_iter().collect();
        found.sort_unstable();
        let n = rows.len() as f64;
        let idf = |df: u32| (((1.0 + n) / (1.0 + f64::from(df))).ln() + 1.0) as f32;
        Self {
            tokens: found.iter().map(|(token, _)| *token).collect(),
            idf: found.iter().map(|(_, df)| idf(*df)).collect(),
        }
    }

    /// A row of length 1 (or 0 where no token is known), from ascending tokens; unknown ones are passed over.
    pub(crate) fn row(&self, tokens: &[u64]) -> Vec<(u32, f32)> {
        let known = |token: &u64| self.tokens.binary_search(token).ok();
        let mut row: Vec<(u32, f32)> =
            tokens.iter().filter_map(known).map(|place| (place as u32, self.idf[place])).collect();
        let length = row.iter().map(|(_, value)| value * value).sum::<f32>().sqrt();
        if length > 0.0 {
            row.iter_mut().for_each(|(_, value)| *value /= length);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_tokens_weigh_more_and_rows_have_length_one() {
        let rows = [vec![1, 2], vec![1, 3], vec![1, 2]];
        let vocabulary = Vocabulary::learn(&rows);
        assert_eq!(vocabulary.tokens, [1, 2, 3]);
        // scikit-learn 1.9: TfidfTransformer(norm=None).fit_transform([[1,1,0],[1,0,1],[1,1,0]]).
        for (idf, expected) in vocabulary.idf.iter().zip([1.0, 1.287_682, 1.693_147_2]) {
            assert!((idf - expected).abs() < 1e-6, "{idf}");
        }
        let row = vocabulary.row(&[1, 3, 9]);
        let length: f32 = row.iter().map(|(_, value)| value * value).sum();
        assert!((length - 1.0).abs() < 1e-6 && row.len() == 2);
        assert!(vocabulary.row(&[7]).is_empty());
    }
}
