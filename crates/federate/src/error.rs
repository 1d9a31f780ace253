//! What can go wrong when updates are combined, rows dealt and vectors packed.

/// Why a parameter, an update, a table or some bytes were refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A number is outside the range in which it means something.
    #[error("{name} is {value}, but must be {must}")]
    Parameter {
        /// What the number is.
        name: &'static str,
        /// What was given.
        value: f64,
        /// Which values are allowed.
        must: &'static str,
    },
    /// There is nothing to combine.
    #[error("no client gave an update")]
    NoUpdates,
    /// A client's update is not as long as that of the first client.
    #[error("the update of client {client} has {found} entries, but must have {expected}")]
    UpdateLength {
        /// Place among the updates, from 0.
        client: usize,
        /// How long it is.
        found: usize,
        /// How long it must be.
        expected: usize,
    },
    /// A client's update has an entry that is no number or infinite.
    #[error("entry {at} of the update of client {client} is {value}, but must be finite")]
    UpdateNotFinite {
        /// Place among the updates, from 0.
        client: usize,
        /// Place in the update, from 0.
        at: usize,
        /// What stands there.
        value: f64,
    },
    /// A rule cannot hold out against so many liars among so few clients.
    #[error(
        "{rule} against {f} liars needs {least} clients or more (n >= {must}), but there are {clients}"
    )]
    TooFewClients {
        /// The rule's name.
        rule: &'static str,
        /// How many may lie.
        f: usize,
        /// How many clients there are (`n`).
        clients: usize,
        /// How many there must be.
        least: usize,
        /// The same as a formula of `f`.
        must: &'static str,
    },
    /// A table has too few rows for its clients.
    #[error("{rows} rows cannot give {clients} clients {least} or more each")]
    TooFewRows {
        /// Rows of the table.
        rows: usize,
        /// Clients that want some.
        clients: usize,
        /// Fewest rows (or shards) of a client.
        least: usize,
    },
    /// A row's class is none of the table's classes.
    #[error("row {row} has class {code}, but there are {classes} classes")]
    Class {
        /// Place in the table, from 0.
        row: usize,
        /// The class's code.
        code: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// Rows are to be dealt by their groups, and have none.
    #[error("a partition by group needs the group of each row")]
    NoGroups,
    /// Two things that must be equally many are not.
    #[error("there are {found} {what}, but must be {expected}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// A vector that was to be packed has an entry that is no number or infinite.
    #[error("entry {at} of the vector is {value}, but must be finite")]
    NotFinite {
        /// Place in the vector, from 0.
        at: usize,
        /// What stands there.
        value: f32,
    },
    /// Bytes that are no packed vector.
    #[error("byte {at} of a packed vector: {what}")]
    Unpack {
        /// Offset from the start.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
}
