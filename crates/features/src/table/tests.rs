//! Tests of reading tables.
