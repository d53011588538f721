//! Model aliases: a name that callers use, and the models that stand for it, best first.

use serde::{Deserialize, Serialize};

use crate::pattern::is_model_text;
use crate::problem::FieldErrors;
use crate::{Problem, Timestamp};

/// Most targets of one alias.
const MOST: usize = 16;

/// An alias as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AliasView {
    /// The name (or pattern: `*` matches anything) that callers ask for.
    pub name: String,
    /// Models tried in this order; one is left when no credential can serve it. The name itself may be among them.
    pub targets: Vec<String>,
    /// Whether it is in force.
    pub enabled: bool,
    /// Last change.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

/// Body of `PUT /api/admin/aliases/{name}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PutAlias {
    /// 1 to 16 model names, best first.
    pub targets: Vec<String>,
    /// Default true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// If given, must equal the stored version; 0 for a new one.
    #[serde(default)]
    pub version: Option<i64>,
}

/// The checked content of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasSpec {
    /// Name or pattern.
    pub name: String,
    /// Models, best first.
    pub targets: Vec<String>,
    /// Whether it is in force.
    pub enabled: bool,
}

impl PutAlias {
    /// Checks the input.
    pub fn parse(&self, name: &str) -> Result<AliasSpec, Problem> {
        let mut errors = FieldErrors::default();
        let name = name.trim();
        if !is_model_text(name) {
            errors.add("name", "expected a model name, or a pattern with *");
        }
        let targets: Vec<_> = self.targets.iter().map(|target| target.trim().to_owned()).collect();
        if targets.is_empty() || targets.len() > MOST {
            errors.add("targets", format!("expected 1 to {MOST} models"));
        } else if let Some(bad) = targets.iter().find(|t| !is_model_text(t) || t.contains('*')) {
            errors.add("targets", format!("'{bad}' is no model name"));
        } else if (1..targets.len()).any(|n| targets.iter().take(n).any(|t| Some(t) == targets.get(n))) {
            errors.add("targets", "a model stands there twice");
        }
        errors.finish(AliasSpec { name: name.to_owned(), targets, enabled: self.enabled.unwrap_or(true) })
    }
}
