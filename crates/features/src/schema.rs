//! What each column of a data set means, and the hash by which a model knows its own schema again.

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
    /// Unit of the values; empty for anybody's table.
    pub unit: String,
}
