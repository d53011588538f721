//! Users: who is served.

use serde::{Deserialize, Serialize};

use crate::clean::{clean_name, clean_tags};
use crate::limits::{Limits, LimitsInput};
use crate::problem::FieldErrors;
use crate::{Factor, Patch, Problem, Secret, Timestamp, UserId};

/// A user as stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserView {
    /// Identity.
    pub id: UserId,
    /// Unique among users that are not deleted; also the sign-in name where a password is set.
    pub name: String,
    /// Groups of providers that this user may use; empty means all.
    pub groups: Vec<String>,
    /// A disabled user's keys and sessions stop working with the next request.
    pub enabled: bool,
    /// After this instant the user counts as disabled.
    pub expires_at: Option<Timestamp>,
    /// Multiplies what the user pays; token counts are never altered.
    pub price_rate: Factor,
    /// Limits.
    pub limits: Limits,
    /// Usage counts towards limits from here on; null means from the beginning.
    pub usage_reset_at: Option<Timestamp>,
    /// Whether a password is set.
    pub has_password: bool,
    /// How many keys the user has that are not deleted.
    pub key_count: u32,
    /// When it was added.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Set if it was deleted and can still be restored.
    pub deleted_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

/// Body of `POST /api/admin/users`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// 1 to 80 characters, unique.
    pub name: String,
    /// Default empty: all groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Default true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Default never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Lets the user sign in with name and password; 12 to 256 bytes. Without it: with a key only.
    #[serde(default)]
    pub password: Option<Secret<String>>,
    /// Default none.
    #[serde(default)]
    pub limits: LimitsInput,
    /// What the user pays × this; default `"1"`, `"0"` is free. Token counts are never altered.
    #[serde(default)]
    pub price_rate: Option<Factor>,
}

/// Body of `PATCH /api/admin/users/{id}`: absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UpdateUser {
    /// New name.
    pub name: Option<String>,
    /// New groups.
    pub groups: Option<Vec<String>>,
    /// On or off.
    pub enabled: Option<bool>,
    /// New end; null means never.
    pub expires_at: Patch<Timestamp>,
    /// New password; null removes it.
    pub password: Patch<Secret<String>>,
    /// If given, must equal the stored version.
    pub version: Option<i64>,
    /// Changed limits; null or 0 removes one.
    pub limits: LimitsInput,
    /// New rate.
    pub price_rate: Option<Factor>,
}

/// The checked content of a user but for the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSpec {
    /// Name.
    pub name: String,
    /// Groups.
    pub groups: Vec<String>,
    /// On or off.
    pub enabled: bool,
    /// End.
    pub expires_at: Option<Timestamp>,
    /// Multiplies what the user pays.
    pub price_rate: Factor,
    /// Limits.
    pub limits: Limits,
}

impl CreateUser {
    /// Checks the input.
    pub fn parse(&self) -> Result<UserSpec, Problem> {
        let mut errors = FieldErrors::default();
        if let Some(password) = &self.password {
            check_password(password, &mut errors);
        }
        let spec = UserSpec {
            name: clean_name(&self.name, "name", &mut errors),
            groups: clean_tags(&self.groups, "groups", &mut errors),
            enabled: self.enabled.unwrap_or(true),
            expires_at: self.expires_at,
            price_rate: self.price_rate.unwrap_or_default(),
            limits: self.limits.apply(Limits::default(), &mut errors),
        };
        errors.finish(spec)
    }
}

impl UpdateUser {
    /// Applies the change to what is stored now and checks the result.
    pub fn apply(&self, current: UserSpec) -> Result<UserSpec, Problem> {
        let mut errors = FieldErrors::default();
        if let Patch::Set(password) = &self.password {
            check_password(password, &mut errors);
        }
        let spec = UserSpec {
            name: self.name.as_ref().map_or(current.name, |n| clean_name(n, "name", &mut errors)),
            groups: self.groups.as_ref().map_or(current.groups, |g| clean_tags(g, "groups", &mut errors)),
            enabled: self.enabled.unwrap_or(current.enabled),
            expires_at: self.expires_at.clone().apply(current.expires_at),
            price_rate: self.price_rate.unwrap_or(current.price_rate),
            limits: self.limits.apply(current.limits, &mut errors),
        };
        errors.finish(spec)
    }
}

// Length only, no composition rules (OWASP ASVS 5.0, 6.2.1 and 6.2.5); the upper bound keeps argon2's input small.
fn check_password(password: &Secret<String>, errors: &mut FieldErrors) {
    if !(12..=256).contains(&password.expose().len()) {
        errors.add("password", "expected 12 to 256 bytes");
    }
}
