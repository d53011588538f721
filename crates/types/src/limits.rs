//! The `limits` object of users, keys, providers and credentials, as outside programs send it.

use serde::{Deserialize, Serialize};

use crate::problem::FieldErrors;

/// Limits by their wire names. Null or zero means none.
///
/// This version stores and enforces none of them, so any other value is refused with its name:
/// a limit that is accepted but not enforced would be worse than none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct LimitsInput(pub std::collections::BTreeMap<String, serde_json::Value>);

/// Names of the limits that the contract knows.
pub const LIMIT_NAMES: &[&str] = &[
    "rpm_limit",
    "tpm_limit",
    "limit_5h_usd",
    "limit_5h_mode",
    "daily_limit_usd",
    "daily_mode",
    "daily_reset_time",
    "limit_weekly_usd",
    "limit_monthly_usd",
    "limit_total_usd",
    "limit_concurrent_sessions",
    "max_concurrent_requests",
];

impl LimitsInput {
    /// Notes every unknown limit and every limit that asks for enforcement.
    pub fn check(&self, errors: &mut FieldErrors) {
        for (name, value) in &self.0 {
            let field = format!("limits.{name}");
            if !LIMIT_NAMES.contains(&name.as_str()) {
                errors.add(&field, "unknown limit");
            } else if !(name.ends_with("_mode") || name.ends_with("_time") || is_none(value)) {
                errors.add(&field, "limits are not enforced by this version; leave it out, or null, or 0");
            }
        }
    }
}

/// A field that the contract names and this version does not act on: its neutral value is taken, anything else is
/// refused by name, so that no script believes in something that does not happen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Later(pub serde_json::Value);

impl Later {
    /// Notes a value that asks for something.
    pub(crate) fn check(&self, field: &str, errors: &mut FieldErrors) {
        let neutral = is_none(&self.0)
            || self.0 == serde_json::Value::Bool(false)
            || self.0.as_f64() == Some(1.0)
            || self.0.as_str().is_some_and(|text| text.parse() == Ok(1.0_f64));
        if !neutral {
            errors.add(field, "this version does not act on it; leave it out");
        }
    }
}

fn is_none(value: &serde_json::Value) -> bool {
    value.is_null() || value.as_f64() == Some(0.0) || value.as_str().is_some_and(|text| text == "0")
}
