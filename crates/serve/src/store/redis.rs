//! Jobs in Redis or Valkey, for many machines.
