//! A model as one file, `.fgm`: what it expects, what it answers, what it learned from, and the estimator.
//!
//! # File, version 1
//! All numbers are little-endian; texts are UTF-8 after their length as u32.
//!
//! | octets | what |
//! | --- | --- |
//! | 8 | `89 46 47 4D 0D 0A 1A 0A` (as in PNG, so that a transfer as text is noticed) |
//! | 4 | version of the format: 1 |
//! | 4 | number of sections |
//! | … | sections: 4 letters, length of the content as u64, content |
//! | 32 | SHA-256 over all before |
//!
//! | section | content |
//! | --- | --- |
//! | `SCHM` | the schema's hash, its name, number of columns, name and unit of each |
//! | `CLAS` | number of classes, their labels in the order of their codes |
//! | `SHRP` | the power that the estimator's probabilities are raised to (f32); without it 1 |
//! | `strg` | how strange true classes looked: number of scores, each as f32, ascending |
//! | `dbts` | how unsure it was of held-out rows of its classes: number of entropies, each as f32, ascending |
//! | `catg` | categories: their names, the category of each class (u16), entropies as in `dbts` |
//! | `seen` | a sample of the training rows: their number (u64), number of hashes, each as u64, ascending |
//! | `erly` | sharpness after some packets: their number, then for each the packets (u32) and the power (f32) |
//! | `card` | the model card as JSON |
//! | `FRST` | a forest, as `artifact/forest.rs` says |
//! | `SZFR` | a forest that also sees columns that follow from packet sizes, as `artifact/trees.rs` says |
//! | `BSTR` | boosted trees, as `artifact/boost.rs` says |
//! | `NETW` | a neural network, as `artifact/net.rs` says |
//! | `LINR` | a linear classifier, as `artifact/linear.rs` says |
//! | `STCK` | a stack of the others, as `artifact/stack.rs` says |
//!
//! A section whose first letter is small may be passed over by a program that does not know it; any
//! other unknown section is refused. Each section occurs once. A file without a `card` has an empty one.
//!
//! A file is data from outside: every length is checked against what is left before memory is taken for
//! it, and every index before it is used; so memory stays within a small multiple of the file's size.

mod boost;
mod card;
mod differ;
mod estimator;
mod extras;
mod forest;
mod linear;
mod net;
mod sections;
mod stack;
mod trees;
mod voting;
pub(crate) mod wire;

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use flowgait_features::extract::Early;
use flowgait_features::{Dataset, Feature, Schema};
use flowgait_flow::export::AtomicFile;
use sha2::{Digest, Sha256};

pub use card::{Card, TrainingTable, fingerprint};

use crate::{
    calibrate::{EarlySharpness, Sharpness},
    categories::Categories,
    conformal::Strangeness,
    doubt::Doubt,
    error::Error,
    estimator::Estimator,
    seen::Seen,
    training::Probabilities,
};
use wire::{Reader, Writer};

const MAGIC: [u8; 8] = *b"\x89FGM\r\n\x1a\n";
const FORMAT_VERSION: u32 = 1;
const CHECKSUM_OCTETS: usize = 32;
/// Largest model file, in octets.
pub const FILE_OCTETS_MAX: u64 = 4 << 30;

/// A trained model with all that is needed to use it rightly. Nothing in it changes, so threads share one
/// in an `Arc`.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    schema: Schema,
    schema_hash: String,
    classes: Vec<String>,
    estimator: Estimator,
    sharpness: Sharpness,
    strangeness: Option<Strangeness>,
    doubt: Option<Doubt>,
    categories: Option<Categories>,
    seen: Option<Seen>,
    early: Option<EarlySharpness>,
    card: Card,
}

impl Model {
    /// Puts a model together.
    ///
    /// # Errors
    /// When the estimator has another number of columns than the schema, or of classes than `classes`.
    pub fn new(
        schema: Schema,
        classes: Vec<String>,
        estimator: Estimator,
        card: Card,
    ) -> Result<Self, Error> {
        if estimator.features() != schema.features.len() {
            let (found, expected) = (schema.features.len(), estimator.features());
            return Err(Error::ColumnCount { found, expected });
        }
        if estimator.classes() != classes.len() {
            let (got, expected) = (classes.len(), estimator.classes());
            return Err(Error::Length { what: "labels of classes", expected, got });
        }
        let schema_hash = schema.hash();
        let sharpness = Sharpness::NONE;
        Ok(Self {
            schema,
            schema_hash,
            classes,
            estimator,
            sharpness,
            strangeness: None,
            doubt: None,
            categories: None,
            seen: None,
            early: None,
            card,
        })
    }

