//! A forest grown from sums over clients is the one that is learnt where all rows are.

#![allow(clippy::unwrap_used, reason = "a test")]

use flowgait_model::Training;
use flowgait_model::forest::{
    ClassWeights, Edges, FeaturesTried, Forest, ForestParams, Growth, Question, Sampling, Site,
    Split, Thresholds, ValidForestParams,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Table {
    columns: Vec<Vec<f32>>,
    codes: Vec<u32>,
    classes: usize,
    /// Whose each row is.
    client: Vec<u32>,
}

impl Table {
    fn training<'a>(&'a self, rows: &'a [u32]) -> Training<'a> {
        let (columns, codes, classes) = (&self.columns, &self.codes, self.classes);
        Training { columns, rows, codes, classes, class_weights: None }
    }

    fn rows(&self) -> Vec<u32> {
        (0..self.codes.len() as u32).collect()
    }
}

fn keys(rows: &[u32]) -> Vec<u64> {
    rows.iter().map(|row| u64::from(*row) * 31 + 5).collect()
}

/// One place has all rows.
fn central(table: &Table, params: &ValidForestParams, edges: &Edges, seed: u64) -> Forest {
    let rows = table.rows();
    params.fit_on(edges, &table.training(&rows), &keys(&rows), seed).unwrap()
}

/// Each client has its own, and only sums are seen.
fn summed(
    table: &Table,
    params: &ValidForestParams,
    edges: &Edges,
    seed: u64,
    entries_max: usize,
) -> Forest {
    let clients = table.client.iter().max().unwrap() + 1;
    let mut class_rows = vec![0; table.classes];
    table.codes.iter().for_each(|&class| class_rows[class as usize] += 1);
    let mut sites: Vec<Site> = (0..clients)
        .map(|client| {
            let mut rows = table.rows();
            rows.retain(|&row| table.client[row as usize] == client);
            Site::new(params, edges, &table.training(&rows), &keys(&rows), seed).unwrap()
        })
        .collect();
    let mut growth = Growth::new(params, edges, &class_rows, seed).unwrap();
    loop {
        let questions = growth.questions(entries_max);
        if questions.is_empty() {
            return growth.finish().unwrap();
        }
        let mut sum: Vec<i64> = Vec::new();
        for site in &sites {
            let counts = site.count(&questions).unwrap();
            sum.resize(counts.len(), 0);
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += i64::from(count));
        }
        let splits = growth.answer(&sum).unwrap();
        sites.iter_mut().for_each(|site| site.follow(&splits).unwrap());
    }
}

fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        12 => (-20_i16..20).prop_map(|v| f32::from(v) / 4.0),
        6 => -1e6_f32..1e6,
        2 => Just(f32::NAN),
        1 => prop_oneof![Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(-0.0)],
    ]
}

fn table() -> impl Strategy<Value = Table> {
    // Up to 8 classes and more of them, nodes of up to 16 rows and more: all ways through the search.
    let shape = (1_usize..260, 1_usize..12, prop_oneof![3 => 1_usize..9, 1 => 9_usize..14]);
    (shape, 1_u32..7).prop_flat_map(|((rows, features, classes), clients)| {
        let columns = prop::collection::vec(prop::collection::vec(value(), rows), features);
        // The product makes some classes rare.
        let codes = prop::collection::vec((0..classes as u32, 0..classes as u32), rows);
        let client = prop::collection::vec(0..clients, rows);
        (columns, codes, client).prop_map(move |(columns, codes, client)| {
            let codes = codes.into_iter().map(|(a, b)| a * b / (classes as u32).max(1)).collect();
            Table { columns, codes, classes, client }
        })
    })
}

