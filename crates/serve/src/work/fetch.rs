//! Uploads as readers and files: unpacked, and never larger than a limit.

use std::io::{self, Read, Write as _};

use super::{Shop, Teller, Trouble};
use crate::job::JobId;
use crate::order::{Content, Packed, Upload, names};

/// An upload as it was before it was packed.
pub(super) fn unpacked(
    shop: &Shop,
    job: JobId,
    upload: &Upload,
) -> Result<Box<dyn Read + Send>, Trouble> {
    let packed = shop.blobs.reader(&names::input(job), 0..upload.octets);
    Ok(match upload.packed {
        Packed::Plain => Box::new(packed),
        Packed::Gzip => Box::new(flate2::read::MultiGzDecoder::new(packed)),
        Packed::Zstd => Box::new(zstd::Decoder::new(packed)?),
    })
}

/// A broken package is the uploader's fault, a broken stream is not.
pub(super) fn unpack_trouble(error: io::Error, name: &str) -> Trouble {
    if error.get_ref().is_some_and(|inner| inner.is::<crate::Error>()) {
        return error.into();
    }
    let told = format!("{name} cannot be unpacked, so it is damaged or not whole: {error}.");
    Trouble::bad("bad-input", told)
}

/// An upload as a file whose name ends as its content asks; gone when dropped.
pub(super) fn file(
    shop: &Shop,
    job: JobId,
    upload: &Upload,
    teller: &mut Teller<'_>,
) -> Result<tempfile::NamedTempFile, Trouble> {
    let ending = match upload.content {
        Content::Csv => ".csv",
        Content::Jsonl => ".jsonl",
        Content::Parquet => ".parquet",
        Content::Arff => ".arff",
        Content::Capture => ".pcap",
    };
    let mut file = tempfile::Builder::new().prefix("flowgait-").suffix(ending).tempfile()?;
    let mut reader = unpacked(shop, job, upload)?;
    let mut buffer = vec![0; 1 << 20];
    let mut octets = 0;
    teller.stage("fetching", "octets", Some(upload.octets));
    loop {
        let count =
            reader.read(&mut buffer).map_err(|error| unpack_trouble(error, &upload.name))?;
        if count == 0 {
            break;
        }
        octets += count as u64;
        if octets > shop.limits.octets {
            let most = shop.limits.octets;
            let told = format!("The upload is larger than {most} octets unpacked.");
            return Err(Trouble::bad("too-large", told));
        }
        file.write_all(&buffer[..count])?;
        teller.done(octets)?;
    }
    file.flush()?;
    Ok(file)
}
