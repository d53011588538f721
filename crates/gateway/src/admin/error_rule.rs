//! Error rules: what upstreams' errors mean, where the built-in reading is not enough.

use protocol::Dialect;
use routing::rule::Rules;
use store::ErrorRuleRow;
use types::error_rule::{ErrorRuleView, PutErrorRule, TriedErrorRules, TryErrorRules};
use types::{ErrorRuleId, Problem};

use super::{Admin, Subject, trail};
use crate::identity::problem::store_problem;

const OBJECT: &str = "error_rule";
/// More would only slow down failures: each is held against all of them.
const MOST: usize = 500;

impl Admin {
    /// Every rule in the order in which they are looked at, the built-in ones last.
    pub async fn error_rule_list(&self) -> Result<Vec<ErrorRuleView>, Problem> {
        let own = self.error_rule_rows().await?.into_iter().map(view);
        let built_in = routing::rule::builtin().into_iter().map(|spec| ErrorRuleView {
            id: None,
            spec,
            updated_at: None,
            version: 0,
        });
        Ok(own.chain(built_in).collect())
    }

    /// Adds a rule.
    pub async fn error_rule_create(&self, input: PutErrorRule) -> Result<ErrorRuleView, Problem> {
        let spec = input.apply(None)?;
        if self.error_rule_rows().await?.len() >= MOST {
            return Err(Problem::field("name", format!("at most {MOST} rules")));
        }
        let subject = Subject { object: OBJECT, id: String::new(), name: &spec.name };
        let change = self.change("create", &subject, None, Some(trail::error_rule(&spec)));
        let row = self.core.store.error_rule_insert(&spec, change).await;
        let row = row.map_err(|error| store_problem(error, OBJECT))?;
        self.take_effect().await?;
        Ok(view(row))
    }

    /// Changes a rule.
    pub async fn error_rule_update(
        &self,
        id: ErrorRuleId,
        input: PutErrorRule,
    ) -> Result<ErrorRuleView, Problem> {
        let row = self.error_rule_row(id).await?;
        self.expect_version(OBJECT, id, input.version, row.version).await?;
        let spec = input.apply(Some(row.spec.clone()))?;
        let Some((before, after)) = trail::changed(&trail::error_rule(&row.spec), &trail::error_rule(&spec))
        else {
            return Ok(view(row));
        };
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &spec.name };
        let change = self.change("update", &subject, Some(before), Some(after));
        match self.core.store.error_rule_update(id, row.version, &spec, change).await {
            Ok(row) => {
                self.take_effect().await?;
                Ok(view(row))
            }
            Err(error) => Err(self.change_problem(error, OBJECT, id).await),
        }
    }

    /// Deletes a rule for good.
    pub async fn error_rule_delete(&self, id: ErrorRuleId) -> Result<(), Problem> {
        let row = self.error_rule_row(id).await?;
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("delete", &subject, Some(trail::error_rule(&row.spec)), None);
        self.core.store.error_rule_delete(id, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await
    }

    /// Says which rule an error would meet, and what that means.
    pub async fn error_rule_try(&self, input: TryErrorRules) -> Result<TriedErrorRules, Problem> {
        if !(100..=599).contains(&input.status) {
            return Err(Problem::field("status", "expected 100 to 599"));
        }
        let rows = self.error_rule_rows().await?;
        let rules = Rules::new(rows.into_iter().map(|row| row.spec).collect());
        let body = input.body.as_bytes();
        let error = Dialect::ALL.iter().find_map(|dialect| protocol::error::parse_upstream(*dialect, body));
        let (kind, message) =
            error.map_or((String::new(), String::new()), |error| (error.kind, error.message));
        let rule = rules.find(input.status, &kind, &message);
        let class = rule
            .map_or_else(|| routing::failure::of_status(input.status, &kind, &message), |rule| rule.class);
        let named = |text: String| Some(text).filter(|text| !text.is_empty());
        Ok(TriedErrorRules {
            rule: rule.map(|rule| rule.name.clone()),
            class,
            kind: named(kind),
            message: named(message),
        })
    }

    async fn error_rule_rows(&self) -> Result<Vec<ErrorRuleRow>, Problem> {
        self.core.store.error_rule_list().await.map_err(|e| store_problem(e, OBJECT))
    }

    async fn error_rule_row(&self, id: ErrorRuleId) -> Result<ErrorRuleRow, Problem> {
        self.core.store.error_rule_fetch(id).await.map_err(|e| store_problem(e, OBJECT))
    }
}

fn view(row: ErrorRuleRow) -> ErrorRuleView {
    let ErrorRuleRow { id, spec, updated_at, version } = row;
    ErrorRuleView { id: Some(id), spec, updated_at: Some(updated_at), version }
}