    /// The model with its confidence made true by what its estimator said of rows that it had not learnt from.
    #[must_use]
    pub fn calibrated(self, sharpness: Sharpness) -> Self {
        Self { sharpness, ..self }
    }

    /// The model with what sets of labels are made by; it is to be that of calibrated probabilities.
    #[must_use]
    pub fn with_strangeness(self, strangeness: Strangeness) -> Self {
        Self { strangeness: Some(strangeness), ..self }
    }

    /// What sets of labels are made by, where the model has it.
    #[must_use]
    pub fn strangeness(&self) -> Option<&Strangeness> {
        self.strangeness.as_ref()
    }

    /// The model with what tells when to answer "unknown"; it is to be that of calibrated probabilities.
    #[must_use]
    pub fn with_doubt(self, doubt: Doubt) -> Self {
        Self { doubt: Some(doubt), ..self }
    }

    /// What tells when to answer "unknown", where the model has it.
    #[must_use]
    pub fn doubt(&self) -> Option<&Doubt> {
        self.doubt.as_ref()
    }

    /// The model with the categories of its classes.
    ///
    /// # Errors
    /// [`Error::Length`] when they are of another number of classes.
    pub fn with_categories(self, categories: Categories) -> Result<Self, Error> {
        if categories.of_class().len() != self.classes.len() {
            let (expected, got) = (self.classes.len(), categories.of_class().len());
            return Err(Error::Length { what: "categories of classes", expected, got });
        }
        Ok(Self { categories: Some(categories), ..self })
    }

    /// The categories of its classes, where it knows them.
    #[must_use]
    pub fn categories(&self) -> Option<&Categories> {
        self.categories.as_ref()
    }

    /// The model with a sample of the rows that it learnt from, by their hashes.
    #[must_use]
    pub fn with_seen(self, seen: Seen) -> Self {
        Self { seen: Some(seen), ..self }
    }

    /// What tells whether it learnt from some rows, where the model has it.
    #[must_use]
    pub fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// The model with what makes its confidence true after few packets.
    #[must_use]
    pub fn with_early(self, early: EarlySharpness) -> Self {
        Self { early: Some(early), ..self }
    }

    /// Whether it learnt to answer while flows go on.
    #[must_use]
    pub fn is_early(&self) -> bool {
        self.early.is_some()
    }

    /// How much the estimator's probabilities are sharpened.
    #[must_use]
    pub fn sharpness(&self) -> Sharpness {
        self.sharpness
    }

    /// The columns that it expects.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The labels, in the order of the codes that it answers.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// What gives the probabilities.
    #[must_use]
    pub fn estimator(&self) -> &Estimator {
        &self.estimator
    }

    /// What it was trained on and how it scored.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// How much each column matters to the estimator, by the schema's order, as shares of 1.
    #[must_use]
    pub fn importance(&self) -> &[f32] {
        self.estimator.importance()
    }

    /// Probabilities of all rows of a table.
    ///
    /// # Errors
    /// [`Error::SchemaDiffers`] when the table is of another schema.
    pub fn predict_proba(&self, dataset: &Dataset) -> Result<Probabilities, Error> {
        let rows: Vec<u32> = (0..dataset.rows as u32).collect();
        self.predict_proba_of(dataset, &rows)
    }

    /// Probabilities of all rows of a table of flows as after their first packets.
    ///
    /// # Errors
    /// [`Error::NotEarly`] when the model's columns do not tell which packet came first; [`Error::SchemaDiffers`] as above.
    pub fn predict_proba_after(
        &self,
        dataset: &Dataset,
        packets: usize,
    ) -> Result<Probabilities, Error> {
        self.check_schema(&dataset.schema)?;
        let early = Early::of(&self.schema).map_err(|source| Error::NotEarly { source })?;
        let rows: Vec<u32> = (0..dataset.rows as u32).collect();
        let known = early.after(&dataset.columns, &rows, packets);
        let mut said = self.estimator.predict_proba(&known, &rows)?;
        self.early.as_ref().map_or(self.sharpness, |early| early.after(packets)).apply(&mut said);
        Ok(said)
    }

