//! The form of an alias.

use serde::{Deserialize, Serialize};
use types::alias::AliasView;

/// An alias, new or known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AliasForm {
    pub(crate) name: String,
    pub(crate) targets: String,
    pub(crate) enabled: String,
    pub(crate) version: String,
}

impl AliasForm {
    /// What the form of a new alias shows.
    pub(crate) fn blank() -> Self {
        Self { enabled: "on".to_owned(), version: "0".to_owned(), ..Self::default() }
    }

    /// What a known alias' form shows.
    pub(crate) fn of(view: &AliasView) -> Self {
        Self {
            name: view.name.clone(),
            targets: view.targets.join("\n"),
            enabled: view.enabled.to_string(),
            version: view.version.to_string(),
        }
    }
}
