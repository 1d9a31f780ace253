//! TBD
/// E
#[derive(Debug, thiserror::Error)] pub enum Error {}
