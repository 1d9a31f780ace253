//! Secure aggregation gives the plain sum or an error, whoever is lost and whoever lies.

mod bytes;
mod cohort;
mod liars;
mod masks;
mod sums;
