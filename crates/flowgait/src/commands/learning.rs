//! Tables as a person names them, the same for every command that learns or judges.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flowgait_features::Schema;
use flowgait_features::dataset::{Codes, Dataset};
use flowgait_features::session::{self, Fingerprint};
use flowgait_features::table::{self, List, ReadParams, ReadReport, UnknownText, Untimed, Why};
use flowgait_model::Training;
use flowgait_model::artifact::TrainingTable;

use super::sources;
use crate::failure::Failure;
use crate::output;
use crate::units;

/// Tables with labels.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct TableArgs {
    /// Tables: our flows, or anybody's CSV, Parquet, JSONL or ARFF; several are matched by column name
    #[arg(required = true, value_name = "TABLE")]
    pub tables: Vec<PathBuf>,

    /// The column that says what each row is
    #[arg(long, value_name = "COLUMN")]
    pub label: String,

    /// A file with the labels: joined by the columns that it has in common with the tables, or row by row where there are none
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,

    /// The column that says which rows belong together (capture, client, session) [default: capture]
    #[arg(long, value_name = "COLUMN")]
    pub group: Option<String>,

    /// Learn from this column although it is identity or text; may be repeated
    #[arg(long, value_name = "COLUMN")]
    pub keep: Vec<String>,

    /// Do not learn from this column; may be repeated
    #[arg(long, value_name = "COLUMN")]
    pub drop: Vec<String>,

    /// The column with each row's start, where a split names one.
    #[arg(skip)]
    pub time: Option<String>,

    /// What becomes of a row without a start.
    #[arg(skip)]
    pub untimed: Untimed,
}

/// A table that was read, every row with a label.
#[derive(Debug)]
pub struct Labelled {
    /// The rows, with labels.
    pub dataset: Dataset,
    /// The tables they came from.
    pub tables: Vec<TrainingTable>,
    /// Rows that were left out because they have no start.
    pub rows_untimed: u64,
}

impl TableArgs {
    /// All files that are read.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.tables.iter().chain(&self.labels)
    }

    /// Refuses flags that contradict each other.
    fn check(&self) -> Result<(), Failure> {
        let label = &self.label;
        if self.drop.contains(label) || self.keep.contains(label) {
            return Err(Failure::usage(format!(
                "'{label}' is the label: it is neither learnt from nor dropped"
            ))
            .help("Name other columns by --keep and --drop."));
        }
        if self.group.as_ref() == Some(label) {
            return Err(Failure::usage(format!(
                "--group {label}: rows cannot be grouped by their label"
            ))
            .help("Each group is learnt from or judged on as a whole, so no label that is judged would have been learnt."));
        }
        match self.keep.iter().find(|column| self.drop.contains(column)) {
            Some(both) => Err(Failure::usage(format!("'{both}' is both kept and dropped"))),
            None => Ok(()),
        }
    }

    /// Reads the tables and tells what was left out. `groups` are further columns to have at hand for splitting.
    pub fn read(&self, groups: &[String], schema: Option<&Schema>) -> Result<Labelled, Failure> {
        let (mut labelled, report) = self.read_quietly(groups, schema)?;
        tell(&report);
        if schema.is_none() {
            self.leave_out_fingerprints(&mut labelled);
        }
        Ok(labelled)
    }

    /// Takes out times that tell the session, unless they were asked for, and says so.
    fn leave_out_fingerprints(&self, labelled: &mut Labelled) {
        let dataset = &mut labelled.dataset;
        let mut found = session::fingerprints(dataset);
        found.retain(|of| !self.keep.contains(&dataset.schema.features[of.column].name));
        // A table that would have nothing left is learnt from as it is.
        if found.is_empty() || found.len() == dataset.columns.len() {
            return;
        }
        let name = |of: &Fingerprint| {
            let name = &dataset.schema.features[of.column].name;
            format!("{name} ({:.0} %)", of.within * 100.0)
        };
        let names: Vec<String> = found.iter().map(name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        output::note(&format!(
            "left out (session fingerprint: exact times come back in other rows, and in so many cases of the same label): {}",
            shortened(&names)
        ));
        let places: Vec<usize> = found.iter().map(|of| of.column).collect();
        dataset.remove_columns(&places);
    }

    /// The same without telling.
    pub fn read_quietly(
        &self,
        groups: &[String],
        schema: Option<&Schema>,
    ) -> Result<(Labelled, ReadReport), Failure> {
        for path in &self.tables {
            if sources::is_capture(path) {
                return Err(Failure::usage(format!(
                    "{} is a capture, not a table",
                    path.display()
                ))
                .help(format!(
                    "Meter it first: flowgait meter {} -o flows.csv --label-by sni",
                    path.display()
                )));
            }
        }
        self.check()?;
        let mut asked: Vec<String> = self.group.iter().cloned().collect();
        asked.extend(groups.iter().filter(|g| Some(*g) != self.group.as_ref()).cloned());
        let params = ReadParams {
            label: Some(self.label.clone()),
            labels: self.labels.clone(),
            groups: asked,
            beside: true,
            time: self.time.clone(),
            untimed: self.untimed,
            keep: self.keep.clone(),
            drop: self.drop.clone(),
            schema: schema.cloned(),
        };
        let paths: Vec<&Path> = self.tables.iter().map(PathBuf::as_path).collect();
        let (dataset, report) = table::read(&paths, &params)?;
        let tables = self.tables.iter().map(|path| sources::name(path)).zip(&report.rows_used);
        let tables = tables.map(|(name, &rows)| TrainingTable { name, rows }).collect();
        let labelled = Labelled { dataset, tables, rows_untimed: report.rows_untimed };
        labelled.check(report.rows_unlabelled)?;
        Ok((labelled, report))
    }
}

