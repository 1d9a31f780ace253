//! The registry in a bucket: the same names as in a folder.
//!
//! A bucket cannot rename, so a version is there when its manifest is, which is written last. The number is taken by writing the model
//! under it where nothing was: of two that import at a time one gets the next number.

use flowgait_model::Model;
use flowgait_model::registry::{Entry, Import, LIVE, Manifest, Reference, Which};

use crate::blobs::Blobs;
use crate::error::Error;

const ROOT: &str = "models";
const EVALUATION: &str = "evaluation.json";
/// Numbers tried before giving up: so many imports at once of one name are somebody's mistake.
const TRIES_MAX: u32 = 100;

#[derive(Clone)]
pub(super) struct Bucket {
    blobs: Blobs,
}

impl Bucket {
    pub(super) fn new(blobs: Blobs) -> Self {
        Self { blobs }
    }

    pub(super) async fn list(&self) -> Result<Vec<Entry>, Error> {
        let (mut names, _) = self.blobs.names(ROOT).await?;
        names.retain(|name| name.parse::<Reference>().is_ok_and(|r| r.which == Which::Unsaid));
        names.sort();
        let mut all = Vec::new();
        for name in names {
            let aliases = self.aliases(&name).await?;
            for version in self.versions(&name).await? {
                if let Some(entry) = self.entry(&name, version, &aliases).await? {
                    all.push(entry);
                }
            }
        }
        Ok(all)
    }

    pub(super) async fn find(&self, reference: &Reference) -> Result<Entry, Error> {
        let name = &reference.name;
        let none = |why: String| {
            let reference = reference.to_string();
            Error::Model(flowgait_model::Error::NoSuchModel { reference, why })
        };
        let aliases = self.aliases(name).await?;
        let stands_for =
            |alias: &str| aliases.iter().find(|(known, _)| known == alias).map(|(_, v)| *v);
        let versions = self.versions(name).await?;
        let version = match &reference.which {
            Which::Version(version) => Some(*version),
            Which::Alias(alias) => {
                Some(stands_for(alias).ok_or_else(|| none(format!("it has no alias '{alias}'")))?)
            }
            Which::Unsaid => stands_for(LIVE),
        };
        let candidates = match version {
            Some(version) => vec![version],
            None => versions.iter().rev().copied().collect(),
        };
        for version in candidates {
            if let Some(entry) = self.entry(name, version, &aliases).await? {
                return Ok(entry);
            }
        }
        Err(none(match versions.last() {
            None => "the registry has no model of that name".to_owned(),
            Some(latest) => format!("its versions go to {latest}"),
        }))
    }

    pub(super) async fn load(&self, reference: &Reference) -> Result<(Entry, Model), Error> {
        let entry = self.find(reference).await?;
        let path = model_name(&entry.name, entry.version);
        let bytes = self.blobs.get(&path).await?.ok_or_else(|| refused(&path, "it is gone"))?;
        if !entry.manifest.is_of(&bytes) {
            return Err(refused(
                &path,
                "it is another file than was imported: its checksum differs",
            ));
        }
        super::blocking(move || {
            let model = Model::from_bytes(&bytes)?;
            if !entry.manifest.answers_alike(&model)? {
                let reason = "it answers its golden rows otherwise than when it was imported";
                return Err(refused(&path, reason));
            }
            Ok((entry, model))
        })
        .await
    }

    pub(super) async fn import(
        &self,
        name: &str,
        bytes: Vec<u8>,
        now: i64,
    ) -> Result<Import, Error> {
        let aliases = self.aliases(name).await?;
        let versions = self.versions(name).await?;
        for &version in &versions {
            if let Some(entry) = self.entry(name, version, &aliases).await?
                && entry.manifest.is_of(&bytes)
            {
                return Ok(Import::Known(entry));
            }
        }
        let (bytes, manifest) = super::blocking(move || {
            let model = Model::from_bytes(&bytes)?;
            let manifest = Manifest::of(&model, &bytes, now)?;
            Ok((bytes::Bytes::from(bytes), manifest))
        })
        .await?;
        let first = versions.last().copied().unwrap_or(0) + 1;
        for version in first..first + TRIES_MAX {
            if self.blobs.put_new(&model_name(name, version), bytes.clone()).await? {
                let text = manifest.to_json();
                self.blobs.put(&manifest_name(name, version), text.into_bytes()).await?;
                let (name, aliases) = (name.to_owned(), Vec::new());
                let is_evaluated = false;
                return Ok(Import::New(Entry { name, version, aliases, is_evaluated, manifest }));
            }
        }
        Err(refused(name, "too many versions of it are being imported at once"))
    }

