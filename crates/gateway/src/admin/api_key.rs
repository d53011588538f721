//! Keys that Tollgate issues: the full text is shown once, when it is made.

use std::collections::HashMap;

use store::{ApiKeyRow, UserRow};
use types::api_key::{ApiKeySpec, ApiKeyView, CreateApiKey, CreatedApiKey, UpdateApiKey};
use types::problem::FieldErrors;
use types::{ApiKeyId, Problem, Secret, UserId};

use super::{Admin, Subject, trail};
use crate::identity::api_key::is_well_formed;
use crate::identity::api_key_view;
use crate::identity::problem::{not_found, store_problem};

const OBJECT: &str = "key";

impl Admin {
    /// The keys of one user, or of all, that are not deleted.
    pub async fn key_list(&self, user: Option<UserId>) -> Result<Vec<ApiKeyView>, Problem> {
        let rows = self.core.store.key_list(true).await.map_err(|e| store_problem(e, OBJECT))?;
        let wanted =
            |row: &ApiKeyRow| row.deleted_at.is_none() && user.is_none_or(|user| row.user_id == user);
        self.key_views(rows.into_iter().filter(wanted).collect()).await
    }

    /// One key, deleted ones too.
    pub async fn key_fetch(&self, id: ApiKeyId) -> Result<ApiKeyView, Problem> {
        let row = self.core.store.key_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        self.key_view(row).await
    }

    /// Makes a key for a user. The answer is the only place where the key ever stands.
    pub async fn key_create(&self, user_id: UserId, input: CreateApiKey) -> Result<CreatedApiKey, Problem> {
        let user = self.user_live(user_id).await?;
        let spec = input.parse()?;
        check_scope(&spec, &user)?;
        self.check_grant(&spec, user_id).await?;
        let minted = self.core.keys.mint()?;
        let subject = Subject { object: OBJECT, id: String::new(), name: &spec.name };
        let change = self.change("create", &subject, None, Some(trail::api_key(&spec)));
        let pepper = self.core.keys.pepper_id();
        let row = self
            .core
            .store
            .key_insert(user_id, &spec, &minted.prefix, &minted.hash, pepper, change)
            .await
            .map_err(|error| store_problem(error, OBJECT))?;
        self.take_effect().await?;
        let id = row.id;
        Ok(CreatedApiKey { id, key: minted.key.expose().clone(), view: self.key_view(row).await? })
    }

