//! Models by name, loaded once and shared by all that answer in this process.
//!
//! The registry is the folder that `flowgait models` keeps, or the same names in a bucket, where workers elsewhere see it. A version never
//! changes; an alias is a name for one that is replaced in one step. So a version that was loaded stays right for ever, and only what an
//! alias stands for is asked again, after [`ALIAS_AGE`].

mod bucket;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use flowgait_model::Model;
pub use flowgait_model::registry::STARTER;
use flowgait_model::registry::{
    Entry, Import, LIVE, Manifest, Reference, Registry, Which, check_new_name,
};

use crate::error::Error;
use bucket::Bucket;

/// How long it may take until what an alias stands for is noticed where it was not moved by this process.
pub const ALIAS_AGE: Duration = Duration::from_secs(1);
/// Versions that stay in memory while nobody uses them.
const KEPT_MAX: usize = 8;

/// A model in memory.
#[derive(Debug)]
pub struct Loaded {
    /// Its name.
    pub name: String,
    /// Its version; 0 is the one that ships with the program.
    pub version: u32,
    /// What is known of it.
    pub manifest: Manifest,
    /// The model.
    pub model: Model,
    /// Below this confidence it answers 'unknown' where nobody says otherwise.
    pub reject: Option<f32>,
}

impl Loaded {
    /// `NAME@VERSION`.
    #[must_use]
    pub fn pinned(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// Where models are.
#[derive(Clone)]
enum Place {
    Folder(Registry),
    Bucket(Bucket),
}

/// Models by name.
pub struct Models {
    place: Place,
    starter: Option<Arc<Loaded>>,
    /// What answers where no model is named, if not the starter.
    usual: Option<String>,
    loaded: Mutex<Memory>,
    /// One load at a time: several that want the same model share it, and memory holds one file's octets.
    loading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Memory {
    /// Every version that somebody uses.
    versions: HashMap<(String, u32), Weak<Loaded>>,
    /// Those that stay while nobody uses them, and when each was last used; the longest unused goes first.
    kept: Vec<(Instant, Arc<Loaded>)>,
    /// What references stood for when they were last asked.
    found: HashMap<String, (Instant, String, u32)>,
    /// How often an alias was moved by this process: what was asked before that is not remembered after it.
    moved: u64,
}

/// The model that ships with the program.
pub struct Starter {
    /// It.
    pub model: Model,
    /// Its octets.
    pub bytes: &'static [u8],
    /// Below this confidence it answers 'unknown'.
    pub reject: f32,
}

impl Models {
    /// The registry in a folder, which need not be there yet.
    ///
    /// # Errors
    /// When the starter model cannot be used.
    pub fn in_folder(folder: PathBuf, starter: Option<Starter>) -> Result<Self, Error> {
        Self::new(Place::Folder(Registry::new(&folder)), starter)
    }

    /// The registry in a bucket.
    ///
    /// # Errors
    /// As above.
    pub fn in_bucket(blobs: crate::blobs::Blobs, starter: Option<Starter>) -> Result<Self, Error> {
        Self::new(Place::Bucket(Bucket::new(blobs)), starter)
    }

    fn new(place: Place, starter: Option<Starter>) -> Result<Self, Error> {
        let starter = match starter {
            None => None,
            Some(Starter { model, bytes, reject }) => {
                let manifest = Manifest::of(&model, bytes, 0)?;
                let (name, reject) = (STARTER.to_owned(), Some(reject));
                Some(Arc::new(Loaded { name, version: 0, manifest, model, reject }))
            }
        };
        let (loaded, loading) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { place, starter, usual: None, loaded, loading })
    }

    /// The same with a model that answers where none is named.
    #[must_use]
    pub fn with_usual(self, usual: Option<String>) -> Self {
        Self { usual, ..self }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The model that a reference means, loaded; without one the usual one, else the starter.
    ///
    /// # Errors
    /// [`flowgait_model::Error::NoSuchModel`], or why it cannot be used.
    pub async fn get(&self, reference: Option<&str>) -> Result<Arc<Loaded>, Error> {
        let Some(reference) = reference.or(self.usual.as_deref()) else { return self.starter() };
        let parsed: Reference = reference.parse()?;
        if parsed.name == STARTER
            && matches!(parsed.which, Which::Unsaid | Which::Version(0))
            && let Some(starter) = &self.starter
            && (parsed.which == Which::Version(0) || !self.has(STARTER).await?)
        {
            return Ok(starter.clone());
        }
        let (name, version) = self.resolve(reference, &parsed).await?;
        if let Some(loaded) = self.remembered(&name, version) {
            return Ok(loaded);
        }
        let _one = self.loading.lock().await;
        if let Some(loaded) = self.remembered(&name, version) {
            return Ok(loaded);
        }
        let begun = Instant::now();
        let (entry, model) = self.load(&name, version).await?;
        let loaded = Arc::new(Loaded {
            name: entry.name,
            version: entry.version,
            manifest: entry.manifest,
            model,
            reject: None,
        });
        let seconds = begun.elapsed().as_secs_f64();
        metrics::histogram!("flowgait_model_load_seconds", "model" => loaded.pinned())
            .record(seconds);
        tracing::info!(model = loaded.pinned(), seconds, "model loaded");
        self.remember(&loaded);
        Ok(loaded)
    }

    fn starter(&self) -> Result<Arc<Loaded>, Error> {
        self.starter.clone().ok_or_else(|| {
            let problem = "no model is named, and none ships with this program".to_owned();
            Error::Configuration { problem }
        })
    }

    async fn has(&self, name: &str) -> Result<bool, Error> {
        match self.resolve(name, &name.parse()?).await {
            Ok(_) => Ok(true),
            Err(Error::Model(flowgait_model::Error::NoSuchModel { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The version that a reference stands for.
    async fn resolve(&self, reference: &str, parsed: &Reference) -> Result<(String, u32), Error> {
        if let Which::Version(version) = parsed.which
            && self.remembered(&parsed.name, version).is_some()
        {
            return Ok((parsed.name.clone(), version));
        }
        if let Some((asked, name, version)) = self.memory().found.get(reference)
            && asked.elapsed() < ALIAS_AGE
        {
            return Ok((name.clone(), *version));
        }
        let moved = self.memory().moved;
        let entry = self.find(parsed).await?;
        let mut memory = self.memory();
        if memory.moved != moved {
            return Ok((entry.name, entry.version));
        }
        if memory.found.len() > 1_000 {
            memory.found.clear();
        }
        let known = (Instant::now(), entry.name.clone(), entry.version);
        memory.found.insert(reference.to_owned(), known);
        Ok((entry.name, entry.version))
    }

    fn remembered(&self, name: &str, version: u32) -> Option<Arc<Loaded>> {
        let mut memory = self.memory();
        let loaded = memory.versions.get(&(name.to_owned(), version))?.upgrade()?;
        if let Some(kept) = memory.kept.iter_mut().find(|(_, kept)| Arc::ptr_eq(kept, &loaded)) {
            kept.0 = Instant::now();
        }
        Some(loaded)
    }

    /// Keeps a version in memory while it is among the last that were used.
    fn remember(&self, loaded: &Arc<Loaded>) {
        let mut memory = self.memory();
        memory.versions.retain(|_, version| version.strong_count() > 0);
        let key = (loaded.name.clone(), loaded.version);
        memory.versions.insert(key, Arc::downgrade(loaded));
        memory.kept.push((Instant::now(), loaded.clone()));
        if memory.kept.len() > KEPT_MAX {
            memory.kept.sort_by_key(|(used, _)| *used);
            memory.kept.remove(0);
        }
    }

    /// Takes a model in as the next version of a name, unless it is one already.
    ///
    /// # Errors
    /// When the octets are no model, or cannot be written.
    pub async fn import(&self, name: &str, bytes: Vec<u8>, now: i64) -> Result<Import, Error> {
        check_new_name(name)?;
        let name = name.to_owned();
        match &self.place {
            Place::Bucket(bucket) => bucket.import(&name, bytes, now).await,
            Place::Folder(registry) => {
                let registry = registry.clone();
                blocking(move || {
                    let refuse = |source| Error::System { doing: "keep an upload".into(), source };
                    let mut file = tempfile::NamedTempFile::new().map_err(refuse)?;
                    std::io::Write::write_all(&mut file, &bytes).map_err(refuse)?;
                    Ok(registry.import(&name, file.path(), now)?)
                })
                .await
            }
        }
    }

    /// Lets an alias stand for a version; gives the version that it stood for before.
    ///
    /// # Errors
    /// [`flowgait_model::Error::NoSuchModel`], or why it cannot be written.
    pub async fn promote(
        &self,
        reference: &Reference,
        alias: &str,
    ) -> Result<(Entry, Option<u32>), Error> {
        let promoted = match &self.place {
            Place::Bucket(bucket) => bucket.promote(reference, alias).await,
            Place::Folder(registry) => {
                let (registry, reference) = (registry.clone(), reference.clone());
                let alias = alias.to_owned();
                blocking(move || Ok(registry.promote(&reference, &alias)?)).await
            }
        };
        let mut memory = self.memory();
        memory.found.clear();
        memory.moved += 1;
        if let Ok((entry, _)) = &promoted {
            // Other versions of it leave memory when their last job ends.
            memory
                .kept
                .retain(|(_, kept)| kept.name != entry.name || kept.version == entry.version);
        }
        drop(memory);
        promoted
    }

    /// Attaches an evaluation to a version, in place of the one before.
    ///
    /// # Errors
    /// As [`Registry::attach`].
    pub async fn attach(&self, reference: &Reference, evaluation: Vec<u8>) -> Result<Entry, Error> {
        match &self.place {
            Place::Bucket(bucket) => bucket.attach(reference, evaluation).await,
            Place::Folder(registry) => {
                let (registry, reference) = (registry.clone(), reference.clone());
                blocking(move || Ok(registry.attach(&reference, &evaluation)?)).await
            }
        }
    }

    /// The evaluation that is attached to a version, as JSON.
    ///
    /// # Errors
    /// As [`Registry::evaluation`].
    pub async fn evaluation(&self, reference: &Reference) -> Result<Option<bytes::Bytes>, Error> {
        match &self.place {
            Place::Bucket(bucket) => bucket.evaluation(reference).await,
            Place::Folder(registry) => {
                let (registry, reference) = (registry.clone(), reference.clone());
                blocking(move || Ok(registry.evaluation(&reference)?.map(Into::into))).await
            }
        }
    }

    /// The octets of a version's file.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn file(&self, reference: &Reference) -> Result<(Entry, Vec<u8>), Error> {
        let entry = self.find(reference).await?;
        let pinned = Reference { name: entry.name, which: Which::Version(entry.version) };
        let (entry, model) = match &self.place {
            Place::Bucket(bucket) => bucket.load(&pinned).await?,
            Place::Folder(registry) => {
                let registry = registry.clone();
                blocking(move || Ok(registry.load(&pinned)?)).await?
            }
        };
        Ok((entry, model.to_bytes()))
    }

    /// Every version of every name.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub async fn list(&self) -> Result<Vec<Entry>, Error> {
        match &self.place {
            Place::Bucket(bucket) => bucket.list().await,
            Place::Folder(registry) => {
                let registry = registry.clone();
                blocking(move || Ok(registry.list()?)).await
            }
        }
    }

    /// The starter, where it is to be had.
    #[must_use]
    pub fn built_in(&self) -> Option<&Arc<Loaded>> {
        self.starter.as_ref()
    }

    /// The version that a reference means.
    ///
    /// # Errors
    /// [`flowgait_model::Error::NoSuchModel`], or why the registry cannot be read.
    pub async fn find(&self, reference: &Reference) -> Result<Entry, Error> {
        match &self.place {
            Place::Bucket(bucket) => bucket.find(reference).await,
            Place::Folder(registry) => {
                let (registry, reference) = (registry.clone(), reference.clone());
                blocking(move || Ok(registry.find(&reference)?)).await
            }
        }
    }

    async fn load(&self, name: &str, version: u32) -> Result<(Entry, Model), Error> {
        let pinned = Reference { name: name.to_owned(), which: Which::Version(version) };
        match &self.place {
            Place::Bucket(bucket) => bucket.load(&pinned).await,
            Place::Folder(registry) => {
                let registry = registry.clone();
                blocking(move || Ok(registry.load(&pinned)?)).await
            }
        }
    }
}

/// Runs what waits for the disk or computes where it keeps nobody else waiting.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::System {
        doing: "finish some work".to_owned(),
        source: std::io::Error::other(error),
    })?
}

/// The alias that a name stands for where no other is said.
#[must_use]
pub fn usual_alias() -> &'static str {
    LIVE
}
