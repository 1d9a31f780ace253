//! Answers for the rows of a table, or the flows of a capture.
//!
//! A small table is answered at once. A large one of plain CSV is cut at places of the upload, a packed one or a capture's flows are cut
//! into blobs, and each chunk is a part that any worker may take. Other formats are read from a file, by one worker.

use std::io::{Cursor, Read};
use std::sync::Arc;

use flowgait_features::table::RowReader;
use flowgait_flow::export::{RowSchema, TableWriter};
use flowgait_model::answers::{Answers, Tally};
use serde::{Deserialize, Serialize};

use super::cut::{self, Chunk, Copier};
use super::sink::PieceSink;
use super::{Shop, Teller, Trouble, fetch, meter, wait};
use crate::hold::Hold;
use crate::job::{End, Lease};
use crate::models::{Loaded, STARTER};
use crate::order::{Content, Format, Packed, Piece, PredictOrder, PredictResult, names};

/// Rows predicted at a time.
const BATCH_ROWS: usize = 4_096;

/// What a chunk came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answered {
    pieces: Vec<Piece>,
    tally: Tally,
    notes: Vec<String>,
}

impl Answered {
    /// Where the answers of a chunk are, from what the store keeps of it.
    pub(crate) fn pieces_of(kept: serde_json::Value) -> Result<Vec<Piece>, crate::Error> {
        let answered = Self::deserialize(kept)
            .map_err(|error| crate::Error::StoreContent { what: format!("a chunk ({error})") })?;
        Ok(answered.pieces)
    }
}

/// What is being answered, by whom, with what.
struct Task<'a> {
    shop: &'a Shop,
    lease: &'a Lease,
    hold: &'a Hold,
    order: &'a PredictOrder,
    model: Arc<Loaded>,
}

impl<'a> Task<'a> {
    fn teller(&self, stage: &str, unit: &str, total: Option<u64>) -> Teller<'a> {
        Teller::new(self.shop, self.lease, self.hold, stage, unit, total)
    }
}

pub(super) fn run(
    shop: &Shop,
    lease: &Lease,
    hold: &Hold,
    order: &PredictOrder,
) -> Result<End, Trouble> {
    let model = wait(shop.models.get(Some(&order.model)))?;
    let task = &Task { shop, lease, hold, order, model };
    if lease.is_join {
        return join(task);
    }
    if lease.claim.part > 0 {
        let chunk: Chunk = Chunk::deserialize(&lease.payload)
            .map_err(|error| crate::Error::StoreContent { what: format!("a chunk ({error})") })?;
        let answered = answer_chunk(task, &chunk)?;
        return Ok(End::Chunk(serde_json::to_value(answered).expect("invariant: plain fields")));
    }
    let upload = &order.input;
    let cut = match (upload.content, upload.packed, order.format) {
        (_, _, Format::Parquet) if upload.content != Content::Capture => {
            return whole(task);
        }
        (Content::Csv, Packed::Plain, _) => {
            let mut teller = task.teller("reading", "octets", Some(upload.octets));
            let blob = names::input(lease.claim.job);
            cut::places(shop, &blob, upload.octets, &mut teller).map(|chunks| (chunks, Vec::new()))
        }
        (Content::Csv, _, _) => unpack(task).map(|chunks| (chunks, Vec::new())),
        (Content::Capture, _, _) => {
            meter::run(shop, lease, hold, upload, &task.model.model.schema().name)
        }
        _ => return whole(task),
    };
    if matches!(cut, Err(Trouble::Bad(_))) {
        forget_chunks(task);
    }
    let (chunks, notes) = cut?;
    if chunks.is_empty() {
        let told = format!("{} holds no table: there is no header.", upload.name);
        return Err(Trouble::bad("bad-input", told));
    }
    if let [only] = &chunks[..]
        && order.format != Format::Parquet
    {
        let mut answered = answer_chunk(task, only)?;
        answered.notes.splice(0..0, notes);
        return Ok(succeeded(task, vec![answered]));
    }
    if order.format == Format::Parquet {
        return parquet_of_flows(task, &chunks);
    }
    // What is wrong with the header is found now, not in every chunk.
    open(task, &chunks[0])?;
    let payloads = chunks
        .iter()
        .map(|chunk| serde_json::to_value(chunk).expect("invariant: plain fields"))
        .collect();
    Ok(End::Split(payloads))
}

/// What was cut before a table turned out to be no good is far more than was uploaded where somebody meant it to be; another try cuts anew.
fn forget_chunks(task: &Task<'_>) {
    let job = task.lease.claim.job;
    if let Err(error) = wait(task.shop.blobs.delete_all(&names::chunks(job))) {
        tracing::warn!(job.id = %job, %error, "chunks of no use stay until their job goes");
    }
}

/// Rows of a packed table, cut into blobs.
fn unpack(task: &Task<'_>) -> Result<Vec<Chunk>, Trouble> {
    let job = task.lease.claim.job;
    let mut reader = fetch::unpacked(task.shop, job, &task.order.input)?;
    let mut copier = Copier::new(task.shop, job);
    let mut teller = task.teller("unpacking", "octets", None);
    let (mut buffer, mut octets) = (vec![0; 256 << 10], 0);
    loop {
        let count = reader.read(&mut buffer);
        let count = count.map_err(|error| fetch::unpack_trouble(error, &task.order.input.name))?;
        if count == 0 {
            return copier.finish();
        }
        copier.take(&buffer[..count])?;
        octets += count as u64;
        teller.done(octets)?;
    }
}

