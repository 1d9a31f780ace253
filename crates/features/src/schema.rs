//! What each column of a data set means, and the hash by which a model knows its own schema again.
//!
//! The flow table's columns are rows of a table in code: identity below, the numbers in `extract/*.rs`, each beside the function that computes it.
//! `docs/FEATURES.md` is [`document`]'s text.

mod identity;

use std::fmt::Write as _;
use std::sync::LazyLock;

use flowgait_flow::export::{CellSink, ColumnSpec, Kind, RowSchema};
use flowgait_flow::record::{Bursts, FlowRecord, Side};
use sha2::{Digest, Sha256};

use crate::extract;
use crate::table::foreign;

/// The columns that a model sees, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// Name and version, such as `flowgait/1`; `table` for anybody's table.
    pub name: String,
    /// The columns.
    pub features: Vec<Feature>,
}

/// One column that a model sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feature {
    /// Name of the column.
    pub name: String,
    /// Unit of the values; empty for anybody's table, [`ONE_HOT`] for a value of a text column (`COLUMN=VALUE`).
    pub unit: String,
}

/// Name and version of our flow table.
pub const FLOW_SCHEMA: &str = "flowgait/1";
/// Name of the schema of anybody's table.
pub const TABLE_SCHEMA: &str = "table";
/// Unit of a feature that is 1 where a text column has one value, 0 where it has another, and missing where the cell is empty.
pub const ONE_HOT: &str = "one-hot";
/// Unit of a bucket of a hashed text column.
pub const HASHED: &str = "hashed text";
/// Unit of a feature that is one place of a list cell of anybody's table (`COLUMN_0`, `COLUMN_1`, …).
pub const LIST_PLACE: &str = "place in a list";
/// Unit of a feature that is computed from other columns of a known table.
pub const DERIVED: &str = "derived";
/// How many values of a list column become features; a shorter list leaves the rest missing, of a longer one the rest is not used.
pub const SEQUENCE_LENGTH: usize = 30;

/// What a column of the flow table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who, where, or how it was observed: never given to a model unless a person names it.
    Identity,
    /// Which rows belong together: for splitting only.
    Group,
    /// When: for splitting only.
    Time,
    /// What a flow is, or who says so.
    Label,
    /// A number, or a list of numbers, that a model may learn from.
    Feature,
}

/// Which packets a column is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Initiator to responder.
    Forward,
    /// Responder to initiator.
    Backward,
    /// Both directions as one sequence.
    Both,
    /// The flow as a whole.
    Flow,
}

/// One column of the flow table.
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// What its cells are.
    pub kind: Kind,
    /// What it is for.
    pub role: Role,
    /// Unit of its values.
    pub unit: &'static str,
    /// Which packets it is about.
    pub scope: Scope,
    /// What counts (packets without payload, retransmissions), and the value where there is too little to compute it.
    pub rule: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
    pub(crate) index: usize,
    pub(crate) value: Value,
}

/// How a cell is computed.
#[derive(Clone, Copy)]
pub(crate) enum Value {
    Cell(fn(&FlowRecord, &mut dyn CellSink)),
    Integer(fn(&View<'_>) -> Option<u64>),
    Float(fn(&View<'_>) -> Option<f64>),
    /// Appends the list's values.
    List(fn(&FlowRecord, &mut Vec<i64>)),
}

/// What a computed cell may look at: the flow, and its column's direction and number.
pub(crate) struct View<'a> {
    pub(crate) record: &'a FlowRecord,
    pub(crate) side: &'a Side,
    pub(crate) bursts: &'a Bursts,
    pub(crate) index: usize,
}

impl Column {
    pub(crate) fn view<'a>(&self, record: &'a FlowRecord) -> View<'a> {
        let (side, bursts) = match self.scope {
            Scope::Forward => (&record.forward, &record.bursts_forward),
            Scope::Backward => (&record.backward, &record.bursts_backward),
            Scope::Both | Scope::Flow => (&record.both, &record.bursts),
        };
        View { record, side, bursts, index: self.index }
    }

    /// How many features of a model this column becomes when it is used.
    #[must_use]
    pub fn features(&self) -> usize {
        if self.kind == Kind::IntegerList { SEQUENCE_LENGTH } else { 1 }
    }

    /// Name of one of them.
    #[must_use]
    pub fn feature_name(&self, index: usize) -> String {
        if self.kind == Kind::IntegerList {
            format!("{}_{index}", self.name)
        } else {
            self.name.clone()
        }
    }
}

/// The columns of our flow table, in order.
#[must_use]
pub fn flow_columns() -> &'static [Column] {
    static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
        let mut columns = Vec::new();
        identity::columns(&mut columns);
        extract::columns(&mut columns);
        columns
    });
    &COLUMNS
}

/// What a model sees of our flow table by default: every column of role [`Role::Feature`], a list as [`SEQUENCE_LENGTH`] columns.
#[must_use]
pub fn flow_schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        let features = flow_columns()
            .iter()
            .filter(|column| column.role == Role::Feature)
            .flat_map(|column| {
                (0..column.features()).map(|index| Feature {
                    name: column.feature_name(index),
                    unit: column.unit.to_string(),
                })
            })
            .collect();
        Schema { name: FLOW_SCHEMA.to_string(), features }
    });
    &SCHEMA
}

