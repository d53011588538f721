//! Forms of packages and grants.

use serde::{Deserialize, Serialize};
use types::package::{GrantView, PackageView};

use super::local_input;

/// The form of a template, new or known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PackageForm {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) daily_usd: String,
    pub(crate) weekly_usd: String,
    pub(crate) monthly_usd: String,
    pub(crate) total_usd: String,
    pub(crate) duration_days: String,
    pub(crate) models: String,
    pub(crate) version: String,
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

impl PackageForm {
    /// What a known template's form shows.
    pub(crate) fn of(view: &PackageView) -> Self {
        let spec = &view.spec;
        Self {
            name: spec.name.clone(),
            kind: spec.kind.to_string(),
            daily_usd: text(spec.daily_usd),
            weekly_usd: text(spec.weekly_usd),
            monthly_usd: text(spec.monthly_usd),
            total_usd: text(spec.total_usd),
            duration_days: text(spec.duration_days),
            models: spec.models.join("\n"),
            version: view.version.to_string(),
        }
    }
}

/// The form that grants a package.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GrantForm {
    pub(crate) package_id: String,
    pub(crate) starts_at: String,
    pub(crate) ends_at: String,
}

/// The form that changes what was granted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GrantChangeForm {
    pub(crate) ends_at: String,
    pub(crate) daily_usd: String,
    pub(crate) weekly_usd: String,
    pub(crate) monthly_usd: String,
    pub(crate) total_usd: String,
    pub(crate) version: String,
}

impl GrantChangeForm {
    /// What a known grant's form shows.
    pub(crate) fn of(view: &GrantView) -> Self {
        let spec = &view.spec;
        Self {
            ends_at: local_input(view.ends_at),
            daily_usd: text(spec.daily_usd),
            weekly_usd: text(spec.weekly_usd),
            monthly_usd: text(spec.monthly_usd),
            total_usd: text(spec.total_usd),
            version: view.version.to_string(),
        }
    }
}
