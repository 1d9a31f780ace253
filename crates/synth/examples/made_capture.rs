//! Makes a scenario's capture and its truth: `made_capture SCENARIO OUT.pcap [FLOWS] [SEED]`.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;

use flowgait_synth::scenario::{self, Params};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, out, rest @ ..] = arguments.as_slice() else {
        return Err("usage: made_capture SCENARIO OUT.pcap [FLOWS] [SEED]".into());
    };
    let mut params = Params::new(scenario::find(name)?);
    if let Some(flows) = rest.first() {
        params = params.flows(flows.parse()?);
    }
    if let Some(seed) = rest.get(1) {
        params = params.seed(seed.parse()?);
    }
    let truth = scenario::write(&params.check()?, BufWriter::with_capacity(1 << 20, File::create(out)?))?;
    truth.write_csv(out, BufWriter::new(File::create(format!("{out}.csv"))?))
        .map_err(Into::into)
}
