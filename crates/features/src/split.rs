//! Which rows to learn from and which to test on.
