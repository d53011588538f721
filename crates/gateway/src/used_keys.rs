//! Which `Idempotency-Key`s are in flight or used: the memory of [`crate::serve`]'s rule that a request sent again under
//! one key goes upstream once (C19, INV-9). It comes back from the books at a start.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use store::UsedKey;
use types::{ApiKeyId, RequestId, Timestamp};

use crate::error::Refusal;

/// How long a key is used, from the arrival of the request that was answered under it.
const LIFETIME_MS: i64 = Timestamp::DAY_MS;
/// Used keys that are remembered; beyond it the oldest one of the API key with the most is forgotten, so that
/// nobody's flood lets go of somebody else's. Keys in flight are not counted: connections bound them.
const REMEMBERED: u32 = 100_000;

/// SHA-256.
pub(crate) type Digest = [u8; 32];

/// Which `Idempotency-Key`s are in flight or used.
#[derive(Clone, Debug)]
pub(crate) struct UsedKeys(Arc<Mutex<Memory>>);

impl Default for UsedKeys {
    fn default() -> Self {
        Self::remembering(usize::try_from(REMEMBERED).unwrap_or(usize::MAX))
    }
}

#[derive(Debug)]
struct Memory {
    /// By API key and header in one digest, so that keys of two callers never meet (X33).
    uses: HashMap<Digest, Use>,
    /// What was used by each API key, oldest first.
    used: HashMap<ApiKeyId, VecDeque<Used>>,
    /// Entries of `used` in all.
    count: usize,
    most: usize,
}

#[derive(Debug)]
struct Use {
    content: Digest,
    request_id: RequestId,
    /// `None` while the request is in flight.
    until: Option<Timestamp>,
}

#[derive(Debug)]
struct Used {
    scope: Digest,
    request_id: RequestId,
    until: Timestamp,
}

/// A key that this request holds. Dropping it frees the key, unless it was kept.
#[derive(Debug)]
pub(crate) struct Claim {
    keys: UsedKeys,
    scope: Digest,
    key_id: ApiKeyId,
    request_id: RequestId,
    until: Timestamp,
}

impl Claim {
    /// The request was answered: its key is used for a day.
    pub(crate) fn keep(self, now: Timestamp) {
        let used = Used { scope: self.scope, request_id: self.request_id, until: self.until };
        self.keys.lock().keep(self.key_id, used, now);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.keys.lock().release(&self.scope, self.request_id);
    }
}

/// One caller's header: keys of two callers never meet, whatever text they choose (X33).
pub(crate) fn scope_of(key_id: ApiKeyId, text: &[u8]) -> Digest {
    Sha256::new().chain_update(key_id.0.to_be_bytes()).chain_update(text).finalize().into()
}

impl UsedKeys {
    fn remembering(most: usize) -> Self {
        let memory = Memory { uses: HashMap::new(), used: HashMap::new(), count: 0, most };
        Self(Arc::new(Mutex::new(memory)))
    }

    /// Learns from the books what was used before this start; nothing may be served yet.
    pub(crate) async fn restore(
        &self,
        store: &store::Store,
        now: Timestamp,
    ) -> Result<(), store::StoreError> {
        let rows = store.idempotency_recent(now.plus_ms(-LIFETIME_MS), REMEMBERED).await?;
        let mut memory = self.lock();
        // They come newest first and are remembered oldest first.
        for row in rows.iter().rev() {
            memory.remember(row, now);
        }
        Ok(())
    }

    /// Claims a key for a request.
    pub(crate) fn claim(
        &self,
        scope: Digest,
        content: Digest,
        key_id: ApiKeyId,
        request_id: RequestId,
        at: Timestamp,
    ) -> Result<Claim, Refusal> {
        self.lock().claim(scope, content, request_id, at)?;
        Ok(Claim { keys: self.clone(), scope, key_id, request_id, until: at.plus_ms(LIFETIME_MS) })
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn claim(
        &mut self,
        scope: Digest,
        content: Digest,
        request_id: RequestId,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        if let Some(known) = self.uses.get(&scope).filter(|known| known.until.is_none_or(|until| at < until))
        {
            return Err(if known.content != content {
                Refusal::idempotency_key_reused(known.request_id)
            } else if known.until.is_none() {
                Refusal::request_in_progress(known.request_id)
            } else {
                Refusal::idempotency_key_used(known.request_id)
            });
        }
        self.uses.insert(scope, Use { content, request_id, until: None });
        Ok(())
    }

    fn release(&mut self, scope: &Digest, request_id: RequestId) {
        if self.uses.get(scope).is_some_and(|known| known.request_id == request_id && known.until.is_none()) {
            self.uses.remove(scope);
        }
    }

    fn remember(&mut self, row: &UsedKey, now: Timestamp) {
        let digest = |text| {
            let mut digest = Digest::default();
            hex::decode_to_slice(text, &mut digest).ok().map(|()| digest)
        };
        let digests = row.idempotency_key.split_once(':');
        let Some((Some(scope), Some(content))) = digests.map(|(a, b)| (digest(a), digest(b))) else { return };
        let (request_id, until) = (row.request_id, row.created_at.plus_ms(LIFETIME_MS));
        self.uses.insert(scope, Use { content, request_id, until: None });
        self.keep(row.key_id, Used { scope, request_id, until }, now);
    }

    fn keep(&mut self, key_id: ApiKeyId, used: Used, now: Timestamp) {
        let known = self.uses.get_mut(&used.scope).filter(|known| known.request_id == used.request_id);
        let Some(known) = known else { return };
        known.until = Some(used.until);
        self.used.entry(key_id).or_default().push_back(used);
        self.count += 1;
        self.forget(key_id, |oldest| oldest.until <= now);
        if self.count <= self.most {
            return;
        }
        let keys: Vec<_> = self.used.keys().copied().collect();
        for key_id in keys {
            self.forget(key_id, |oldest| oldest.until <= now);
        }
        while self.count > self.most {
            let largest = self.used.iter().max_by_key(|(_, used)| used.len()).map(|(key_id, _)| *key_id);
            let Some(largest) = largest else { return };
            let mut one = true;
            self.forget(largest, |_| std::mem::take(&mut one));
        }
    }

    /// Forgets the oldest keys of a caller as long as they are as described.
    fn forget(&mut self, key_id: ApiKeyId, mut which: impl FnMut(&Used) -> bool) {
        let Some(used) = self.used.get_mut(&key_id) else { return };
        while let Some(oldest) = used.pop_front_if(|oldest| which(oldest)) {
            self.count = self.count.saturating_sub(1);
            // The same key may have been claimed anew since it ran out.
            if self.uses.get(&oldest.scope).is_some_and(|known| known.request_id == oldest.request_id) {
                self.uses.remove(&oldest.scope);
            }
        }
        if used.is_empty() {
            self.used.remove(&key_id);
        }
    }
}

#[cfg(test)]
mod tests;
