//! The one error of server functions: a `Problem`, plus what the person had typed.
//!
//! It decides no wording: codes become sentences in `text::problem`.

use std::collections::BTreeMap;

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};
use types::Problem;

/// Form fields that are never sent back to a page, not even to the one that sent them.
const SECRET_FIELDS: &[&str] = &["api_key", "password", "proxy_url", "secret", "key"];

/// Longest echo of a form: it travels in an address, and intermediaries cut long ones.
const LONGEST_ECHO: usize = 4_096;

/// Why a server function did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppError {
    /// What went wrong.
    pub(crate) problem: Problem,
    /// What was typed, without secrets: a plain form post would lose it otherwise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) typed: BTreeMap<String, String>,
}

impl AppError {
    /// Turns problems of this form into errors that keep what was typed.
    pub(crate) fn keeping<T: Serialize>(form: &T) -> impl Fn(Problem) -> Self + use<T> {
        let mut typed: BTreeMap<String, String> = serde_json::to_value(form)
            .and_then(serde_json::from_value)
            .unwrap_or_default();
        typed.retain(|name, value| !value.is_empty() && !SECRET_FIELDS.contains(&name.as_str()));
        if typed.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > LONGEST_ECHO {
            typed.clear();
        }
        move |problem| Self { typed: typed.clone(), ..Self::from(problem) }
    }
}

impl From<Problem> for AppError {
    fn from(problem: Problem) -> Self {
        crate::host::set_status(problem.status());
        Self { problem, typed: BTreeMap::new() }
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for AppError {}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let code = match error {
            ServerFnErrorErr::Request(_) => "unreachable",
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => "bad_request",
            _ => "internal",
        };
        Self { problem: Problem::new(code, error.to_string()), typed: BTreeMap::new() }
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
