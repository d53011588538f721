//! Which credential a conversation sticks to, so that its vendor's prompt cache stays warm.
//!
//! Kept in memory only: a restart forgets it, and the next request of a conversation chooses anew. It decides
//! nothing; `serve::route` asks it and `serve::failover` tells it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::ops::compute::Op;
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use types::request::SessionSource;
use types::{ApiKeyId, CredentialId, ProviderId, Timestamp, UserId};

/// Conversations remembered; the least used go first.
const MOST: u64 = 100_000;

/// Names a conversation of one key: nobody can meet, or guess, another key's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey(pub(crate) [u8; 16]);

impl SessionKey {
    /// The conversation that a key's client calls so.
    pub(crate) fn named(key: ApiKeyId, source: SessionSource, session: &[u8]) -> Self {
        let mut digest = Sha256::new();
        digest.update(key.0.to_be_bytes());
        digest.update(source.as_str());
        digest.update(session);
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(digest.finalize()) {
            *to = from;
        }
        Self(short)
    }

    /// As callers of the admin API name it.
    pub(crate) fn shown(&self) -> String {
        hex::encode(self.0)
    }
}

/// A conversation and its credential.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) user: UserId,
    pub(crate) key: ApiKeyId,
    pub(crate) provider: ProviderId,
    pub(crate) credential: CredentialId,
    pub(crate) session: String,
    pub(crate) source: SessionSource,
    pub(crate) bound_at: Timestamp,
    pub(crate) rebinds: u32,
    hits: AtomicU64,
    last_used_ms: AtomicI64,
}

impl Binding {
    /// Requests that stuck to it.
    pub(crate) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Its last request.
    pub(crate) fn last_used_at(&self) -> Timestamp {
        Timestamp(self.last_used_ms.load(Ordering::Relaxed))
    }

    /// Whether the vendor's prompt cache of this conversation has gone cold.
    pub(crate) fn is_cold(&self, now: Timestamp, cache_minutes: u32) -> bool {
        now.0.saturating_sub(self.last_used_at().0) > minutes(cache_minutes)
    }
}

fn minutes(count: u32) -> i64 {
    i64::from(count) * 60_000
}

/// A new binding, as `serve` knows it.
#[derive(Clone, Debug)]
pub(crate) struct Bind {
    pub(crate) user: UserId,
    pub(crate) key: ApiKeyId,
    pub(crate) provider: ProviderId,
    pub(crate) credential: CredentialId,
    pub(crate) session: String,
    pub(crate) source: SessionSource,
}

/// Sliding: each use counts anew. The setting is read at each use, so a change holds from the next one on.
#[derive(Debug)]
struct Sliding(Arc<AtomicU64>);

impl Sliding {
    fn ttl(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl Expiry<SessionKey, Arc<Binding>> for Sliding {
    fn expire_after_create(&self, _: &SessionKey, _: &Arc<Binding>, _: Instant) -> Option<Duration> {
        Some(self.ttl())
    }

    fn expire_after_read(
        &self,
        _: &SessionKey,
        _: &Arc<Binding>,
        _: Instant,
        _: Option<Duration>,
        _: Instant,
    ) -> Option<Duration> {
        Some(self.ttl())
    }

    fn expire_after_update(
        &self,
        _: &SessionKey,
        _: &Arc<Binding>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.ttl())
    }
}

/// All bindings.
#[derive(Debug)]
pub(crate) struct Affinity {
    cache: Cache<SessionKey, Arc<Binding>>,
    ttl_ms: Arc<AtomicU64>,
}

impl Default for Affinity {
    fn default() -> Self {
        let ttl_ms = Arc::new(AtomicU64::new(3_600_000));
        let expiry = Sliding(ttl_ms.clone());
        Self { cache: Cache::builder().max_capacity(MOST).expire_after(expiry).build(), ttl_ms }
    }
}

impl Affinity {
    /// Sets how long a conversation is remembered after its last request.
    pub(crate) fn set_ttl(&self, ttl_minutes: u32) {
        self.ttl_ms.store(u64::from(ttl_minutes) * 60_000, Ordering::Relaxed);
    }

