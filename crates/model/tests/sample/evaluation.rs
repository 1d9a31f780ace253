//! An evaluation of made numbers: real trials of a pretended model that knows the truth and doubts it.

use flowgait_model::baseline::Majority;
use flowgait_model::metrics::unknown_score;
use flowgait_model::report::{
    Baseline, BaselineKind, Class, Data, Evaluation, Fact, Groups, Importance, Importances, Origin,
    OtherSplit, Split, Unknown,
};
use flowgait_model::validation::{
    CrossValidation, Repeat, Trial, after_packets, cross_validate, each_once,
};
use flowgait_model::{Error, Probabilities, Training};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub const KINDS: [&str; 7] = [
    "Video on demand",
    "Web browsing",
    "Voice call",
    "Game",
    "Chat",
    "File transfer",
    "Cloud game",
];

/// How much there is of everything.
pub struct Size {
    pub rows: usize,
    pub folds: usize,
    pub seeds: u64,
}

/// The seven kinds of use.
pub fn kinds(size: &Size) -> Result<Evaluation, Error> {
    evaluation(KINDS.map(Class::named).to_vec(), size)
}

/// Many applications of those kinds.
pub fn applications(classes: usize, size: &Size) -> Result<Evaluation, Error> {
    let class = |number: usize| {
        let kind = KINDS[number % KINDS.len()];
        Class::in_category(
            &format!("{} app {number}", kind.split(' ').next().unwrap_or(kind)),
            kind,
        )
    };
    evaluation((0..classes).map(class).collect(), size)
}

/// The evaluation, every part filled.
pub fn evaluation(classes: Vec<Class>, size: &Size) -> Result<Evaluation, Error> {
    let count = classes.len();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    // Squaring makes the first classes the frequent ones.
    let mut draw = || ((rng.random::<f64>().powi(2)) * count as f64) as u32;
    let codes: Vec<u32> = (0..size.rows).map(|_| draw()).collect();
    let mut parts = vec![Vec::new(); size.folds];
    for row in 0..size.rows {
        parts[row % size.folds].push(row as u32);
    }
    let seeds: Vec<u64> = (0..size.seeds).collect();
    let repeats = Repeat::same_folds(&seeds, &each_once(&parts));
    let judge = |skill: f64| {
        cross_validate(&codes, count, &repeats, |trial| {
            Ok::<_, Error>(pretend(&codes, count, skill, trial))
        })
    };
    let model = judge(5.0)?;
    let majority = cross_validate(&codes, count, &repeats, |trial| {
        let training = Training {
            columns: &[],
            rows: trial.train,
            codes: &codes,
            classes: count,
            class_weights: None,
        };
        Ok::<_, Error>(Majority::fit(&training)?.probabilities(trial.test.len()))
    })?;
    let random = judge(9.0)?;
    let mut evaluation = Evaluation::of("kinds@7", classes, &model)?;
    let beside =
        |kind, name, what, own: &CrossValidation| Baseline::new(kind, name, what, own, &model);
    evaluation.baselines = vec![
        beside(BaselineKind::Nearest, "Raw 10-packet k-NN", "no training at all", &judge(2.6)?)?,
        beside(BaselineKind::Address, "Server address alone", "no gait at all", &judge(2.0)?)?,
        beside(BaselineKind::Majority, "Majority class", "always says the same", &majority)?,
    ];
    let spread = |of: fn(&flowgait_model::metrics::Scores) -> f64| {
        random.spread(of).ok_or(Error::NoRows { what: "trials" })
    };
    evaluation.other_splits = vec![OtherSplit {
        split: Split::Random,
        accuracy: spread(|scores| scores.accuracy)?,
        f1_macro: spread(|scores| scores.f1_macro)?,
    }];
    let soon = |packets: u32| judge(5.0 * (1.0 - (-f64::from(packets) / 4.0).exp()));
    evaluation.after_packets = after_packets(&[1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30], soon)?;
    facts(&mut evaluation);
    Ok(evaluation)
}

fn facts(evaluation: &mut Evaluation) {
    evaluation.data = Data {
        source: "synth office, seed 7".into(),
        origin: Origin::Made,
        features: 94,
        groups: Some(Groups { by: "capture".into(), count: 42 }),
    };
    evaluation.split = Split::Grouped { by: "capture".into() };
    evaluation.model = vec![
        Fact::new("Estimator", "forest of 200 trees, depth at most 24"),
        Fact::new("Schema", "flowgait/1"),
        Fact::new("Learnt from", "synth office, seeds 1 to 6"),
    ];
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut sure = |rows: usize, from: f64| {
        (0..rows).map(|_| (from - 1.0) * (1.0 - rng.random::<f64>().sqrt())).collect::<Vec<_>>()
    };
    let (known, strange) = (sure(400, 0.5), sure(200, 0.1));
    let score = unknown_score(&known, &strange, 0.05);
    evaluation.unknown =
        score.map(|score| Unknown { left_out: vec!["Printing".into(), "Backup".into()], score });
    let names = [
        "burst_octets_mean_down",
        "gap_median_up",
        "size_03",
        "share_octets_up",
        "silence_longest",
    ];
    let feature = |number: usize| Importance {
        name: names.get(number).map_or_else(|| format!("size_{number:02}"), ToString::to_string),
        unit: if number == 1 { "s".into() } else { "octets".into() },
        value: 0.12 * (-(number as f64) / 6.0).exp(),
        within: Some(0.1 * (-(number as f64) / 5.0).exp()),
    };
    let features = (0..40).map(feature).collect();
    evaluation.importances = Some(Importances {
        measure: "accuracy lost when a feature is shuffled".into(),
        within: Some("capture".into()),
        features,
    });
}

/// Probabilities that favour the truth by `skill`, and its neighbour among the classes by a little.
fn pretend(codes: &[u32], classes: usize, skill: f64, trial: Trial<'_>) -> Probabilities {
    let mut rng = ChaCha8Rng::seed_from_u64(trial.seed * 1_000 + trial.fold as u64);
    // Each fold is a different network: some are harder.
    let skill = skill * (0.85 + 0.06 * trial.fold as f64);
    let mut values = Vec::with_capacity(trial.test.len() * classes);
    for &row in trial.test {
        let truth = codes[row as usize] as usize;
        let mut weights: Vec<f64> = (0..classes).map(|_| rng.random::<f64>() * 3.0).collect();
        weights[truth] += skill * rng.random::<f64>().sqrt();
        weights[(truth ^ 1).min(classes - 1)] += 2.0 * rng.random::<f64>();
        let sum: f64 = weights.iter().map(|weight| (1.7 * weight).exp()).sum();
        values.extend(weights.iter().map(|weight| ((1.7 * weight).exp() / sum) as f32));
    }
    Probabilities { classes, values }
}
