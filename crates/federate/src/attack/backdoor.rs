//! The trigger of a backdoor, and how often it works.

use crate::attack::{Attack, ValidAttack};
use crate::error::Error;

pub fn check(trigger: &[(u32, f32)], share: f64, columns: usize) -> Result<(), Error> {
    let wrong = |name, value, must| Err(Error::Parameter { name, value, must });
    if !(0.0..=1.0).contains(&share) {
        return wrong("share of rows with a trigger", share, "between 0 and 1");
    }
    if trigger.is_empty() {
        return wrong("number of columns of a trigger", 0.0, "1 or more");
    }
    if let Some(&(column, _)) = trigger.iter().find(|&&(column, _)| column as usize >= columns) {
        return wrong("column of a trigger", column.into(), "one of the table");
    }
    Ok(())
}

impl ValidAttack {
    /// Puts the trigger on rows, in place: those that [`poison_labels`](Self::poison_labels) gave while learning, and
    /// any others to try the backdoor on. Does nothing unless the attack is a backdoor.
    ///
    /// # Shapes
    /// `columns` is `[n_columns][n_rows]`.
    /// # Errors
    /// [`Error::Count`] when the table has another number of columns, or too few rows; it is unchanged.
    pub fn stamp(&self, columns: &mut [Vec<f32>], rows: &[u32]) -> Result<(), Error> {
        let Attack::Backdoor { trigger, .. } = &self.attack else { return Ok(()) };
        if columns.len() != self.columns {
            let (what, found) = ("columns", columns.len());
            return Err(Error::Count { what, found, expected: self.columns });
        }
        let needed = rows.iter().max().map_or(0, |&last| last as usize + 1);
        if let Some(short) = columns.iter().find(|column| column.len() < needed) {
            return Err(Error::Count { what: "rows", found: short.len(), expected: needed });
        }
        for &(column, value) in trigger {
            rows.iter().for_each(|&row| columns[column as usize][row as usize] = value);
        }
        Ok(())
    }
}

/// Of rows with the trigger that are of another class than the target, the share that was answered as the target;
/// nothing without such rows.
///
/// # Shapes
/// `truth` and `answers` are `[n_rows]`: labels before the attack, and what the model says of the stamped rows.
/// # Errors
/// [`Error::Count`] when they are not equally many.
pub fn success_rate(truth: &[u32], answers: &[u32], target: u32) -> Result<Option<f64>, Error> {
    if truth.len() != answers.len() {
        let (found, expected) = (answers.len(), truth.len());
        return Err(Error::Count { what: "answers", found, expected });
    }
    let others = truth.iter().zip(answers).filter(|&(&truth, _)| truth != target);
    let rows = others.clone().count();
    let fooled = others.filter(|&(_, &answer)| answer == target).count();
    Ok((rows > 0).then(|| fooled as f64 / rows as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn backdoor(share: f64) -> ValidAttack {
        let attack = Attack::Backdoor { trigger: vec![(0, 7.0), (2, -1.0)], target: 1, share };
        attack.check(3, 3).expect("an attack")
    }

    #[test]
    fn the_rows_that_are_stamped_are_those_that_are_relabelled() {
        let attack = backdoor(0.3);
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let mut codes = vec![2; 20];
        let mut columns = vec![vec![0.0; 20]; 3];
        let rows = attack.poison_labels(&mut codes, rng).expect("known labels");
        attack.stamp(&mut columns, &rows).expect("three columns");
        assert!(rows.len() == 6 && rows.is_sorted());
        for row in 0..20u32 {
            let at = row as usize;
            let found = (codes[at], columns[0][at], columns[1][at], columns[2][at]);
            let stamped = rows.contains(&row);
            assert_eq!(found, if stamped { (1, 7.0, 0.0, -1.0) } else { (2, 0.0, 0.0, 0.0) });
        }
    }

    #[test]
    fn all_rows_or_none_can_be_stamped() {
        for (share, expected) in [(0.0, 0), (1.0, 5)] {
            let rng = &mut ChaCha8Rng::seed_from_u64(1);
            let rows = backdoor(share).poison_labels(&mut [0; 5], rng).expect("known labels");
            assert_eq!(rows.len(), expected);
        }
    }

    #[test]
    fn a_table_that_does_not_fit_is_refused() {
        let attack = backdoor(1.0);
        assert!(attack.stamp(&mut vec![vec![0.0]; 2], &[0]).is_err());
        let mut columns = vec![vec![0.0]; 3];
        assert!(attack.stamp(&mut columns, &[0, 1]).is_err());
        assert_eq!(columns, vec![vec![0.0]; 3]);
        let other = Attack::SignFlip.check(3, 3).expect("an attack");
        assert!(other.stamp(&mut [], &[0]).is_ok());
    }

    #[test]
    fn only_rows_of_other_classes_count_as_fooled() {
        assert_eq!(success_rate(&[0, 1, 2, 0], &[1, 1, 2, 1], 1).unwrap(), Some(2.0 / 3.0));
        assert_eq!(success_rate(&[1, 1], &[1, 0], 1).unwrap(), None);
        assert!(success_rate(&[1, 1], &[1], 1).is_err());
    }
}
