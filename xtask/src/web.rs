//! `cargo xtask web`: the dashboard built anew into `web/dist`, which is kept in the tree and carried by the binary.
//!
//! The same sources give the same files, wherever they lie and by whichever Node; so `--check` can tell whether what is kept is what is
//! built.

mod dist;
mod node;
mod stories;

use std::path::PathBuf;

use crate::error::Error;
use crate::{process, project};
use node::Node;

/// What was typed after `web`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Change nothing: lint, check types, run the unit tests, and compare web/dist with what is built
    #[arg(long, conflicts_with = "stories")]
    check: bool,
    /// Only the stories, in a browser against the binary; what follows goes to their runner
    #[arg(long)]
    stories: bool,
    /// Passed on to the stories' runner: a part of a file's name, or `-t` and a part of a story's
    #[arg(requires = "stories", trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    if arguments.stories {
        let node = Node::find()?;
        node.install()?;
        return stories::run(&node, &arguments.runner);
    }
    let node = Node::find()?;
    node.install()?;
    if arguments.check { check(&node) } else { build(&node) }
}

/// All that can be tested of it. What is missing on the machine and cannot be had is said, and its tests are left out.
pub fn test() -> Result<(), Error> {
    let node = match Node::find().and_then(|node| node.reaches_packages().map(|()| node)) {
        Ok(node) => node,
        Err(error) => {
            eprintln!(
                "skipped: all tests of web/, as there is no Node with its packages ({error})"
            );
            return Ok(());
        }
    };
    node.install()?;
    check(&node)?;
    stories::run(&node, &[])
}

fn folder() -> PathBuf {
    project::root().join("web")
}

fn build(node: &Node) -> Result<(), Error> {
    process::run(&mut node.npm(["run", "build"]))?;
    println!("web/dist is built; commit it with what it was built from");
    Ok(())
}

/// Runs every step even when one fails, so that one run tells everything.
fn check(node: &Node) -> Result<(), Error> {
    let mut failed = Vec::new();
    for step in ["lint", "test"] {
        if let Err(error) = process::run(&mut node.npm(["run", step])) {
            eprintln!("error: {error}");
            failed.push(step.to_owned());
        }
    }
    let built = project::target().join("web/dist");
    let mut build = node.npm(["run", "build", "--", "--emptyOutDir", "--outDir"]);
    process::run(build.arg(&built))?;
    let kept = folder().join("dist");
    let mut differences = dist::differences(&kept, &built)?;
    let unpack = process::text(node.node(["tools/unpack.js"]).arg(&kept))?;
    differences.extend(unpack.lines().map(str::to_owned));
    if !differences.is_empty() {
        eprintln!("error: web/dist is not what web/ builds; run cargo xtask web and commit:");
        differences.iter().for_each(|difference| eprintln!("  {difference}"));
        failed.push("dist".to_owned());
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::Web(failed)) }
}
