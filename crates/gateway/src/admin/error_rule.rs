//! Error rules: what upstreams' errors mean, where the built-in reading is not enough.

use types::error_rule::{ErrorRuleView, PutErrorRule, TriedErrorRules, TryErrorRules};
use types::routing::FailureClass;
use types::{ErrorRuleId, Problem};

use super::Admin;

impl Admin {
    /// Every rule in the order in which they are looked at, the built-in ones last.
    pub async fn error_rule_list(&self) -> Result<Vec<ErrorRuleView>, Problem> {
        Ok(Vec::new())
    }

    /// Adds a rule.
    pub async fn error_rule_create(&self, input: PutErrorRule) -> Result<ErrorRuleView, Problem> {
        let spec = input.apply(None)?;
        Err(Problem::new("internal", format!("{} is not stored yet", spec.name)))
    }

    /// Changes a rule.
    pub async fn error_rule_update(
        &self,
        id: ErrorRuleId,
        input: PutErrorRule,
    ) -> Result<ErrorRuleView, Problem> {
        let _ = (id, input);
        Err(Problem::new("internal", "not stored yet"))
    }

    /// Deletes a rule for good.
    pub async fn error_rule_delete(&self, id: ErrorRuleId) -> Result<(), Problem> {
        let _ = id;
        Ok(())
    }

    /// Says which rule an error would meet, and what that means.
    pub async fn error_rule_try(&self, input: TryErrorRules) -> Result<TriedErrorRules, Problem> {
        let _ = input;
        Ok(TriedErrorRules { kind: None, message: None, rule: None, class: FailureClass::Provider })
    }
}
