//! Models under names and versions, in a folder: what a person promotes, rolls back, and takes elsewhere.
//!
//! ```text
//! REGISTRY/NAME/7/model.fgm        never changed once it is there
//! REGISTRY/NAME/7/manifest.json    its checksum, scores, schema, and answers to golden rows
//! REGISTRY/NAME/7/evaluation.json  how good it is, where somebody attached what `flowgait evaluate` wrote; replaced in one step
//! REGISTRY/NAME/aliases/live       the number of a version; replaced in one step
//! ```
//!
//! A version is written beside its place and renamed to it, so it is there whole or not at all. On load the checksum is compared and
//! the golden rows are asked again: a file that was changed, or a program that answers otherwise, is refused.

mod manifest;
mod reference;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flowgait_flow::export::AtomicFile;

pub use manifest::Manifest;
pub use reference::{LIVE, Reference, STARTER, Which, check_new_name};

use crate::artifact::{Model, read_file};
use crate::error::Error;

const MODEL: &str = "model.fgm";
const MANIFEST: &str = "manifest.json";
const EVALUATION: &str = "evaluation.json";
const ALIASES: &str = "aliases";
/// Most versions of a name.
const VERSIONS_MAX: u32 = 1_000_000;
/// Folders tried for writing a version aside.
const ASIDE_MAX: u32 = 100;

/// A folder of models.
#[derive(Clone, Debug)]
pub struct Registry {
    root: PathBuf,
}

/// A version in a registry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its version, from 1.
    pub version: u32,
    /// The aliases that stand for it.
    pub aliases: Vec<String>,
    /// Whether an evaluation is attached to it.
    pub is_evaluated: bool,
    /// What is known of it.
    pub manifest: Manifest,
}

/// What became of a model file that was to be taken in.
#[derive(Clone, Debug, PartialEq)]
pub enum Import {
    /// It is a new version.
    New(Entry),
    /// The same bytes are a version of the name already, this one; nothing was added.
    Known(Entry),
}

impl Registry {
    /// The registry in a folder, which need not be there yet.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every version of every name, in order.
    ///
    /// # Errors
    /// [`Error::Registry`] when the folder or a manifest cannot be read.
    pub fn list(&self) -> Result<Vec<Entry>, Error> {
        let mut names = Vec::new();
        for entry in self.folders(&self.root)? {
            if reference::is_name(&entry) {
                names.push(entry);
            }
        }
        names.sort();
        let mut all = Vec::new();
        for name in names {
            for version in self.versions(&name)? {
                all.push(self.entry(&name, version)?);
            }
        }
        Ok(all)
    }

    /// The version that a reference means.
    ///
    /// # Errors
    /// [`Error::NoSuchModel`] when there is none; [`Error::Registry`] when the folder cannot be read.
    pub fn find(&self, reference: &Reference) -> Result<Entry, Error> {
        let none = |why: String| Error::NoSuchModel { reference: reference.to_string(), why };
        let versions = self.versions(&reference.name)?;
        let Some(&latest) = versions.last() else {
            return Err(none("the registry has no model of that name".to_owned()));
        };
        let version = match &reference.which {
            Which::Version(version) => *version,
            Which::Alias(alias) => self
                .alias(&reference.name, alias)?
                .ok_or_else(|| none(format!("it has no alias '{alias}'")))?,
            Which::Unsaid => self.alias(&reference.name, LIVE)?.unwrap_or(latest),
        };
        if !versions.contains(&version) {
            return Err(none(format!("its versions go from {} to {latest}", versions[0])));
        }
        self.entry(&reference.name, version)
    }

    /// Loads a version, after its file and its answers were found to be what they were.
    ///
    /// # Errors
    /// As [`find`](Self::find); [`Error::Registry`] when the file is another than was imported, or answers otherwise.
    pub fn load(&self, reference: &Reference) -> Result<(Entry, Model), Error> {
        let entry = self.find(reference)?;
        let path = self.model_path(&entry.name, entry.version);
        let bytes = read_file(&path)?;
        let refuse = |reason: &str| Error::Registry {
            path: path.clone(),
            source: io::Error::new(io::ErrorKind::InvalidData, reason.to_owned()),
        };
        if !entry.manifest.is_of(&bytes) {
            return Err(refuse("it is another file than was imported: its checksum differs"));
        }
        let model = Model::from_bytes(&bytes)
            .map_err(|source| Error::UseModel { path: path.clone(), source: Box::new(source) })?;
        if !entry.manifest.answers_alike(&model)? {
            return Err(refuse("it answers its golden rows otherwise than when it was imported"));
        }
        Ok((entry, model))
    }

