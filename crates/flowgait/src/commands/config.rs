//! `flowgait config`: every setting, its value and where that came from.

use clap::Subcommand;

use crate::config::{self, Config};
use crate::failure::{Failure, Outcome};
use crate::output;

/// What a person may type.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  FLOWGAIT_METER_IDLE_TIMEOUT=60s flowgait config show
  flowgait config template > flowgait.toml")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum What {
    /// Every setting, its value and where that came from
    Show,
    /// A configuration file with every setting at its default, commented
    Template,
}

/// Prints them.
pub fn run(args: &Args, config: &Config) -> Result<Outcome, Failure> {
    let text = match args.what {
        What::Template => config::template(),
        What::Show => {
            let mut text = format!("{:26} {:10} {}\n", "setting", "value", "from");
            for (setting, value, origin) in config.iter() {
                let value = flowgait_serve::masked(value);
                let value = if value.is_empty() { "–" } else { value.as_str() };
                text.push_str(&format!("{:26} {value:10} {origin}\n", setting.key));
            }
            text
        }
    };
    output::out(&text)?;
    Ok(Outcome::Done)
}
