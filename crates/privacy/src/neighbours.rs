//! What "one client more or less" means; a type, so that two meanings never add up.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::parameter::ClipNorm;

mod sealed {
    pub trait Sealed {}
}

/// A neighbouring relation: which two sets of clients must look alike from outside.
///
/// Every account carries its relation as a type. Accounts under different relations do not compose:
///
/// ```compile_fail
/// use flowgait_privacy::account::Rdp;
/// use flowgait_privacy::{AddOrRemoveOne, ReplaceOne};
///
/// let mut spent = Rdp::<AddOrRemoveOne>::nothing();
/// spent.compose(&Rdp::<ReplaceOne>::nothing());
/// ```
pub trait Neighbours:
    sealed::Sealed + Debug + Clone + Copy + PartialEq + Send + Sync + 'static
{
    /// How many clip norms the sum moves at most between two neighbours.
    const CLIP_NORMS: u32;

    /// Which one it is, as plain data.
    const RELATION: Relation;

    /// How far the sum of clipped updates moves at most between two neighbours (L2).
    #[must_use]
    fn sensitivity(clip_norm: ClipNorm) -> f64 {
        f64::from(Self::CLIP_NORMS) * clip_norm.get()
    }
}

/// A neighbouring relation as plain data, so that what was released under one is not read as under another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// [`AddOrRemoveOne`].
    AddOrRemoveOne,
    /// [`ReplaceOne`].
    ReplaceOne,
    /// [`ZeroOutOne`].
    ZeroOutOne,
}

impl Relation {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AddOrRemoveOne => "AddOrRemoveOne",
            Self::ReplaceOne => "ReplaceOne",
            Self::ZeroOutOne => "ZeroOutOne",
        }
    }
}

/// One client is there in one set and absent from the other. The size of the set is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddOrRemoveOne;

/// One client's data is swapped for another's. The size of the set is public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplaceOne;

/// One client's update is its own or all zeros; it takes part, and adds its noise, either way. The size of the set is
/// public.
///
/// This is what one client more or less means where every client adds noise: one that is gone takes its noise along.
///
/// # Reference
/// Kairouz et al., *Practical and Private (Deep) Learning Without Sampling or Shuffling*, ICML 2021 (arXiv:2103.00039), Definition 1.1;
/// called zero-out adjacency by Ponomareva et al., *How to DP-fy ML*, 2023.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZeroOutOne;

/// A relation under which the size of the set is public, as it is wherever a sum needs to know who answered.
///
/// Noise that each client adds for itself can only be accounted so:
///
/// ```compile_fail
/// use flowgait_privacy::AddOrRemoveOne;
/// use flowgait_privacy::account::Shares;
///
/// fn account(shares: &Shares) {
///     shares.rdp::<AddOrRemoveOne>();
/// }
/// ```
pub trait SizeIsPublic: Neighbours {}

impl SizeIsPublic for ReplaceOne {}
impl SizeIsPublic for ZeroOutOne {}

impl sealed::Sealed for AddOrRemoveOne {}
impl sealed::Sealed for ReplaceOne {}
impl sealed::Sealed for ZeroOutOne {}

impl Neighbours for AddOrRemoveOne {
    const RELATION: Relation = Relation::AddOrRemoveOne;
    const CLIP_NORMS: u32 = 1;
}

impl Neighbours for ReplaceOne {
    const RELATION: Relation = Relation::ReplaceOne;
    const CLIP_NORMS: u32 = 2;
}

impl Neighbours for ZeroOutOne {
    const RELATION: Relation = Relation::ZeroOutOne;
    const CLIP_NORMS: u32 = 1;
}
