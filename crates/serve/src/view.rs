//! All rows of a result as columns, for a page that shows a hundred thousand of them at once.
//!
//! ```text
//! FGV1 │ u32 length of the header │ header (JSON) │ zeros to a multiple of 8 │ column │ zeros to a multiple of 8 │ column │ …
//! ```
//!
//! Numbers are little-endian. Every column begins at a multiple of 8 from the first octet, so that a browser looks at it where it lies,
//! without a copy. Sketch: a flow of our own table with 30 packets is 250 octets here and 2 kB of CSV.

pub(crate) mod make;

use serde::Serialize;

/// The first octets; the digit is the format's version.
pub(crate) const MAGIC: &[u8; 4] = b"FGV1";
/// What columns begin at a multiple of.
const ALIGNMENT: usize = 8;
/// A place in a list of 65,535 at most; this one is none of them.
pub(crate) const NONE_16: u16 = u16::MAX;
/// The same for longer lists.
pub(crate) const NONE_32: u32 = u32::MAX;

/// A result's rows as columns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub about: About,
    pub columns: Vec<Column>,
}

/// What the columns are of.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub(crate) struct About {
    /// Rows that are shown, the first ones, and all that there are.
    pub rows: u64,
    pub of: u64,
    pub job: String,
    /// The model that answered, `NAME@VERSION`.
    pub model: String,
    /// What `prediction`, `second` and `truth` are places in.
    pub classes: Vec<String>,
    /// What `category` is a place in.
    pub categories: Option<Vec<String>>,
    /// Whether confidence was made true on rows that were not learnt from.
    pub calibrated: bool,
    /// What the sizes of a gait are of: `payload`, or whole `packets`; nothing without gaits.
    pub gait_of: Option<GaitOf>,
    pub dictionaries: Dictionaries,
    /// Columns that are not here, because no row has what they need.
    pub missing: Vec<String>,
}

/// As [`flowgait_features::table::glance::GaitOf`], in the header's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(rename_all = "lowercase")]
pub(crate) enum GaitOf {
    Payload,
    Packets,
}

/// Texts that columns are places in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub(crate) struct Dictionaries {
    pub server: Vec<String>,
    pub protocol: Vec<String>,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub name: &'static str,
    pub values: Values,
}

/// Its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Values {
    fn kind(&self) -> &'static str {
        match self {
            Self::U16(_) => "u16",
            Self::I16(_) => "i16",
            Self::U32(_) => "u32",
            Self::F32(_) => "f32",
            Self::F64(_) => "f64",
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::U16(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    fn octets(&self) -> usize {
        let each = match self {
            Self::U16(_) | Self::I16(_) => 2,
            Self::U32(_) | Self::F32(_) => 4,
            Self::F64(_) => 8,
        };
        each * self.count()
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::U16(values) => values.iter().for_each(|v| out.extend(v.to_le_bytes())),
            Self::I16(values) => values.iter().for_each(|v| out.extend(v.to_le_bytes())),
            Self::U32(values) => values.iter().for_each(|v| out.extend(v.to_le_bytes())),
            Self::F32(values) => values.iter().for_each(|v| out.extend(v.to_le_bytes())),
            Self::F64(values) => values.iter().for_each(|v| out.extend(v.to_le_bytes())),
        }
    }
}

/// Where a column is, counted from where the first begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
struct Place {
    name: String,
    kind: String,
    offset: u64,
    count: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
struct Header<A> {
    #[serde(flatten)]
    about: A,
    columns: Vec<Place>,
}

fn padded(octets: usize) -> usize {
    octets.next_multiple_of(ALIGNMENT)
}

impl View {
    /// As it goes over the line. A column's memory is given back as soon as it is written.
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut places = Vec::new();
        let mut offset = 0;
        for Column { name, values } in &self.columns {
            let (kind, count) = (values.kind().to_owned(), values.count() as u64);
            places.push(Place { name: (*name).to_owned(), kind, offset: offset as u64, count });
            offset += padded(values.octets());
        }
        let header = Header { about: &self.about, columns: places };
        let header = serde_json::to_vec(&header).expect("invariant: plain fields");
        let length = u32::try_from(header.len())
            .expect("invariant: dictionaries are of few rows and short texts");
        let mut out = Vec::with_capacity(padded(8 + header.len()) + offset);
        out.extend(MAGIC);
        out.extend(length.to_le_bytes());
        out.extend(header);
        out.resize(padded(out.len()), 0);
        for column in self.columns {
            column.values.write(&mut out);
            out.resize(padded(out.len()), 0);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 6] = ["prediction", "gait_size", "gait_begin", "confidence", "start", "x"];

