//! Captures as a person names them: files or `-`, opened with a filter and a progress bar.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flowgait_capture::{Filter, Reader, ReaderParams};

use crate::failure::Failure;
use crate::progress::Progress;

/// The filter, the same for every command that reads captures.
#[derive(Debug, Default, clap::Args)]
pub struct FilterArgs {
    /// Which packets to use, in capture-filter words: host, net, port, portrange, proto, src, dst, tcp, udp, icmp, icmp6, ip, ip6, vlan, len, less, greater, <, <=, >=, >, and, or, not
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
}

impl FilterArgs {
    /// The reader's parameters.
    pub fn params(&self) -> Result<ReaderParams, Failure> {
        let filter =
            self.filter.as_deref().map(str::parse::<Filter>).transpose().map_err(|error| {
                Failure::usage(format!("Cannot understand --filter: {error}"))
                    .help("For example: --filter 'tcp port 443 and len > 100 and not host 10.0.0.1'. It picks packets of captures, not flows or rows.")
            })?;
        Ok(ReaderParams { filter, ..ReaderParams::default() })
    }
}

/// Opens a capture; `-` is standard input.
pub fn open(path: &Path, params: &ReaderParams, progress: &Progress) -> Result<Reader, Failure> {
    if is_standard_input(path) {
        return open_standard_input("-", params);
    }
    if is_named_as_table(path) {
        return Err(Failure::usage(format!("{} is a table, not a capture", path.display()))
            .help("Captures are pcap or pcapng, plain, gzip or zstd; fit, evaluate and predict read tables."));
    }
    let file = File::open(path)
        .map_err(|source| flowgait_capture::Error::Open { path: path.to_path_buf(), source })?;
    Ok(Reader::from_read(progress.reader(file), path, params)?)
}

/// Opens standard input as a capture that errors call by a name.
pub fn open_standard_input(name: &str, params: &ReaderParams) -> Result<Reader, Failure> {
    Ok(Reader::from_read(Box::new(std::io::stdin()), Path::new(name), params)?)
}

/// Whether `path` names standard input.
pub fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The capture's name in tables: the file's name without its folders, `-` for standard input.
pub fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Octets of the files together, as far as that is known.
pub fn octets(paths: &[PathBuf]) -> u64 {
    paths.iter().filter_map(|p| std::fs::metadata(p).ok()).map(|m| m.len()).sum()
}

/// Refuses what cannot be written, before any work is done for it; and what is to be read: whoever writes over that by mistake has nothing left.
pub fn check_output<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<(), Failure> {
    if is_standard_input(output) {
        return Ok(());
    }
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Failure::work(format!("Cannot write {}", output.display()))
            .help(format!("There is no folder {}.", folder.display())));
    }
    if output.is_dir() {
        return Err(Failure::work(format!("Cannot write {}: it is a folder", output.display()))
            .help("Name a file in it."));
    }
    let Ok(target) = output.canonicalize() else { return Ok(()) };
    let same = |input: &&PathBuf| input.canonicalize().is_ok_and(|input| input == target);
    // A device or a pipe loses nothing.
    match inputs.into_iter().filter(|_| target.is_file()).find(same) {
        Some(input) => Err(Failure::usage(format!("{} would be written over", input.display()))
            .help("It is an input; give the output another name.")),
        None => Ok(()),
    }
}

/// Whether a file's name says that it is a table.
pub fn is_named_as_table(path: &Path) -> bool {
    let name = name(path);
    [".csv", ".csv.zst", ".jsonl", ".jsonl.zst", ".parquet", ".arff"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Whether a file begins like a capture, also a compressed one; a table does not.
pub fn is_capture(path: &Path) -> bool {
    let mut magic = [0; 4];
    let known = [
        [0xd4, 0xc3, 0xb2, 0xa1],
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0x4d, 0x3c, 0xb2, 0xa1],
        [0xa1, 0xb2, 0x3c, 0x4d],
        [0x0a, 0x0d, 0x0d, 0x0a],
    ];
    let name = name(path);
    if [".pcap", ".pcapng", ".cap"]
        .iter()
        .any(|end| name.trim_end_matches(".gz").trim_end_matches(".zst").ends_with(end))
    {
        return true;
    }
    File::open(path).is_ok_and(|mut file| file.read_exact(&mut magic).is_ok())
        && known.contains(&magic)
}
