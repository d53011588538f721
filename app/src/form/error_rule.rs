//! The form of an error rule.

use serde::{Deserialize, Serialize};
use types::error_rule::ErrorRuleView;

/// A rule, new or known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ErrorRuleForm {
    pub(crate) name: String,
    pub(crate) enabled: String,
    pub(crate) priority: String,
    pub(crate) status: String,
    pub(crate) kind: String,
    pub(crate) contains: String,
    pub(crate) class: String,
    pub(crate) cooldown_s: String,
    pub(crate) answer_status: String,
    pub(crate) answer_message: String,
    pub(crate) version: String,
}

impl ErrorRuleForm {
    /// What the form of a new rule shows.
    pub(crate) fn blank() -> Self {
        Self { enabled: "on".to_owned(), class: "provider".to_owned(), ..Self::default() }
    }

    /// What a known rule's form shows.
    pub(crate) fn of(view: &ErrorRuleView) -> Self {
        fn text<T: ToString>(value: Option<&T>) -> String {
            value.map(T::to_string).unwrap_or_default()
        }
        let spec = &view.spec;
        Self {
            name: spec.name.clone(),
            enabled: spec.enabled.to_string(),
            priority: spec.priority.to_string(),
            status: text(spec.status.as_ref()),
            kind: text(spec.kind.as_ref()),
            contains: text(spec.contains.as_ref()),
            class: spec.class.to_string(),
            cooldown_s: text(spec.cooldown_s.as_ref()),
            answer_status: text(spec.answer_status.as_ref()),
            answer_message: text(spec.answer_message.as_ref()),
            version: view.version.to_string(),
        }
    }
}
