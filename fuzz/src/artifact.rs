//! Model files.

use flowgait_features::Dataset;
use flowgait_model::artifact::Model;
use sha2::{Digest, Sha256};

/// Octets of the checksum at a model file's end.
const CHECKSUM_OCTETS: usize = 32;
/// A made schema may claim many columns; a table of zeros for more would only test the allocator.
const CELLS_MAX: usize = 1 << 16;

/// Any bytes as a model file, under the checksum that belongs to them: refused, or a model that answers, and whose file says the same again.
pub fn artifact(bytes: &[u8]) {
    // As it is: refused by its magic or its checksum, unless it is a whole file.
    let _ = Model::from_bytes(bytes);
    let mut sealed = bytes.to_vec();
    if let Some(content) = bytes.len().checked_sub(CHECKSUM_OCTETS) {
        let checksum = Sha256::digest(&bytes[..content]);
        sealed[content..].copy_from_slice(&checksum);
    }
    let Ok(model) = Model::from_bytes(&sealed) else { return };
    let file = model.to_bytes();
    let again = Model::from_bytes(&file).expect("what we wrote is read");
    assert_eq!(again.to_bytes(), file, "reading and writing changes a model");

    let (columns, classes) = (model.schema().features.len(), model.classes().len());
    let values = [0.0, f32::NAN, -1e30, 1e30];
    if columns * values.len() > CELLS_MAX {
        return;
    }
    let columns = vec![values.to_vec(); columns];
    let schema = model.schema().clone();
    let dataset = Dataset { schema, columns, rows: values.len(), ..Dataset::default() };
    let answers = model.predict_proba(&dataset).expect("the schema is the model's own");
    assert_eq!((answers.rows(), answers.classes), (values.len(), classes));
}
