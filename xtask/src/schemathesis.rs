//! `cargo xtask schemathesis`: requests made from the API's description, right ones and wrong ones, until the time is over.
//!
//! Every answer must be one that the description has: its status, its type, its headers, its schema. `xtask/peers/schemathesis.toml` says
//! which checks are left out, and why.

use std::process::Command;

use crate::compare::peers;
use crate::error::Error;
use crate::process;
use crate::service::{self, Service};

/// What was typed after `schemathesis`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Minutes without keys, and as many with one
    #[arg(long, default_value_t = 2)]
    minutes: u32,
    /// The seed; another one asks other things
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

/// Only of a service that is gone in a moment.
const KEY: &str = "fgk_0000000000000000000000000000000000000000";

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let python = peers::python(&["schemathesis==4.32.5"])?;
    let program = service::build()?;
    let keys = format!("chore:admin:{KEY}\n");
    for keys in [None, Some(&*keys)] {
        let service = Service::start(&program, "schemathesis", keys)?;
        let mut command = Command::new(python.with_file_name("schemathesis"));
        command.arg("--config-file").arg(peers::script("schemathesis.toml")?);
        command.args(["run", &format!("http://{}/openapi.json", service.address()), "--no-color"]);
        command.args(["--max-time", &(60 * arguments.minutes).to_string()]);
        command.args(["--seed", &arguments.seed.to_string(), "--request-timeout", "30"]);
        command.args(["--continue-on-failure", "--generation-database", "none"]);
        if keys.is_some() {
            command.args(["--header", &format!("Authorization: Bearer {KEY}")]);
        }
        process::run(&mut command)?;
    }
    println!("not asked: GET /v1/events, whose answer has no end; the stories follow it");
    Ok(())
}
