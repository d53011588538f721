//! Grants: packages as users have them. Extended, revoked and given back here; never deleted, because requests were
//! paid from them.

use std::collections::HashMap;

use serde_json::Value;
use store::GrantRow;
use types::package::{GrantPackage, GrantView, PackageSpec, UpdateGrant};
use types::problem::FieldErrors;
use types::{GrantId, Patch, Problem, Timestamp, UserId};

use super::{Admin, Subject, trail};
use crate::identity::problem::{not_found, store_problem};
use crate::standing::grant_view;

const OBJECT: &str = "grant";

impl Admin {
    /// The grants of one user, or of all, by id, with their state and what is used of them.
    pub async fn grant_list(&self, user: Option<UserId>) -> Result<Vec<GrantView>, Problem> {
        let rows = self.core.store.grant_list(user).await.map_err(|e| store_problem(e, OBJECT))?;
        let users = self.core.store.user_list(true).await.map_err(|e| store_problem(e, "user"))?;
        let names: HashMap<_, _> = users.into_iter().map(|user| (user.id, user.spec.name)).collect();
        let views = rows.into_iter().map(|row| {
            let name = names.get(&row.user_id).cloned();
            grant_view(&self.core, row, name)
        });
        Ok(views.collect())
    }

    /// Grants a package to a user as it is now: later changes of the template do not reach the grant.
    pub async fn grant_create(&self, user_id: UserId, input: GrantPackage) -> Result<GrantView, Problem> {
        let user = self.user_live(user_id).await?;
        let Some(package_id) = input.package_id else {
            return Err(Problem::field("package_id", "choose the package to grant"));
        };
        let template =
            self.package_live(package_id).await.map_err(|problem| match problem.code.as_str() {
                "not_found" => {
                    Problem::field("package_id", "there is no such package; it may have been deleted")
                }
                _ => problem,
            })?;
        let now = self.core.clock.now();
        let starts_at = input.starts_at.unwrap_or(now);
        let days = template.spec.duration_days;
        let ends_at = match input.ends_at {
            Patch::Keep => days.map(|days| starts_at.plus_ms(i64::from(days) * Timestamp::DAY_MS)),
            Patch::Clear => None,
            Patch::Set(end) => Some(end),
        };
        check_end(starts_at, ends_at, now)?;
        let after = fields(&template.spec, Some(starts_at), ends_at, false);
        let name = format!("{} / {}", user.spec.name, template.spec.name);
        let subject = Subject { object: OBJECT, id: String::new(), name: &name };
        let change = self.change("create", &subject, None, Some(after));
        let row = self
            .core
            .store
            .grant_insert(user_id, Some(package_id), &template.spec, starts_at, ends_at, change)
            .await
            .map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await?;
        Ok(grant_view(&self.core, row, Some(user.spec.name)))
    }

    /// Changes a grant: its end (an expired one becomes active again), its amounts, revoked or not.
    pub async fn grant_update(&self, id: GrantId, input: UpdateGrant) -> Result<GrantView, Problem> {
        let row = self.core.store.grant_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        self.expect_version(OBJECT, id, input.version, row.version).await?;
        let spec = input.apply(row.spec.clone())?;
        let ends_at = input.ends_at.clone().apply(row.ends_at);
        if ends_at != row.ends_at {
            check_end(row.starts_at, ends_at, row.starts_at)?;
        }
        let disabled = input.disabled.unwrap_or(row.disabled_at.is_some());
        let before = fields(&row.spec, None, row.ends_at, row.disabled_at.is_some());
        let user_name = self.user_name(row.user_id).await?;
        let Some((before, after)) = trail::changed(&before, &fields(&spec, None, ends_at, disabled)) else {
            return Ok(grant_view(&self.core, row, user_name));
        };
        let name = format!("{} / {}", user_name.as_deref().unwrap_or_default(), spec.name);
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &name };
        let change = self.change("update", &subject, Some(before), Some(after));
        let updated = self.core.store.grant_update(id, row.version, &spec, ends_at, disabled, change).await;
        let row: GrantRow = match updated {
            Ok(row) => row,
            Err(error) => return Err(self.change_problem(error, OBJECT, id).await),
        };
        self.take_effect().await?;
        Ok(grant_view(&self.core, row, user_name))
    }

    async fn user_name(&self, id: UserId) -> Result<Option<String>, Problem> {
        match self.core.store.user_fetch(id).await {
            Ok(row) => Ok(Some(row.spec.name)),
            Err(store::StoreError::NotFound) => Err(not_found("user")),
            Err(error) => Err(store_problem(error, "user")),
        }
    }
}

fn check_end(starts_at: Timestamp, ends_at: Option<Timestamp>, not_before: Timestamp) -> Result<(), Problem> {
    let mut errors = FieldErrors::default();
    if let Some(end) = ends_at {
        if end <= starts_at {
            errors.add("ends_at", "must be after the start");
        } else if end <= not_before {
            errors.add("ends_at", "must lie in the future");
        }
    }
    errors.finish(())
}

/// A grant for the audit log.
fn fields(
    spec: &PackageSpec,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    disabled: bool,
) -> Value {
    let mut fields = trail::package(spec);
    if let Some(starts_at) = starts_at {
        trail::put(&mut fields, "starts_at", starts_at.to_string());
    }
    trail::put(&mut fields, "ends_at", ends_at.map(|end| end.to_string()));
    trail::put(&mut fields, "disabled", disabled);
    fields
}