    pub(super) async fn promote(
        &self,
        reference: &Reference,
        alias: &str,
    ) -> Result<(Entry, Option<u32>), Error> {
        // An alias follows the same rules as a name.
        format!("{}@{alias}", reference.name).parse::<Reference>()?;
        if alias.parse::<u32>().is_ok() {
            return Err(Error::Model(flowgait_model::Error::ModelName { name: alias.to_owned() }));
        }
        let entry = self.find(reference).await?;
        let aliases = self.aliases(&entry.name).await?;
        let before = aliases.iter().find(|(known, _)| known == alias).map(|(_, v)| *v);
        let name = format!("{ROOT}/{}/aliases/{alias}", entry.name);
        self.blobs.put(&name, format!("{}\n", entry.version).into_bytes()).await?;
        let pinned = Reference { name: entry.name, which: Which::Version(entry.version) };
        Ok((self.find(&pinned).await?, before))
    }

    async fn versions(&self, name: &str) -> Result<Vec<u32>, Error> {
        let (folders, _) = self.blobs.names(&format!("{ROOT}/{name}")).await?;
        let number = |text: &String| text.parse::<u32>().ok().filter(|n| n.to_string() == *text);
        let mut versions: Vec<u32> = folders.iter().filter_map(number).collect();
        versions.sort_unstable();
        Ok(versions)
    }

    async fn aliases(&self, name: &str) -> Result<Vec<(String, u32)>, Error> {
        let folder = format!("{ROOT}/{name}/aliases");
        let (_, things) = self.blobs.names(&folder).await?;
        let mut aliases = Vec::new();
        for alias in things {
            let path = format!("{folder}/{alias}");
            let Some(text) = self.blobs.get(&path).await? else { continue };
            let version = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
            let version =
                version.ok_or_else(|| refused(&path, "it holds no number of a version"))?;
            aliases.push((alias, version));
        }
        aliases.sort();
        Ok(aliases)
    }

    async fn entry(
        &self,
        name: &str,
        version: u32,
        aliases: &[(String, u32)],
    ) -> Result<Option<Entry>, Error> {
        let path = manifest_name(name, version);
        let Some(bytes) = self.blobs.get(&path).await? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let manifest =
            Manifest::from_json(&text).map_err(|_| refused(&path, "it is no manifest"))?;
        let of = aliases.iter().filter(|(_, v)| *v == version).map(|(alias, _)| alias.clone());
        let (_, things) = self.blobs.names(&format!("{ROOT}/{name}/{version}")).await?;
        let is_evaluated = things.iter().any(|thing| thing == EVALUATION);
        let (name, aliases) = (name.to_owned(), of.collect());
        Ok(Some(Entry { name, version, aliases, is_evaluated, manifest }))
    }

    pub(super) async fn attach(
        &self,
        reference: &Reference,
        evaluation: Vec<u8>,
    ) -> Result<Entry, Error> {
        let entry = self.find(reference).await?;
        entry.manifest.check_evaluation(&evaluation)?;
        self.blobs.put(&evaluation_name(&entry.name, entry.version), evaluation).await?;
        Ok(Entry { is_evaluated: true, ..entry })
    }

    pub(super) async fn evaluation(
        &self,
        reference: &Reference,
    ) -> Result<Option<bytes::Bytes>, Error> {
        let entry = self.find(reference).await?;
        self.blobs.get(&evaluation_name(&entry.name, entry.version)).await
    }
}

fn model_name(name: &str, version: u32) -> String {
    format!("{ROOT}/{name}/{version}/model.fgm")
}

fn manifest_name(name: &str, version: u32) -> String {
    format!("{ROOT}/{name}/{version}/manifest.json")
}

fn evaluation_name(name: &str, version: u32) -> String {
    format!("{ROOT}/{name}/{version}/{EVALUATION}")
}

fn refused(path: &str, reason: &str) -> Error {
    Error::Model(flowgait_model::Error::Registry {
        path: path.into(),
        source: std::io::Error::new(std::io::ErrorKind::InvalidData, reason.to_owned()),
    })
}
