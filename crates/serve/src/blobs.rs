//! Where uploads, results and models are: a folder or a bucket. The queue carries names of what is here, never data.
//!
//! ```text
//! jobs/ID/input                 what was uploaded
//! jobs/ID/chunks/N              a piece of it, where it had to be cut anew
//! jobs/ID/results/SHA-256       what a piece came to
//! jobs/ID/views/SHA-256.…       all rows of it, for a page
//! jobs/ID/run/…                 the folder of a federation
//! models/NAME/VERSION/…         the registry
//! ```
//!
//! Every name is made here from ids and numbers; no text from outside becomes part of one.

use std::io::{self, Read};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
    WriteMultipart,
};
use tokio::runtime::Handle;

use crate::error::Error;
use crate::folder::make_private;

/// Octets of a part of an upload; S3 wants 5 MiB at least, and 10,000 parts at most, so this is good for 80 GB.
const PART_OCTETS: usize = 8 << 20;
/// Parts of one upload on their way at a time.
const PARTS_AT_ONCE: usize = 2;
/// Octets that a reader asks for at a time.
const READ_OCTETS: u64 = 4 << 20;

/// A folder or a bucket.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    place: String,
    /// The folder, where it is one.
    folder: Option<PathBuf>,
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blobs").field("place", &self.place).finish()
    }
}

/// Something that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Its octets.
    pub octets: u64,
    /// When it was last written, in seconds since 1970.
    pub written: i64,
}

impl Blobs {
    /// A folder, which is made if it is not there, or `s3://BUCKET[/PREFIX]`, for which the usual `AWS_…` variables are read.
    ///
    /// # Errors
    /// [`Error::Place`] when the text is neither; [`Error::System`] when the folder cannot be made.
    pub fn open(place: &str) -> Result<Self, Error> {
        let mut root = None;
        let store: Arc<dyn ObjectStore> = match place.strip_prefix("s3://") {
            Some(rest) => bucket(place, rest)?,
            None if place.contains("://") => {
                let problem = "a folder, or s3://BUCKET/PREFIX".to_owned();
                return Err(Error::Place { what: "--blobs", text: place.to_owned(), problem });
            }
            None => {
                let folder = PathBuf::from(place);
                let made = make_private(&folder)
                    // Better told now than to everybody who sends something.
                    .and_then(|()| tempfile::tempfile_in(&folder))
                    .and_then(|_| folder.canonicalize())
                    .map_err(|source| Error::System {
                        doing: format!("write in the folder {place}"),
                        source,
                    })?;
                root = Some(made.clone());
                let local = LocalFileSystem::new_with_prefix(made).map_err(|source| {
                    Error::Blob { doing: "open", name: place.to_owned(), source }
                })?;
                // What is accepted must outlast a power cut.
                Arc::new(local.with_fsync(true).with_automatic_cleanup(true))
            }
        };
        Ok(Self { store, place: place.to_owned(), folder: root })
    }

