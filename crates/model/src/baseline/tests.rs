//! What the baselines answer on small tables worked out by hand.

use proptest::prelude::*;

use super::*;

fn training<'a>(
    columns: &'a [Vec<f32>],
    rows: &'a [u32],
    codes: &'a [u32],
    classes: usize,
) -> Training<'a> {
    Training { columns, rows, codes, classes, class_weights: None }
}

#[test]
fn the_majority_is_of_the_training_rows_only() {
    let majority = Majority::fit(&training(&[], &[0, 1, 2], &[2, 1, 2, 1, 1, 1], 3)).unwrap();
    let said = majority.probabilities(2);
    assert_eq!((said.rows(), said.best(0), said.best(1)), (2, 2, 2));
    assert_eq!(said.row(0), [0.0, 1.0 / 3.0, 2.0 / 3.0]);
    let tied = Majority::fit(&training(&[], &[0, 1], &[2, 1], 3)).unwrap();
    assert_eq!(tied.probabilities(1).best(0), 1);
}

fn addresses(cells: &[Option<u32>], values: &[&str]) -> Codes {
    Codes {
        name: "responder_address".into(),
        values: values.iter().map(ToString::to_string).collect(),
        codes: cells.iter().map(|cell| cell.unwrap_or(Codes::MISSING)).collect(),
    }
}

#[test]
fn an_address_is_known_by_its_name_in_another_table() {
    let seen =
        addresses(&[Some(0), Some(0), Some(0), Some(1), None, None], &["10.0.0.1", "10.0.0.2"]);
    let rows = [0, 1, 2, 3, 4, 5];
    let lookup = AddressLookup::fit(&training(&[], &rows, &[1, 1, 0, 2, 3, 3], 4), &seen).unwrap();
    // Another table numbers the same addresses otherwise, and has a new one.
    let later =
        addresses(&[Some(1), Some(2), Some(0), None], &["10.0.0.0", "10.0.0.1", "10.0.0.2"]);
    let said = lookup.probabilities(&later, &[0, 1, 2, 3]).unwrap();
    let best: Vec<u32> = (0..4).map(|row| said.best(row)).collect();
    // Never seen, and missing: the majority, where 1 and 3 tie.
    assert_eq!(best, [1, 2, 1, 1]);
    assert!(matches!(
        lookup.probabilities(&later, &[4]),
        Err(Error::OutOfRange { what: "row", .. })
    ));
}

#[test]
fn nothing_to_learn_from_is_refused() {
    let none = training(&[], &[], &[], 2);
    assert!(matches!(Majority::fit(&none), Err(Error::NoRows { .. })));
    assert!(matches!(NearestParams::new(vec![0]).fit(&none), Err(Error::NoRows { .. })));
    let columns = [vec![1.0, 2.0]];
    let one = training(&columns, &[0], &[0, 1], 2);
    assert!(matches!(NearestParams::new(vec![]).fit(&one), Err(Error::NoRows { .. })));
    assert!(matches!(
        NearestParams::new(vec![0]).neighbours(0).fit(&one),
        Err(Error::NoRows { .. })
    ));
    assert!(matches!(
        NearestParams::new(vec![1]).fit(&one),
        Err(Error::OutOfRange { what: "column", .. })
    ));
    let past = training(&columns, &[2], &[0, 1], 2);
    assert!(matches!(Majority::fit(&past), Err(Error::OutOfRange { what: "row", .. })));
    let stranger = training(&columns, &[0], &[7, 1], 2);
    assert!(matches!(Majority::fit(&stranger), Err(Error::OutOfRange { what: "class", .. })));
    let nearest = NearestParams::new(vec![0]).fit(&one).unwrap();
    assert!(matches!(
        nearest.probabilities(&columns, &[5]),
        Err(Error::OutOfRange { what: "row", .. })
    ));
}

#[test]
fn missing_packets_are_of_size_nothing() {
    let columns = [vec![100.0, 100.0, 100.0, 100.0], vec![f32::NAN, -1400.0, -60.0, f32::INFINITY]];
    let nearest =
        NearestParams::new(vec![0, 1]).fit(&training(&columns, &[0, 1], &[0, 1, 0, 0], 2)).unwrap();
    let said = nearest.probabilities(&columns, &[2, 3]).unwrap();
    assert_eq!((said.best(0), said.best(1)), (0, 0));
}

/// Looks at every row: the definition, without a tree.
fn by_hand(
    columns: &[Vec<f32>],
    codes: &[u32],
    train: &[u32],
    row: u32,
    k: usize,
    classes: usize,
) -> Vec<f32> {
    let cell = |column: &Vec<f32>, row: u32| {
        let value = f64::from(column[row as usize]);
        if value.is_nan() { 0.0 } else { value }
    };
    let far =
        |other: u32| columns.iter().map(|c| (cell(c, row) - cell(c, other)).powi(2)).sum::<f64>();
    let mut distances: Vec<f64> = train.iter().map(|&other| far(other)).collect();
    distances.sort_by(f64::total_cmp);
    let reach = distances[k.min(distances.len()) - 1];
    let mut votes = vec![0.0; classes];
    for &other in train.iter().filter(|&&other| far(other) <= reach) {
        votes[codes[other as usize] as usize] += 1.0;
    }
    let sum: f32 = votes.iter().sum();
    votes.into_iter().map(|vote| vote / sum).collect()
}

proptest! {
    #[test]
    fn the_tree_finds_what_looking_at_every_row_finds(
        cells in prop::collection::vec((prop::collection::vec(-4_i8..5, 3), 0_u32..4, any::<bool>()), 2..200), k in 1_u32..8,
    ) {
        let column = |d: usize| cells.iter().map(move |cell| match cell.0[d] {
            4 => f32::NAN,
            // Sizes that are no whole numbers round in the distance; ties must survive that.
            value => f32::from(value) * 0.1,
        }).collect::<Vec<_>>();
        let columns = [column(0), column(1), column(2)];
        let codes: Vec<u32> = cells.iter().map(|cell| cell.1).collect();
        let all = 0..cells.len() as u32;
        let mut train: Vec<u32> = all.clone().filter(|&row| cells[row as usize].2).collect();
        prop_assume!(!train.is_empty());
        let params = NearestParams::new(vec![0, 1, 2]).neighbours(k);
        let rows: Vec<u32> = all.collect();
        let said = params.fit(&training(&columns, &train, &codes, 4)).unwrap().probabilities(&columns, &rows).unwrap();
        for &row in &rows {
            let expected = by_hand(&columns, &codes, &train, row, k as usize, 4);
            prop_assert_eq!(said.row(row as usize), &expected[..]);
        }
        train.reverse();
        let turned = params.fit(&training(&columns, &train, &codes, 4)).unwrap().probabilities(&columns, &rows).unwrap();
        prop_assert_eq!(said, turned);
    }
}
