//! Rows at their clients: whose each row is, and which of them nobody learns from.

use flowgait_features::Schema;
use flowgait_model::Training;
use flowgait_model::net::Statistics;
use rand_chacha::rand_core::Rng;

use crate::error::Error;
use crate::partition::Partition;
use crate::stream::{Purpose, stream};

/// The rows of all clients of a process, as one table, and which rows are whose.
///
/// # Shapes
/// `columns` is `[n_features][n_rows]`, a missing value is NaN; `codes` is `[n_rows]`; `rows` has each client's rows to learn from,
/// ascending, each row at one client at most.
#[derive(Clone, Debug, Default)]
pub struct Homes {
    /// What the columns are.
    pub schema: Schema,
    /// The table.
    pub columns: Vec<Vec<f32>>,
    /// The class of each row.
    pub codes: Vec<u32>,
    /// Number of classes.
    pub classes: usize,
    /// The rows of each client.
    pub rows: Vec<Vec<u32>>,
}

impl Homes {
    /// Some rows of the table, to learn from.
    #[must_use]
    pub fn training<'a>(&'a self, rows: &'a [u32]) -> Training<'a> {
        Training {
            columns: &self.columns,
            rows,
            codes: &self.codes,
            classes: self.classes,
            class_weights: None,
        }
    }

    /// All clients' rows, ascending.
    #[must_use]
    pub fn all_rows(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.rows.iter().flatten().copied().collect();
        all.sort_unstable();
        all
    }

    /// What puts the columns on one scale: the sum of what each client sums up.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let mut sum = Vec::new();
        for rows in &self.rows {
            let own = Statistics::of(&self.columns, rows).to_flat();
            sum.resize(own.len(), 0.0);
            sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
        Statistics::from_flat(&sum)
            .expect("invariant: cells are finite or missing, and sums whole columns")
    }
}

/// Rows that nobody learns from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldOut {
    /// Rows of each client's own.
    pub of_clients: Vec<Vec<u32>>,
    /// Rows of nobody's, where there are some; without them all clients' together are judged.
    pub common: Vec<u32>,
}

impl HeldOut {
    /// The rows on which a common model is judged.
    #[must_use]
    pub fn rows(&self) -> Vec<u32> {
        if !self.common.is_empty() {
            return self.common.clone();
        }
        let mut rows: Vec<u32> = self.of_clients.iter().flatten().copied().collect();
        rows.sort_unstable();
        rows
    }
}

/// Who gets which of a table's first rows.
#[derive(Clone, Copy, Debug)]
pub enum Dealing<'a> {
    /// So many clients, by a partition.
    Partition(Partition, usize),
    /// One client for each value of a column; `[n_rows]`, as numbers from 0.
    Column(&'a [u32]),
}

impl Homes {
    /// Deals the first `rows` rows of the table to clients; the others, where there are any, are the common rows that are held out.
    ///
    /// Of each client's rows a share is held out, drawn by chance; a client of one row learns from it.
    ///
    /// # Errors
    /// As [`Partition::split`].
    pub fn deal(
        &mut self,
        rows: usize,
        dealing: Dealing<'_>,
        held_out: f64,
        seed: u64,
    ) -> Result<HeldOut, Error> {
        let mut rng = stream(seed, Purpose::Partition, 0, 0);
        let codes = &self.codes[..rows];
        let parts = match dealing {
            Dealing::Partition(partition, clients) => {
                partition.split(codes, self.classes, None, clients, &mut rng)?
            }
            Dealing::Column(of) => {
                let clients = of[..rows].iter().max().map_or(0, |last| *last as usize + 1);
                let mut parts = vec![Vec::new(); clients];
                (0..).zip(&of[..rows]).for_each(|(row, &client)| parts[client as usize].push(row));
                parts
            }
        };
        let mut of_clients = Vec::with_capacity(parts.len());
        self.rows = Vec::with_capacity(parts.len());
        for (client, mut part) in (0..).zip(parts) {
            let mut rng = stream(seed, Purpose::HeldOut, 0, client);
            let wanted = (held_out * part.len() as f64).round() as usize;
            let wanted = wanted.min(part.len().saturating_sub(1));
            let mut held = Vec::with_capacity(wanted);
            for _ in 0..wanted {
                let at = rng.next_u64() as usize % part.len();
                held.push(part.swap_remove(at));
            }
            part.sort_unstable();
            held.sort_unstable();
            self.rows.push(part);
            of_clients.push(held);
        }
        let common = (rows as u32..self.codes.len() as u32).collect();
        Ok(HeldOut { of_clients, common })
    }

    /// How many of a client's rows are of each class.
    ///
    /// # Shapes
    /// `[n_clients][n_classes]`.
    #[must_use]
    pub fn class_rows(&self) -> Vec<Vec<u64>> {
        let of_client = |rows: &Vec<u32>| {
            let mut counts = vec![0; self.classes];
            rows.iter().for_each(|&row| counts[self.codes[row as usize] as usize] += 1);
            counts
        };
        self.rows.iter().map(of_client).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn homes(rows: u32) -> Homes {
        let codes = (0..rows).map(|row| row % 4).collect();
        let columns = vec![(0..rows).map(|row| row as f32).collect()];
        Homes { columns, codes, classes: 4, ..Homes::default() }
    }

    #[test]
    fn every_row_is_learnt_from_or_held_out_once() {
        let mut homes = homes(1_000);
        let dealing = Dealing::Partition(Partition::Dirichlet { alpha: 0.3 }, 7);
        let held_out = homes.deal(900, dealing, 0.25, 3).unwrap();
        let mut all: Vec<u32> = homes.all_rows();
        all.extend(held_out.of_clients.iter().flatten());
        all.extend(&held_out.common);
        all.sort_unstable();
        assert_eq!(all, (0..1_000).collect::<Vec<_>>());
        for (learnt, held) in homes.rows.iter().zip(&held_out.of_clients) {
            let all = (learnt.len() + held.len()) as f64;
            assert_eq!(
                held.len(),
                ((0.25 * all).round() as usize).min(learnt.len() + held.len() - 1)
            );
        }
        assert_eq!(held_out.common, (900..1_000).collect::<Vec<_>>());
        let counted: u64 = homes.class_rows().iter().flatten().sum();
        assert_eq!(counted, homes.all_rows().len() as u64);
    }

    #[test]
    fn a_column_says_whose_rows_are() {
        let mut homes = homes(10);
        let of: Vec<u32> = (0..10).map(|row| row / 4).collect();
        let held_out = homes.deal(10, Dealing::Column(&of), 0.0, 1).unwrap();
        assert_eq!(homes.rows, [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
        assert!(held_out.rows().is_empty());
    }
}