    /// How long that is, in milliseconds.
    pub(crate) fn ttl_ms(&self) -> i64 {
        i64::try_from(self.ttl_ms.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
    }

    fn is_alive(&self, binding: &Binding, now: Timestamp) -> bool {
        now.0.saturating_sub(binding.last_used_at().0) < self.ttl_ms()
    }

    /// The binding of a conversation.
    pub(crate) fn of(&self, key: SessionKey, now: Timestamp) -> Option<Arc<Binding>> {
        self.cache.get(&key).filter(|binding| self.is_alive(binding, now))
    }

    /// Notes that a credential served a conversation: renews the binding to it, or makes one in place of `seen`.
    ///
    /// Compare-and-set: if another request bound the conversation since it was looked up, that stands.
    pub(crate) fn served(&self, key: SessionKey, seen: Option<&Arc<Binding>>, bind: Bind, now: Timestamp) {
        if let Some(binding) = seen.filter(|binding| binding.credential == bind.credential) {
            binding.hits.fetch_add(1, Ordering::Relaxed);
            binding.last_used_ms.fetch_max(now.0, Ordering::Relaxed);
            return;
        }
        let credential = bind.credential;
        let rebinds = seen.map_or(0, |binding| binding.rebinds.saturating_add(1));
        let binding = Arc::new(Binding {
            user: bind.user,
            key: bind.key,
            provider: bind.provider,
            credential: bind.credential,
            session: bind.session,
            source: bind.source,
            bound_at: now,
            rebinds,
            hits: AtomicU64::new(0),
            last_used_ms: AtomicI64::new(now.0),
        });
        let result = self.cache.entry(key).and_compute_with(|entry| {
            let current = entry.map(moka::Entry::into_value).filter(|current| self.is_alive(current, now));
            let same = match (&current, seen) {
                (None, _) => true,
                (Some(current), Some(seen)) => Arc::ptr_eq(current, seen),
                (Some(_), None) => false,
            };
            if same { Op::Put(binding) } else { Op::Nop }
        });
        if matches!(result, moka::ops::compute::CompResult::Unchanged(_)) {
            return;
        }
        if let Some(seen) = seen {
            tracing::info!(
                session = key.shown(),
                from = seen.credential.0,
                to = credential.0,
                "affinity.rebind: a conversation moved to another credential"
            );
        } else {
            tracing::debug!(session = key.shown(), to = credential.0, "affinity.bind");
        }
    }

    /// Forgets a binding that led to a failure, unless it has changed since it was seen.
    pub(crate) fn failed(&self, key: SessionKey, seen: &Arc<Binding>) {
        self.cache.entry(key).and_compute_with(|entry| match entry {
            Some(entry) if Arc::ptr_eq(entry.value(), seen) => Op::Remove,
            _ => Op::Nop,
        });
    }

    /// All conversations that are remembered, the latest first.
    pub(crate) fn list(&self, now: Timestamp) -> Vec<(SessionKey, Arc<Binding>)> {
        let alive = self.cache.iter().filter(|(_, binding)| self.is_alive(binding, now));
        let mut all: Vec<_> = alive.map(|(key, binding)| (*key, binding)).collect();
        all.sort_by_key(|(_, binding)| std::cmp::Reverse(binding.last_used_at()));
        all
    }

    /// Forgets those that a test picks; says how many.
    pub(crate) fn clear(&self, now: Timestamp, picked: impl Fn(&SessionKey, &Binding) -> bool) -> u64 {
        let mut cleared = 0;
        for (key, _) in self.list(now).iter().filter(|(key, binding)| picked(key, binding)) {
            cleared += u64::from(self.cache.remove(key).is_some());
        }
        cleared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(credential: i64) -> Bind {
        Bind {
            user: UserId(1),
            key: ApiKeyId(1),
            provider: ProviderId(1),
            credential: CredentialId(credential),
            session: "s".into(),
            source: SessionSource::Client,
        }
    }

    fn key(name: &str) -> SessionKey {
        SessionKey::named(ApiKeyId(1), SessionSource::Client, name.as_bytes())
    }

    #[test]
    fn ca_01_a_conversation_sticks_until_its_time_is_over_and_each_use_counts_anew() {
        let affinity = Affinity::default();
        affinity.set_ttl(1);
        affinity.served(key("s"), None, bind(7), Timestamp(0));
        let seen = affinity.of(key("s"), Timestamp(59_999)).unwrap();
        affinity.served(key("s"), Some(&seen), bind(7), Timestamp(59_999));
        assert_eq!(affinity.of(key("s"), Timestamp(100_000)).unwrap().hits(), 1);
        assert!(affinity.of(key("s"), Timestamp(119_999)).is_none());
        affinity.set_ttl(10);
        assert!(affinity.of(key("s"), Timestamp(119_999)).is_some(), "a longer time holds at once");
    }

    #[test]
    fn the_first_of_two_that_bind_at_once_stands() {
        let affinity = Affinity::default();
        affinity.served(key("s"), None, bind(1), Timestamp(0));
        affinity.served(key("s"), None, bind(2), Timestamp(0));
        let first = affinity.of(key("s"), Timestamp(1)).unwrap();
        assert_eq!(first.credential, CredentialId(1));
        affinity.served(key("s"), Some(&first), bind(3), Timestamp(1));
        affinity.served(key("s"), Some(&first), bind(4), Timestamp(1));
        let second = affinity.of(key("s"), Timestamp(1)).unwrap();
        assert_eq!((second.credential, second.rebinds), (CredentialId(3), 1));
        affinity.failed(key("s"), &first);
        assert!(affinity.of(key("s"), Timestamp(1)).is_some(), "somebody else's binding stays");
        affinity.failed(key("s"), &second);
        assert!(affinity.of(key("s"), Timestamp(1)).is_none());
    }

    #[test]
    fn ca_11_the_conversations_of_one_key_are_really_forgotten() {
        let affinity = Affinity::default();
        for name in ["a", "b", "c"] {
            affinity.served(key(name), None, bind(1), Timestamp(0));
        }
        let other = SessionKey::named(ApiKeyId(2), SessionSource::Client, b"a");
        affinity.served(other, None, Bind { key: ApiKeyId(2), ..bind(1) }, Timestamp(0));
        assert_eq!(affinity.clear(Timestamp(1), |_, binding| binding.key == ApiKeyId(1)), 3);
        assert_eq!(affinity.list(Timestamp(1)).len(), 1);
    }
}
