//! Killed between any two rounds, a forest's run goes on and comes to the same forest.

use std::fs;
use std::path::Path;

use flowgait_federate::Error;
use flowgait_federate::forest::{
    Ground, Keeping, Plain, Secured, SharedNoise, TreeRound, TreeShares, Trusted, central_forest,
    histogram_rounds, pooled_rounds, private_forest,
};
use flowgait_federate::ledger::Entry;
use flowgait_federate::run::{Locked, TreeFolder};
use flowgait_federate::secure::SecurePlan;
use flowgait_model::forest::{ClassWeights, Edges, Forest, ForestParams, Growth};
use flowgait_privacy::{Delta, Epsilon, NoiseMultiplier};
use proptest::prelude::*;

use crate::made::homes;

const MASKS: SecurePlan = SecurePlan { lost_share: 0.2, corrupt_share: 0.0, security_bits: 40 };

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Sums,
    Masked,
    Pooled,
    Private(f64),
    Shared,
}

fn entry(round: u64) -> Entry {
    Entry {
        round,
        cohort: 6.0,
        survivors: Some(6),
        is_done: true,
        clip_norm: None,
        noise_multiplier: None,
        epsilon: None,
        model: String::new(),
        previous: String::new(),
    }
}

/// Grows in a folder, as a process would that is begun anew and killed after so many rounds of its own; what it came to, if it was not.
fn go(folder: &Path, ground: &Ground<'_>, way: Way, kill_after: usize) -> Option<Forest> {
    let (mut folder, past) = TreeFolder::open(Locked::take(folder).unwrap()).unwrap();
    let (mut round, mut own) = (past.len() as u64, 0);
    let after = |kept: &TreeRound| {
        if own == kill_after {
            return Err(Error::NoRound);
        }
        own += 1;
        round += 1;
        folder.keep(kept, entry(round))
    };
    let keeping = Keeping { past: &past, after };
    let limit = (Epsilon::new(30.0).unwrap(), Delta::new(1e-5).unwrap());
    let noise = |multiplier| NoiseMultiplier::new(multiplier).unwrap();
    let grown = match way {
        Way::Sums => histogram_rounds(ground, &mut Plain, keeping).map(|grown| grown.forest),
        Way::Masked => {
            let mut summing = Secured::new(MASKS, 20 * 400, ground.seed);
            histogram_rounds(ground, &mut summing, keeping).map(|grown| grown.forest)
        }
        Way::Pooled => pooled_rounds(ground, TreeShares::Evenly, keeping).map(|grown| grown.forest),
        Way::Private(multiplier) => {
            let mut noised = Trusted::simulated(limit, noise(multiplier), Plain, ground.seed);
            private_forest(ground, 50, &mut noised, keeping).map(|grown| grown.forest)
        }
        Way::Shared => {
            let mut noised = SharedNoise::simulated(limit, noise(2.0), MASKS, 6, ground.seed);
            private_forest(ground, 50, &mut noised, keeping).map(|grown| grown.forest)
        }
    };
    match grown {
        Ok(forest) => Some(forest),
        Err(Error::NoRound) => None,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_run_that_was_killed_between_any_two_rounds_comes_to_the_same_forest() {
    let homes = homes(400, 5, 4, 6, 21);
    let edges = Edges::learn(&homes.columns, &homes.all_rows());
    // The last but one spends its budget in the middle of its second tree.
    for way in
        [Way::Sums, Way::Masked, Way::Pooled, Way::Private(2.0), Way::Private(0.7), Way::Shared]
    {
        let weights = if way == Way::Sums { ClassWeights::Balanced } else { ClassWeights::Equal };
        let params = ForestParams::new().trees(4).depth_max(3).class_weights(weights);
        let params = params.check().unwrap();
        let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 4 };
        let whole = tempfile::tempdir().unwrap();
        let unbroken = go(whole.path(), &ground, way, usize::MAX).unwrap();
        if way == Way::Sums {
            assert!(unbroken == central_forest(&ground).unwrap());
        }
        let read = |folder: &Path, name: &str| fs::read(folder.join(name)).unwrap();
        let ledger = read(whole.path(), "ledger.jsonl");
        let rounds = ledger.iter().filter(|octet| **octet == b'\n').count();
        assert!(rounds >= 2, "{way:?} {rounds}");
        for kill_after in 0..rounds {
            let cut = tempfile::tempdir().unwrap();
            assert!(go(cut.path(), &ground, way, kill_after).is_none());
            // A tree without its line, and half of a line, as being killed leaves them.
            let trees = read(whole.path(), "trees.bin");
            let own = if kill_after == 0 { 0 } else { read(cut.path(), "trees.bin").len() };
            fs::write(cut.path().join("trees.bin"), &trees[..(own + 70).min(trees.len())]).unwrap();
            let own = if kill_after == 0 { 0 } else { read(cut.path(), "ledger.jsonl").len() };
            fs::write(cut.path().join("ledger.jsonl"), &ledger[..own + 40]).unwrap();
            assert!(go(cut.path(), &ground, way, usize::MAX).unwrap() == unbroken, "{way:?}");
            for name in ["ledger.jsonl", "trees.bin"] {
                assert_eq!(read(cut.path(), name), read(whole.path(), name), "{way:?} {name}");
            }
        }
    }
}

#[test]
fn an_edited_ledger_or_other_trees_are_refused() {
    let homes = homes(200, 4, 3, 6, 2);
    let edges = Edges::learn(&homes.columns, &homes.all_rows());
    let params = ForestParams::new().trees(3).depth_max(2).check().unwrap();
    let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 4 };
    let folder = tempfile::tempdir().unwrap();
    go(folder.path(), &ground, Way::Private(4.0), usize::MAX).unwrap();
    let told = || {
        TreeFolder::open(Locked::take(folder.path()).unwrap()).map(|_| ()).unwrap_err().to_string()
    };
    let path = folder.path().join("ledger.jsonl");
    let ledger = fs::read_to_string(&path).unwrap();
    let at = ledger.find("\"epsilon\":").unwrap() + "\"epsilon\":".len();
    fs::write(&path, format!("{}0{}", &ledger[..at], &ledger[at + 1..])).unwrap();
    assert!(told().starts_with("ledger, line 2: the hash of the line before does not fit"));
    fs::write(&path, &ledger).unwrap();
    let trees = fs::read(folder.path().join("trees.bin")).unwrap();
    let mut other = trees.clone();
    *other.last_mut().unwrap() ^= 1;
    fs::write(folder.path().join("trees.bin"), &other).unwrap();
    assert!(told().contains("trees.bin has not the trees of round 3"), "{}", told());
    fs::write(folder.path().join("trees.bin"), &trees[..trees.len() - 1]).unwrap();
    assert!(told().contains("trees.bin has not the trees of round 3"), "{}", told());
}

