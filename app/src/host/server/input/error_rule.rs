//! Inputs of error rules.

use types::error_rule::PutErrorRule;
use types::problem::FieldErrors;
use types::{Patch, Problem};

use super::number;
use crate::form::checked;
use crate::form::error_rule::ErrorRuleForm;

impl ErrorRuleForm {
    /// As the input of a rule, new or known: an emptied field is removed.
    pub(crate) fn read(&self) -> Result<PutErrorRule, Problem> {
        let mut errors = FieldErrors::default();
        let text =
            |text: &str| Patch::from_option(Some(text.trim().to_owned()).filter(|text| !text.is_empty()));
        let input = PutErrorRule {
            name: Some(self.name.clone()),
            enabled: Some(checked(&self.enabled)),
            priority: Some(number(&self.priority, "priority", &mut errors).unwrap_or(0)),
            status: Patch::from_option(number(&self.status, "status", &mut errors)),
            kind: text(&self.kind),
            contains: text(&self.contains),
            class: Some(self.class.clone()),
            cooldown_s: Patch::from_option(number(&self.cooldown_s, "cooldown_s", &mut errors)),
            answer_status: Patch::from_option(number(&self.answer_status, "answer_status", &mut errors)),
            answer_message: text(&self.answer_message),
            version: number(&self.version, "version", &mut errors),
        };
        errors.finish(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emptied_field_is_removed_and_a_word_is_no_status() {
        let form = ErrorRuleForm { name: "a".into(), status: "429".into(), ..ErrorRuleForm::blank() };
        let put = form.read().unwrap();
        assert!(matches!(put.status, Patch::Set(429)) && matches!(put.kind, Patch::Clear));
        assert!(put.apply(None).is_ok());
        let bad = ErrorRuleForm { status: "many".into(), ..form };
        assert!(bad.read().unwrap_err().fields.contains_key("status"));
    }
}