    /// The folder, where it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_deref()
    }

    /// In memory, gone with the program.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { store: Arc::new(InMemory::new()), place: "memory".to_owned(), folder: None }
    }

    /// How it was named.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Begins something long, of which not all is known yet.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn begin(&self, name: &str) -> Result<Writing, Error> {
        let path = Path::from(name);
        let upload =
            self.store.put_multipart(&path).await.map_err(failed("begin to write", name))?;
        let writer = WriteMultipart::new_with_chunk_size(upload, PART_OCTETS);
        Ok(Writing { writer, name: name.to_owned(), octets: 0 })
    }

    /// Writes something whole.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn put(&self, name: &str, octets: impl Into<Bytes>) -> Result<(), Error> {
        let payload = PutPayload::from_bytes(octets.into());
        self.store.put(&Path::from(name), payload).await.map_err(failed("write", name))?;
        Ok(())
    }

    /// Writes something whole if nothing of that name is there yet; whether it did.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn put_new(&self, name: &str, octets: impl Into<Bytes>) -> Result<bool, Error> {
        let payload = PutPayload::from_bytes(octets.into());
        let options = PutOptions::from(PutMode::Create);
        match self.store.put_opts(&Path::from(name), payload, options).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(failed("write", name)(error)),
        }
    }

    /// All of something; `None` where there is no such thing.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn get(&self, name: &str) -> Result<Option<Bytes>, Error> {
        let found = match self.store.get(&Path::from(name)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed("read", name)(error)),
        };
        found.bytes().await.map(Some).map_err(failed("read", name))
    }

    /// Some of something.
    ///
    /// # Errors
    /// [`Error::Blob`], also when it is not there.
    pub async fn range(&self, name: &str, range: Range<u64>) -> Result<Bytes, Error> {
        self.store.get_range(&Path::from(name), range).await.map_err(failed("read", name))
    }

    /// Some of something, piece by piece.
    ///
    /// # Errors
    /// [`Error::Blob`], also when it is not there.
    pub async fn stream(
        &self,
        name: &str,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found =
            self.store.get_opts(&Path::from(name), options).await.map_err(failed("read", name))?;
        let name = name.to_owned();
        let stream = found.into_stream();
        Ok(stream
            .map_err(move |source| Error::Blob { doing: "read", name: name.clone(), source })
            .boxed())
    }

    /// Some of something, for a thread that is not async.
    #[must_use]
    pub fn reader(&self, name: &str, range: Range<u64>) -> BlobReader {
        let (blobs, name, runtime) = (self.clone(), name.to_owned(), Handle::current());
        BlobReader { blobs, name, runtime, rest: range, piece: Bytes::new(), next: None }
    }

    /// How long something is; `None` where there is no such thing.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn octets(&self, name: &str) -> Result<Option<u64>, Error> {
        match self.store.head(&Path::from(name)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed("look at", name)(error)),
        }
    }

    /// Takes something away; it is no error when it is not there.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        match self.store.delete(&Path::from(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("delete", name)(error)),
        }
    }

    /// Takes away all whose names begin so; how many they were.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn delete_all(&self, folder: &str) -> Result<u64, Error> {
        let mut count = 0;
        for found in self.list(folder).await? {
            self.delete(&found.name).await?;
            count += 1;
        }
        if let Some(root) = &self.folder {
            // What a process that died was writing is not listed, and would stay for ever.
            let left = root.join(folder);
            match tokio::task::spawn_blocking(move || std::fs::remove_dir_all(left)).await {
                Ok(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::System {
                        doing: format!("take away {folder}"),
                        source: error,
                    });
                }
                _ => {}
            }
        }
        Ok(count)
    }

    /// All whose names begin so, by name.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn list(&self, folder: &str) -> Result<Vec<Found>, Error> {
        let path = Path::from(folder);
        let found: Vec<_> =
            self.store.list(Some(&path)).try_collect().await.map_err(failed("list", folder))?;
        let mut found: Vec<Found> = found
            .into_iter()
            .map(|meta| Found {
                name: meta.location.to_string(),
                octets: meta.size,
                written: meta.last_modified.timestamp(),
            })
            .collect();
        found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// When something of a folder was last written, in seconds since 1970, what is half-written among it; `None` where there is nothing.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn last_written(&self, folder: &str) -> Result<Option<i64>, Error> {
        let listed = self.list(folder).await?.iter().map(|found| found.written).max();
        let Some(root) = &self.folder else { return Ok(listed) };
        let place = root.join(folder);
        let newest = tokio::task::spawn_blocking(move || newest(&place)).await.ok().flatten();
        Ok(listed.max(newest))
    }

    /// The names directly in a folder: those of folders, then those of things.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn names(&self, folder: &str) -> Result<(Vec<String>, Vec<String>), Error> {
        let path = Path::from(folder);
        let found =
            self.store.list_with_delimiter(Some(&path)).await.map_err(failed("list", folder))?;
        let last = |path: &Path| path.filename().map(str::to_owned);
        let folders = found.common_prefixes.iter().filter_map(last).collect();
        let things = found.objects.iter().filter_map(|meta| last(&meta.location)).collect();
        Ok((folders, things))
    }
}

/// When a folder or something in it was last written.
fn newest(place: &std::path::Path) -> Option<i64> {
    let meta = std::fs::symlink_metadata(place).ok()?;
    let since = meta.modified().ok()?.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
    let own = Some(since.as_secs() as i64);
    if !meta.is_dir() {
        return own;
    }
    let entries = std::fs::read_dir(place).ok()?;
    entries.flatten().map(|entry| newest(&entry.path())).fold(own, Option::max)
}

fn bucket(place: &str, rest: &str) -> Result<Arc<dyn ObjectStore>, Error> {
    let unfit = |problem: String| Error::Place { what: "--blobs", text: place.to_owned(), problem };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(unfit("s3:// is followed by the bucket's name".to_owned()));
    }
    // TLS needs to know who does its arithmetic; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_retry(object_store::RetryConfig {
            max_retries: 5,
            retry_timeout: Duration::from_secs(30),
            ..object_store::RetryConfig::default()
        })
        .build()
        .map_err(|error| unfit(error.to_string()))?;
    let prefix = prefix.trim_matches('/');
    if prefix.is_empty() {
        Ok(Arc::new(store))
    } else {
        Ok(Arc::new(PrefixStore::new(store, prefix)))
    }
}

fn failed(doing: &'static str, name: &str) -> impl FnOnce(object_store::Error) -> Error {
    let name = name.to_owned();
    move |source| Error::Blob { doing, name, source }
}

/// Something long that is being written: it is not there before it is finished.
pub struct Writing {
    writer: WriteMultipart,
    name: String,
    octets: u64,
}

impl Writing {
    /// Writes more; waits while too much is on its way.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn write(&mut self, piece: Bytes) -> Result<(), Error> {
        self.octets += piece.len() as u64;
        self.writer.wait_for_capacity(PARTS_AT_ONCE).await.map_err(failed("write", &self.name))?;
        self.writer.put(piece);
        Ok(())
    }

    /// Octets so far.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// [`Error::Blob`].
    pub async fn finish(self) -> Result<u64, Error> {
        self.writer.finish().await.map_err(failed("write", &self.name))?;
        Ok(self.octets)
    }

    /// Leaves nothing of it.
    pub async fn abort(self) {
        if let Err(error) = self.writer.abort().await {
            tracing::warn!(blob = self.name, %error, "a broken upload could not be taken away");
        }
    }
}

