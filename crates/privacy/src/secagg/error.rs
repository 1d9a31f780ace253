//! What can go wrong in a round of secure aggregation.

use super::round::ClientId;

/// Why a setting, a message or a round was refused.
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
        must: String,
    },
    /// No ring of 32 bits or fewer holds the sum of so many entries without wrapping.
    #[error(
        "a sum of {cohort} entries within {bound} needs {bits} bits, but a ring has at most 32"
    )]
    RingTooSmall {
        /// Clients in the round.
        cohort: u32,
        /// How large one client's entry may be.
        bound: u64,
        /// What the sum would need.
        bits: u32,
    },
    /// No graph meets the security that was asked for.
    #[error(
        "no degree up to {degree_max} protects {cohort} clients with {corrupt} of them corrupt and {lost} lost"
    )]
    NoDegree {
        /// Clients in the round.
        cohort: u32,
        /// How many of them work for the server.
        corrupt: u32,
        /// How many of them may be lost.
        lost: u32,
        /// The largest degree that there is.
        degree_max: u32,
    },
    /// Two members of the roster have the same identity, or one has an identity that proves nothing.
    #[error("the identity of {client} is weak or that of another, too")]
    Identity {
        /// The second of the two.
        client: ClientId,
    },
    /// An update has not as many entries as the round.
    #[error("the update has {entries} entries, but the round has {expected}")]
    Entries {
        /// What was given.
        entries: usize,
        /// What the round has.
        expected: usize,
    },
    /// An entry that the ring has no room for. Nothing was wrapped or cut.
    #[error("entry {at} of the update is {value}, outside of ±{bound}")]
    EntryOutOfRange {
        /// Place in the update, from 0.
        at: usize,
        /// What stands there.
        value: i64,
        /// How large it may be.
        bound: u64,
    },
    /// Bytes that are no message of this kind and round.
    #[error("bytes at offset {at} are no {message}: {reason}")]
    Malformed {
        /// What was read.
        message: &'static str,
        /// Where it went wrong, in bytes from the start.
        at: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// A message from, or about, somebody who has no part in this step.
    #[error("{client} has no part in this step: {reason}")]
    Unexpected {
        /// Who it is.
        client: ClientId,
        /// Why not.
        reason: &'static str,
    },
    /// A signature that is not the client's under what was shown to us.
    #[error("the signature of {client} on {what} is wrong")]
    Signature {
        /// Whose it should be.
        client: ClientId,
        /// What it should be on.
        what: &'static str,
    },
    /// A public key that gives everybody the same secret.
    #[error("the public key of {client} is of low order")]
    WeakKey {
        /// Whose it is.
        client: ClientId,
    },
    /// Too few neighbours are left to go on; the round is abandoned.
    #[error(
        "{client} has {left} neighbours left in the step of {step}, but the threshold is {threshold}"
    )]
    BelowThreshold {
        /// Whose neighbours they are.
        client: ClientId,
        /// The step that they should have taken.
        step: &'static str,
        /// How many of them did.
        left: usize,
        /// How many must.
        threshold: usize,
    },
    /// A revealed share is not the one that was handed out.
    #[error("{holder} revealed a wrong share of {owner}")]
    WrongShare {
        /// Who revealed it.
        holder: ClientId,
        /// Whose secret it should be part of.
        owner: ClientId,
    },
    /// Right shares that do not give the secret: whoever handed them out did so wrongly.
    #[error("the shares that {owner} handed out do not give its {what}")]
    Reconstruction {
        /// Who handed them out.
        owner: ClientId,
        /// Which secret.
        what: &'static str,
    },
}
