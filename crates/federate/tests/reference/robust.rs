//! Every robust rule on every reference set.

use flowgait_federate::robust::{
    RobustKind, TrimmedMean, Weiszfeld, bulyan, geometric_median, krum_scores, median, trimmed_mean,
};
use serde_json::Value;

use crate::shared::{Worst, count, counts, numbers, values};

const NEAR: f64 = 1e-9;

/// The sets of inputs, with their names and what is expected of them.
fn sets() -> Vec<(String, Vec<Vec<f64>>, Value)> {
    let Some(Value::Object(sets)) = values("robust.json") else { return Vec::new() };
    let read = |(name, set): (String, Value)| {
        let inputs = set["inputs"].as_array().expect("a list of updates");
        let inputs: Vec<Vec<f64>> = inputs.iter().map(numbers).collect();
        assert_eq!((inputs.len(), inputs[0].len()), (count(&set["n"]), count(&set["dimension"])));
        (name, inputs, set["expected"].clone())
    };
    let sets: Vec<_> = sets.into_iter().map(read).collect();
    assert_eq!(sets.len(), 3);
    sets
}

fn views<T>(inputs: &[Vec<T>]) -> Vec<&[T]> {
    inputs.iter().map(Vec::as_slice).collect()
}

#[test]
fn medians_and_trimmed_means() {
    let mut worst = Worst::default();
    for (name, inputs, expected) in sets() {
        let updates = views(&inputs);
        let found = median(&updates).expect("updates");
        worst.see(&found, &numbers(&expected["median"]), NEAR, &name);
        for (beta, text) in [(0.1, "0.1"), (0.2, "0.2")] {
            let rule = TrimmedMean::new(beta).expect("a beta");
            let found = trimmed_mean(&updates, rule).expect("updates");
            worst.see(&found, &numbers(&expected["trimmed_mean"][text]), NEAR, &name);
        }
    }
    worst.tell("median and trimmed mean");
}

#[test]
fn geometric_medians() {
    let mut worst = Worst::default();
    for (name, inputs, expected) in sets() {
        let search = Weiszfeld::new(1e-9, 1e-15, 1_000_000).expect("a smoothing");
        let found = geometric_median(&views(&inputs), search).expect("updates");
        let expected = &expected["geometric_median"];
        worst.see(&found, &numbers(&expected["output"]), NEAR, &name);
        let length = |update: &Vec<f64>| {
            let squares = update.iter().zip(&found).map(|(x, z)| (x - z).powi(2));
            squares.sum::<f64>().sqrt()
        };
        let objective: f64 = inputs.iter().map(length).sum();
        let least = expected["objective"].as_f64().expect("a sum of distances");
        worst.see(&[objective], &[least], NEAR, &name);
    }
    worst.tell("geometric median");
}

#[test]
fn krum_and_multi_krum() {
    let mut worst = Worst::default();
    let mut seen = 0;
    for (name, inputs, expected) in sets() {
        let short: Vec<Vec<f32>> =
            inputs.iter().map(|x| x.iter().map(|&x| x as f32).collect()).collect();
        let combine = |kind: RobustKind| {
            let rule = kind.check(inputs.len()).expect("a rule");
            rule.combine(&views(&short)).expect("updates")
        };
        for f in [1, 2] {
            let krum = &expected[format!("krum_f{f}")];
            let scores = krum_scores(&views(&inputs), f).expect("updates");
            worst.see(&scores, &numbers(&krum["scores"]), NEAR, &name);
            let best = count(&krum["selected"]);
            let combined = combine(RobustKind::Krum { f });
            assert_eq!((combined.kept, &combined.update), (vec![best], &short[best]), "{name}");
            for m in [inputs.len() - f, 3] {
                let multi = &expected[format!("multi_krum_f{f}_m{m}")];
                let combined = combine(RobustKind::MultiKrum { f, m: Some(m) });
                assert_eq!(combined.kept, counts(&multi["selected"]), "{name} {f} {m}");
                // The inputs are rounded to 32 bits here, and so is what comes of them.
                for (&found, expected) in combined.update.iter().zip(numbers(&multi["output"])) {
                    let off = (f64::from(found) - expected).abs();
                    assert!(off <= 1e-5 * expected.abs().max(1.0), "{found} {expected} in {name}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen == 0 || seen == 12, "{seen}");
    worst.tell("Krum's scores");
}

#[test]
fn bulyan_of_both_lengths() {
    let mut worst = Worst::default();
    let mut seen = 0;
    for (name, inputs, expected) in sets() {
        for f in [1, 2] {
            for key in [format!("bulyan_f{f}"), format!("bulyan_short_f{f}")] {
                let Some(expected) = expected.get(&key) else { continue };
                let theta = count(&expected["theta"]);
                let (found, selected) = bulyan(&views(&inputs), f, theta).expect("updates");
                assert_eq!(selected, counts(&expected["selected"]), "{key} of {name}");
                worst.see(&found, &numbers(&expected["output"]), NEAR, &name);
                seen += 1;
            }
        }
    }
    assert!(seen == 0 || seen == 12, "{seen}");
    worst.tell("Bulyan");
}
