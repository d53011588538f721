//! The form of a group.

use serde::{Deserialize, Serialize};
use types::group::GroupView;

use super::limits::LimitsForm;

/// Rate and limits of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GroupForm {
    pub(crate) price_rate: String,
    pub(crate) strategy: String,
    #[serde(flatten)]
    pub(crate) limits: LimitsForm,
    pub(crate) version: String,
}

impl GroupForm {
    /// What a known group's form shows.
    pub(crate) fn of(view: &GroupView) -> Self {
        Self {
            price_rate: view.price_rate.to_string(),
            strategy: view.strategy.map(|strategy| strategy.to_string()).unwrap_or_default(),
            limits: LimitsForm::of(&view.limits),
            version: view.version.to_string(),
        }
    }
}
