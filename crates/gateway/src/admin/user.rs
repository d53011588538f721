//! Users: who is served. Their passwords come in here and are hashed; none goes out.

use std::collections::HashMap;

use store::UserRow;
use types::user::{CreateUser, UpdateUser, UserSpec, UserView};
use types::{Patch, Problem, UserId};

use super::{Admin, Subject, trail};
use crate::identity::password::Passwords;
use crate::identity::problem::{not_found, store_problem};

const OBJECT: &str = "user";

impl Admin {
    /// All users by id.
    pub async fn user_list(&self, include_deleted: bool) -> Result<Vec<UserView>, Problem> {
        let rows = self.core.store.user_list(include_deleted).await.map_err(|e| store_problem(e, OBJECT))?;
        let counts = self.key_counts().await?;
        Ok(rows.into_iter().map(|row| view(row, &counts)).collect())
    }

    /// One user, deleted ones too.
    pub async fn user_fetch(&self, id: UserId) -> Result<UserView, Problem> {
        let row = self.core.store.user_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        self.user_view(row).await
    }

    /// Adds a user.
    pub async fn user_create(&self, input: CreateUser) -> Result<UserView, Problem> {
        let spec = input.parse()?;
        let mut after = trail::user(&spec);
        let hash = match input.password {
            Some(password) => {
                trail::mark_changed(&mut after, "password");
                Some(Passwords::shared().hash(password).await?)
            }
            None => None,
        };
        let subject = Subject { object: OBJECT, id: String::new(), name: &spec.name };
        let change = self.change("create", &subject, None, Some(after));
        let row =
            self.core.store.user_insert(&spec, hash, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await?;
        self.user_view(row).await
    }

    /// Changes a user. A new password, or being switched off, also ends his sessions.
    pub async fn user_update(&self, id: UserId, input: UpdateUser) -> Result<UserView, Problem> {
        let row = self.user_live(id).await?;
        self.expect_version(OBJECT, id.0, input.version, row.version).await?;
        let spec = input.apply(row.spec.clone())?;
        let mut after = trail::user(&spec);
        let ends_sessions = !matches!(input.password, Patch::Keep) || (row.spec.enabled && !spec.enabled);
        let password = match input.password {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(password) => Patch::Set(Passwords::shared().hash(password).await?),
        };
        if password != Patch::Keep {
            trail::mark_changed(&mut after, "password");
        }
        let Some((before, after)) = trail::changed(&trail::user(&row.spec), &after) else {
            return self.user_view(row).await;
        };
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &spec.name };
        let change = self.change("update", &subject, Some(before), Some(after));
        let row = match self.core.store.user_update(id, row.version, &spec, password, change).await {
            Ok(row) => row,
            Err(error) => return Err(self.change_problem(error, OBJECT, id.0).await),
        };
        self.take_effect().await?;
        if ends_sessions {
            self.end_sessions(id).await?;
        }
        self.user_view(row).await
    }

    /// Deletes a user, and with him his keys and sessions; user and keys can be restored.
    pub async fn user_delete(&self, id: UserId) -> Result<(), Problem> {
        let row = self.user_live(id).await?;
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("delete", &subject, Some(trail::user(&row.spec)), None);
        self.core.store.user_delete(id, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await?;
        self.end_sessions(id).await
    }

    /// Brings a deleted user back, with his keys.
    pub async fn user_restore(&self, id: UserId) -> Result<UserView, Problem> {
        let row = self.core.store.user_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("restore", &subject, None, Some(trail::user(&row.spec)));
        let row = self.core.store.user_restore(id, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await?;
        self.user_view(row).await
    }

    pub(super) async fn user_live(&self, id: UserId) -> Result<UserRow, Problem> {
        let row = self.core.store.user_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        if row.deleted_at.is_some() { Err(not_found(OBJECT)) } else { Ok(row) }
    }

    async fn end_sessions(&self, id: UserId) -> Result<(), Problem> {
        let ended =
            self.core.store.session_delete_for_user(id).await.map_err(|e| store_problem(e, "session"))?;
        tracing::info!(user.id = id.0, ended, "sessions ended");
        Ok(())
    }

    async fn user_view(&self, row: UserRow) -> Result<UserView, Problem> {
        Ok(view(row, &self.key_counts().await?))
    }

    async fn key_counts(&self) -> Result<HashMap<UserId, u32>, Problem> {
        let rows = self.core.store.key_list(true).await.map_err(|e| store_problem(e, "key"))?;
        let mut counts = HashMap::new();
        for row in rows.iter().filter(|row| row.deleted_at.is_none()) {
            *counts.entry(row.user_id).or_default() += 1;
        }
        Ok(counts)
    }
}

fn view(row: UserRow, counts: &HashMap<UserId, u32>) -> UserView {
    let UserRow { id, spec, password_hash, created_at, updated_at, deleted_at, usage_reset_at, version } =
        row;
    let UserSpec { name, groups, enabled, expires_at, price_rate, limits } = spec;
    UserView {
        id,
        name,
        groups,
        enabled,
        expires_at,
        price_rate,
        limits,
        usage_reset_at,
        has_password: password_hash.is_some(),
        key_count: counts.get(&id).copied().unwrap_or(0),
        created_at,
        updated_at,
        deleted_at,
        version,
    }
}
