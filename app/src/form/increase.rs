//! The small form of a temporary increase.

use serde::{Deserialize, Serialize};

/// What a temporary increase is made of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct IncreaseForm {
    /// `user`, `key`, `provider`, `credential` or `group`.
    pub(crate) scope: String,
    /// Its identity; of a group its name.
    pub(crate) id: String,
    pub(crate) limit: String,
    pub(crate) extra_usd: String,
    pub(crate) until: String,
    /// The page to return to.
    pub(crate) back: String,
}
