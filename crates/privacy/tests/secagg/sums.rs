//! The sum is exact whoever is lost, and a round that cannot be unmasked says so.

use flowgait_privacy::secagg::{ClientId, Error};
use proptest::prelude::*;

use crate::cohort::{Cohort, Last, params, round_of};

/// Updates of a cohort, and the sum of those that survived.
fn plain_sum(updates: &[Vec<i64>], last: &[Last]) -> (Vec<i64>, Vec<ClientId>) {
    let mut sum = vec![0; updates[0].len()];
    let mut clients = Vec::new();
    for ((client, update), &last) in (0..).map(ClientId).zip(updates).zip(last) {
        if last >= Last::Masks {
            clients.push(client);
            sum.iter_mut().zip(update).for_each(|(sum, entry)| *sum += entry);
        }
    }
    (sum, clients)
}

fn last() -> impl Strategy<Value = Last> {
    prop_oneof![
        1 => Just(Last::Nothing),
        1 => Just(Last::Advertises),
        1 => Just(Last::Shares),
        1 => Just(Last::Masks),
        1 => Just(Last::Confirms),
        9 => Just(Last::Reveals),
    ]
}

fn cohort(sizes: std::ops::Range<usize>) -> impl Strategy<Value = (Vec<Last>, Vec<Vec<i64>>)> {
    let updates =
        |clients| prop::collection::vec(prop::collection::vec(-1024i64..=1024, 5), clients);
    sizes.prop_flat_map(move |n| (prop::collection::vec(last(), n), updates(n)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn with_all_as_neighbours_the_sum_is_exact_or_the_threshold_was_missed(
        (last, updates) in cohort(4..10),
        seed: u64,
        higher in 0u32..3,
    ) {
        let n = last.len() as u32;
        let threshold = ((n - 1) / 2 + 1 + higher).min(n - 1);
        let round = round_of(n, params(n - 1, threshold, 5));
        let result = Cohort::new(&round, &last, seed).run(&updates);
        // The owner of a secret holds no share of it.
        let others = |step| last.iter().filter(|&&last| last >= step).count().saturating_sub(1);
        let steps = [Last::Advertises, Last::Shares, Last::Masks, Last::Confirms, Last::Reveals];
        if steps.into_iter().all(|step| others(step) >= threshold as usize) {
            let sum = result.expect("enough are left");
            let (entries, clients) = plain_sum(&updates, &last);
            prop_assert_eq!(sum.entries, entries);
            prop_assert_eq!(sum.clients, clients);
        } else {
            let below = matches!(result, Err(Error::BelowThreshold { .. }));
            prop_assert!(below, "{:?}", result);
        }
    }

    #[test]
    fn with_a_few_neighbours_the_sum_is_exact_or_the_threshold_was_missed(
        (last, updates) in cohort(12..24),
        seed: u64,
    ) {
        let n = last.len() as u32;
        let round = round_of(n, params(6, 4, 5));
        match Cohort::new(&round, &last, seed).run(&updates) {
            Ok(sum) => {
                let (entries, clients) = plain_sum(&updates, &last);
                prop_assert_eq!(sum.entries, entries);
                prop_assert_eq!(sum.clients, clients);
            }
            Err(error) => {
                let below = matches!(error, Error::BelowThreshold { .. });
                prop_assert!(below, "{:?}", error);
                prop_assert!(last.iter().any(|&last| last < Last::Reveals));
            }
        }
    }
}

#[test]
fn the_round_of_nobody_is_no_round() {
    let round = round_of(5, params(4, 3, 5));
    let updates = vec![vec![1; 5]; 5];
    for last in [Last::Nothing, Last::Advertises, Last::Shares, Last::Masks, Last::Confirms] {
        let result = Cohort::new(&round, &[last; 5], 1).run(&updates);
        assert!(
            matches!(result, Err(Error::BelowThreshold { left: 0, .. })),
            "{last:?} {result:?}"
        );
    }
}
