//! Tensors of a request as columns of a model's schema.

use axum::body::Bytes;
use flowgait_features::{Dataset, Schema};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::predictions;
use crate::problem::Problem;

/// A tensor of a request.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct InputTensor {
    name: String,
    shape: Vec<u64>,
    /// BOOL, INT8 to INT64, UINT8 to UINT64, FP32, FP64, or BYTES for text that holds a number.
    datatype: String,
    /// The values, flat or nested, in row-major order; absent where they follow the JSON as octets.
    #[schema(value_type = Option<Vec<Value>>)]
    data: Option<Value>,
    parameters: Option<InputParameters>,
    #[serde(skip)]
    #[schema(ignore)]
    binary: Option<Bytes>,
}

/// How a tensor comes.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct InputParameters {
    /// How many octets behind the JSON are this tensor's, little-endian, in the order of the tensors.
    binary_data_size: Option<u64>,
}

impl InputTensor {
    /// Takes what is its own from the octets behind the JSON.
    pub(super) fn take_binary(&mut self, octets: &mut Bytes) -> Result<(), Problem> {
        let size = self.parameters.as_ref().and_then(|parameters| parameters.binary_data_size);
        let Some(size) = size else { return Ok(()) };
        if size > octets.len() as u64 {
            return Err(self.bad("has fewer octets behind the JSON than it says"));
        }
        self.binary = Some(octets.split_to(size as usize));
        Ok(())
    }

    fn bad(&self, what: &str) -> Problem {
        let name: String = self.name.chars().take(64).collect();
        Problem::bad_input(format!("The tensor '{name}' {what}."))
    }
}

fn wanted(features: usize) -> String {
    format!("one tensor of shape [rows, {features}], or one for each column")
}

/// Tensors as columns of a schema.
pub(super) fn dataset(
    schema: &Schema,
    inputs: &[InputTensor],
    most: usize,
) -> Result<Dataset, Problem> {
    let features = schema.features.len();
    let columns = match inputs {
        [] => return Err(Problem::bad_input(format!("There is no input: {}.", wanted(features)))),
        [all] if all.shape.len() == 2 && all.shape[1] as usize == features && all.shape[1] != 1 => {
            let values = values(all, most)?;
            (0..features)
                .map(|at| values.iter().skip(at).step_by(features).copied().collect())
                .collect()
        }
        each => {
            let mut columns: Vec<Vec<f32>> = Vec::with_capacity(features);
            let mut missing = Vec::new();
            for feature in &schema.features {
                match each.iter().find(|input| input.name == feature.name) {
                    Some(input) if !matches!(input.shape[..], [_] | [_, 1]) => {
                        return Err(Problem::bad_input(format!(
                            "The tensor '{}' is one column, so its shape is [rows] or [rows, 1].",
                            feature.name
                        )));
                    }
                    Some(input) => columns.push(values(input, most)?),
                    None => missing.push(feature.name.as_str()),
                }
            }
            if !missing.is_empty() {
                let shown = missing.iter().take(10).copied().collect::<Vec<_>>().join(", ");
                return Err(Problem::bad_input(format!(
                    "Give {}; {} of them are missing: {shown}{}.",
                    wanted(features),
                    missing.len(),
                    if missing.len() > 10 { ", …" } else { "" }
                )));
            }
            columns
        }
    };
    let rows = columns.first().map_or(0, Vec::len);
    if let Some(at) = columns.iter().position(|column| column.len() != rows) {
        let name = &schema.features[at].name;
        return Err(Problem::bad_input(format!(
            "The tensor '{name}' has another number of rows than the first."
        )));
    }
    Ok(Dataset { schema: schema.clone(), columns, rows, ..Dataset::default() })
}

/// The values of a tensor, as many as its shape says.
fn values(input: &InputTensor, most: usize) -> Result<Vec<f32>, Problem> {
    let known = TYPES.iter().find(|(name, ..)| *name == input.datatype);
    let (_, octets, number) = known.ok_or_else(|| {
        input.bad("is of a type that is not read here; those are BOOL, INT8 to UINT64, FP32, FP64 and BYTES")
    })?;
    predictions::check_rows(input.shape.first().map_or(0, |rows| *rows as usize), most)?;
    let count = input.shape.iter().try_fold(1_u64, |all, side| all.checked_mul(*side));
    let mut values = Vec::new();
    match (&input.binary, &input.data) {
        (Some(binary), _) if *octets == 0 => texts(binary, &mut values),
        (Some(binary), _) if binary.len() % octets == 0 => {
            values.extend(binary.chunks_exact(*octets).map(number));
            Ok(())
        }
        (None, Some(data)) => flatten(data, &mut values),
        _ => return Err(input.bad("has neither data nor whole values behind the JSON")),
    }
    .map_err(|()| input.bad("holds something that is no number"))?;
    if Some(values.len() as u64) != count {
        let told = format!("has {} values, which its shape does not say", values.len());
        return Err(input.bad(&told));
    }
    Ok(values)
}

