//! What reports are made of, for those of other crates: a page, its panes, charts and tables.

pub use super::page::{Pane, numbers, sentences, shell, table};
pub use super::plot::{Axis, Plot};
pub use super::words::{Text, count, counted, exact, percent, score};