/// A chunk's rows.
fn open(task: &Task<'_>, chunk: &Chunk) -> Result<RowReader, Trouble> {
    let blobs = &task.shop.blobs;
    let header = wait(blobs.range(&chunk.blob, chunk.header.clone()))?;
    let mut header = header.to_vec();
    if !header.ends_with(b"\n") {
        header.push(b'\n');
    }
    let rows = blobs.reader(&chunk.blob, chunk.rows.clone());
    let stream = Cursor::new(header).chain(rows);
    let name = name(task.order);
    RowReader::csv(&name, Box::new(stream), task.model.model.schema())
        .map_err(|error| placed(error, chunk))
}

/// What errors call the table: what the uploader did, or what became of the capture.
fn name(order: &PredictOrder) -> String {
    match order.input.content {
        Content::Capture => format!("The flow table of {}", order.input.name),
        _ => order.input.name.clone(),
    }
}

/// An error of a chunk, told with the line of the whole table.
fn placed(error: flowgait_features::Error, chunk: &Chunk) -> Trouble {
    use flowgait_features::Error::{Cell, Line};
    // In the chunk the header is the first line.
    let header_lines = 1;
    let moved = |line: u64| {
        if line <= header_lines { line } else { line - header_lines + chunk.lines_before }
    };
    Trouble::from(match error {
        Line { path, line, problem } => Line { path, line: moved(line), problem },
        Cell { path, counted, line, number, column, value, expected } => {
            Cell { path, counted, line: moved(line), number, column, value, expected }
        }
        other => other,
    })
}

fn answer_chunk(task: &Task<'_>, chunk: &Chunk) -> Result<Answered, Trouble> {
    let Task { shop, lease, order, model, .. } = task;
    let mut reader = open(task, chunk)?;
    let mut answers = Answers::new(&model.model, order.answers)?;
    answers.begin_at(chunk.rows_before);
    let schema =
        answers.begin(reader.written_header(), reader.kinds(), order.format != Format::Csv);
    reader.keep(answers.carried());
    let has_header = chunk.number > 0 && order.format == Format::Csv;
    let skip = if has_header { header_octets(&schema)? } else { 0 };
    let sink = PieceSink::new(lease.claim.job, shop.blobs.clone(), skip);
    let mut writer = match order.format {
        Format::Jsonl => TableWriter::stream_jsonl("the answers", Box::new(sink.clone()), schema),
        _ => TableWriter::stream("the answers", Box::new(sink.clone()), schema),
    };
    let mut teller = task.teller("predicting", "rows", Some(chunk.row_count));
    loop {
        let batch = reader.next_batch(BATCH_ROWS).map_err(|error| placed(error, chunk))?;
        let Some(batch) = batch else { break };
        answers.write(&batch, &mut writer)?;
        teller.done(answers.tally().rows)?;
    }
    writer.finish().map_err(|source| flowgait_model::Error::WriteAnswers { source })?;
    let notes = if chunk.number == 0 { notes(&reader) } else { Vec::new() };
    let tally = answers.tally().clone();
    count(model, &tally);
    Ok(Answered { pieces: sink.finish()?, tally, notes })
}

/// Counts answers for whoever watches.
pub(crate) fn count(model: &Loaded, tally: &Tally) {
    let name = model.pinned();
    metrics::counter!("flowgait_rows_total", "model" => name.clone()).increment(tally.rows);
    metrics::counter!("flowgait_unknown_total", "model" => name.clone()).increment(tally.unknown);
    for (class, rows) in model.model.classes().iter().zip(&tally.classes) {
        metrics::counter!("flowgait_predictions_total", "model" => name.clone(), "class" => class.clone())
            .increment(*rows);
    }
    // Prometheus' buckets, each with those below it. A histogram of the recorder would keep a number for every row until it is put away.
    let mut below = 0;
    for (bin, rows) in tally.confidence.iter().enumerate() {
        below += rows;
        let end = format!("{}", (bin + 1) as f64 / tally.confidence.len() as f64);
        metrics::counter!("flowgait_confidence_bucket", "model" => name.clone(), "le" => end)
            .increment(below);
    }
    metrics::counter!("flowgait_confidence_bucket", "model" => name, "le" => "+Inf")
        .increment(below);
}

/// What a person should know of how the table was read.
fn notes(reader: &RowReader) -> Vec<String> {
    let mut notes: Vec<String> = reader.report().notices.clone();
    for (column, kind) in reader.unread() {
        notes.push(format!(
            "column '{column}' is of a type that is not read ({kind}) and not among the answers"
        ));
    }
    notes
}

