//! The playground's conversation with a model: what is asked in each dialect, and what is heard.
//!
//! The same for the browser, which asks by itself, and for the server, which asks for pages without scripts. It
//! sends nothing.

mod ask;
mod hear;

pub(crate) use ask::{Ask, Call};
pub(crate) use hear::{Heard, Listener};

use serde::{Deserialize, Serialize};
use types::dialect::Dialect;
use types::problem::FieldErrors;
use types::{Problem, RequestId};

use crate::form::checked;
use crate::form::playground::PlayForm;

/// Longest answer asked for where none is named: enough to see, cheap enough to try.
pub(crate) const MAX_TOKENS: u64 = 1_024;

/// What is known of one model's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lane {
    /// Who is asked; empty if nobody is.
    pub(crate) model: String,
    /// The answer's status, once its head is there.
    pub(crate) status: Option<u16>,
    /// Under which id it is booked.
    pub(crate) request_id: Option<RequestId>,
    /// What the upstream was spoken to in, if that is another dialect.
    pub(crate) upstream: Option<String>,
    /// Fields that could not be carried over, as the reply's header lists them.
    pub(crate) dropped: String,
    /// What was said so far.
    pub(crate) heard: Heard,
    /// From sending to the first byte of the answer's body, in milliseconds.
    pub(crate) first_ms: Option<u64>,
    /// From sending to the end.
    pub(crate) total_ms: Option<u64>,
    /// Why nothing more comes, where it did not end by itself.
    pub(crate) fault: Option<String>,
}

/// Both answers with what was asked, but for the key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Played {
    pub(crate) form: PlayForm,
    pub(crate) lanes: Vec<Lane>,
}

impl PlayForm {
    /// The models to ask: one or two.
    pub(crate) fn models(&self) -> Vec<String> {
        [&self.model, &self.second]
            .map(|name| name.trim().to_owned())
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect()
    }

    /// What to ask a model.
    ///
    /// # Errors
    /// Every field that cannot be used, at once.
    pub(crate) fn ask(&self, model: &str) -> Result<Ask, Problem> {
        let mut errors = FieldErrors::default();
        if self.key.0.trim().is_empty() {
            errors.add("key", "must not be empty");
        }
        if self.prompt.trim().is_empty() {
            errors.add("prompt", "must not be empty");
        }
        if model.is_empty() {
            errors.add("model", "must not be empty");
        }
        let dialect = match self.dialect.as_str() {
            "" => Dialect::Anthropic,
            name => name.parse().unwrap_or_else(|error: types::dialect::UnknownName| {
                errors.add("dialect", error.to_string());
                Dialect::Anthropic
            }),
        };
        let most = self.max_tokens.trim();
        let max_tokens =
            if most.is_empty() { Some(MAX_TOKENS) } else { most.parse().ok().filter(|n| *n > 0) };
        if max_tokens.is_none() {
            errors.add("max_tokens", "expected a whole number");
        }
        let ask = Ask {
            dialect,
            model: model.to_owned(),
            system: self.system.trim().to_owned(),
            prompt: self.prompt.clone(),
            max_tokens: max_tokens.unwrap_or(MAX_TOKENS),
            tool: checked(&self.tool),
            thinking: checked(&self.thinking),
        };
        errors.finish(ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::SecretText;

    #[test]
    fn every_field_that_is_missing_is_named_at_once_and_the_key_is_not_kept() {
        let empty = PlayForm { max_tokens: "many".into(), dialect: "latin".into(), ..PlayForm::default() };
        let names: Vec<String> = empty.ask("").unwrap_err().fields.into_keys().collect();
        assert_eq!(names, ["dialect", "key", "max_tokens", "model", "prompt"]);
        let form = PlayForm {
            key: SecretText("sk-tg-secret".into()),
            prompt: "Hello".into(),
            model: " a ".into(),
            second: "b".into(),
            ..PlayForm::default()
        };
        assert_eq!(form.models(), ["a", "b"]);
        assert_eq!(form.ask("a").unwrap().max_tokens, MAX_TOKENS);
        assert!(!serde_json::to_string(&form.without_key()).unwrap().contains("secret"));
    }
}
