//! Forms of the page that takes credentials over and hands them on.

use serde::{Deserialize, Serialize};

use super::SecretText;

/// Another gateway's file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TransferForm {
    pub(crate) content: SecretText,
    pub(crate) passphrase: SecretText,
    pub(crate) origin: String,
    pub(crate) from: String,
    pub(crate) on_conflict: String,
}

/// What an export is sealed with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ExportForm {
    pub(crate) passphrase: SecretText,
}
