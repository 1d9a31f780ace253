//! What can go wrong when many learn together.

use std::io;
use std::path::PathBuf;

/// Why a plan, a contribution or a round was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// Two choices of a plan exclude each other.
    #[error("{this} cannot go with {that}: {because}")]
    Clash {
        /// One choice.
        this: String,
        /// The other.
        that: &'static str,
        /// Why.
        because: &'static str,
    },
    /// What is to stay with each client is none of the network, or all of it.
    #[error(
        "{which} part of the network has a name that begins as one of {parts:?}, which are to stay with clients; its parts are {names}"
    )]
    Parts {
        /// None or every.
        which: &'static str,
        /// The beginnings.
        parts: Vec<String>,
        /// What the network's parts are called.
        names: String,
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
    /// A cohort that cannot be drawn.
    #[error("a cohort of {cohort} cannot be drawn from {clients} clients")]
    Cohort {
        /// Clients that each round asks.
        cohort: usize,
        /// Clients there are.
        clients: usize,
    },
    /// A contribution that cannot be used. The round goes on without it.
    #[error("client {client} in round {round}: {why}")]
    Contribution {
        /// Whose it is.
        client: u32,
        /// For which round.
        round: u64,
        /// What is wrong with it.
        why: Refusal,
    },
    /// Too few clients answered; the parameters stay as they were.
    #[error(
        "round {round} is abandoned: {survivors} of {cohort} clients answered, {least} are needed"
    )]
    Abandoned {
        /// Which round.
        round: u64,
        /// How many answered.
        survivors: usize,
        /// How many were asked.
        cohort: usize,
        /// How many are needed.
        least: usize,
    },
    /// A message for a round that is not open.
    #[error("no round is open")]
    NoRound,
    /// A round was to begin while another is open.
    #[error("round {round} is still open")]
    RoundOpen {
        /// The open one.
        round: u64,
    },
    /// A ledger that was changed or cut.
    #[error("ledger, line {line}: {why}")]
    Ledger {
        /// Which line, from 1.
        line: usize,
        /// What does not fit.
        why: String,
    },
    /// What was kept of a run does not fit the run.
    #[error("the state that was kept does not fit: {why}")]
    State {
        /// What does not fit.
        why: String,
    },
    /// Two processes would run in one folder.
    #[error("another process runs in {path}: let it end, or name another folder", path = path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// A file of a run that cannot be read or written.
    #[error("cannot {what} {path}", path = path.display())]
    File {
        /// What was being done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// From learning.
    #[error(transparent)]
    Model(#[from] flowgait_model::Error),
    /// From secure aggregation.
    #[error(transparent)]
    Secure(#[from] flowgait_privacy::secagg::Error),
    /// From clipping, noise and accounts.
    #[error(transparent)]
    Privacy(#[from] flowgait_privacy::Error),
}

/// Why a contribution cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It has too few or too many numbers.
    #[error("the update has {found} numbers where {expected} belong")]
    Length {
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A number in it is infinite or none.
    #[error("entry {at} of the update is {value}")]
    NotFinite {
        /// Place in the update, from 0.
        at: usize,
        /// What stands there.
        value: f32,
    },
    /// Its weight is infinite, none, zero or negative.
    #[error("the update's weight is {weight}, but must be finite and above 0")]
    Weight {
        /// What it says.
        weight: f64,
    },
    /// It came unmasked, where only a secure sum may come.
    #[error("the update came unmasked, where clients mask theirs")]
    Unmasked,
    /// It came packed, where nobody packs.
    #[error("the update came packed, where none is")]
    Packed,
    /// Bytes that are no packed update.
    #[error("byte {at} of the packed update: {what}")]
    Unpack {
        /// Offset from the start.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// It was not clipped.
    #[error("the update is longer than the clip norm of {clip_norm}")]
    TooLong {
        /// How long it may be.
        clip_norm: f64,
    },
    /// It is for another model.
    #[error("the update is for a model of another schema")]
    Schema,
    /// It is for another round.
    #[error("the update is for round {found}")]
    Round {
        /// Which.
        found: u64,
    },
    /// The client was not asked.
    #[error("the client was not asked in this round")]
    NotAsked,
    /// The client answered before.
    #[error("the client has answered already")]
    Twice,
}
