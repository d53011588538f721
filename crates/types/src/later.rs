//! Fields that the contract names and this version does not act on.

use serde::{Deserialize, Serialize};

use crate::problem::FieldErrors;

/// Takes the neutral value of a field and refuses anything else by name, so that no script believes in something
/// that does not happen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Later(pub serde_json::Value);

impl Later {
    /// Notes a value that asks for something.
    pub(crate) fn check(&self, field: &str, errors: &mut FieldErrors) {
        if !(self.0.is_null() || self.0 == serde_json::Value::Bool(false)) {
            errors.add(field, "this version does not act on it; leave it out");
        }
    }
}
