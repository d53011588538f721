//! The form of an API key.

use serde::{Deserialize, Serialize};
use types::api_key::{ApiKeyView, CreateApiKey, UpdateApiKey};
use types::limits::LimitsInput;
use types::problem::FieldErrors;
use types::{Patch, Problem, UserId};

use super::{checked, instant, list, local_input, number};

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
            version: view.version.to_string(),
        }
    }

    /// Whose key it shall be.
    pub(crate) fn owner(&self) -> Result<UserId, Problem> {
        self.user_id.parse().map_err(|_| Problem::field("user_id", "must not be empty"))
    }

    /// As the input of a new key.
    pub(crate) fn create(&self) -> Result<CreateApiKey, Problem> {
        let mut errors = FieldErrors::default();
        let input = CreateApiKey {
            name: self.name.clone(),
            groups: list(&self.groups),
            models: list(&self.models),
            clients: list(&self.clients),
            ip_allow: list(&self.ip_allow),
            expires_at: instant(&self.expires_at, "expires_at", &mut errors),
            enabled: None,
            limits: LimitsInput::default(),
        };
        errors.finish(input)
    }

    /// As the change of a known key.
    pub(crate) fn update(&self) -> Result<UpdateApiKey, Problem> {
        let mut errors = FieldErrors::default();
        let input = UpdateApiKey {
            name: Some(self.name.clone()),
            groups: Some(list(&self.groups)),
            models: Some(list(&self.models)),
            clients: Some(list(&self.clients)),
            ip_allow: Some(list(&self.ip_allow)),
            expires_at: Patch::from_option(instant(&self.expires_at, "expires_at", &mut errors)),
            enabled: Some(checked(&self.enabled)),
            version: number(&self.version, "version", &mut errors),
            limits: LimitsInput::default(),
        };
        errors.finish(input)
    }
}
