//! The one error shape that crosses to the browser and to the admin REST API.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What went wrong, for a person and for a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// Stable code, `snake_case`; see the handbook's table.
    pub code: String,
    /// One plain English sentence with the way out.
    pub message: String,
    /// Field name to what is wrong with it; empty unless input was refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

impl Problem {
    /// A problem without field errors.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), fields: BTreeMap::new() }
    }

    /// `invalid_input` with one field at fault.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let mut errors = FieldErrors::default();
        errors.add(field, message);
        errors.into_problem()
    }

    /// HTTP status that belongs to the code.
    pub fn status(&self) -> u16 {
        match self.code.as_str() {
            "invalid_input" | "probe_failed" => 422,
            "bad_request" => 400,
            "missing_authorization"
            | "malformed_authorization"
            | "invalid_credentials"
            | "token_invalid"
            | "token_expired" => 401,
            "forbidden" | "cross_origin" => 403,
            "not_found" => 404,
            "conflict"
            | "stale_version"
            | "managed_by_environment"
            | "oauth_state_unknown"
            | "oauth_flow_over"
            | "oauth_other_session" => 409,
            "payload_too_large" => 413,
            "too_many_attempts" => 429,
            "upstream_failed" | "oauth_refused" => 502,
            "database_unavailable" | "database_busy" | "overloaded" => 503,
            _ => 500,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (field, message) in &self.fields {
            write!(f, "; {field}: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// Collects everything that is wrong with an input, so that a person can mend it in one go.
#[derive(Debug, Default)]
pub struct FieldErrors(BTreeMap<String, String>);

impl FieldErrors {
    /// Notes what is wrong with a field; the first note for a field stays.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.entry(field.to_owned()).or_insert_with(|| message.into());
    }

    /// `Ok(value)` if nothing was noted, else the problem.
    pub fn finish<T>(self, value: T) -> Result<T, Problem> {
        if self.0.is_empty() { Ok(value) } else { Err(self.into_problem()) }
    }

    /// Whether nothing was noted so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn into_problem(self) -> Problem {
        let names = self.0.keys().cloned().collect::<Vec<_>>().join(", ");
        Problem { code: "invalid_input".into(), message: format!("please correct: {names}"), fields: self.0 }
    }
}