#[test]
fn a_folder_is_one_processs_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = Locked::take(folder.path()).unwrap();
    let told = Locked::take(folder.path()).unwrap_err().to_string();
    assert!(told.starts_with("another process runs in "), "{told}");
    drop(first);
    Locked::take(folder.path()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_stands_where_a_tree_was_kept_is_a_tree_or_is_refused(
        at: prop::sample::Index,
        octet: u8,
        cut: prop::sample::Index,
        is_cut: bool,
    ) {
        let homes = homes(60, 3, 3, 2, 7);
        let edges = Edges::learn(&homes.columns, &homes.all_rows());
        let params = ForestParams::new().trees(1).check().unwrap();
        let ground = Ground { homes: &homes, params: &params, edges: &edges, seed: 4 };
        let mut tree = Vec::new();
        let after = |kept: &TreeRound| {
            tree.clone_from(&kept.tree);
            Ok::<(), Error>(())
        };
        let keeping = Keeping { past: &[], after };
        let grown = histogram_rounds(&ground, &mut Plain, keeping).unwrap().forest;
        let growth = || Growth::new(&params, &edges, &[1; 3], 4).unwrap().held();
        let mut again = growth();
        again.take(&tree).unwrap();
        prop_assert!(again.take(&tree).is_err());
        prop_assert!(again.finish().unwrap() == grown);
        let place = at.index(tree.len());
        tree[place] ^= octet;
        if is_cut {
            tree.truncate(cut.index(tree.len()));
        }
        let mut hostile = growth();
        if hostile.take(&tree).is_ok() {
            let forest = hostile.finish().unwrap();
            let told = forest.predict_proba(&homes.columns, &[0, 1, 2]).unwrap();
            prop_assert_eq!(told.values.len(), 9);
        }
    }
}