    /// Probabilities of some rows of a table, in the order of `rows`.
    ///
    /// # Errors
    /// [`Error::SchemaDiffers`] when the table is of another schema; when `rows` go beyond the table.
    pub fn predict_proba_of(
        &self,
        dataset: &Dataset,
        rows: &[u32],
    ) -> Result<Probabilities, Error> {
        self.check_schema(&dataset.schema)?;
        let mut said = self.estimator.predict_proba(&dataset.columns, rows)?;
        self.sharpness.apply(&mut said);
        Ok(said)
    }

    /// Refuses another schema, by its hash.
    ///
    /// # Errors
    /// [`Error::SchemaDiffers`] with the names of what differs.
    pub fn check_schema(&self, schema: &Schema) -> Result<(), Error> {
        if schema.hash() == self.schema_hash {
            return Ok(());
        }
        let differences = differ::differences(&self.schema, schema);
        Err(Error::SchemaDiffers { expected: self.schema.name.clone(), differences })
    }

    /// The content of a model file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.octets(&MAGIC);
        writer.u32(FORMAT_VERSION);
        writer.u32(4 + extras::count(self));
        writer.section(*b"SCHM", |writer| {
            writer.text(&self.schema_hash);
            writer.text(&self.schema.name);
            writer.count(self.schema.features.len());
            for Feature { name, unit, .. } in &self.schema.features {
                writer.text(name);
                writer.text(unit);
            }
        });
        writer.section(*b"CLAS", |writer| {
            writer.count(self.classes.len());
            self.classes.iter().for_each(|class| writer.text(class));
        });
        writer.section(*b"card", |writer| writer.octets(self.card.to_json().as_bytes()));
        estimator::write(&self.estimator, &mut writer);
        extras::write(self, &mut writer);
        let checksum = Sha256::digest(writer.as_slice());
        writer.octets(&checksum);
        writer.into_vec()
    }

    /// Reads the content of a model file.
    ///
    /// # Errors
    /// [`Error::Artifact`] says what is wrong and where.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let version = read_head(&mut reader)?;
        let Some(content) = bytes.len().checked_sub(CHECKSUM_OCTETS) else {
            return Err(reader.refuse("it ends before its checksum"));
        };
        if Sha256::digest(&bytes[..content])[..] != bytes[content..] {
            let reason = "its checksum does not match, so it is damaged or cut off";
            return Err(Error::Artifact { offset: content, reason: reason.into() });
        }
        if version != FORMAT_VERSION {
            return Err(Error::Artifact {
                offset: MAGIC.len(),
                reason: format!("its format is version {version}, this program reads 1"),
            });
        }
        let mut reader = Reader::new(&bytes[..content]);
        read_head(&mut reader)?;
        sections::Sections::read(&mut reader)?.into_model(&mut reader)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::ReadModel`] when the file cannot be read, [`Error::UseModel`] when it holds no model.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = read_file(path)?;
        Self::from_bytes(&bytes)
            .map_err(|source| Error::UseModel { path: path.into(), source: Box::new(source) })
    }

    /// Writes a model file: beside its place first, then in one step to its place.
    ///
    /// # Errors
    /// [`Error::WriteModel`]; what was at `path` before is then unchanged.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let write = || {
            let mut file = AtomicFile::create(path)?;
            file.write_all(&self.to_bytes())?;
            file.commit()
        };
        write().map_err(|source| Error::WriteModel { path: path.into(), source })
    }
}

/// Magic and version; stops early at files that are no models.
fn read_head(reader: &mut Reader) -> Result<u32, Error> {
    match reader.octets(MAGIC.len()) {
        Ok(magic) if magic == MAGIC => reader.u32(),
        _ => Err(Error::Artifact { offset: 0, reason: "it does not begin as a model does".into() }),
    }
}

/// The octets of a model file, of which there may be [`FILE_OCTETS_MAX`].
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(FILE_OCTETS_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_OCTETS_MAX {
            let why = "no model is larger than 4 GiB";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        Ok(bytes)
    };
    read().map_err(|source| Error::ReadModel { path: path.into(), source })
}
