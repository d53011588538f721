//! The one error of server functions: a `Problem`, plus what the person had typed.
//!
//! It decides no wording: codes become sentences in `text::problem`.

use std::collections::BTreeMap;

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};
use types::Problem;

/// Why a server function did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppError {
    /// What went wrong.
    pub(crate) problem: Problem,
    /// What was typed, without secrets: a plain form post would lose it otherwise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) typed: BTreeMap<String, String>,
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
