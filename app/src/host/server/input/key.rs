//! Inputs of API keys.

use types::api_key::{CreateApiKey, UpdateApiKey};
use types::problem::FieldErrors;
use types::{Patch, Problem, UserId};

use super::{instant, list, number, parsed};
use crate::form::checked;
use crate::form::key::KeyForm;

impl KeyForm {
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
            limits: self.limits.read(&mut errors),
            grant_id: number(&self.grant_id, "grant_id", &mut errors),
            translation: parsed(&self.translation, "translation", &mut errors),
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
            limits: self.limits.read(&mut errors),
            grant_id: Patch::from_option(number(&self.grant_id, "grant_id", &mut errors)),
            translation: parsed(&self.translation, "translation", &mut errors),
        };
        errors.finish(input)
    }
}
