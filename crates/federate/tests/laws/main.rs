//! What must hold for any input.

mod dealing;
mod packing;
mod robust;
