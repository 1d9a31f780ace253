//! The table of answers being written, one input after the other.

use std::path::Path;

use flowgait_features::table::RowReader;
use flowgait_flow::export::{Format, TableWriter};
use flowgait_model::answers::{AnswerParams, Answers};
use flowgait_model::artifact::Model;

use super::{Args, sets};
use crate::commands::metering::{Account, Metering};
use crate::commands::rows::{self, METERED, Trouble, bad_input, bad_output};
use crate::commands::{learning, sources, starter};
use crate::failure::Failure;
use crate::output;
use crate::units;

/// Rows predicted at a time.
const BATCH_ROWS: usize = 8_192;

/// The table of answers being written; its header is that of the first input.
pub(super) struct AnswerTable<'a> {
    args: &'a Args,
    model: &'a Model,
    answers: Answers<'a>,
    writer: Option<TableWriter>,
}

impl<'a> AnswerTable<'a> {
    /// Without rows yet.
    pub(super) fn new(args: &'a Args, model: &'a Model) -> Result<Self, Failure> {
        // The starter model is not to guess where nobody asked it to.
        let is_plain = args.model.is_none() && args.unknown.is_none();
        let params = AnswerParams {
            only_predictions: args.only_predictions,
            proba: args.proba,
            after: args.after,
            reject: args.reject.or(is_plain.then_some(starter::LEAST_CONFIDENCE)),
            unknown: args.unknown,
            conformal: args.conformal,
        };
        let answers = Answers::new(model, params)?;
        Ok(Self { args, model, answers, writer: None })
    }

    /// Answers a table or a capture; whether some of it was damaged.
    pub(super) fn input(&mut self, path: &Path, metering: Metering) -> Result<bool, Trouble> {
        if sources::is_capture(path) {
            let account = self.capture(metering)?;
            output::note(&format!("{}: {}", path.display(), account.text()));
            return Ok(account.is_bad());
        }
        let reader =
            rows::open(path, self.model.schema()).map_err(|failure| match self.args.model {
                None => starter::no_table_for_it(failure),
                Some(_) => failure,
            });
        self.table(reader.map_err(bad_input)?, path)
    }

    fn capture(&mut self, metering: Metering) -> Result<Account, Trouble> {
        let name = Path::new(METERED);
        rows::metered(metering, self.model.schema(), |flows| self.table(flows, name))
            .map(|(_, account)| account)
    }

    /// Answers a table; whether it has columns that cannot be carried over.
    fn table(&mut self, mut reader: RowReader, path: &Path) -> Result<bool, Trouble> {
        for (column, kind) in reader.unread() {
            output::warn(&format!(
                "column '{column}' is of a type that is not read ({kind}) and not among the answers"
            ));
        }
        self.begin(&reader, path)?;
        reader.keep(self.answers.carried());
        let writer = self.writer.as_mut().expect("invariant: begun just now");
        while let Some(batch) = reader.next_batch(BATCH_ROWS).map_err(bad_input)? {
            self.answers.write(&batch, writer).map_err(|error| match error {
                // Told as the writer tells it: what it was to write is the output's name.
                flowgait_model::Error::WriteAnswers { source } => bad_output(source),
                error @ flowgait_model::Error::CarriedCell { .. } => bad_output(
                    Failure::from_library(error)
                        .help("Write .csv, which carries cells over as they stand."),
                ),
                error => bad_output(error),
            })?;
        }
        let report = reader.report();
        learning::tell_strangers(report);
        if report.infinities > 0 {
            output::note(&format!(
                "{} taken as missing: infinite, or beyond 32 bits",
                units::counted(report.infinities, "value")
            ));
        }
        Ok(!reader.unread().is_empty())
    }

    fn begin(&mut self, reader: &RowReader, path: &Path) -> Result<(), Trouble> {
        if self.writer.is_some() {
            if self.answers.header() == reader.written_header() {
                return Ok(());
            }
            return Err(bad_input(
                Failure::work(format!(
                    "{} has other columns than the inputs before it",
                    path.display()
                ))
                .help("Predict inputs with other columns apart."),
            ));
        }
        let has_kinds = Format::of(&self.args.output).is_some_and(Format::has_kinds);
        let schema = self.answers.begin(reader.written_header(), reader.kinds(), has_kinds);
        self.writer = Some(if sources::is_standard_input(&self.args.output) {
            TableWriter::stream("standard output", Box::new(std::io::stdout()), schema)
        } else {
            TableWriter::create(&self.args.output, schema).map_err(bad_output)?
        });
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        if let Some(writer) = self.writer {
            writer.finish()?;
        }
        let tally = self.answers.tally();
        let mut text = format!("{} predicted", units::counted(tally.rows, "row"));
        if tally.unknown > 0 {
            text.push_str(&format!(", {} of them unknown", units::grouped(tally.unknown)));
        }
        output::note(&text);
        if self.args.conformal.is_some() {
            sets::tell(self.model, tally);
        }
        if tally.empty > 0 {
            output::warn(&format!(
                "{} no value in any of the model's columns: what is answered there is a guess",
                if tally.empty == 1 {
                    "1 row has".to_owned()
                } else {
                    format!("{} rows have", units::grouped(tally.empty))
                }
            ));
        }
        Ok(())
    }
}
