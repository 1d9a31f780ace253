//! A seed in, labelled packets out.
//!
//! *Takes* a scenario and a seed.
//! *Gives* packets as a pcap file, with the truth about every flow beside it; and the four-class table.
//! *Never* reads a clock or draws chance that the seed did not give.
//! *Start at* [`scenario`].
//!
//! Accuracy on made traffic measures this generator, not the world: whoever shows it must say so.
//!
//! # Example
//! ```
//! use flowgait_synth::scenario::{self, Params};
//!
//! let params = Params::new(scenario::find("tiny")?).flows(10).seed(7).check()?;
//! let mut capture = Vec::new();
//! let truth = scenario::write(&params, &mut capture)?;
//! assert_eq!(truth.rows.len(), 10);
//!
//! let mut table = Vec::new();
//! truth.write_csv("tiny.pcap", &mut table)?;
//! # Ok::<(), flowgait_synth::Error>(())
//! ```

pub mod scenario;

pub mod application;
pub mod client;
pub mod process;

pub mod framing;
pub mod pcap;
pub mod truth;

pub mod draw;
mod error;

pub use error::Error;
