//! `cargo xtask bench-capture`: the big capture that the meter and its peers are measured on.
//!
//! All shared captures, merged by packet time; every packet appears once per copy, and each copy has addresses of its
//! own, so that flows of different copies never meet. Rules that make one file of so many kinds:
//! - Captures of another link type than Ethernet get an Ethernet header (made addresses, the right EtherType); what has
//!   no EtherType is left out and counted.
//! - A copy's number is mixed (exclusive or) into the second octet of each IPv4 address and the sixth of each IPv6
//!   address, outside and inside tunnels. IPv4 header checksums are kept right; transport checksums are not, and no
//!   meter looks at them.
//! - Sizes and snap lengths stay as captured. Copies of one packet stand side by side with the same time.

mod ethernet;
mod read;
mod shift;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::project;
use read::Record;

/// As the project's measures say; gives 160 thousand flows.
const COPIES: u8 = 20;

/// What was typed after `bench-capture`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where to write it [default: target/bench/big.pcap]
    output: Option<PathBuf>,
    /// How often each packet appears, with other addresses
    #[arg(long, default_value_t = COPIES, value_parser = clap::value_parser!(u8).range(1..))]
    copies: u8,
}

pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let data = project::shared_data().ok_or(Error::NoSharedData)?;
    let output = arguments.output.clone().unwrap_or_else(default_output);
    make(&data, &output, arguments.copies)
}

/// The capture that was named, or the big one, made when it is not there yet.
pub fn ready(named: Option<&Path>) -> Result<PathBuf, Error> {
    let path = named.map_or_else(default_output, Path::to_path_buf);
    if named.is_none() && !path.exists() {
        make(&project::shared_data().ok_or(Error::NoSharedData)?, &path, COPIES)?;
    }
    Ok(path)
}

/// How many packets a capture holds.
pub fn packets(path: &Path) -> Result<usize, Error> {
    let bytes =
        fs::read(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
    Ok(read::records(path, &bytes)?.len())
}

fn make(data: &Path, output: &Path, copies: u8) -> Result<(), Error> {
    let merged = merge(&data.join("ndpi/captures"))?;
    println!("{}", merged.describe(copies));
    write_aside(output, |file| write_copies(file, &merged.records, copies))?;
    println!("wrote {}", output.display());
    Ok(())
}

/// Where the big capture lies when nobody says.
fn default_output() -> PathBuf {
    project::target().join("bench/big.pcap")
}

/// All captures as one, in time order.
#[derive(Default)]
struct Merged {
    records: Vec<Record>,
    captures: usize,
    without_ethertype: usize,
}

impl Merged {
    fn describe(&self, copies: u8) -> String {
        let packets = self.records.len();
        let octets: u64 = self.records.iter().map(|record| u64::from(record.original_octets)).sum();
        let keys: HashSet<_> =
            self.records.iter().filter_map(|record| shift::key(&record.frame)).collect();
        let copies = usize::from(copies);
        format!(
            "{} captures, {copies} copies: {} packets, {} different five-tuples, {:.0} octets a packet; {} packets \
             without an EtherType left out",
            self.captures,
            packets * copies,
            keys.len() * copies,
            octets as f64 / packets.max(1) as f64,
            self.without_ethertype,
        )
    }
}

fn merge(folder: &Path) -> Result<Merged, Error> {
    let unreadable = |source| Error::Read { path: folder.to_path_buf(), source };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let mut merged = Merged { captures: paths.len(), ..Merged::default() };
    for path in &paths {
        let bytes = fs::read(path).map_err(|source| Error::Read { path: path.clone(), source })?;
        for mut record in read::records(path, &bytes)? {
            match ethernet::frame(record.link_type, &record.frame) {
                Some(frame) => {
                    let grown = frame.len().saturating_sub(record.frame.len());
                    record.original_octets += u32::try_from(grown).unwrap_or_default();
                    record.frame = frame;
                    merged.records.push(record);
                }
                None => merged.without_ethertype += 1,
            }
        }
    }
    // Stable: packets of one time stay in the order of the captures' names, then of the capture.
    merged.records.sort_by_key(|record| record.time_nanos);
    Ok(merged)
}

/// Writes under another name first, so that no half capture is ever measured.
fn write_aside(
    path: &Path,
    fill: impl Fn(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Error> {
    let unwritable = |source| Error::Write { path: path.to_path_buf(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let aside = path.with_extension("part");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&aside).map_err(unwritable)?);
    fill(&mut file).and_then(|()| file.flush()).map_err(unwritable)?;
    fs::rename(&aside, path).map_err(unwritable)
}

fn write_copies(out: &mut impl Write, records: &[Record], copies: u8) -> io::Result<()> {
    const MAGIC_MICROS: u32 = 0xa1b2_c3d4;
    const LINK_TYPE_ETHERNET: u32 = 1;
    out.write_all(&MAGIC_MICROS.to_le_bytes())?;
    out.write_all(&[2, 0, 4, 0])?; // version 2.4
    for field in [0, 0, 262_144, LINK_TYPE_ETHERNET] {
        out.write_all(&u32::to_le_bytes(field))?;
    }
    let mut frame = Vec::new();
    for record in records {
        let micros = record.time_nanos / 1_000;
        let captured = u32::try_from(record.frame.len()).unwrap_or(u32::MAX);
        let fields = [
            (micros / 1_000_000) as u32,
            (micros % 1_000_000) as u32,
            captured,
            record.original_octets,
        ];
        for copy in 0..copies {
            frame.clear();
            frame.extend_from_slice(&record.frame);
            shift::addresses(&mut frame, copy);
            for field in fields {
                out.write_all(&field.to_le_bytes())?;
            }
            out.write_all(&frame)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(time_nanos: u64, last: u8) -> Record {
        let ip = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, last];
        let udp = [0, 53, 0, 54, 0, 8, 0, 0];
        let packet = [&ip[..], &udp[..]].concat();
        let frame = ethernet::frame(101, &packet).expect("raw IPv4 has an EtherType");
        Record { time_nanos, link_type: 1, original_octets: 42, frame }
    }

    #[test]
    fn copies_are_read_back_with_addresses_of_their_own() {
        let mut bytes = Vec::new();
        write_copies(&mut bytes, &[record(1_500_000_000, 2), record(2_000_000_000, 3)], 3)
            .expect("memory");
        let records = read::records(Path::new("made"), &bytes).expect("what we wrote can be read");
        assert_eq!(records.len(), 6);
        assert_eq!(records[0].time_nanos, 1_500_000_000);
        let keys: HashSet<_> = records.iter().map(|record| shift::key(&record.frame)).collect();
        assert_eq!(keys.len(), 6);
    }

    #[test]
    fn what_was_merged_is_described() {
        let merged =
            Merged { records: vec![record(1, 2), record(2, 2)], captures: 1, without_ethertype: 4 };
        let told = "1 captures, 20 copies: 40 packets, 20 different five-tuples, 42 octets a packet; 4 packets without an EtherType left out";
        assert_eq!(merged.describe(20), told);
    }
}
