//! Model aliases: names that callers use, and the models that stand for them.

use types::Problem;
use types::alias::{AliasView, PutAlias};

use super::Admin;

impl Admin {
    /// Every alias by name.
    pub async fn alias_list(&self) -> Result<Vec<AliasView>, Problem> {
        Ok(Vec::new())
    }

    /// Makes or changes an alias.
    pub async fn alias_put(&self, name: String, input: PutAlias) -> Result<AliasView, Problem> {
        let spec = input.parse(&name)?;
        Err(Problem::new("internal", format!("{} is not stored yet", spec.name)))
    }

    /// Forgets an alias; its name is an ordinary model's again.
    pub async fn alias_delete(&self, name: String) -> Result<(), Problem> {
        let _ = name;
        Ok(())
    }
}
