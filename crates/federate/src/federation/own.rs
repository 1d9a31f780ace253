//! What stays with each client, as a file names it and as a network's parts make it.

use flowgait_model::net::Slice;
use serde::{Deserialize, Serialize};

use super::Federation;
use crate::client::Personal;
use crate::error::Error;

/// What stays with each client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Own {
    /// A whole model of its own, held near the common one.
    Ditto {
        /// λ.
        #[serde(default = "lambda")]
        lambda: f32,
    },
    /// The parts of the model whose names begin with one of these, such as `head`.
    FedPer {
        /// The beginnings.
        parts: Vec<String>,
    },
}

fn lambda() -> f32 {
    0.1
}

impl Federation {
    /// What stays with each client, of a network with these parts.
    ///
    /// # Errors
    /// [`Error::State`] when no part of the network begins as the file says.
    pub fn own(&self, slices: &[Slice]) -> Result<Personal, Error> {
        match &self.personal {
            None => Ok(Personal::Nothing),
            Some(Own::Ditto { lambda }) => Ok(Personal::Ditto { lambda: *lambda }),
            Some(Own::FedPer { parts }) => {
                let is_own = |name: &str| parts.iter().any(|part| name.starts_with(part.as_str()));
                let own: Vec<_> =
                    slices.iter().filter(|slice| is_own(&slice.name)).map(Slice::range).collect();
                if own.is_empty() || own.len() == slices.len() {
                    let names: Vec<&str> = slices.iter().map(|slice| slice.name.as_str()).collect();
                    let (which, parts) =
                        (if own.is_empty() { "no" } else { "every" }, parts.clone());
                    return Err(Error::Parts { which, parts, names: names.join(", ") });
                }
                Ok(Personal::Parts(own))
            }
        }
    }
}
