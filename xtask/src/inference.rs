//! `cargo xtask inference`: the Open Inference Protocol, driven by Triton's own client from PyPI.

use std::process::Command;

use crate::compare::peers;
use crate::error::Error;
use crate::process;
use crate::service::{self, Service};

pub fn run() -> Result<(), Error> {
    let python = peers::python(&["tritonclient[http]"])?;
    let script = peers::script("inference.py")?;
    let service = Service::start(&service::build()?, "inference", None)?;
    process::run(Command::new(python).arg(script).args([&service.address(), "starter"]))
}