/// Reads piece by piece, the next one while the last is being used.
pub struct BlobReader {
    blobs: Blobs,
    name: String,
    runtime: Handle,
    rest: Range<u64>,
    piece: Bytes,
    next: Option<tokio::task::JoinHandle<Result<Bytes, Error>>>,
}

impl BlobReader {
    fn ask(&mut self) {
        if self.rest.is_empty() {
            return;
        }
        let end = self.rest.end.min(self.rest.start + READ_OCTETS);
        let range = self.rest.start..end;
        self.rest.start = end;
        let (blobs, name) = (self.blobs.clone(), self.name.clone());
        self.next = Some(self.runtime.spawn(async move { blobs.range(&name, range).await }));
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            if self.next.is_none() {
                self.ask();
            }
            let Some(next) = self.next.take() else { return Ok(0) };
            let piece = self.runtime.block_on(next).map_err(io::Error::other)?;
            self.piece = piece.map_err(io::Error::other)?;
            self.ask();
        }
        let count = buffer.len().min(self.piece.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn holds_what_is_written(blobs: Blobs) {
        let long: Vec<u8> = (0..20_000_000_u32).map(|n| (n ^ n >> 9) as u8).collect();
        let mut writing = blobs.begin("jobs/a/input").await.unwrap();
        for piece in long.chunks(1_234_567) {
            writing.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        assert_eq!(blobs.octets("jobs/a/input").await.unwrap(), None, "not before it is whole");
        assert_eq!(writing.finish().await.unwrap(), 20_000_000);
        assert_eq!(blobs.get("jobs/a/input").await.unwrap().unwrap(), long);
        let mut reader = blobs.reader("jobs/a/input", 5..19_999_990);
        let read = tokio::task::spawn_blocking(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all)
        });
        assert_eq!(read.await.unwrap().unwrap(), long[5..19_999_990]);
        assert!(blobs.put_new("jobs/a/x", "1").await.unwrap());
        assert!(!blobs.put_new("jobs/a/x", "2").await.unwrap());
        blobs.put("jobs/b/x", "3").await.unwrap();
        let names = |found: Vec<Found>| found.into_iter().map(|f| f.name).collect::<Vec<_>>();
        assert_eq!(names(blobs.list("jobs/a").await.unwrap()), ["jobs/a/input", "jobs/a/x"]);
        let (mut folders, things) = blobs.names("jobs").await.unwrap();
        folders.sort();
        assert_eq!((folders, things), (vec!["a".to_owned(), "b".to_owned()], vec![]));
        assert_eq!(blobs.delete_all("jobs/a").await.unwrap(), 2);
        assert_eq!(names(blobs.list("jobs").await.unwrap()), ["jobs/b/x"]);
        assert_eq!(blobs.get("jobs/a/x").await.unwrap(), None);
        blobs.delete("jobs/a/x").await.unwrap();
        let mut broken = blobs.begin("jobs/c/input").await.unwrap();
        broken.write(Bytes::from(vec![0; 9 << 20])).await.unwrap();
        broken.abort().await;
        assert_eq!(names(blobs.list("jobs").await.unwrap()), ["jobs/b/x"]);
        assert_eq!(blobs.delete_all("jobs/c").await.unwrap(), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_folder_holds_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("blobs");
        holds_what_is_written(Blobs::open(place.to_str().unwrap()).unwrap()).await;
        let left: Vec<_> = std::fs::read_dir(place.join("jobs")).unwrap().collect();
        assert_eq!(left.len(), 1, "empty folders and broken uploads are gone");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_process_that_died_was_writing_goes_with_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().to_str().unwrap()).unwrap();
        let mut writing = blobs.begin("jobs/a/input").await.unwrap();
        writing.write(Bytes::from(vec![0; 9 << 20])).await.unwrap();
        // As a process that is killed: neither finished nor aborted.
        std::mem::forget(writing);
        assert!(blobs.list("jobs/a").await.unwrap().is_empty(), "nobody lists it");
        assert!(folder.path().join("jobs/a").exists());
        assert!(blobs.last_written("jobs/a").await.unwrap().is_some());
        blobs.delete_all("jobs/a").await.unwrap();
        assert!(!folder.path().join("jobs/a").exists());
        assert_eq!(blobs.last_written("jobs/a").await.unwrap(), None);
        assert_eq!(blobs.delete_all("jobs/a").await.unwrap(), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn memory_holds_what_is_written() {
        holds_what_is_written(Blobs::in_memory()).await;
    }

    #[test]
    fn other_places_are_refused() {
        for place in ["ftp://x", "s3://", "http://x/y"] {
            assert!(Blobs::open(place).is_err(), "{place}");
        }
    }
}
