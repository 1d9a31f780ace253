//! Edges from sums of counts.

use flowgait_federate::forest::{EdgeParams, Plain, shared_edges};
use flowgait_federate::homes::Homes;
use flowgait_model::forest::{ColumnCounts, Edges};
use proptest::prelude::*;

/// The rule again, of all rows in one place: sorted values are told apart by their first bits, recursively.
fn central(homes: &Homes, rows: &[u32], params: EdgeParams) -> Edges {
    let columns = homes.columns.iter().map(|column| {
        let mut values: Vec<f32> = rows.iter().map(|&row| column[row as usize]).collect();
        let all = values.len();
        values.retain(|value| !value.is_nan());
        values.iter_mut().for_each(|value| *value += 0.0);
        values.sort_by(f32::total_cmp);
        let few = (values.len() / (4 * params.bins_max)).max(params.rows_least as usize);
        let mut counts = ColumnCounts { ranges: Vec::new(), missing: (all - values.len()) as u64 };
        let first = values.chunk_by(|a, b| a.to_bits() >> 23 == b.to_bits() >> 23);
        first.for_each(|chunk| tell_apart(chunk, 23, few, &mut counts));
        counts
    });
    Edges::of_counts(&columns.collect::<Vec<_>>(), params.bins_max).unwrap()
}

/// Values that differ in their last `bits` bits at most.
fn tell_apart(values: &[f32], bits: u32, few: usize, counts: &mut ColumnCounts) {
    if values.len() <= few || bits == 0 {
        let ones = (1_u32 << bits) - 1;
        let finite = |bits: u32, value: f32| {
            let bound = f32::from_bits(bits);
            if bound.is_nan() { f32::INFINITY.copysign(value) } else { bound }
        };
        let near = finite(values[0].to_bits() & !ones, values[0]);
        let far = finite(values[0].to_bits() | ones, values[0]);
        counts.ranges.push((near.min(far), near.max(far), values.len() as u64));
        return;
    }
    let bits = bits.saturating_sub(4);
    for chunk in values.chunk_by(|a, b| a.to_bits() >> bits == b.to_bits() >> bits) {
        tell_apart(chunk, bits, few, counts);
    }
}

fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => (-40_i16..40).prop_map(|v| f32::from(v) / 4.0),
        8 => -1e6_f32..1e6,
        4 => (0_u16..1500).prop_map(f32::from),
        2 => Just(f32::NAN),
        1 => prop_oneof![Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(-0.0), Just(1e-42)],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn edges_of_sums_are_those_of_all_rows_together(
        column in prop::collection::vec(value(), 1..600),
        clients in 1_usize..9,
        bins_max in 2_usize..256,
        rows_least in 0_u64..20,
    ) {
        let rows = column.len() as u32;
        let (columns, codes) = (vec![column], vec![0; rows as usize]);
        let mut of_client = vec![Vec::new(); clients];
        (0..rows).for_each(|row| of_client[row as usize * 7 % clients].push(row));
        let homes = Homes { columns, codes, classes: 1, rows: of_client, ..Homes::default() };
        let params = EdgeParams { bins_max, rows_least };
        let shared = shared_edges(&homes, params, &mut Plain).unwrap();
        let all: Vec<u32> = (0..rows).collect();
        prop_assert_eq!(&shared.edges, &central(&homes, &all, params));
        prop_assert!(shared.edges.of(0).len() < bins_max && shared.rounds <= 7);
    }
}

#[test]
fn values_that_many_rows_have_are_told_apart_and_bins_are_about_equal() {
    let rows = 20_000_u32;
    let even = (0..rows).map(|row| row.wrapping_mul(0x9e37_79b9) as f32 / 1e3 - 1e6).collect();
    let sizes = (0..rows).map(|row| [40.0, 52.0, 1280.0, 1500.0, f32::NAN][row as usize % 5]);
    let columns = vec![even, sizes.collect()];
    let of_client = (0..10).map(|c| (0..rows).filter(|row| row % 10 == c).collect()).collect();
    let codes = vec![0; rows as usize];
    let homes = Homes { columns, codes, classes: 1, rows: of_client, ..Homes::default() };
    let params = EdgeParams { bins_max: 32, ..EdgeParams::default() };
    let edges = shared_edges(&homes, params, &mut Plain).unwrap().edges;
    assert_eq!((edges.of(1), edges.may_miss(1)), (&[46.0, 666.0, 1390.0][..], true));
    let mut in_bin = vec![0; edges.bins(0)];
    homes.columns[0].iter().for_each(|v| in_bin[edges.of(0).partition_point(|e| e < v)] += 1);
    assert_eq!(in_bin.len(), 32);
    // A range that is not looked into has at most a quarter of a bin's share.
    let share = 20_000.0 / 32.0;
    assert!(
        in_bin.iter().all(|&rows| (0.5..1.5).contains(&(f64::from(rows) / share))),
        "{in_bin:?}"
    );
}
