//! Captures to flow records, for every command that begins with captures.

use std::fmt::Write as _;
use std::path::PathBuf;

use flowgait_capture::{Block, CaptureReport, ReaderParams};
use flowgait_flow::{FlowRecord, Meter, MeterParams, MeterReport, PortReuse, ValidMeterParams};

use super::sources;
use crate::config::Config;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;
use crate::units;

/// Settings of the meter as flags, the same for every command that meters.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Metering")]
pub struct MeterArgs {
    /// End a flow that had no packet for this long [default: 120s]
    #[arg(long, value_name = "TIME")]
    idle_timeout: Option<String>,

    /// Cut a flow that lasts longer than this [default: 1800s]
    #[arg(long, value_name = "TIME")]
    active_timeout: Option<String>,

    /// What a new SYN on a known pair does: split opens a new flow, keep never ends a flow before its idle timeout
    #[arg(long, value_name = "split|keep")]
    port_reuse: Option<String>,

    /// Flows open at once; past it the one longest without a packet is ended and counted [default: 1M]
    #[arg(long, value_name = "N")]
    flow_limit: Option<String>,

    /// List so many first packets of each flow, 1 to 255 [default: 30]
    #[arg(long, value_name = "N")]
    packets: Option<String>,

    /// Threads; the flows are the same for any number [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<String>,

    /// The captures are one that was rotated, in this order; without it each is a timeline of its own
    #[arg(long = "continue")]
    continued: bool,

    /// What the column 'capture' says of a capture on standard input [default: -]
    #[arg(long, value_name = "NAME")]
    capture_name: Option<String>,
}

/// What to meter and how.
#[derive(Debug)]
pub struct Metering {
    /// The captures, `-` for standard input.
    pub captures: Vec<PathBuf>,
    /// How to read them.
    pub reader: ReaderParams,
    params: ValidMeterParams,
    continued: bool,
    /// What the capture on standard input is called.
    name: Option<String>,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Account {
    /// What the captures held.
    pub capture: CaptureReport,
    /// What the meter did.
    pub meter: MeterReport,
    /// Captures that could not be read at all.
    pub unreadable: usize,
}

impl MeterArgs {
    /// Lays the flags over the configuration.
    pub fn metering(
        &self,
        captures: &[PathBuf],
        reader: ReaderParams,
        config: &mut Config,
    ) -> Result<Metering, Failure> {
        for (key, flag, value) in [
            ("meter.idle_timeout", "--idle-timeout", &self.idle_timeout),
            ("meter.active_timeout", "--active-timeout", &self.active_timeout),
            ("meter.port_reuse", "--port-reuse", &self.port_reuse),
            ("meter.flow_limit", "--flow-limit", &self.flow_limit),
            ("meter.packets", "--packets", &self.packets),
            ("run.threads", "--threads", &self.threads),
        ] {
            config.flag(key, flag, value.as_ref())?;
        }
        let reuse = if config.text("meter.port_reuse") == "keep" {
            PortReuse::Keep
        } else {
            PortReuse::Split
        };
        let params = MeterParams::new()
            .idle_timeout(config.duration("meter.idle_timeout"))
            .active_timeout(config.duration("meter.active_timeout"))
            .linger(config.duration("meter.linger"))
            .port_reuse(reuse)
            .flow_limit(config.count("meter.flow_limit"))
            .packets(config.count("meter.packets"))
            .reassembly_octets_max(config.count("meter.reassembly_octets"))
            .names_max(config.count("meter.dns_names"))
            .threads(config.threads())
            .check()
            .map_err(|error| Failure::usage(crate::failure::sentence(&error.to_string())))?;
        let (captures, name) = (captures.to_vec(), self.capture_name.clone());
        Ok(Metering { captures, reader, params, continued: self.continued, name })
    }
}

impl Metering {
    /// Meters all captures, gives each flow to `emit`, and says what was done.
    pub fn run(
        &self,
        emit: &mut dyn FnMut(FlowRecord) -> Result<(), Failure>,
    ) -> Result<Account, Failure> {
        let progress = Progress::octets("meter", sources::octets(&self.captures));
        let mut meter = Meter::new(&self.params);
        let mut account = Account::default();
        let mut block = Block::default();
        for path in &self.captures {
            let name = self.name.as_ref().filter(|_| sources::is_standard_input(path));
            let opened = match name {
                Some(name) => sources::open_standard_input(name, &self.reader),
                None => sources::open(path, &self.reader, &progress),
            };
            let mut reader = match opened {
                Ok(reader) => reader,
                Err(failure) if self.captures.len() == 1 => return Err(failure),
                Err(failure) => {
                    output::warn(&format!("{failure}; it is left out"));
                    account.unreadable += 1;
                    continue;
                }
            };
            match name {
                Some(name) => meter.set_capture(name),
                None => meter.set_capture(&sources::name(path)),
            }
            while reader.read_block(&mut block)? {
                meter.block(&mut block, emit)?;
            }
            account.capture.merge(&reader.report());
            if !self.continued {
                meter.finish(emit)?;
            }
        }
        meter.finish(emit)?;
        progress.finish();
        if account.unreadable == self.captures.len() {
            return Err(Failure::work("None of the captures could be read"));
        }
        account.meter = meter.report();
        for damage in &account.capture.damage {
            output::warn(&format!("{damage}; what came before it was used"));
        }
        Ok(account)
    }
}

impl Account {
    /// Whether some input was bad.
    pub fn is_bad(&self) -> bool {
        self.unreadable > 0 || !self.capture.damage.is_empty()
    }

    /// What was done, in a line or two.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} → {}",
            units::counted(self.meter.packets, "packet"),
            units::counted(self.meter.flows, "flow")
        );
        let counts = [
            ("packet", "skipped (see flowgait inspect)", self.capture.packets_skipped()),
            ("packet", "held back by the filter", self.capture.packets_filtered),
            ("capture", "not readable", self.unreadable as u64),
            ("capture", "damaged", self.capture.damage.len() as u64),
            ("flow", "ended early because the table was full", self.meter.flows_evicted),
            ("handshake", "given up for lack of memory", self.meter.watches_dropped),
            ("flow", "written out of order", self.meter.out_of_order),
            ("negative gap", "taken as zero", self.meter.gaps_clamped),
        ];
        for (noun, what, count) in counts.into_iter().filter(|(_, _, count)| *count > 0) {
            let _ = write!(text, "; {} {what}", units::counted(count, noun));
        }
        text
    }
}
