//! Our numbers are those of independent programs, on the shared reference values.

mod robust;
mod shared;
