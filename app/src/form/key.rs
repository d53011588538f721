//! The form of an API key.

use serde::{Deserialize, Serialize};
use types::api_key::ApiKeyView;

use super::limits::LimitsForm;
use super::local_input;

/// The form of a key, new or known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeyForm {
    pub(crate) user_id: String,
    pub(crate) name: String,
    pub(crate) groups: String,
    pub(crate) models: String,
    pub(crate) clients: String,
    pub(crate) ip_allow: String,
    pub(crate) expires_at: String,
    pub(crate) enabled: String,
    pub(crate) grant_id: String,
    pub(crate) translation: String,
    #[serde(flatten)]
    pub(crate) limits: LimitsForm,
    pub(crate) version: String,
}

impl KeyForm {
    /// What a known key's form shows.
    pub(crate) fn of(view: &ApiKeyView) -> Self {
        Self {
            user_id: view.user_id.to_string(),
            name: view.name.clone(),
            groups: view.groups.join(", "),
            models: view.models.join("\n"),
            clients: view.clients.join(", "),
            ip_allow: view.ip_allow.join("\n"),
            expires_at: local_input(view.expires_at),
            enabled: view.enabled.to_string(),
            grant_id: view.grant_id.map(|id| id.to_string()).unwrap_or_default(),
            translation: view.translation.to_string(),
            limits: LimitsForm::of(&view.limits),
            version: view.version.to_string(),
        }
    }
}
