//! What must hold for any input.

mod dealing;
mod robust;