/// A type of tensors: its name, the octets of a value, 0 where it says that itself, and what number they are.
type Type = (&'static str, usize, fn(&[u8]) -> f32);

const TYPES: [Type; 12] = [
    ("BOOL", 1, |octets| f32::from(u8::from(octets[0] != 0))),
    ("INT8", 1, |octets| f32::from(i8::from_le_bytes(own(octets)))),
    ("INT16", 2, |octets| f32::from(i16::from_le_bytes(own(octets)))),
    ("INT32", 4, |octets| i32::from_le_bytes(own(octets)) as f32),
    ("INT64", 8, |octets| i64::from_le_bytes(own(octets)) as f32),
    ("UINT8", 1, |octets| f32::from(octets[0])),
    ("UINT16", 2, |octets| f32::from(u16::from_le_bytes(own(octets)))),
    ("UINT32", 4, |octets| u32::from_le_bytes(own(octets)) as f32),
    ("UINT64", 8, |octets| u64::from_le_bytes(own(octets)) as f32),
    ("FP32", 4, |octets| f32::from_le_bytes(own(octets))),
    ("FP64", 8, |octets| f64::from_le_bytes(own(octets)) as f32),
    ("BYTES", 0, |_| f32::NAN),
];

fn own<const OCTETS: usize>(octets: &[u8]) -> [u8; OCTETS] {
    octets.try_into().expect("invariant: cut into pieces of the type's size")
}

/// Texts of octets, each behind its length in four.
fn texts(mut octets: &[u8], values: &mut Vec<f32>) -> Result<(), ()> {
    while let Some((length, rest)) = octets.split_first_chunk::<4>() {
        let text = rest.get(..u32::from_le_bytes(*length) as usize).ok_or(())?;
        octets = &rest[text.len()..];
        values.push(number(std::str::from_utf8(text).map_err(|_| ())?)?);
    }
    if octets.is_empty() { Ok(()) } else { Err(()) }
}

/// What number a text is; none where there is no text.
fn number(text: &str) -> Result<f32, ()> {
    match text.trim() {
        "" => Ok(f32::NAN),
        text => text.parse().map_err(|_| ()),
    }
}

fn flatten(data: &Value, values: &mut Vec<f32>) -> Result<(), ()> {
    values.push(match data {
        Value::Array(items) => return items.iter().try_for_each(|item| flatten(item, values)),
        Value::Null => f32::NAN,
        Value::Bool(is) => f32::from(u8::from(*is)),
        Value::Number(number) => number.as_f64().ok_or(())? as f32,
        Value::String(text) => number(text)?,
        Value::Object(_) => return Err(()),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(datatype: &str, shape: &[u64], octets: &[u8]) -> InputTensor {
        InputTensor {
            name: "a".to_owned(),
            shape: shape.to_vec(),
            datatype: datatype.to_owned(),
            data: None,
            parameters: None,
            binary: Some(Bytes::copy_from_slice(octets)),
        }
    }

    #[test]
    fn octets_are_numbers_by_their_type() {
        let check = |datatype: &str, octets: &[u8], expected: &[f32]| {
            let read = values(&tensor(datatype, &[expected.len() as u64], octets), 10);
            assert_eq!(read.expect(datatype), expected, "{datatype}");
        };
        check("BOOL", &[0, 1, 2], &[0.0, 1.0, 1.0]);
        check("INT8", &[255, 1], &[-1.0, 1.0]);
        check("UINT8", &[255], &[255.0]);
        check("INT16", &[0xfe, 0xff], &[-2.0]);
        check("INT64", &(-5_i64).to_le_bytes(), &[-5.0]);
        check("UINT64", &(1_u64 << 40).to_le_bytes(), &[(1_u64 << 40) as f32]);
        check("FP32", &1.5_f32.to_le_bytes(), &[1.5]);
        check("FP64", &(-2.25_f64).to_le_bytes(), &[-2.25]);
        check("BYTES", b"\x03\0\0\x001.5\x02\0\0\0 7", &[1.5, 7.0]);
        check("FP32", &[], &[]);
    }

    #[test]
    fn octets_that_are_no_values_are_told() {
        let check = |datatype: &str, shape: &[u64], octets: &[u8], expected: &str| {
            let told = values(&tensor(datatype, shape, octets), 10).unwrap_err();
            let detail = told.detail.unwrap_or_default();
            assert!(detail.contains(expected), "{datatype}: {detail}");
        };
        check("FP32", &[1], &[0; 3], "neither data nor whole values");
        check("FP32", &[2], &[0; 4], "has 1 values");
        check("FP16", &[1], &[0; 2], "of a type that is not read");
        check("BYTES", &[1], b"\x09\0\0\x001", "no number");
        check("BYTES", &[1], b"\x01\0", "no number");
        check("BYTES", &[1], b"\x01\0\0\0x", "no number");
        check("FP32", &[11], &[0; 44], "more than 10 rows");
        check("FP32", &[u64::MAX, 2], &[], "more than 10 rows");
    }
}
