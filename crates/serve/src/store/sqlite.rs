//! Jobs in SQLite, for one machine.