/// The flow table's columns as its writers need them, with the hash of [`canonical_text`].
#[must_use]
pub fn flow_row_schema() -> RowSchema {
    let columns = flow_columns()
        .iter()
        .map(|column| ColumnSpec { name: column.name.clone(), kind: column.kind })
        .collect();
    RowSchema { name: FLOW_SCHEMA.to_string(), hash: sha256(&canonical_text()), columns }
}

/// The text whose SHA-256 is the flow table's hash: the schema's name, then a line for each column with everything that changes a value's meaning.
#[must_use]
pub fn canonical_text() -> String {
    let mut text = format!("{FLOW_SCHEMA}\nsequence length {SEQUENCE_LENGTH}\n");
    for column in flow_columns() {
        let Column { name, kind, role, unit, scope, rule, .. } = column;
        let (kind, role, scope) = (kind.name(), role.name(), scope.name());
        writeln!(text, "{name}\t{kind}\t{role}\t{unit}\t{scope}\t{rule}")
            .expect("writing to memory does not fail");
    }
    text
}

impl Schema {
    /// The hash by which a model knows its schema again: SHA-256, in lower-case hexadecimal, over the name and each column's name and unit.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut text = format!("{}\n", self.name);
        for Feature { name, unit } in &self.features {
            writeln!(text, "{name}\t{unit}").expect("writing to memory does not fail");
        }
        sha256(&text)
    }

    /// Where a column is.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.features.iter().position(|feature| feature.name == name)
    }
}

impl Role {
    /// The role's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Group => "group",
            Self::Time => "time",
            Self::Label => "label",
            Self::Feature => "feature",
        }
    }
}

impl Scope {
    /// The scope's name, as column names begin with it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::Both => "both",
            Self::Flow => "flow",
        }
    }
}

/// The reference of every column, as Markdown: the text of `docs/FEATURES.md`.
#[must_use]
pub fn document() -> String {
    let columns = flow_columns();
    let features = flow_schema().features.len();
    let mut text = format!(
        include_str!("schema/preface.md"),
        schema = FLOW_SCHEMA,
        columns = columns.len(),
        features = features,
        hash = sha256(&canonical_text()),
        length = SEQUENCE_LENGTH,
        last = SEQUENCE_LENGTH - 1,
    );
    text.push_str("\n| column | kind | role | unit | scope | rule | source |\n|---|---|---|---|---|---|---|\n");
    for column in columns {
        let Column { name, kind, role, unit, scope, rule, source, .. } = column;
        let (kind, role, scope) = (kind.name(), role.name(), scope.name());
        writeln!(text, "| `{name}` | {kind} | {role} | {unit} | {scope} | {rule} | {source} |")
            .expect("writing to memory does not fail");
    }
    text.push_str(include_str!("schema/foreign.md"));
    for table in [&*foreign::RADCOM, &*foreign::NFSTREAM, &*foreign::CICFLOWMETER] {
        text.push_str(&table.document());
    }
    text.push_str(include_str!("schema/anybody.md"));
    text
}

pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, octet| {
        write!(hex, "{octet:02x}").expect("writing to memory does not fail");
        hex
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_plain_and_filled_in() {
        let mut seen = HashSet::new();
        for column in flow_columns() {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(column.name.chars().all(plain), "{}", column.name);
            assert!(seen.insert(&column.name), "{} twice", column.name);
            for text in [column.unit, column.rule, column.source] {
                assert!(!text.is_empty() && !text.contains(['|', '\t', '\n']), "{}", column.name);
            }
            let computed =
                matches!(column.value, Value::Integer(_) | Value::Float(_) | Value::List(_));
            assert!(computed || column.role != Role::Feature, "{} cannot be computed", column.name);
        }
        let features: HashSet<_> = flow_schema().features.iter().map(|f| &f.name).collect();
        assert_eq!(features.len(), flow_schema().features.len(), "feature names are unique");
    }

    #[test]
    fn identity_never_enters_by_default() {
        for name in
            ["address", "port", "sni", "ja4", "dns_name", "start", "end", "capture", "ttl", "vlan"]
        {
            for feature in &flow_schema().features {
                assert!(!feature.name.split('_').any(|part| part == name), "{}", feature.name);
            }
        }
    }

    #[test]
    fn the_document_is_the_one_in_docs() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/FEATURES.md");
        if std::env::var_os("FLOWGAIT_BLESS").is_some() {
            std::fs::write(path, document()).unwrap();
        }
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            found == document(),
            "docs/FEATURES.md is not what the schema says: run this test with FLOWGAIT_BLESS=1"
        );
    }

    #[test]
    fn a_hash_changes_with_name_unit_and_order() {
        let feature = |name: &str, unit: &str| Feature { name: name.into(), unit: unit.into() };
        let schema = |name: &str, features: &[Feature]| Schema {
            name: name.into(),
            features: features.to_vec(),
        };
        let (a, b) = (feature("a", "octets"), feature("b", "octets"));
        let base = schema("table", &[a.clone(), b.clone()]).hash();
        assert_eq!(base.len(), 64);
        for other in [
            schema("flowgait/1", &[a.clone(), b.clone()]),
            schema("table", &[b.clone(), a.clone()]),
            schema("table", &[a.clone(), feature("b", "micros")]),
            schema("table", std::slice::from_ref(&a)),
        ] {
            assert_ne!(base, other.hash());
        }
    }

    #[test]
    fn sha256_agrees_with_the_standard() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