fn params() -> impl Strategy<Value = ForestParams> {
    let sampling = prop_oneof![Just(Sampling::Bootstrap), Just(Sampling::All)];
    let thresholds = prop_oneof![Just(Thresholds::Best), Just(Thresholds::Random)];
    let weights = prop_oneof![Just(ClassWeights::Equal), Just(ClassWeights::Balanced)];
    let depth = prop_oneof![Just(None), (1_usize..6).prop_map(Some)];
    let leaf = prop_oneof![3 => Just(1_usize), 1 => 2_usize..5];
    let features = prop_oneof![
        Just(FeaturesTried::Sqrt),
        Just(FeaturesTried::All),
        (1_usize..11).prop_map(FeaturesTried::Count)
    ];
    (1_usize..6, depth, leaf, sampling, thresholds, weights, features).prop_map(
        |(trees, depth, leaf, sampling, thresholds, weights, features)| {
            let params = ForestParams::new()
                .trees(trees)
                .leaf_rows_min(leaf)
                .sampling(sampling)
                .thresholds(thresholds)
                .class_weights(weights)
                .features_tried(features);
            depth.map_or(params.clone(), |depth| params.depth_max(depth))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn sums_grow_the_forest_that_rows_do(
        table in table(),
        params in params(),
        seed: u64,
        entries_max in prop_oneof![Just(1_usize), Just(4_000), Just(1 << 20)],
    ) {
        let params = params.check().unwrap();
        let edges = Edges::learn(&table.columns, &table.rows());
        let central = central(&table, &params, &edges, seed);
        prop_assert_eq!(&central, &summed(&table, &params, &edges, seed, entries_max));
    }
}

#[test]
fn questions_and_splits_from_outside_are_checked() {
    let table = Table {
        columns: vec![vec![0.0, 1.0, 2.0]; 2],
        codes: vec![0, 1, 0],
        classes: 2,
        client: vec![],
    };
    let params = ForestParams::new().trees(2).check().unwrap();
    let (rows, edges) = (table.rows(), Edges::learn(&table.columns, &table.rows()));
    let new = |edges| Site::new(&params, edges, &table.training(&rows), &keys(&rows), 1);
    let mut site = new(&edges).unwrap();
    let question = |tree, node, columns, classes| Question { tree, node, columns, classes };
    let count = |question: Question| site.count(&[question]);
    // Three bins, each with two classes and distinct rows; none is in a node or a tree that is not there.
    assert_eq!(count(question(0, 0, vec![1], vec![0, 1])).unwrap().len(), 9);
    assert_eq!(count(question(0, u32::MAX, vec![1], vec![0, 1])).unwrap(), [0; 9]);
    assert_eq!(count(question(9, 0, vec![1], vec![1])).unwrap(), [0; 6]);
    assert_eq!(count(question(9, 0, vec![0], vec![u16::MAX])).unwrap(), [0; 6]);
    assert!(count(question(0, 0, vec![2], vec![0])).is_err());
    assert!(count(question(0, 0, vec![0; 1 << 16], vec![0; 1 << 16])).is_err());
    let split = Split {
        tree: 0,
        node: 0,
        column: 1,
        bin: 0,
        missing_left: true,
        children: 1,
        goes_on: [true; 2],
    };
    assert!(site.follow(&[Split { column: 2, ..split.clone() }]).is_err());
    assert!(site.follow(&[Split { bin: 255, ..split.clone() }]).is_err());
    assert!(site.follow(&[Split { children: u32::MAX, ..split.clone() }]).is_err());
    let twice = [Split { tree: 7, ..split.clone() }, split.clone(), split];
    site.follow(&twice).unwrap();
    assert!(new(&Edges::learn(&table.columns[..1], &rows)).is_err());
    let mut growth = Growth::new(&params, &edges, &[2, 1], 1).unwrap();
    assert!(!growth.questions(100).is_empty() && growth.answer(&[1, 2, 3]).is_err());
    // One root at a time, of one column: three bins of two classes and distinct rows.
    for lie in [u32::MAX.into(), 1, -1, i64::MAX / 8] {
        let mut growth = Growth::new(&params.clone(), &edges, &[2, 1], 1).unwrap();
        let asked = growth.questions(1);
        assert_eq!(asked.len(), 1);
        let mut sums = vec![1, 1, 2, 0, 0, 0, 0, 0, 0];
        assert!(growth.answer(&sums).is_ok());
        growth = Growth::new(&params, &edges, &[2, 1], 1).unwrap();
        growth.questions(1);
        sums[3] = lie;
        assert!(growth.answer(&sums).is_err(), "{lie}");
    }
}

#[test]
fn keyed_draws_teach_as_much_as_a_bootstrap() {
    // Two overlapping classes on a slope, and columns that tell nothing: trees that had drawn too little or too alike would do worse.
    let mut state = 1_u64;
    let mut unit = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32
    };
    let rows = 3_000_u32;
    let columns: Vec<Vec<f32>> = (0..6).map(|_| (0..rows).map(|_| unit()).collect()).collect();
    let code = |row: usize, noise: f32| columns[0][row] + columns[1][row] + 0.4 * noise > 1.2;
    let codes: Vec<u32> = (0..rows as usize).map(|row| code(row, unit()).into()).collect();
    let table = Table { columns: columns.clone(), codes, classes: 2, client: Vec::new() };
    let (train, test): (Vec<u32>, Vec<u32>) =
        table.rows().into_iter().partition(|row| *row < 1_000);
    let params = ForestParams::new().trees(100).check().unwrap();
    let edges = Edges::learn(&table.columns, &train);
    let accuracy = |forest: &Forest| {
        let told = forest.predict_proba(&table.columns, &test).unwrap();
        let right =
            (0..).zip(&test).filter(|&(at, row)| told.best(at) == table.codes[*row as usize]);
        right.count() as f64 / test.len() as f64
    };
    let drawn = accuracy(&params.fit(&table.training(&train), 1).unwrap());
    let keyed = params.fit_on(&edges, &table.training(&train), &keys(&train), 1).unwrap();
    let keyed = accuracy(&keyed);
    // One standard deviation of either is 0.007.
    assert!(drawn > 0.85 && (drawn - keyed).abs() < 0.02, "{drawn} {keyed}");
}
