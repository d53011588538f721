//! Forms of the page that takes credentials over and hands them on.

use serde::{Deserialize, Deserializer, Serialize};

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
    /// Whether each secret is tried first.
    pub(crate) probe: String,
}

/// What an export holds, and what it is sealed with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ExportForm {
    pub(crate) passphrase: SecretText,
    /// With commas between; empty means all.
    #[serde(deserialize_with = "joined")]
    pub(crate) provider_ids: String,
}

/// Boxes of one name, each with its value, or one text.
fn joined<'de, D: Deserializer<'de>>(values: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Ticked {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Ticked::deserialize(values)? {
        Ticked::One(text) => text,
        Ticked::Many(texts) => texts.join(","),
    })
}