    /// What [`View::encode`] wrote, read by nothing but what the format says.
    fn decode(octets: &[u8]) -> View {
        assert_eq!(&octets[..4], MAGIC);
        let length = u32::from_le_bytes(octets[4..8].try_into().unwrap()) as usize;
        let header: Header<About> = serde_json::from_slice(&octets[8..8 + length]).unwrap();
        let begin = padded(8 + length);
        assert!(octets[8 + length..begin].iter().all(|octet| *octet == 0));
        let mut end = begin;
        let columns = header.columns.into_iter().map(|place| {
            let from = begin + place.offset as usize;
            assert_eq!(from, end, "one after the other");
            assert_eq!(from % 8, 0);
            macro_rules! read {
                ($kind:ident, $type:ty) => {{
                    const EACH: usize = size_of::<$type>();
                    let octets = &octets[from..from + place.count as usize * EACH];
                    let value = |o: &[u8]| <$type>::from_le_bytes(o.try_into().unwrap());
                    Values::$kind(octets.chunks_exact(EACH).map(value).collect())
                }};
            }
            let values = match place.kind.as_str() {
                "u16" => read!(U16, u16),
                "i16" => read!(I16, i16),
                "u32" => read!(U32, u32),
                "f32" => read!(F32, f32),
                "f64" => read!(F64, f64),
                other => panic!("{other}"),
            };
            end = from + padded(values.octets());
            let name = NAMES.into_iter().find(|name| *name == place.name).unwrap();
            Column { name, values }
        });
        let columns = columns.collect();
        assert_eq!(octets.len(), end);
        View { about: header.about, columns }
    }

    fn values() -> impl Strategy<Value = Values> {
        prop_oneof![
            prop::collection::vec(any::<u16>(), 0..20).prop_map(Values::U16),
            prop::collection::vec(any::<i16>(), 0..20).prop_map(Values::I16),
            prop::collection::vec(any::<u32>(), 0..20).prop_map(Values::U32),
            prop::collection::vec(any::<f32>(), 0..20).prop_map(Values::F32),
            prop::collection::vec(any::<f64>(), 0..20).prop_map(Values::F64),
        ]
    }

    fn texts() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec(".{0,8}", 0..5)
    }

    prop_compose! {
        fn views()(
            (rows, of, calibrated) in any::<(u64, u64, bool)>(),
            (job, model) in (".{0,9}", ".{0,9}"),
            (classes, server, protocol, missing) in (texts(), texts(), texts(), texts()),
            categories in prop::option::of(texts()),
            gait_of in prop::option::of(prop_oneof![Just(GaitOf::Payload), Just(GaitOf::Packets)]),
            columns in prop::collection::vec((0..NAMES.len(), values()), 0..8),
        ) -> View {
            let dictionaries = Dictionaries { server, protocol };
            let about = About { rows, of, job, model, classes, categories, calibrated, gait_of, dictionaries, missing };
            let columns = columns.into_iter().map(|(name, values)| Column { name: NAMES[name], values });
            View { about, columns: columns.collect() }
        }
    }

    proptest! {
        #[test]
        fn what_is_decoded_is_what_was_encoded(view in views()) {
            let octets = view.clone().encode();
            let decoded = decode(&octets);
            prop_assert_eq!(&decoded.about, &view.about);
            // By their octets, since no NaN is equal to another.
            prop_assert_eq!(decoded.encode(), octets);
        }
    }
}
