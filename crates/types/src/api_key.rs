//! API keys that Tollgate issues to users.

use serde::{Deserialize, Serialize};

use crate::clean::{clean_name, clean_patterns, clean_tags};
use crate::limits::{Limits, LimitsInput};
use crate::problem::FieldErrors;
use crate::translation::TranslationMode;
use crate::{ApiKeyId, GrantId, Patch, Problem, Timestamp, UserId};

/// A key as shown: the full text is shown once, when it is made, and never again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApiKeyView {
    /// Identity.
    pub id: ApiKeyId,
    /// Its owner.
    pub user_id: UserId,
    /// The owner's name.
    pub user_name: String,
    /// Display name.
    pub name: String,
    /// `sk-tg-` and the first characters: enough to recognise it.
    pub prefix: String,
    /// Groups of providers that it may use; empty means those of its user.
    pub groups: Vec<String>,
    /// Patterns of the models it may ask for; empty means all.
    pub models: Vec<String>,
    /// Clients that may use it, by User-Agent prefix or by name; empty means all.
    pub clients: Vec<String>,
    /// Networks that it may be used from; empty means all.
    pub ip_allow: Vec<String>,
    /// On or off.
    pub enabled: bool,
    /// After this instant it is refused.
    pub expires_at: Option<Timestamp>,
    /// Its limits.
    pub limits: Limits,
    /// The one grant that pays for it; null means any that can.
    pub grant_id: Option<GrantId>,
    /// Whether models of other dialects may answer its requests.
    pub translation: TranslationMode,
    /// Usage counts towards limits from here on; null means from the beginning.
    pub usage_reset_at: Option<Timestamp>,
    /// What its requests were charged so far.
    pub cost_usd: crate::Money,
    /// When it was last used, to the hour's accuracy of the books or better.
    pub last_used_at: Option<Timestamp>,
    /// Requests booked on it.
    pub request_count: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Set if it was deleted and can still be restored.
    pub deleted_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

/// Answer of `POST /api/admin/users/{id}/keys`: the only time the key is shown.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreatedApiKey {
    /// Identity.
    pub id: ApiKeyId,
    /// The key itself, `sk-tg-…`.
    pub key: String,
    /// What is stored of it.
    pub view: ApiKeyView,
}

impl std::fmt::Debug for CreatedApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedApiKey")
            .field("id", &self.id)
            .field("key", &"[redacted]")
            .finish_non_exhaustive()
    }
}

/// Body of `POST /api/admin/users/{id}/keys`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    /// 1 to 80 characters.
    pub name: String,
    /// Default empty: those of the user.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Default empty: all.
    #[serde(default)]
    pub models: Vec<String>,
    /// Default empty: all. `claude-code`, `codex`, `gemini-cli`, or a User-Agent prefix.
    #[serde(default)]
    pub clients: Vec<String>,
    /// Default empty: everywhere. Addresses or CIDR networks.
    #[serde(default)]
    pub ip_allow: Vec<String>,
    /// Default never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Default true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Default none; none may be above its user's.
    #[serde(default)]
    pub limits: LimitsInput,
    /// The one grant of its user that pays for this key; default: any that can.
    #[serde(default)]
    pub grant_id: Option<GrantId>,
    /// Default `allow`.
    #[serde(default)]
    pub translation: Option<TranslationMode>,
}

/// Body of `PATCH /api/admin/keys/{id}`: absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UpdateApiKey {
    /// New name.
    pub name: Option<String>,
    /// New groups.
    pub groups: Option<Vec<String>>,
    /// New model patterns.
    pub models: Option<Vec<String>>,
    /// New clients.
    pub clients: Option<Vec<String>>,
    /// New networks.
    pub ip_allow: Option<Vec<String>>,
    /// New end; null means never.
    pub expires_at: Patch<Timestamp>,
    /// On or off.
    pub enabled: Option<bool>,
    /// If given, must equal the stored version.
    pub version: Option<i64>,
    /// Changed limits; null or 0 removes one.
    pub limits: LimitsInput,
    /// The one grant that pays; null means any that can.
    pub grant_id: Patch<GrantId>,
    /// New mode of translation.
    pub translation: Option<TranslationMode>,
}

/// The checked content of a key but for its secret part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeySpec {
    /// Name.
    pub name: String,
    /// Groups.
    pub groups: Vec<String>,
    /// Model patterns.
    pub models: Vec<String>,
    /// Clients.
    pub clients: Vec<String>,
    /// Networks.
    pub ip_allow: Vec<ipnet::IpNet>,
    /// On or off.
    pub enabled: bool,
    /// End.
    pub expires_at: Option<Timestamp>,
    /// Limits.
    pub limits: Limits,
    /// The one grant that pays.
    pub grant_id: Option<GrantId>,
    /// Whether models of other dialects may answer.
    pub translation: TranslationMode,
}