    /// Takes in a model as the next version of a name, unless a version of it is the same file.
    ///
    /// # Errors
    /// [`Error::UseModel`] when the file is no model, [`Error::Registry`] when it cannot be written.
    pub fn import(&self, name: &str, file: &Path, now: i64) -> Result<Import, Error> {
        check_new_name(name)?;
        let bytes = read_file(file)?;
        let model = Model::from_bytes(&bytes)
            .map_err(|source| Error::UseModel { path: file.into(), source: Box::new(source) })?;
        for version in self.versions(name)? {
            let entry = self.entry(name, version)?;
            if entry.manifest.is_of(&bytes) {
                return Ok(Import::Known(entry));
            }
        }
        let manifest = Manifest::of(&model, &bytes, now)?;
        let folder = self.root.join(name);
        let version = self
            .place(&folder, &bytes, &manifest)
            .map_err(|source| Error::Registry { path: folder.clone(), source })?;
        Ok(Import::New(self.entry(name, version)?))
    }

    /// Writes a version aside and renames it to the first free number.
    fn place(&self, folder: &Path, bytes: &[u8], manifest: &Manifest) -> io::Result<u32> {
        fs::create_dir_all(folder)?;
        let aside = aside(folder)?;
        let placed = write_version(&aside, bytes, manifest).and_then(|()| rename(folder, &aside));
        if placed.is_err() {
            let _ = fs::remove_dir_all(&aside);
        }
        placed
    }

    /// Lets an alias stand for a version from now on; gives the version that it stood for before.
    ///
    /// # Errors
    /// As [`find`](Self::find); [`Error::Registry`] when it cannot be written.
    pub fn promote(
        &self,
        reference: &Reference,
        alias: &str,
    ) -> Result<(Entry, Option<u32>), Error> {
        reference::check_name(alias)?;
        let entry = self.find(reference)?;
        let before = self.alias(&entry.name, alias)?;
        let folder = self.root.join(&entry.name).join(ALIASES);
        let write = || {
            fs::create_dir_all(&folder)?;
            let mut file = AtomicFile::create(&folder.join(alias))?;
            file.write_all(format!("{}\n", entry.version).as_bytes())?;
            file.commit()
        };
        write().map_err(|source| Error::Registry { path: folder.join(alias), source })?;
        Ok((self.entry(&entry.name, entry.version)?, before))
    }

    /// Copies a version's model file elsewhere.
    ///
    /// # Errors
    /// As [`load`](Self::load), and [`Error::WriteModel`].
    pub fn export(&self, reference: &Reference, path: &Path) -> Result<Entry, Error> {
        let (entry, model) = self.load(reference)?;
        model.save(path)?;
        Ok(entry)
    }

    /// Attaches an evaluation (`flowgait-evaluation/1`, JSON) to a version, in place of the one before.
    ///
    /// # Errors
    /// As [`find`](Self::find); [`Error::Evaluation`] when it is none, or of other classes; [`Error::Registry`] when it cannot be written.
    pub fn attach(&self, reference: &Reference, evaluation: &[u8]) -> Result<Entry, Error> {
        let entry = self.find(reference)?;
        entry.manifest.check_evaluation(evaluation)?;
        let path = self.evaluation_path(&entry.name, entry.version);
        let write = || {
            let mut file = AtomicFile::create(&path)?;
            file.write_all(evaluation)?;
            file.commit()
        };
        write().map_err(|source| Error::Registry { path: path.clone(), source })?;
        Ok(Entry { is_evaluated: true, ..entry })
    }

