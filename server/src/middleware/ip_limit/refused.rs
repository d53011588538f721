//! RL-03: the addresses that were refused most often, for people who ask who it is.
//!
//! A small table of its own: the counts of the last minute forget an address as soon as it is quiet, and there are
//! too many of them to look through. It is in memory only; a restart begins anew.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use types::Timestamp;
use types::quota::RefusedAddress;

use super::counts::Key;

/// Addresses in the table. When it is full, a new one takes the place of the one that was refused least.
const ADDRESSES: usize = 256;
/// Addresses in an answer.
const SHOWN: usize = 20;

#[derive(Clone, Copy, Debug)]
struct Entry {
    refused: u64,
    since: Timestamp,
    latest: Timestamp,
}

impl Entry {
    fn is_over(&self, now: Timestamp) -> bool {
        now.0.saturating_sub(self.latest.0) > Timestamp::DAY_MS
    }
}

/// Who was refused, and how often.
#[derive(Debug, Default)]
pub(super) struct Refused(Mutex<HashMap<Key, Entry>>);

impl Refused {
    /// Counts one refusal.
    pub(super) fn count(&self, key: Key, now: Timestamp) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = table.get_mut(&key).filter(|entry| !entry.is_over(now)) {
            entry.refused += 1;
            entry.latest = entry.latest.max(now);
            return;
        }
        if table.len() >= ADDRESSES && !table.contains_key(&key) {
            let least = table
                .iter()
                .min_by_key(|(_, entry)| (if entry.is_over(now) { 0 } else { entry.refused }, entry.latest));
            if let Some(least) = least.map(|(key, _)| *key) {
                table.remove(&least);
            }
        }
        table.insert(key, Entry { refused: 1, since: now, latest: now });
    }

    /// The most often refused first, without those that were quiet for a day.
    pub(super) fn top(&self, now: Timestamp) -> Vec<RefusedAddress> {
        let mut entries: Vec<_> = {
            let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            table.iter().filter(|(_, entry)| !entry.is_over(now)).map(|(key, entry)| (*key, *entry)).collect()
        };
        entries.sort_by_key(|(_, entry)| std::cmp::Reverse((entry.refused, entry.latest)));
        entries.truncate(SHOWN);
        let shown = |(key, entry): (Key, Entry)| RefusedAddress {
            address: key.to_string(),
            refused: entry.refused,
            since: entry.since,
            latest: entry.latest,
        };
        entries.into_iter().map(shown).collect()
    }

    /// Addresses in memory.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
