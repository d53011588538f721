//! `Idempotency-Key`: however often a caller sends a request under one key, it goes upstream once (C19, INV-9).
//!
//! Answers are not kept, so a request that was answered before is refused, not answered again. Which keys are used
//! is remembered here and comes back from the books at a start; other instances on the same database learn of it
//! only when they start.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use store::UsedKey;
use types::request::RequestRecord;
use types::{ApiKeyId, RequestId, Timestamp};

use super::Ingress;
use crate::core::Core;
use crate::error::Refusal;

pub(super) const HEADER: &str = "idempotency-key";
/// Longest value of the header in bytes.
const LONGEST: usize = 255;
/// How long a key is used, from the arrival of the request that was answered under it.
const LIFETIME_MS: i64 = Timestamp::DAY_MS;
/// Used keys that are remembered; beyond it the oldest one of the API key with the most is forgotten, so that
/// nobody's flood lets go of somebody else's. Keys in flight are not counted: connections bound them.
const REMEMBERED: u32 = 100_000;

/// SHA-256.
type Digest = [u8; 32];

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
pub(super) struct Claim {
    keys: UsedKeys,
    scope: Digest,
    key_id: ApiKeyId,
    request_id: RequestId,
    until: Timestamp,
}

impl Claim {
    /// The request was answered: its key is used for a day.
    pub(super) fn keep(self, now: Timestamp) {
        let used = Used { scope: self.scope, request_id: self.request_id, until: self.until };
        self.keys.lock().keep(self.key_id, used, now);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.keys.lock().release(&self.scope, self.request_id);
    }
}

/// Claims the caller's key, if he sent one. A request without it costs one look at its headers.
pub(super) fn claim(
    core: &Core,
    ingress: &Ingress,
    key_id: ApiKeyId,
    record: &mut RequestRecord,
) -> Result<Option<Claim>, Refusal> {
    let Some(text) = header(&ingress.headers)? else { return Ok(None) };
    let (scope, content) = (scope_of(key_id, text), content_of(ingress));
    record.idempotency_key = Some(format!("{}:{}", hex::encode(scope), hex::encode(content)));
    let at = ingress.received.at;
    core.used_keys.claim(scope, content, key_id, ingress.request_id, at).map(Some)
}

/// The header's value, if there is one that can be a key.
fn header(headers: &HeaderMap) -> Result<Option<&[u8]>, Refusal> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.as_bytes();
    if values.next().is_some() || text.is_empty() || text.len() > LONGEST {
        return Err(malformed());
    }
    if text.iter().all(u8::is_ascii_graphic) { Ok(Some(text)) } else { Err(malformed()) }
}

fn malformed() -> Refusal {
    Refusal::bad_request(format!(
        "{HEADER}: expected one value of 1 to {LONGEST} visible ASCII characters without blanks"
    ))
    .with("field", HEADER)
}

fn scope_of(key_id: ApiKeyId, text: &[u8]) -> Digest {
    Sha256::new().chain_update(key_id.0.to_be_bytes()).chain_update(text).finalize().into()
}

/// What is asked: the path, with the model that a Gemini path names, and the body.
fn content_of(ingress: &Ingress) -> Digest {
    let model = ingress.path_model.as_deref().unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [ingress.endpoint.as_str(), model] {
        // With its length in front, so that no part can pass for the end of another.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.chain_update(&ingress.body).finalize().into()
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

    fn claim(
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

/// What goes upstream in place of the caller's header: two callers may choose the same text, and a vendor that
/// honours it would take them for one, because they share an account there (X33).
pub(super) fn upstream_key(record: &RequestRecord) -> Option<http::HeaderValue> {
    let (scope, _) = record.idempotency_key.as_deref()?.split_once(':')?;
    http::HeaderValue::from_str(scope).ok()
}

#[cfg(test)]
mod tests;
