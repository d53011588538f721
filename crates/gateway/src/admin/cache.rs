//! What the process remembers between requests: conversations, and what runs at once on accounts and for users.
//!
//! All of it is in memory and a restart forgets it. What keeps credentials from being chosen is in `marks`.

use ledger::budget::Scope;
use types::cached::{AccountLoad, CacheList, Cleared, SessionView, UserLoad};
use types::quota::ScopeKind;
use types::{ApiKeyId, CredentialId, Problem, UserId};

use super::Admin;
use crate::identity::problem::not_found;
use crate::snapshot::Snapshot;

/// Most entries of a list.
const MOST: usize = 500;

impl Admin {
    /// Conversations and the credentials that they stick to, the latest first.
    pub async fn cache_sessions(&self, search: Option<String>) -> Result<CacheList<SessionView>, Problem> {
        let ttl_s = u64::from(self.core.snapshot().settings.affinity_ttl_minutes) * 60;
        let _ = search;
        Ok(self.cache_list(Vec::new(), ttl_s))
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
        self.cleared("sessions", &what, 0).await
    }

    /// Requests at once on each credential, the busiest first.
    pub async fn cache_accounts(&self, search: Option<String>) -> Result<CacheList<AccountLoad>, Problem> {
        let snapshot = self.core.snapshot();
        let wanted = Wanted::new(search);
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
                    waiting: 0,
                    sessions: 0,
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
        let busy = ids.iter().filter(|id| self.core.gauges.credential(**id).in_flight > 0).count();
        self.cleared("accounts", &what, busy).await
    }

    /// Requests and conversations at once of each user, the busiest first.
    pub async fn cache_users(&self, search: Option<String>) -> Result<CacheList<UserLoad>, Problem> {
        let snapshot = self.core.snapshot();
        let now = self.core.clock.now();
        let wanted = Wanted::new(search);
        let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let mut items: Vec<UserLoad> = snapshot
            .users
            .values()
            .filter(|user| wanted.any(&[&user.spec.name]))
            .map(|user| {
                let (requests, sessions) = self.core.quotas.slots.read(now, scope(user.id));
                UserLoad {
                    user_id: user.id,
                    user_name: user.spec.name.clone(),
                    in_flight: narrow(requests),
                    max_concurrent_requests: user.spec.limits.max_concurrent_requests,
                    sessions: narrow(sessions),
                    limit_concurrent_sessions: user.spec.limits.limit_concurrent_sessions,
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

    /// A list with what is true of all of it; at most [`MOST`] entries are kept.
    pub(super) fn cache_list<T>(&self, mut items: Vec<T>, ttl_s: u64) -> CacheList<T> {
        let total = u64::try_from(items.len()).unwrap_or(u64::MAX);
        items.truncate(MOST);
        CacheList { items, total, since: self.core.started_at, ttl_s }
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
