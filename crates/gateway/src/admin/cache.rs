//! What the process remembers between requests: conversations, and what runs at once on accounts and for users.
//!
//! All of it is in memory and a restart forgets it. What keeps credentials from being chosen is in `marks`.

use std::collections::HashMap;

use ledger::budget::Scope;
use types::cached::{AccountLoad, CacheList, Cleared, SessionView, UserLoad};
use types::quota::ScopeKind;
use types::{ApiKeyId, CredentialId, Problem, UserId};

use super::Admin;
use crate::affinity::Binding;
use crate::identity::problem::not_found;
use crate::snapshot::Snapshot;

/// Most entries of a list.
const MOST: usize = 500;

impl Admin {
    /// Conversations and the credentials that they stick to, the latest first.
    #[expect(clippy::unused_async, reason = "all calls of the handle are awaited alike")]
    pub async fn cache_sessions(&self, search: Option<String>) -> Result<CacheList<SessionView>, Problem> {
        let (snapshot, now) = (self.core.snapshot(), self.core.clock.now());
        let wanted = Wanted::new(search);
        let ttl_ms = self.core.affinity.ttl_ms();
        let mut items = Vec::new();
        for (id, binding) in self.core.affinity.list(now) {
            let view = session(&snapshot, id.shown(), &binding, ttl_ms);
            let names = [&view.user_name, &view.key_name, &view.credential_name, &view.provider_name];
            let names = names.map(|name| name.as_deref().unwrap_or_default());
            if wanted.any(&[&view.id, &view.session]) || wanted.any(&names) {
                items.push(view);
            }
        }
        Ok(self.cache_list(items, u64::try_from(ttl_ms / 1_000).unwrap_or(0)))
    }

    /// Forgets one conversation, those of a key, or all.
    pub async fn cache_sessions_clear(
        &self,
        id: Option<String>,
        key: Option<ApiKeyId>,
    ) -> Result<Cleared, Problem> {
        let what = match (&id, key) {
            (Some(id), _) => format!("session {id}"),
            (None, Some(key)) => format!("sessions of key {key}"),
            (None, None) => "all sessions".to_owned(),
        };
        let cleared = self.core.affinity.clear(self.core.clock.now(), |session, binding| {
            id.as_ref().is_none_or(|id| session.shown() == *id) && key.is_none_or(|key| binding.key == key)
        });
        if id.is_some() && cleared == 0 {
            return Err(not_found("session"));
        }
        self.cleared("sessions", &what, usize::try_from(cleared).unwrap_or(usize::MAX)).await
    }

    /// Requests at once on each credential, the busiest first.
    #[expect(clippy::unused_async, reason = "all calls of the handle are awaited alike")]
    pub async fn cache_accounts(&self, search: Option<String>) -> Result<CacheList<AccountLoad>, Problem> {
        let (snapshot, now) = (self.core.snapshot(), self.core.clock.now());
        let wanted = Wanted::new(search);
        let mut bound: HashMap<CredentialId, u32> = HashMap::new();
        for (_, binding) in self.core.affinity.list(now) {
            *bound.entry(binding.credential).or_default() += 1;
        }
        let mut items = Vec::new();
        for provider in &snapshot.providers {
            for credential in &provider.credentials {
                if !wanted.any(&[&credential.spec.name, &provider.spec.name]) {
                    continue;
                }
                let gauge = self.core.gauges.credential(credential.id);
                items.push(AccountLoad {
                    credential_id: credential.id,
                    credential_name: credential.spec.name.clone(),
                    provider_id: provider.id,
                    provider_name: provider.spec.name.clone(),
                    tier: credential.spec.tier,
                    in_flight: gauge.in_flight,
                    max_concurrency: credential.spec.max_concurrency,
                    waiting: self.core.queue.waiting(provider.id),
                    sessions: bound.get(&credential.id).copied().unwrap_or(0),
                    last_used_at: gauge.last_used_at,
                });
            }
        }
        items.sort_by_key(|load| (std::cmp::Reverse(load.in_flight), std::cmp::Reverse(load.last_used_at)));
        Ok(self.cache_list(items, 0))
    }

    /// Counts the requests on one credential, or on all, from zero. Those that run now end as they would have and
    /// are not subtracted later.
    pub async fn cache_accounts_clear(&self, id: Option<CredentialId>) -> Result<Cleared, Problem> {
        let ids = self.credential_ids(id)?;
        let what = id.map_or_else(|| "all credentials".to_owned(), |id| format!("credential {id}"));
        let busy = ids.iter().filter(|id| self.core.gauges.gauge(**id).reset_in_flight() > 0).count();
        self.cleared("accounts", &what, busy).await
    }

