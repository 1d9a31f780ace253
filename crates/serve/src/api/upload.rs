//! Uploads: multipart, piece by piece to the blobs, never all in memory.

use std::collections::BTreeMap;

use axum::extract::multipart::Field;
use sha2::{Digest as _, Sha256};

use super::App;
use super::extract::{Multipart, Pace};
use super::table::too_slow;
use crate::job::JobId;
use crate::order::{Content, Packed, Upload, names};
use crate::problem::Problem;
use crate::work::sink::hex;

/// Octets of a field that is no file: it may become an argument of a program, and the system gives those no more than twice this.
const FIELD_OCTETS: usize = 64 << 10;
/// Octets of a federation's configuration, which becomes a file.
const CONFIGURATION_OCTETS: usize = 256 << 10;
/// Fields of a form.
const FIELDS_MAX: usize = 64;
/// Octets that tell what a file is.
const HEAD_OCTETS: usize = 64 << 10;

/// A form that was received; what it uploaded is among the blobs of a job that is not one yet.
pub(crate) struct Received {
    pub id: JobId,
    pub fields: BTreeMap<String, String>,
    pub upload: Option<Upload>,
    /// Rows that were counted on the way; 0 where only reading it would tell.
    pub rows: u64,
}

impl Received {
    /// A field that is known; it is then no longer among those that are left.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.fields.remove(name).filter(|value| !value.is_empty())
    }

    /// Refuses fields that nobody took.
    pub(crate) fn none_left(&self, known: &str) -> Result<(), Problem> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(name) => Err(Problem::bad_request(format!(
                "The field '{}' is not known here; those are: {known}.",
                shortened(name)
            ))),
        }
    }

    /// A number of a field.
    pub(crate) fn number<T: std::str::FromStr>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.take(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            Problem::bad_request(format!(
                "The field '{name}' is '{}', which is no number.",
                shortened(&text)
            ))
        })
    }

    /// Whether a field says yes.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.take(name).as_deref() {
            None | Some("false" | "0" | "no") => Ok(false),
            Some("true" | "1" | "yes" | "on") => Ok(true),
            Some(other) => Err(Problem::bad_request(format!(
                "The field '{name}' is '{}'; it takes true or false.",
                shortened(other)
            ))),
        }
    }

    /// Leaves nothing of what was uploaded.
    pub(crate) async fn forget(&self, app: &App) {
        if let Err(error) = app.blobs.delete_all(&names::folder(self.id)).await {
            tracing::warn!(%error, "an upload that nobody wants could not be taken away; it goes within a day");
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Octets of a form beside its file.
const FORM_OCTETS: u64 = 1 << 20;

fn too_large(most: u64) -> Problem {
    Problem::too_large(format!(
        "The file is larger than {most} octets, the setting serve.upload_octets of this service."
    ))
}

/// Receives a form.
///
/// # Errors
/// What is wrong with it; nothing of it is left then.
pub(crate) async fn receive(app: &App, mut form: Multipart) -> Result<Received, Problem> {
    let most = app.limits.upload_octets;
    // One that says so itself is refused before any of it is sent.
    if form.length.is_some_and(|length| length > most.saturating_add(FORM_OCTETS)) {
        return Err(too_large(most));
    }
    let now = app.store.now().await?;
    let mut received =
        Received { id: JobId::new(now), fields: BTreeMap::new(), upload: None, rows: 0 };
    match fill(app, &mut form, &mut received).await {
        Ok(()) => Ok(received),
        Err(problem) => {
            received.forget(app).await;
            Err(problem)
        }
    }
}

async fn fill(app: &App, form: &mut Multipart, received: &mut Received) -> Result<(), Problem> {
    loop {
        form.pace.begin();
        let field = tokio::time::timeout(app.limits.idle, form.form.next_field()).await;
        let field =
            field.map_err(|_| too_slow(app.limits.idle))?.map_err(|error| broken(&error))?;
        let Some(mut field) = field else { return Ok(()) };
        let pace = &form.pace;
        let name = field.name().unwrap_or_default().to_owned();
        if received.fields.len() >= FIELDS_MAX {
            return Err(Problem::too_large(format!("The form has more than {FIELDS_MAX} fields.")));
        }
        if field.file_name().is_some() && name != "file" && name != "configuration" {
            return Err(Problem::bad_request(format!(
                "The field '{}' has a file; a table or a capture is sent as 'file'.",
                shortened(&name)
            )));
        }
        if name == "file" {
            if received.upload.is_some() {
                return Err(Problem::bad_request(
                    "The form has more than one file; a job takes one.",
                ));
            }
            let (upload, rows) = keep(app, received.id, &mut field, pace).await?;
            received.upload = Some(upload);
            received.rows = rows;
        } else {
            let text = text(app, &mut field, &name, pace).await?;
            if received.fields.insert(name.clone(), text).is_some() {
                let told = format!("The field '{}' is there twice.", shortened(&name));
                return Err(Problem::bad_request(told));
            }
        }
    }
}

async fn text(
    app: &App,
    field: &mut Field<'_>,
    name: &str,
    pace: &Pace,
) -> Result<String, Problem> {
    let most = if name == "configuration" { CONFIGURATION_OCTETS } else { FIELD_OCTETS };
    let mut all = Vec::new();
    while let Some(piece) = piece(app, field, pace).await? {
        if all.len() + piece.len() > most {
            let told = format!("The field '{}' is longer than {most} octets.", shortened(name));
            return Err(Problem::too_large(told));
        }
        all.extend_from_slice(&piece);
    }
    match String::from_utf8(all) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => {
            let told = format!("The field '{}' is not UTF-8, or holds NUL.", shortened(name));
            Err(Problem::bad_request(told))
        }
    }
}

async fn piece(
    app: &App,
    field: &mut Field<'_>,
    pace: &Pace,
) -> Result<Option<bytes::Bytes>, Problem> {
    pace.begin();
    let next = tokio::time::timeout(app.limits.idle, field.chunk()).await;
    next.map_err(|_| too_slow(app.limits.idle))?.map_err(|error| broken(&error))
}

fn broken(error: &axum::extract::multipart::MultipartError) -> Problem {
    tracing::debug!(error = error.body_text(), "a form broke off");
    let told = error.body_text();
    // What stands before is the framework's, and says no more.
    let told = told.rsplit("request: ").next().unwrap_or_default().trim_end_matches('.');
    Problem::bad_request(format!("The form is broken or broke off: {told}."))
}

/// Puts a file among the blobs, and finds out what it is.
async fn keep(
    app: &App,
    id: JobId,
    field: &mut Field<'_>,
    pace: &Pace,
) -> Result<(Upload, u64), Problem> {
    // What the uploader calls it is shown, and never leads anywhere.
    let name: String = field
        .file_name()
        .unwrap_or("upload")
        .chars()
        .map(|c| if c.is_control() { '_' } else { c })
        .take(200)
        .collect();
    let name =
        name.rsplit(['/', '\\']).next().filter(|n| !n.is_empty()).unwrap_or("upload").to_owned();
    let mut writing = app.blobs.begin(&names::input(id)).await?;
    let (mut head, mut digest, mut lines, mut last) = (Vec::new(), Sha256::new(), 0_u64, b'\n');
    let outcome = async {
        while let Some(piece) = piece(app, field, pace).await? {
            if writing.octets() + piece.len() as u64 > app.limits.upload_octets {
                return Err(too_large(app.limits.upload_octets));
            }
            if head.len() < HEAD_OCTETS {
                head.extend_from_slice(&piece[..piece.len().min(HEAD_OCTETS - head.len())]);
            }
            lines += piece.iter().filter(|&&octet| octet == b'\n').count() as u64;
            last = piece.last().copied().unwrap_or(last);
            digest.update(&piece);
            writing.write(piece).await?;
        }
        Ok(())
    };
    if let Err(problem) = outcome.await {
        writing.abort().await;
        return Err(problem);
    }
    if writing.octets() == 0 {
        writing.abort().await;
        return Err(Problem::bad_input(format!("{name} is empty.")));
    }
    let octets = writing.finish().await?;
    let (content, packed) = what(&name, &head)?;
    let is_rows = matches!((content, packed), (Content::Csv | Content::Jsonl, Packed::Plain));
    // The header is no row; a last line without a line feed is one.
    let rows = lines + u64::from(last != b'\n') - u64::from(content == Content::Csv && lines > 0);
    let sha256 = hex(&digest.finalize());
    let upload = Upload { name, content, packed, octets, sha256, made: false };
    Ok((upload, if is_rows { rows } else { 0 }))
}

/// Rows of a table of comma-separated values that is in memory.
pub(crate) fn counted(table: &[u8]) -> u64 {
    (memchr::memchr_iter(b'\n', table).count() as u64).saturating_sub(1)
}

/// What a file is, by its first octets; its name only tells apart what looks alike.
fn what(name: &str, head: &[u8]) -> Result<(Content, Packed), Problem> {
    let (packed, inner) = if head.starts_with(&[0x1f, 0x8b]) {
        (Packed::Gzip, some(flate2::read::MultiGzDecoder::new(head)))
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        (Packed::Zstd, zstd::Decoder::new(head).map(some).unwrap_or_default())
    } else {
        (Packed::Plain, head.to_vec())
    };
    let lower = name.to_ascii_lowercase();
    let base = lower.trim_end_matches(".gz").trim_end_matches(".zst");
    let captures: [&[u8]; 5] = [
        &[0xd4, 0xc3, 0xb2, 0xa1],
        &[0xa1, 0xb2, 0xc3, 0xd4],
        &[0x4d, 0x3c, 0xb2, 0xa1],
        &[0xa1, 0xb2, 0x3c, 0x4d],
        &[0x0a, 0x0d, 0x0d, 0x0a],
    ];
    if captures.iter().any(|magic| inner.starts_with(magic)) {
        return Ok((Content::Capture, packed));
    }
    if inner.starts_with(b"PAR1") {
        return Ok((Content::Parquet, packed));
    }
    if inner.starts_with(b"PK\x03\x04") {
        return Err(Problem::unsupported(format!(
            "{name} is a zip: unpack it, or pack the file by gzip or zstd."
        )));
    }
    if inner.starts_with(&[0xff, 0xfe]) || inner.starts_with(&[0xfe, 0xff]) {
        return Err(Problem::unsupported(format!("{name} is UTF-16: save it as UTF-8.")));
    }
    if inner.contains(&0) {
        return Err(Problem::unsupported(format!(
            "{name} is neither text, nor Parquet, nor a capture (pcap or pcapng, plain, gzip or zstd)."
        )));
    }
    let text = inner.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&inner).trim_ascii_start();
    if text.starts_with(b"{") || base.ends_with(".jsonl") {
        return Ok((Content::Jsonl, packed));
    }
    let is_arff = text.len() >= 9 && text[..9].eq_ignore_ascii_case(b"@relation");
    if is_arff || base.ends_with(".arff") {
        return Ok((Content::Arff, packed));
    }
    Ok((Content::Csv, packed))
}

