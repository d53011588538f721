//! Who changed what.

use serde::{Deserialize, Serialize};

use crate::{AuditId, Timestamp};

/// One row of the audit log. Secrets are never part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditRow {
    /// Identity; grows with time.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// `admin`, `admin-api` or `user:<name>`.
    pub actor: String,
    /// From where.
    pub client_ip: Option<String>,
    /// `provider.create`, `key.update`, `sign_in.failed`, …
    pub action: String,
    /// `provider`, `credential`, `user`, `key`, `setting`, `session`.
    pub object: String,
    /// Identity or name of the object, as text.
    pub object_id: String,
    /// The object's name then.
    pub object_name: String,
    /// The fields that changed, before; JSON text or null.
    pub before: Option<serde_json::Value>,
    /// The fields that changed, after; JSON text or null.
    pub after: Option<serde_json::Value>,
}

/// Which audit rows to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AuditFilter {
    /// Only this kind of object.
    pub object: Option<String>,
    /// Only this object.
    pub object_id: Option<String>,
    /// Only actions that begin so.
    pub action: Option<String>,
    /// Page size; default 50, 1 to 500.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}
