//! The form of the playground.

use serde::{Deserialize, Serialize};

use super::SecretText;

/// One prompt for one or two models.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PlayForm {
    pub(crate) key: SecretText,
    pub(crate) dialect: String,
    pub(crate) model: String,
    pub(crate) second: String,
    pub(crate) max_tokens: String,
    pub(crate) system: String,
    pub(crate) prompt: String,
    pub(crate) tool: String,
    pub(crate) thinking: String,
}
