//! All credentials of one provider removed at once, and brought back.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Body of `POST /api/admin/providers/{id}/reset`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResetProvider {
    /// The provider's name, as a confirmation.
    pub confirm: String,
}

/// Body of `POST /api/admin/providers/{id}/deleted/restore`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RestoreCredentials {
    /// When they were deleted, as the list says.
    pub deleted_at: Timestamp,
}

/// Credentials that were deleted together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeletedCredentials {
    /// When.
    pub deleted_at: Timestamp,
    /// Until when they can be brought back together.
    pub restorable_until: Timestamp,
    /// Their names.
    pub names: Vec<String>,
}

/// What a reset did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProviderReset {
    /// What was deleted; its names are empty if there was nothing.
    #[serde(flatten)]
    pub deleted: DeletedCredentials,
    /// Names of those that stay because a variable of the environment names them.
    pub kept: Vec<String>,
}