/// The first octets of what is packed, as far as they are there.
fn some(mut packed: impl std::io::Read) -> Vec<u8> {
    let (mut inner, mut buffer) = (Vec::new(), [0; 4_096]);
    while inner.len() < 4_096
        && let Ok(count @ 1..) = packed.read(&mut buffer)
    {
        inner.extend_from_slice(&buffer[..count]);
    }
    inner
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn files_are_known_by_what_is_in_them() {
        let check = |name: &str, head: &[u8], expected: (Content, Packed)| {
            assert_eq!(what(name, head).unwrap(), expected, "{name}");
        };
        let gzip = |inner: &[u8]| {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(inner).unwrap();
            encoder.finish().unwrap()
        };
        let pcap = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        check("x", b"a,b\n1,2\n", (Content::Csv, Packed::Plain));
        check("x.csv", &pcap, (Content::Capture, Packed::Plain));
        check("x.pcap.gz", &gzip(&pcap), (Content::Capture, Packed::Gzip));
        check("x", &gzip(b"a,b\n"), (Content::Csv, Packed::Gzip));
        check(
            "x",
            &zstd::encode_all(&b"{\"a\":1}\n"[..], 1).unwrap(),
            (Content::Jsonl, Packed::Zstd),
        );
        check("x", b"PAR1....", (Content::Parquet, Packed::Plain));
        check("x", b"@RELATION r\n", (Content::Arff, Packed::Plain));
        check("x", b"\xef\xbb\xbfa,b\n", (Content::Csv, Packed::Plain));
        assert_eq!(what("x.zip", b"PK\x03\x04").unwrap_err().status, 415);
        assert_eq!(what("x.exe", b"MZ\0\0").unwrap_err().status, 415);
    }
}
