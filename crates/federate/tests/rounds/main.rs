//! Whole runs of small federations: what they learn, what becomes of faults, and that nothing but the seed decides.

mod adaptive;
mod buffered;
mod faults;
mod made;
mod membership;
mod packing;
mod privacy;
mod pushers;
mod restarts;
mod sameness;
mod secure;