    /// The evaluation that is attached to a version, as JSON; none where there is none.
    ///
    /// # Errors
    /// As [`find`](Self::find); [`Error::Registry`] when it cannot be read.
    pub fn evaluation(&self, reference: &Reference) -> Result<Option<Vec<u8>>, Error> {
        let entry = self.find(reference)?;
        let path = self.evaluation_path(&entry.name, entry.version);
        match fs::read(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Registry { path, source }),
        }
    }

    fn evaluation_path(&self, name: &str, version: u32) -> PathBuf {
        self.root.join(name).join(version.to_string()).join(EVALUATION)
    }

    fn entry(&self, name: &str, version: u32) -> Result<Entry, Error> {
        let path = self.root.join(name).join(version.to_string()).join(MANIFEST);
        let read = || -> io::Result<Manifest> {
            let text = fs::read_to_string(&path)?;
            Manifest::from_json(&text).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
        };
        let manifest = read().map_err(|source| Error::Registry { path: path.clone(), source })?;
        let mut aliases = Vec::new();
        for alias in self.files(&self.root.join(name).join(ALIASES))? {
            if reference::is_name(&alias) && self.alias(name, &alias)? == Some(version) {
                aliases.push(alias);
            }
        }
        aliases.sort();
        let is_evaluated = path.with_file_name(EVALUATION).exists();
        Ok(Entry { name: name.to_owned(), version, aliases, is_evaluated, manifest })
    }

    /// The version that an alias stands for.
    fn alias(&self, name: &str, alias: &str) -> Result<Option<u32>, Error> {
        let path = self.root.join(name).join(ALIASES).join(alias);
        let bad = |source| Error::Registry { path: path.clone(), source };
        match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map(Some).map_err(|_| {
                bad(io::Error::new(io::ErrorKind::InvalidData, "it holds no number of a version"))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(bad(error)),
        }
    }

    fn versions(&self, name: &str) -> Result<Vec<u32>, Error> {
        reference::check_name(name)?;
        let folder = self.root.join(name);
        match versions_in(&folder) {
            Ok(versions) => Ok(versions),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(Error::Registry { path: folder, source }),
        }
    }

    fn model_path(&self, name: &str, version: u32) -> PathBuf {
        self.root.join(name).join(version.to_string()).join(MODEL)
    }

    fn folders(&self, of: &Path) -> Result<Vec<String>, Error> {
        names_in(of, true).map_err(|source| Error::Registry { path: of.into(), source })
    }

    fn files(&self, of: &Path) -> Result<Vec<String>, Error> {
        names_in(of, false).map_err(|source| Error::Registry { path: of.into(), source })
    }
}

/// A new folder beside the versions; a name is taken only where another import is at work or has died.
fn aside(folder: &Path) -> io::Result<PathBuf> {
    for attempt in 0..ASIDE_MAX {
        let path = folder.join(format!(".{}-{attempt}.partial", std::process::id()));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are too many half-written versions; remove those named .*.partial"))
}

fn write_version(folder: &Path, bytes: &[u8], manifest: &Manifest) -> io::Result<()> {
    for (name, content) in [(MODEL, bytes), (MANIFEST, manifest.to_json().as_bytes())] {
        let mut file = fs::File::create_new(folder.join(name))?;
        file.write_all(content)?;
        file.sync_all()?;
    }
    fs::File::open(folder)?.sync_all()
}

/// Gives a written folder the first free number.
fn rename(folder: &Path, aside: &Path) -> io::Result<u32> {
    let highest = versions_in(folder)?.last().copied().unwrap_or(0);
    for version in highest + 1..=VERSIONS_MAX {
        match fs::rename(aside, folder.join(version.to_string())) {
            Ok(()) => {
                fs::File::open(folder)?.sync_all()?;
                return Ok(version);
            }
            // A folder with something in it is never replaced: whoever came first has the number.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
                ) => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are too many versions"))
}

fn versions_in(folder: &Path) -> io::Result<Vec<u32>> {
    let names = names_in(folder, true)?;
    // `007` is no version: a number has one name.
    let number = |name: &String| name.parse::<u32>().ok().filter(|n| n.to_string() == *name);
    let mut versions: Vec<u32> = names.iter().filter_map(number).collect();
    versions.sort_unstable();
    Ok(versions)
}

/// Names of the folders or of the files in a folder; none where it is not there.
fn names_in(folder: &Path, folders: bool) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() == folders
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}