    /// Changes a key.
    pub async fn key_update(&self, id: ApiKeyId, input: UpdateApiKey) -> Result<ApiKeyView, Problem> {
        let row = self.key_live(id).await?;
        self.expect_version(OBJECT, id.0, input.version, row.version).await?;
        let spec = input.apply(row.spec.clone())?;
        if spec.groups != row.spec.groups || spec.limits != row.spec.limits {
            check_scope(&spec, &self.user_live(row.user_id).await?)?;
        }
        if spec.grant_id != row.spec.grant_id {
            self.check_grant(&spec, row.user_id).await?;
        }
        let Some((before, after)) = trail::changed(&trail::api_key(&row.spec), &trail::api_key(&spec)) else {
            return self.key_view(row).await;
        };
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &spec.name };
        let change = self.change("update", &subject, Some(before), Some(after));
        let row = match self.core.store.key_update(id, row.version, &spec, change).await {
            Ok(row) => row,
            Err(error) => return Err(self.change_problem(error, OBJECT, id.0).await),
        };
        self.take_effect().await?;
        self.key_view(row).await
    }

    /// Deletes a key; it can be restored.
    pub async fn key_delete(&self, id: ApiKeyId) -> Result<(), Problem> {
        let row = self.key_live(id).await?;
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("delete", &subject, Some(trail::api_key(&row.spec)), None);
        self.core.store.key_delete(id, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await
    }

    /// Brings a deleted key back: the same text works again.
    pub async fn key_restore(&self, id: ApiKeyId) -> Result<ApiKeyView, Problem> {
        let row = self.core.store.key_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("restore", &subject, None, Some(trail::api_key(&row.spec)));
        let row = self.core.store.key_restore(id, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await?;
        self.key_view(row).await
    }

    /// Finds a key by its full text, by hash (KE-02); deleted ones too. `None` if it was never issued here.
    pub async fn key_find(&self, full_key: Secret<String>) -> Result<Option<ApiKeyView>, Problem> {
        let text = full_key.expose().trim();
        if !is_well_formed(text) {
            return Ok(None);
        }
        let hash = self.core.keys.hash(text);
        let rows = self.core.store.key_list(true).await.map_err(|e| store_problem(e, OBJECT))?;
        match rows.into_iter().find(|row| row.hash == hash) {
            Some(row) => self.key_view(row).await.map(Some),
            None => Ok(None),
        }
    }

    /// A key can be bound to a package of its own user only.
    async fn check_grant(&self, spec: &ApiKeySpec, user: UserId) -> Result<(), Problem> {
        let Some(id) = spec.grant_id else { return Ok(()) };
        match self.core.store.grant_fetch(id).await {
            Ok(grant) if grant.user_id == user => Ok(()),
            Ok(_) | Err(store::StoreError::NotFound) => {
                Err(Problem::field("grant_id", "this user has no such package"))
            }
            Err(error) => Err(store_problem(error, "package")),
        }
    }

    async fn key_live(&self, id: ApiKeyId) -> Result<ApiKeyRow, Problem> {
        let row = self.core.store.key_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        if row.deleted_at.is_some() { Err(not_found(OBJECT)) } else { Ok(row) }
    }

    async fn key_view(&self, row: ApiKeyRow) -> Result<ApiKeyView, Problem> {
        self.key_views(vec![row]).await?.pop().ok_or_else(|| not_found(OBJECT))
    }

    async fn key_views(&self, rows: Vec<ApiKeyRow>) -> Result<Vec<ApiKeyView>, Problem> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let stats = self.core.store.key_stats(&ids).await.map_err(|e| store_problem(e, OBJECT))?;
        let users = self.core.store.user_list(true).await.map_err(|e| store_problem(e, "user"))?;
        let names: HashMap<_, _> = users.into_iter().map(|user| (user.id, user.spec.name)).collect();
        let view = |row: ApiKeyRow| {
            let name = names.get(&row.user_id).cloned().unwrap_or_default();
            let stats = stats.get(&row.id).copied().unwrap_or_default();
            api_key_view(row, name, stats)
        };
        Ok(rows.into_iter().map(view).collect())
    }
}

/// A key may narrow what its user may do, never widen it (X13). At request time both choices are asked, so a
/// group that the user loses later is lost to his keys too.
fn check_scope(spec: &ApiKeySpec, user: &UserRow) -> Result<(), Problem> {
    let mut errors = FieldErrors::default();
    let allowed = &user.spec.groups;
    let beyond: Vec<_> = spec.groups.iter().filter(|group| !allowed.contains(group)).cloned().collect();
    if !allowed.is_empty() && !beyond.is_empty() {
        errors.add("groups", format!("the user may not use {}; give him the group first", beyond.join(", ")));
    }
    for (name, most) in spec.limits.beyond(&user.spec.limits) {
        errors.add(&format!("limits.{name}"), format!("at most {most}, the limit of its user"));
    }
    errors.finish(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use types::Timestamp;
    use types::user::UserSpec;

    use super::*;

    fn user(groups: Vec<String>) -> UserRow {
        UserRow {
            id: UserId(1),
            spec: UserSpec {
                name: "u".into(),
                groups,
                enabled: true,
                expires_at: None,
                price_rate: types::Factor::ONE,
                limits: types::limits::Limits::default(),
            },
            password_hash: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            deleted_at: None,
            usage_reset_at: None,
            version: 1,
        }
    }

    proptest! {
        #[test]
        fn x13_a_key_never_reaches_beyond_its_user(
            users in proptest::collection::vec("[a-d]", 0..4),
            keys in proptest::collection::vec("[a-d]", 0..4),
        ) {
            let spec = ApiKeySpec {
                name: "k".into(),
                groups: keys.clone(),
                models: vec![],
                clients: vec![],
                ip_allow: vec![],
                enabled: true,
                expires_at: None,
                limits: types::limits::Limits::default(),
                grant_id: None,
            translation: types::translation::TranslationMode::Allow,
            };
            let within = users.is_empty() || keys.iter().all(|group| users.contains(group));
            let checked = check_scope(&spec, &user(users));
            prop_assert_eq!(checked.is_ok(), within);
            if let Err(problem) = checked {
                prop_assert!(problem.fields.contains_key("groups"));
            }
        }
    }
}
