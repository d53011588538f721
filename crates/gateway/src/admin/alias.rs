//! Model aliases: names that callers use, and the models that stand for them.

use store::AliasRow;
use types::Problem;
use types::alias::{AliasSpec, AliasView, PutAlias};

use super::{Admin, Subject, trail};
use crate::identity::problem::{not_found, store_problem};

const OBJECT: &str = "alias";
/// More would only slow down requests: each is held against all of them.
const MOST: usize = 500;

impl Admin {
    /// Every alias by name.
    pub async fn alias_list(&self) -> Result<Vec<AliasView>, Problem> {
        Ok(self.alias_rows().await?.into_iter().map(view).collect())
    }

    /// Makes or changes an alias.
    pub async fn alias_put(&self, name: String, input: PutAlias) -> Result<AliasView, Problem> {
        let spec = input.parse(&name)?;
        if spec.name.starts_with("re:") {
            return Err(Problem::field(
                "name",
                "an alias is a name or a pattern with *, no regular expression",
            ));
        }
        let rows = self.alias_rows().await?;
        let known = rows.len();
        let row = rows.into_iter().find(|row| row.spec.name == spec.name);
        if row.is_none() && known >= MOST {
            return Err(Problem::field("name", format!("at most {MOST} aliases")));
        }
        let stored = row.as_ref().map_or(0, |row| row.version);
        self.expect_version(OBJECT, &spec.name, input.version, stored).await?;
        let before = row.as_ref().map(|row| trail::alias(&row.spec));
        let (before, after) = match before.as_ref() {
            None => (None, trail::alias(&spec)),
            Some(before) => match (trail::changed(before, &trail::alias(&spec)), row) {
                (Some((before, after)), _) => (Some(before), after),
                (None, Some(row)) => return Ok(view(row)),
                (None, None) => return Err(not_found(OBJECT)),
            },
        };
        let subject = Subject { object: OBJECT, id: spec.name.clone(), name: &spec.name };
        let change = self.change("update", &subject, before, Some(after));
        match self.core.store.alias_put(&spec, Some(stored), change).await {
            Ok(row) => {
                self.take_effect().await?;
                Ok(view(row))
            }
            Err(error) => Err(self.change_problem(error, OBJECT, &spec.name).await),
        }
    }

    /// Forgets an alias; its name is an ordinary model's again.
    pub async fn alias_delete(&self, name: String) -> Result<(), Problem> {
        let name = name.trim();
        let rows = self.alias_rows().await?;
        let row = rows.iter().find(|row| row.spec.name == name).ok_or_else(|| not_found(OBJECT))?;
        let subject = Subject { object: OBJECT, id: name.to_owned(), name };
        let change = self.change("delete", &subject, Some(trail::alias(&row.spec)), None);
        self.core.store.alias_delete(name, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await
    }

    async fn alias_rows(&self) -> Result<Vec<AliasRow>, Problem> {
        self.core.store.alias_list().await.map_err(|e| store_problem(e, OBJECT))
    }
}

fn view(row: AliasRow) -> AliasView {
    let AliasRow { spec: AliasSpec { name, targets, enabled }, updated_at, version } = row;
    AliasView { name, targets, enabled, updated_at, version }
}
