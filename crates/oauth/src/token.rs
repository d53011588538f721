//! A set of tokens: how it is stored (as one secret text) and what else a vendor says with it.

use serde::{Deserialize, Serialize};
use types::{Secret, Timestamp};

/// What a vendor granted.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The tokens.
    pub set: TokenSet,
    /// End of the access token; null if the vendor did not say.
    pub expires_at: Option<Timestamp>,
    /// Granted scopes, separated by blanks, if the vendor repeated them.
    pub scopes: Option<String>,
    /// E-mail or name of the account, if the answer told.
    pub account: Option<String>,
}

/// The tokens of an account.
#[derive(Clone, Debug)]
pub struct TokenSet {
    /// What requests carry.
    pub access_token: Secret<String>,
    /// What a refresh spends.
    pub refresh_token: Option<Secret<String>>,
    /// Who the account is.
    pub id_token: Option<Secret<String>>,
    /// `Bearer` nearly always.
    pub token_type: Option<String>,
}

#[derive(Deserialize)]
struct Read {
    access_token: Secret<String>,
    #[serde(default)]
    refresh_token: Option<Secret<String>>,
    #[serde(default)]
    id_token: Option<Secret<String>>,
    #[serde(default)]
    token_type: Option<String>,
}

#[derive(Serialize)]
struct Written<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'a str>,
}

impl TokenSet {
    /// Reads what [`TokenSet::to_text`] wrote; `None` if it is nothing of the kind, or without an access token.
    pub fn parse(text: &Secret<String>) -> Option<Self> {
        let Read { access_token, refresh_token, id_token, token_type } =
            serde_json::from_str(text.expose()).ok()?;
        let some = |token: Option<Secret<String>>| token.filter(|token| !token.expose().is_empty());
        let set =
            Self { access_token, refresh_token: some(refresh_token), id_token: some(id_token), token_type };
        (!set.access_token.expose().is_empty()).then_some(set)
    }

    /// The set as one text, to be sealed.
    pub fn to_text(&self) -> Secret<String> {
        let open = |token: &'_ Option<Secret<String>>| token.as_ref().map(|token| token.expose().clone());
        let (refresh, id) = (open(&self.refresh_token), open(&self.id_token));
        let written = Written {
            access_token: self.access_token.expose(),
            refresh_token: refresh.as_deref(),
            id_token: id.as_deref(),
            token_type: self.token_type.as_deref(),
        };
        // Four texts: writing them cannot fail.
        Secret::new(serde_json::to_string(&written).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn rf_06_a_set_survives_being_written_and_read() {
        let set = TokenSet {
            access_token: secret("a\"b"),
            refresh_token: Some(secret("r")),
            id_token: None,
            token_type: Some("Bearer".to_owned()),
        };
        let again = TokenSet::parse(&set.to_text()).unwrap();
        assert_eq!(again.access_token.expose(), "a\"b");
        assert_eq!(again.refresh_token.unwrap().expose(), "r");
        assert!(again.id_token.is_none());
        assert!(!format!("{set:?}").contains("a\"b"));
    }

    #[test]
    fn cr_03_what_is_no_set_is_never_taken_for_a_token() {
        for text in
            ["sk-ant-api03-key", "", "{}", "{\"access_token\":\"\"}", "\"a\"", "{\"refresh_token\":\"r\"}"]
        {
            assert!(TokenSet::parse(&secret(text)).is_none(), "{text}");
        }
    }
}
