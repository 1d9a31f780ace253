//! A model file's sections, read in whatever order they come, and the model that they make.

use flowgait_features::{Feature, Schema};

use super::wire::Reader;
use super::{Card, Model, estimator, extras};
use crate::calibrate::{EarlySharpness, Sharpness};
use crate::categories::Categories;
use crate::conformal::Strangeness;
use crate::doubt::Doubt;
use crate::error::Error;
use crate::estimator::Estimator;
use crate::seen::Seen;

/// More sections than any version of the format has.
const SECTIONS_MAX: usize = 64;

/// What has been read of a file.
#[derive(Default)]
pub(super) struct Sections {
    schema: Option<(String, Schema)>,
    classes: Option<Vec<String>>,
    card: Option<Card>,
    estimator: Option<Estimator>,
    sharpness: Option<Sharpness>,
    strangeness: Option<Strangeness>,
    doubt: Option<Doubt>,
    categories: Option<Categories>,
    seen: Option<Seen>,
    early: Option<EarlySharpness>,
}

impl Sections {
    pub(super) fn read(reader: &mut Reader) -> Result<Self, Error> {
        let count = reader.u32()? as usize;
        if count > SECTIONS_MAX {
            return Err(reader.refuse(&format!("it claims {count} sections")));
        }
        let mut sections = Self::default();
        for _ in 0..count {
            let tag: [u8; 4] = reader.array()?;
            let length = reader.u64()?;
            let mut content = reader.part(length)?;
            let again = match &tag {
                b"SCHM" => sections.schema.replace(read_schema(&mut content)?).is_some(),
                b"CLAS" => sections.classes.replace(read_classes(&mut content)?).is_some(),
                b"card" => sections.card.replace(read_card(&mut content)?).is_some(),
                b"SHRP" => {
                    sections.sharpness.replace(extras::read_sharpness(&mut content)?).is_some()
                }
                b"strg" => {
                    sections.strangeness.replace(extras::read_strangeness(&mut content)?).is_some()
                }
                b"dbts" => sections.doubt.replace(extras::read_doubt(&mut content)?).is_some(),
                b"catg" => {
                    sections.categories.replace(extras::read_categories(&mut content)?).is_some()
                }
                b"seen" => sections.seen.replace(extras::read_seen(&mut content)?).is_some(),
                b"erly" => sections.early.replace(extras::read_early(&mut content)?).is_some(),
                tag if estimator::is_tag(tag) => {
                    let found = estimator::read(tag, &mut content)?;
                    sections.estimator.replace(found).is_some()
                }
                [first, ..] if first.is_ascii_lowercase() => {
                    content.skip();
                    false
                }
                _ => {
                    let tag = tag.escape_ascii();
                    return Err(content.refuse(&format!("its section {tag} is unknown")));
                }
            };
            if again {
                let tag = tag.escape_ascii();
                return Err(content.refuse(&format!("its section {tag} occurs twice")));
            }
            content.finish()?;
        }
        reader.finish()?;
        Ok(sections)
    }

    pub(super) fn into_model(self, reader: &mut Reader) -> Result<Model, Error> {
        let lacks = |what| reader.refuse(&format!("it has no {what}"));
        let (hash, schema) = self.schema.ok_or_else(|| lacks("schema"))?;
        let classes = self.classes.ok_or_else(|| lacks("classes"))?;
        let estimator = self.estimator.ok_or_else(|| lacks("estimator"))?;
        if schema.hash() != hash {
            return Err(reader.refuse("the hash of its schema is not that of its columns"));
        }
        let categories = self.categories;
        Model::new(schema, classes, estimator, self.card.unwrap_or_default())
            .map(|model| model.calibrated(self.sharpness.unwrap_or(Sharpness::NONE)))
            .map(|model| Model {
                strangeness: self.strangeness,
                doubt: self.doubt,
                seen: self.seen,
                early: self.early,
                ..model
            })
            .and_then(|model| match categories {
                Some(categories) => model.with_categories(categories),
                None => Ok(model),
            })
            .map_err(|error| reader.refuse(&format!("its parts do not fit together: {error}")))
    }
}

fn read_schema(reader: &mut Reader) -> Result<(String, Schema), Error> {
    let hash = reader.text()?;
    let name = reader.text()?;
    // A column is at least the lengths of its two texts.
    let count = reader.count(8)?;
    let mut features = Vec::with_capacity(count);
    for _ in 0..count {
        features.push(Feature { name: reader.text()?, unit: reader.text()? });
    }
    Ok((hash, Schema { name, features }))
}

pub(super) fn read_classes(reader: &mut Reader) -> Result<Vec<String>, Error> {
    let count = reader.count(4)?;
    (0..count).map(|_| reader.text()).collect()
}

fn read_card(reader: &mut Reader) -> Result<Card, Error> {
    let json = reader.rest();
    Card::from_json(json)
        .map_err(|error| reader.refuse(&format!("its card is unreadable: {error}")))
}
