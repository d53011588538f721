//! Quotas: how far limits are used, and letting usage count from zero again.

use types::limits::Limits;
use types::quota::{QuotaFilter, QuotaLine, ScopeKind};
use types::{ApiKeyId, GrantId, Problem, ProviderId, UserId};

use super::{Admin, Subject as Changed};
use crate::identity::problem::{not_found, store_problem};
use crate::quota::scope;
use crate::snapshot::Snapshot;
use crate::standing::{self, Subject};

/// Lines of the list of everything.
const LINES: usize = 1_000;

impl Admin {
    /// The limits of what the filter names, with their usage in all windows; without a name those of everything, the
    /// worst first.
    #[expect(
        clippy::unused_async,
        reason = "as every other call of the handle; what it reads is in memory today"
    )]
    pub async fn quota_list(&self, filter: QuotaFilter) -> Result<Vec<QuotaLine>, Problem> {
        let QuotaFilter { user_id, key_id, provider_id, credential_id, scope: of, min_percent } = filter;
        let snapshot = self.core.snapshot();
        let mut lines = Vec::new();
        let mut named = false;
        if let Some(id) = key_id {
            named = true;
            let key = snapshot.keys.values().find(|key| key.id == id).ok_or_else(|| not_found("key"))?;
            let (of_key, of_user) = (key.spec.name.as_str(), key.user.spec.name.as_str());
            lines.extend(self.usage_of(ScopeKind::Key, id.0, of_key, &key.spec.limits));
            lines.extend(self.usage_of(ScopeKind::User, key.user.id.0, of_user, &key.user.spec.limits));
        }
        if let Some(id) = user_id {
            named = true;
            let user = snapshot.users.get(&id).ok_or_else(|| not_found("user"))?;
            lines.extend(self.usage_of(ScopeKind::User, id.0, &user.spec.name, &user.spec.limits));
        }
        if let Some(id) = provider_id {
            named = true;
            let provider = snapshot.providers.iter().find(|provider| provider.id == id);
            let provider = provider.ok_or_else(|| not_found("provider"))?;
            lines.extend(self.usage_of(
                ScopeKind::Provider,
                id.0,
                &provider.spec.name,
                &provider.spec.limits,
            ));
        }
        if let Some(id) = credential_id {
            named = true;
            let mut all = snapshot.providers.iter().flat_map(|provider| &provider.credentials);
            let credential =
                all.find(|credential| credential.id == id).ok_or_else(|| not_found("credential"))?;
            let spec = &credential.spec;
            lines.extend(self.usage_of(ScopeKind::Credential, id.0, &spec.name, &spec.limits));
        }
        let least = min_percent.unwrap_or(0);
        if !named {
            lines = self.quotas_of_all(&snapshot);
            lines.sort_by_key(|line| std::cmp::Reverse(line.percent));
        }
        lines.retain(|line| of.is_none_or(|of| line.scope == of));
        lines.retain(|line| least == 0 || line.percent.is_some_and(|percent| percent >= least));
        lines.truncate(LINES);
        Ok(lines)
    }

    fn usage_of(&self, kind: ScopeKind, id: i64, name: &str, limits: &Limits) -> Vec<QuotaLine> {
        standing::usage(&self.core, Subject { scope: scope(kind, id), name }, limits)
    }

    /// Every limit that there is.
    pub(super) fn quotas_of_all(&self, snapshot: &Snapshot) -> Vec<QuotaLine> {
        let now = self.core.clock.now();
        let mut lines = Vec::new();
        let mut add = |kind, id, name: &str, limits: &Limits| {
            if !limits.is_none() {
                lines.extend(standing::limits(&self.core, Subject { scope: scope(kind, id), name }, limits));
            }
        };
        add(ScopeKind::Global, 0, "", &snapshot.global);
        for user in snapshot.users.values() {
            add(ScopeKind::User, user.id.0, &user.spec.name, &user.spec.limits);
            for grant in user.grants.iter().filter(|g| g.state(now) == types::package::GrantState::Active) {
                let name = format!("{} / {}", user.spec.name, grant.spec.name);
                add(ScopeKind::Package, grant.id.0, &name, &grant.limits);
            }
        }
        for key in snapshot.keys.values() {
            add(ScopeKind::Key, key.id.0, &key.spec.name, &key.spec.limits);
        }
        for (name, group) in &snapshot.groups {
            add(ScopeKind::Group, group.id.0, name, &group.spec.limits);
        }
        for provider in &snapshot.providers {
            add(ScopeKind::Provider, provider.id.0, &provider.spec.name, &provider.spec.limits);
            for credential in &provider.credentials {
                let name = format!("{} / {}", provider.spec.name, credential.spec.name);
                add(ScopeKind::Credential, credential.id.0, &name, &credential.spec.limits);
            }
        }
        lines
    }

    /// Lets usage count towards limits from now on. What was booked stays; what runs belongs to the time before.
    pub async fn usage_reset(&self, kind: ScopeKind, id: i64) -> Result<(), Problem> {
        let (object, name) = self.scope_name(kind, id).await?;
        // What was admitted in this very millisecond came before.
        let at = self.core.clock.now().plus_ms(1);
        let subject = Changed { object, id: id.to_string(), name: &name };
        let change = self.change("usage_reset", &subject, None, None);
        self.core.store.usage_reset(kind, id, at, change).await.map_err(|e| store_problem(e, object))?;
        self.core.quotas.budgets.reset(scope(kind, id), at);
        if self.core.shares.is_some() {
            // What this instance spent before is held on its share until the books have it.
            crate::accounts::write_now(&self.core).await;
        }
        self.take_effect().await
    }

    /// The same for a group, which people know by its name.
    pub async fn group_usage_reset(&self, name: String) -> Result<(), Problem> {
        let id = self.group_id(&name).await?;
        self.usage_reset(ScopeKind::Group, id.0).await
    }

    /// What the audit log calls a scope, and its name there.
    async fn scope_name(&self, kind: ScopeKind, id: i64) -> Result<(&'static str, String), Problem> {
        let store = &self.core.store;
        let wrong = |object| move |error| store_problem(error, object);
        Ok(match kind {
            ScopeKind::Global => ("gateway", String::new()),
            ScopeKind::User => ("user", self.user_live(UserId(id)).await?.spec.name),
            ScopeKind::Key => {
                let row = store.key_fetch(ApiKeyId(id)).await.map_err(wrong("key"))?;
                ("key", live("key", row.deleted_at.is_some(), row.spec.name)?)
            }
            ScopeKind::Group => {
                let rows = store.group_list().await.map_err(wrong("group"))?;
                let row = rows.into_iter().find(|row| row.id.0 == id);
                ("group", row.ok_or_else(|| not_found("group"))?.name)
            }
            ScopeKind::Package => {
                ("grant", store.grant_fetch(GrantId(id)).await.map_err(wrong("grant"))?.spec.name)
            }
            ScopeKind::Provider => {
                let row = store.provider_fetch(ProviderId(id)).await.map_err(wrong("provider"))?;
                ("provider", live("provider", row.deleted_at.is_some(), row.spec.name)?)
            }
            ScopeKind::Credential => {
                let row =
                    store.credential_fetch(types::CredentialId(id)).await.map_err(wrong("credential"))?;
                ("credential", live("credential", row.deleted_at.is_some(), row.spec.name)?)
            }
        })
    }
}

fn live(object: &str, deleted: bool, name: String) -> Result<String, Problem> {
    if deleted { Err(not_found(object)) } else { Ok(name) }
}
