//! Secure aggregation gives the plain sum or an error, whoever is lost and whoever lies.

mod cohort;
mod sums;
