//! Error rules: what an upstream's error means, where the built-in reading is not enough.

use serde::{Deserialize, Serialize};

use crate::clean::{clean_name, parse_or_note};
use crate::problem::FieldErrors;
use crate::routing::FailureClass;
use crate::{ErrorRuleId, Patch, Problem, Timestamp};

/// A rule as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorRuleView {
    /// Identity; null for a built-in rule, which cannot be changed but comes after all others.
    pub id: Option<ErrorRuleId>,
    /// The rule.
    #[serde(flatten)]
    pub spec: ErrorRuleSpec,
    /// Last change; null for a built-in rule.
    pub updated_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

/// A rule: all that it names must hold; the first that does wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorRuleSpec {
    /// What it is called.
    pub name: String,
    /// Whether it is in force.
    pub enabled: bool,
    /// Lower is looked at first.
    pub priority: i32,
    /// The upstream's status; null means any error.
    pub status: Option<u16>,
    /// The error's parsed type or code, such as `rate_limit_error`; null means any.
    pub kind: Option<String>,
    /// A text that its message contains, without regard to case; null means any.
    pub contains: Option<String>,
    /// What it means.
    pub class: FailureClass,
    /// How long the credential rests for it, in seconds; null means what its class says.
    pub cooldown_s: Option<u32>,
    /// Status that the caller gets instead, if nobody else can serve; 400 to 599.
    pub answer_status: Option<u16>,
    /// Sentence that the caller gets instead.
    pub answer_message: Option<String>,
}

/// Body of `POST /api/admin/error-rules`, and of `PATCH …/{id}`, where absent fields stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PutErrorRule {
    /// 1 to 80 characters.
    pub name: Option<String>,
    /// Default true.
    pub enabled: Option<bool>,
    /// Default 0; lower is looked at first.
    pub priority: Option<i32>,
    /// 100 to 599.
    pub status: Patch<u16>,
    /// At most 200 characters.
    pub kind: Patch<String>,
    /// At most 500 characters.
    pub contains: Patch<String>,
    /// See [`FailureClass`]; needed for a new rule.
    pub class: Option<String>,
    /// 1 to 86,400.
    pub cooldown_s: Patch<u32>,
    /// 400 to 599.
    pub answer_status: Patch<u16>,
    /// At most 2,000 characters.
    pub answer_message: Patch<String>,
    /// If given, must equal the stored version.
    pub version: Option<i64>,
}

impl PutErrorRule {
    /// Applies the change to what is stored now, or to nothing.
    pub fn apply(&self, current: Option<ErrorRuleSpec>) -> Result<ErrorRuleSpec, Problem> {
        let mut errors = FieldErrors::default();
        if current.is_none() && self.class.is_none() {
            errors.add("class", "is needed");
        }
        let base = current.unwrap_or_else(|| ErrorRuleSpec {
            name: String::new(),
            enabled: true,
            priority: 0,
            status: None,
            kind: None,
            contains: None,
            class: FailureClass::Provider,
            cooldown_s: None,
            answer_status: None,
            answer_message: None,
        });
        let text = |patch: &Patch<String>, current: Option<String>| {
            patch.clone().apply(current).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
        };
        let class = self.class.as_deref().and_then(|text| parse_or_note(text, "class", &mut errors));
        let spec = ErrorRuleSpec {
            name: clean_name(self.name.as_deref().unwrap_or(&base.name), "name", &mut errors),
            enabled: self.enabled.unwrap_or(base.enabled),
            priority: self.priority.unwrap_or(base.priority),
            status: self.status.clone().apply(base.status),
            kind: text(&self.kind, base.kind),
            contains: text(&self.contains, base.contains),
            class: class.unwrap_or(base.class),
            cooldown_s: self.cooldown_s.clone().apply(base.cooldown_s),
            answer_status: self.answer_status.clone().apply(base.answer_status),
            answer_message: text(&self.answer_message, base.answer_message),
        };
        spec.check(&mut errors);
        errors.finish(spec)
    }
}

impl ErrorRuleSpec {
    fn check(&self, errors: &mut FieldErrors) {
        if self.status.is_none() && self.kind.is_none() && self.contains.is_none() {
            errors.add(
                "status",
                "a rule needs a status, a type or a text; otherwise it would match everything",
            );
        }
        if self.status.is_some_and(|status| !(100..=599).contains(&status)) {
            errors.add("status", "expected 100 to 599");
        }
        let longer =
            |text: &Option<String>, most: usize| text.as_ref().is_some_and(|t| t.chars().count() > most);
        for (field, text, most) in [
            ("kind", &self.kind, 200),
            ("contains", &self.contains, 500),
            ("answer_message", &self.answer_message, 2_000),
        ] {
            if longer(text, most) {
                errors.add(field, format!("at most {most} characters"));
            }
        }
        if self.cooldown_s.is_some_and(|s| !(1..=86_400).contains(&s)) {
            errors.add("cooldown_s", "expected 1 to 86400 seconds");
        }
        if self.answer_status.is_some_and(|status| !(400..=599).contains(&status)) {
            errors.add("answer_status", "expected 400 to 599");
        }
        if matches!(self.class, FailureClass::ClientGone | FailureClass::Unknown | FailureClass::Local) {
            errors.add("class", "is not something that an upstream's answer can mean");
        }
    }
}

/// Body of `POST /api/admin/error-rules/test`: an error to try the rules on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TryErrorRules {
    /// The upstream's status.
    pub status: u16,
    /// Its body; the type and message are read from it as from a real answer's, in any dialect.
    #[serde(default)]
    pub body: String,
}

/// Answer of `POST /api/admin/error-rules/test`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TriedErrorRules {
    /// The type that was read from the body.
    pub kind: Option<String>,
    /// The message that was read from the body.
    pub message: Option<String>,
    /// The rule that holds; null if none does.
    pub rule: Option<String>,
    /// What it means.
    pub class: FailureClass,
}
