//! The form of a user.

use serde::{Deserialize, Serialize};
use types::user::UserView;

use super::limits::LimitsForm;
use super::{SecretText, local_input};

/// The form of a user, new or known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct UserForm {
    pub(crate) name: String,
    pub(crate) groups: String,
    pub(crate) enabled: String,
    pub(crate) expires_at: String,
    pub(crate) password: SecretText,
    pub(crate) password_clear: String,
    pub(crate) price_rate: String,
    #[serde(flatten)]
    pub(crate) limits: LimitsForm,
    pub(crate) version: String,
}

impl UserForm {
    /// What a known user's form shows.
    pub(crate) fn of(view: &UserView) -> Self {
        Self {
            name: view.name.clone(),
            groups: view.groups.join(", "),
            enabled: view.enabled.to_string(),
            expires_at: local_input(view.expires_at),
            price_rate: view.price_rate.to_string(),
            limits: LimitsForm::of(&view.limits),
            version: view.version.to_string(),
            ..Self::default()
        }
    }
}
