//! How uneven the classes of a partition are.

/// The mean over clients of the total variation distance between their shares of classes and everybody's: 0 when all
/// are alike, near 1 when each has what nobody else has. Clients without rows do not count.
///
/// # Shapes
/// `parts` are `[n_clients]` lists of rows, `codes` is `[n_rows]` with values below `classes`.
/// # Panics
/// When a row or a class is not there.
#[must_use]
pub fn skew(parts: &[Vec<u32>], codes: &[u32], classes: usize) -> f64 {
    let everybody = class_shares(codes.iter().copied(), classes);
    let mut sum = 0.0;
    let mut clients = 0;
    for rows in parts.iter().filter(|rows| !rows.is_empty()) {
        let own = class_shares(rows.iter().map(|&row| codes[row as usize]), classes);
        let apart = own.iter().zip(&everybody).map(|(own, all)| (own - all).abs());
        sum += apart.sum::<f64>() / 2.0;
        clients += 1;
    }
    if clients == 0 { 0.0 } else { sum / f64::from(clients) }
}

pub fn class_shares(codes: impl Iterator<Item = u32>, classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; classes];
    let mut rows = 0.0;
    for code in codes {
        counts[code as usize] += 1.0;
        rows += 1.0;
    }
    // Without rows all shares are 0.
    counts.iter().map(|count| count / f64::max(rows, 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_distance_that_a_person_can_count() {
        let codes = [0, 0, 1, 1];
        assert_eq!(skew(&[vec![0, 2], vec![1, 3]], &codes, 2), 0.0);
        assert_eq!(skew(&[vec![0, 1], vec![2, 3], vec![]], &codes, 2), 0.5);
        assert_eq!(skew(&[vec![0], vec![1, 2, 3]], &codes, 2), (0.5 + 1.0 / 6.0) / 2.0);
        assert_eq!(skew(&[], &[], 2), 0.0);
    }
}