impl CreateApiKey {
    /// Checks the input.
    pub fn parse(&self) -> Result<ApiKeySpec, Problem> {
        let mut errors = FieldErrors::default();
        let spec = ApiKeySpec {
            name: clean_name(&self.name, "name", &mut errors),
            groups: clean_tags(&self.groups, "groups", &mut errors),
            models: clean_patterns(&self.models, "models", &mut errors),
            clients: clean_clients(&self.clients, &mut errors),
            ip_allow: clean_networks(&self.ip_allow, &mut errors),
            enabled: self.enabled.unwrap_or(true),
            expires_at: self.expires_at,
            limits: self.limits.apply(Limits::default(), &mut errors),
            grant_id: self.grant_id,
            translation: self.translation.unwrap_or_default(),
        };
        errors.finish(spec)
    }
}

impl UpdateApiKey {
    /// Applies the change to what is stored now and checks the result.
    pub fn apply(&self, current: ApiKeySpec) -> Result<ApiKeySpec, Problem> {
        let mut errors = FieldErrors::default();
        let spec = ApiKeySpec {
            name: self.name.as_ref().map_or(current.name, |n| clean_name(n, "name", &mut errors)),
            groups: self.groups.as_ref().map_or(current.groups, |g| clean_tags(g, "groups", &mut errors)),
            models: self.models.as_ref().map_or(current.models, |m| clean_patterns(m, "models", &mut errors)),
            clients: self.clients.as_ref().map_or(current.clients, |c| clean_clients(c, &mut errors)),
            ip_allow: self.ip_allow.as_ref().map_or(current.ip_allow, |n| clean_networks(n, &mut errors)),
            enabled: self.enabled.unwrap_or(current.enabled),
            expires_at: self.expires_at.clone().apply(current.expires_at),
            limits: self.limits.apply(current.limits, &mut errors),
            grant_id: self.grant_id.clone().apply(current.grant_id),
            translation: self.translation.unwrap_or(current.translation),
        };
        errors.finish(spec)
    }
}

/// Names of well-known clients and the User-Agent prefix each sends.
pub const KNOWN_CLIENTS: &[(&str, &str)] =
    &[("claude-code", "claude-cli/"), ("codex", "codex_"), ("gemini-cli", "GeminiCLI")];

/// Whether a User-Agent passes a client list (empty passes all). Names and prefixes ignore case.
pub fn client_allowed(clients: &[String], user_agent: &str) -> bool {
    clients.is_empty()
        || clients.iter().any(|client| {
            let prefix = KNOWN_CLIENTS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(client))
                .map_or(client.as_str(), |(_, prefix)| prefix);
            user_agent.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
        })
}

fn clean_clients(clients: &[String], errors: &mut FieldErrors) -> Vec<String> {
    let mut clean: Vec<String> =
        clients.iter().map(|c| c.trim().to_owned()).filter(|c| !c.is_empty()).collect();
    clean.dedup();
    if clean.len() > 50 || clean.iter().any(|c| c.len() > 100 || c.contains(char::is_control)) {
        errors.add("clients", "at most 50 names or User-Agent prefixes of at most 100 characters");
    }
    clean
}

fn clean_networks(texts: &[String], errors: &mut FieldErrors) -> Vec<ipnet::IpNet> {
    let mut networks = Vec::new();
    for text in texts.iter().map(|t| t.trim()).filter(|t| !t.is_empty()) {
        let parsed =
            text.parse::<ipnet::IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(Into::into));
        match parsed {
            Ok(network) => networks.push(network.trunc()),
            Err(_) => errors.add("ip_allow", format!("'{text}' is no address or network such as 10.0.0.0/8")),
        }
    }
    if networks.len() > 200 {
        errors.add("ip_allow", "at most 200 networks");
    }
    networks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_known_names_or_prefixes() {
        let only = |c: &str| vec![c.to_owned()];
        assert!(client_allowed(&[], ""));
        assert!(client_allowed(&only("claude-code"), "claude-cli/2.1.329 (external, cli)"));
        assert!(!client_allowed(&only("claude-code"), "curl/8"));
        assert!(client_allowed(&only("curl/"), "curl/8"));
        assert!(!client_allowed(&only("curl/"), ""));
    }
}