    /// Requests and conversations at once of each user, the busiest first.
    #[expect(clippy::unused_async, reason = "all calls of the handle are awaited alike")]
    pub async fn cache_users(&self, search: Option<String>) -> Result<CacheList<UserLoad>, Problem> {
        let snapshot = self.core.snapshot();
        let now = self.core.clock.now();
        let wanted = Wanted::new(search);
        let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let mut bound: HashMap<UserId, u64> = HashMap::new();
        for (_, binding) in self.core.affinity.list(now) {
            *bound.entry(binding.user).or_default() += 1;
        }
        let mut items: Vec<UserLoad> = snapshot
            .users
            .values()
            .filter(|user| wanted.any(&[&user.spec.name]))
            .map(|user| {
                let (requests, counted) = self.core.quotas.slots.read(now, scope(user.id));
                // Without a limit nobody counts his conversations; those that stick somewhere are known all the same.
                let limit = user.spec.limits.limit_concurrent_sessions;
                let sticking = bound.get(&user.id).copied().unwrap_or(0);
                let sessions = if limit.is_some() { counted } else { sticking };
                UserLoad {
                    user_id: user.id,
                    user_name: user.spec.name.clone(),
                    in_flight: narrow(requests),
                    max_concurrent_requests: user.spec.limits.max_concurrent_requests,
                    sessions: narrow(sessions),
                    limit_concurrent_sessions: limit,
                }
            })
            .collect();
        items.sort_by_key(|load| {
            (std::cmp::Reverse(load.in_flight), std::cmp::Reverse(load.sessions), load.user_id)
        });
        Ok(self.cache_list(items, crate::quota::concurrency::SESSION_IDLE_S))
    }

    /// Counts requests and conversations of one user, or of all, from zero.
    pub async fn cache_users_clear(&self, id: Option<UserId>) -> Result<Cleared, Problem> {
        let snapshot = self.core.snapshot();
        if let Some(id) = id
            && !snapshot.users.contains_key(&id)
        {
            return Err(not_found("user"));
        }
        let what = id.map_or_else(|| "all users".to_owned(), |id| format!("user {id}"));
        let cleared = self.core.quotas.slots.clear(ScopeKind::User, id.map(|id| id.0));
        self.cleared("users", &what, cleared).await
    }

    /// Forgets the bindings to what does not serve any more, so that they do not come back with it (AC-09).
    pub(super) fn unbind(&self, gone: impl Fn(&Binding) -> bool) {
        self.core.affinity.clear(self.core.clock.now(), |_, binding| gone(binding));
    }

    /// A list with what is true of all of it; at most [`MOST`] entries are kept.
    pub(super) fn cache_list<T>(&self, mut items: Vec<T>, ttl_s: u64) -> CacheList<T> {
        let total = u64::try_from(items.len()).unwrap_or(u64::MAX);
        items.truncate(MOST);
        CacheList { items, next: None, total, since: self.core.started_at, ttl_s }
    }

    /// The credentials that a clearing call is about.
    pub(super) fn credential_ids(&self, id: Option<CredentialId>) -> Result<Vec<CredentialId>, Problem> {
        let snapshot = self.core.snapshot();
        let mut all = credentials(&snapshot);
        match id {
            None => Ok(all.collect()),
            Some(id) if all.any(|other| other == id) => Ok(vec![id]),
            Some(_) => Err(not_found("credential")),
        }
    }
}

fn credentials(snapshot: &Snapshot) -> impl Iterator<Item = CredentialId> + '_ {
    snapshot.providers.iter().flat_map(|provider| provider.credentials.iter().map(|c| c.id))
}

fn session(snapshot: &Snapshot, id: String, binding: &Binding, ttl_ms: i64) -> SessionView {
    let names = &snapshot.names;
    let mut credentials = snapshot.providers.iter().flat_map(|provider| &provider.credentials);
    let last_used_at = binding.last_used_at();
    SessionView {
        id,
        session: binding.session.clone(),
        source: binding.source,
        user_id: binding.user,
        user_name: snapshot.users.get(&binding.user).map(|user| user.spec.name.clone()),
        key_id: binding.key,
        key_name: names.keys.get(&binding.key).cloned(),
        credential_id: binding.credential,
        credential_name: credentials.find(|c| c.id == binding.credential).map(|c| c.spec.name.clone()),
        provider_id: binding.provider,
        provider_name: names.providers.get(&binding.provider).cloned(),
        bound_at: binding.bound_at,
        last_used_at,
        expires_at: last_used_at.plus_ms(ttl_ms),
        hits: binding.hits(),
        rebinds: binding.rebinds,
    }
}

fn scope(user: UserId) -> Scope {
    Scope { kind: ScopeKind::User, id: user.0 }
}

/// A search text, compared without regard to case.
pub(super) struct Wanted(Option<String>);

impl Wanted {
    pub(super) fn new(search: Option<String>) -> Self {
        Self(search.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty()))
    }

    /// Whether any of the texts holds it.
    pub(super) fn any(&self, texts: &[&str]) -> bool {
        self.0.as_ref().is_none_or(|search| texts.iter().any(|text| text.to_lowercase().contains(search)))
    }
}