impl Labelled {
    /// The label of every row.
    pub fn labels(&self) -> &Codes {
        self.dataset.labels.as_ref().expect("a label column was asked for")
    }

    /// Refuses labels that nothing can be learnt from: few beside many that are missing, one class, or numbers and names that are another
    /// for almost every row.
    fn check(&self, unlabelled: u64) -> Result<(), Failure> {
        let labels = self.labels();
        let name = &labels.name;
        let alone = self.class_rows().into_iter().filter(|&rows| rows == 1).count();
        let is_scattered = alone * 2 > self.dataset.rows;
        if unlabelled > self.dataset.rows as u64 && (is_scattered || labels.values.len() == 1) {
            return Err(Failure::work(format!(
                "Column '{name}' has {} with a label, {unlabelled} without: too few",
                units::counted(self.dataset.rows as u64, "row")
            )));
        }
        if let [only] = labels.values.as_slice() {
            return Err(Failure::work(format!(
                "Every row of column '{name}' says '{only}': there is nothing to tell apart"
            )));
        }
        if is_scattered {
            return Err(Failure::work(format!(
                "Column '{name}' has {} for {}: it numbers or names the rows, and is no label",
                units::counted(labels.values.len() as u64, "value"),
                units::counted(self.dataset.rows as u64, "row")
            ))
            .help("Name the column that says what a row is, such as application or category (--label; data.label of a federation)."));
        }
        Ok(())
    }

    /// Some of the rows, to learn from.
    pub fn training<'a>(&'a self, rows: &'a [u32]) -> Training<'a> {
        let (dataset, labels) = (&self.dataset, self.labels());
        Training {
            columns: &dataset.columns,
            rows,
            codes: &labels.codes,
            classes: labels.values.len(),
            class_weights: None,
        }
    }

    /// Number of rows of each class.
    pub fn class_rows(&self) -> Vec<u64> {
        let labels = self.labels();
        let mut counts = vec![0; labels.values.len()];
        for &code in &labels.codes {
            counts[code as usize] += 1;
        }
        counts
    }

    /// The rows at the given places, in that order.
    pub fn select(&self, rows: &[u32]) -> Self {
        Self { dataset: self.dataset.select(rows), tables: self.tables.clone(), ..*self }
    }
}

/// Says which columns were left out and why, and what else a person should know.
pub fn tell(report: &ReadReport) {
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for left in report.left_out.iter().filter(|l| l.why != Why::Label && l.why != Why::Unknown) {
        let column = match &left.first {
            Some(first) => format!("{} ({first})", left.column),
            None => left.column.clone(),
        };
        by_reason.entry(left.why.to_string()).or_default().push(column);
    }
    for (why, columns) in by_reason {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        output::note(&format!("left out ({why}): {}", shortened(&columns)));
    }
    for List { column, doubtful } in &report.lists {
        let doubt = doubtful.as_ref().map_or(String::new(), |cell| {
            format!("; if {cell} is one number, write it without spaces")
        });
        output::note(&format!("column {column} is read as lists of numbers{doubt}"));
    }
    for (column, values) in &report.one_hot {
        output::note(&format!("column {column} became {values} columns, one for each value"));
    }
    for (column, buckets) in &report.hashed {
        output::note(&format!(
            "column {column} has many values and became {buckets} columns by their hash"
        ));
    }
    let unused = [(report.rows_unlabelled, "label"), (report.rows_untimed, "time")];
    for (rows, what) in unused.into_iter().filter(|(rows, _)| *rows > 0) {
        output::note(&format!(
            "{} without a {what} {} not used",
            units::counted(rows, "row"),
            if rows == 1 { "was" } else { "were" }
        ));
    }
    if report.infinities > 0 {
        output::note(&format!(
            "{} taken as missing: infinite, or beyond 32 bits",
            units::counted(report.infinities, "value")
        ));
    }
    tell_strangers(report);
    for notice in &report.notices {
        output::note(notice);
    }
}

/// Warns of text that the model never saw.
pub fn tell_strangers(report: &ReadReport) {
    for UnknownText { column, rows, first } in &report.strangers {
        let (rows, hold) =
            (units::counted(*rows, "row"), if *rows == 1 { "holds" } else { "hold" });
        output::warn(&format!(
            "column '{column}': {rows} {hold} text that the model never saw, such as '{first}'; it is taken as none of those that it knows"
        ));
    }
}

/// The first names of a list, and how many more there are.
pub fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 24;
    let mut text = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

/// Runs everything that learns on so many threads; results do not depend on it.
pub fn use_threads(threads: usize) {
    // A pool can be built once only; a second call in one process keeps the first, which changes nothing but the speed.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
}
