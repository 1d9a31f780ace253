//! What "one client more or less" means; a type, so that two meanings never add up.

use std::fmt::Debug;

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

    /// How far the sum of clipped updates moves at most between two neighbours (L2).
    #[must_use]
    fn sensitivity(clip_norm: ClipNorm) -> f64 {
        f64::from(Self::CLIP_NORMS) * clip_norm.get()
    }
}

/// One client is there in one set and absent from the other. The size of the set is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddOrRemoveOne;

/// One client's data is swapped for another's. The size of the set is public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplaceOne;

impl sealed::Sealed for AddOrRemoveOne {}
impl sealed::Sealed for ReplaceOne {}

impl Neighbours for AddOrRemoveOne {
    const CLIP_NORMS: u32 = 1;
}

impl Neighbours for ReplaceOne {
    const CLIP_NORMS: u32 = 2;
}
