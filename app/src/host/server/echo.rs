//! What was typed goes back with an error, since a plain form post would lose it. Secrets never do.

use std::collections::BTreeMap;

use serde::Serialize;
use types::Problem;

use crate::error::AppError;

/// Form fields that are never sent back to a page, not even to the one that sent them.
const SECRET_FIELDS: &[&str] = &[
    "api_key",
    "password",
    "proxy_url",
    "secret",
    "key",
    "key_file",
    "client_secret",
    "secret_access_key",
    "session_token",
    "content",
    "passphrase",
];

/// Longest echo of a form: it travels in an address, and intermediaries cut long ones.
const LONGEST_ECHO: usize = 4_096;

impl AppError {
    /// Turns problems of this form into errors that keep what was typed.
    pub(crate) fn keeping<T: Serialize>(form: &T) -> impl Fn(Problem) -> Self + use<T> {
        let mut typed: BTreeMap<String, String> =
            serde_json::to_value(form).and_then(serde_json::from_value).unwrap_or_default();
        typed.retain(|name, value| !value.is_empty() && !SECRET_FIELDS.contains(&name.as_str()));
        if typed.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > LONGEST_ECHO {
            typed.clear();
        }
        move |problem| Self { typed: typed.clone(), ..Self::from(problem) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Form {
        name: String,
        api_key: String,
        note: String,
    }

    #[test]
    fn what_was_typed_comes_back_but_secrets_do_not() {
        let form = Form { name: "a".into(), api_key: "sk-secret".into(), note: String::new() };
        let error = AppError::keeping(&form)(Problem::new("conflict", "taken"));
        assert_eq!(error.typed.get("name").map(String::as_str), Some("a"));
        assert_eq!(error.typed.len(), 1);
        assert!(!serde_json::to_string(&error).unwrap().contains("sk-secret"));
    }

    #[test]
    fn a_very_long_form_is_not_echoed() {
        let form = Form { name: "a".repeat(5_000), api_key: String::new(), note: "n".into() };
        assert!(AppError::keeping(&form)(Problem::new("conflict", "taken")).typed.is_empty());
    }
}