/// Octets of the header of a table of answers.
fn header_octets(schema: &RowSchema) -> Result<usize, Trouble> {
    let octets = Arc::new(std::sync::Mutex::new(0));
    struct Count(Arc<std::sync::Mutex<usize>>);
    impl std::io::Write for Count {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += octets.len();
            Ok(octets.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let writer = TableWriter::stream("the header", Box::new(Count(octets.clone())), schema.clone());
    writer.finish().map_err(|source| flowgait_model::Error::WriteAnswers { source })?;
    let count = *octets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(count)
}

fn succeeded(task: &Task<'_>, all: Vec<Answered>) -> End {
    let Task { order, model, .. } = task;
    let mut result = PredictResult {
        classes: model.model.classes().to_vec(),
        model: order.model.clone(),
        format: order.format,
        ..PredictResult::default()
    };
    if model.name == STARTER {
        result.notes.push(format!(
            "the starter model answered, which knows little: {}; a model of your own traffic does better (kind=fit)",
            result.classes.join(", ")
        ));
    }
    for answered in all {
        result.pieces.extend(answered.pieces);
        result.tally.add(&answered.tally);
        result.notes.extend(answered.notes);
    }
    End::Succeeded(serde_json::to_value(result).expect("invariant: plain fields"))
}

/// Puts together what all chunks came to.
fn join(task: &Task<'_>) -> Result<End, Trouble> {
    let chunks = wait(task.shop.store.chunks(task.lease.claim.job))?;
    let mut all = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let answered = chunk.and_then(|chunk| Answered::deserialize(chunk).ok());
        let missing = || crate::Error::StoreContent { what: "a chunk without an end".to_owned() };
        all.push(answered.ok_or_else(missing)?);
    }
    Ok(succeeded(task, all))
}

/// Answers a table from a file, by one worker.
fn whole(task: &Task<'_>) -> Result<End, Trouble> {
    let Task { shop, lease, order, model, .. } = task;
    let mut teller = task.teller("fetching", "octets", None);
    let file = fetch::file(shop, lease.claim.job, &order.input, &mut teller)?;
    let opened = RowReader::open(file.path(), model.model.schema());
    let name = file.path().display().to_string();
    // Errors name the table as the uploader does, not where it lies here.
    let renamed = |error: flowgait_features::Error| match Trouble::from(error) {
        Trouble::Bad(mut reason) => {
            reason.detail = reason.detail.replace(&name, &order.input.name);
            Trouble::Bad(reason)
        }
        other => other,
    };
    let mut readers = vec![opened.map_err(renamed)?];
    if readers[0].header().len() > shop.limits.columns {
        let told = format!("The table has more than {} columns.", shop.limits.columns);
        return Err(Trouble::bad("too-large", told));
    }
    teller.stage("predicting", "rows", None);
    let answered = answer_all(task, &mut readers, &mut teller, &renamed)?;
    Ok(succeeded(task, vec![answered]))
}

/// Flows of a capture as Parquet, which is one file and so one worker's.
fn parquet_of_flows(task: &Task<'_>, chunks: &[Chunk]) -> Result<End, Trouble> {
    let rows = chunks.iter().map(|chunk| chunk.row_count).sum();
    let mut teller = task.teller("predicting", "rows", Some(rows));
    let mut readers = Vec::new();
    for chunk in chunks {
        readers.push(open(task, chunk)?);
    }
    let answered = answer_all(task, &mut readers, &mut teller, &Trouble::from)?;
    Ok(succeeded(task, vec![answered]))
}

fn answer_all(
    task: &Task<'_>,
    readers: &mut [RowReader],
    teller: &mut Teller<'_>,
    renamed: &dyn Fn(flowgait_features::Error) -> Trouble,
) -> Result<Answered, Trouble> {
    let Task { shop, lease, order, model, .. } = task;
    let mut answers = Answers::new(&model.model, order.answers)?;
    let first = &readers[0];
    let schema = answers.begin(first.written_header(), first.kinds(), order.format != Format::Csv);
    let sink = PieceSink::new(lease.claim.job, shop.blobs.clone(), 0);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("answers.parquet");
    let mut writer = match order.format {
        Format::Csv => TableWriter::stream("the answers", Box::new(sink.clone()), schema),
        Format::Jsonl => TableWriter::stream_jsonl("the answers", Box::new(sink.clone()), schema),
        Format::Parquet => TableWriter::create(&file, schema).map_err(crate::Error::from)?,
    };
    for reader in readers.iter_mut() {
        reader.keep(answers.carried());
        while let Some(batch) = reader.next_batch(BATCH_ROWS).map_err(renamed)? {
            answers.write(&batch, &mut writer)?;
            let rows = answers.tally().rows;
            if rows > shop.limits.rows {
                let told = format!("The table has more than {} rows.", shop.limits.rows);
                return Err(Trouble::bad("too-large", told));
            }
            teller.done(rows)?;
        }
    }
    writer.finish().map_err(|source| flowgait_model::Error::WriteAnswers { source })?;
    if order.format == Format::Parquet {
        std::io::copy(&mut std::fs::File::open(&file)?, &mut sink.clone())?;
    }
    let tally = answers.tally().clone();
    count(model, &tally);
    Ok(Answered { pieces: sink.finish()?, tally, notes: notes(&readers[0]) })
}
