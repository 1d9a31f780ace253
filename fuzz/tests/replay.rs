//! Every seed and every past crash goes through its target's body.

use std::fs;
use std::path::{Path, PathBuf};

use flowgait_fuzz::TARGETS;

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_seed_and_past_crash_returns() {
    for (name, body) in TARGETS {
        for kind in ["corpus", "crashes"] {
            for path in files(&root().join(kind).join(name)) {
                let bytes = fs::read(&path).expect("a seed can be read");
                eprintln!("{}", path.display());
                body(&bytes);
            }
        }
    }
}

#[test]
fn every_target_has_a_program_and_seeds() {
    for (name, _) in TARGETS {
        assert!(root().join(format!("fuzz_targets/{name}.rs")).exists(), "{name} has no program");
        assert!(!files(&root().join("corpus").join(name)).is_empty(), "{name} has no seeds");
    }
}

#[test]
fn every_folder_has_its_target() {
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    for folder in ["corpus", "crashes", "fuzz_targets"] {
        for path in
            files(&root().join(folder)).iter().filter(|path| !path.ends_with("PROVENANCE.md"))
        {
            let name = path.file_stem().expect("a listed path has a name").to_string_lossy();
            assert!(names.contains(&name.as_ref()), "{} belongs to no target", path.display());
        }
    }
}
