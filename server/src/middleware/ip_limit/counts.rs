//! Requests by address over the last minute, by the second, in bounded memory.
//!
//! Two generations instead of a list in the order of use: an address that comes again moves to the young one, and
//! when that is full it becomes the old one and the old one goes. So the addresses that were idle longest are
//! forgotten, a few thousand at a time, and nobody who keeps coming is.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// One more than a minute's seconds, so that no 60 seconds, wherever they begin, see more than the limit.
const SECONDS: usize = 61;
/// Independent parts, so that requests of different addresses seldom wait for one another.
const SHARDS: usize = 16;
const SHARDS_U64: u64 = 16;
/// Addresses in one generation of a shard. All together at most 2 × 16 × 1,024, about 9 MB.
const GENERATION: usize = 1_024;

/// An IPv4 address, or the first half of an IPv6 address: whoever has one address of a /64 has them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(u64);

impl Key {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            // The upper bits tell it from IPv6: ::/32 is no address of a host.
            IpAddr::V4(v4) => Self(u64::from(u32::from(v4))),
            IpAddr::V6(v6) => Self(u64::try_from(u128::from(v6) >> 64).unwrap_or(u64::MAX)),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match u32::try_from(self.0) {
            // 0.0.0.0 is nobody's address, but `::1` is in `::/64`.
            Ok(v4) if v4 != 0 => std::net::Ipv4Addr::from(v4).fmt(f),
            _ => write!(f, "{}/64", std::net::Ipv6Addr::from(u128::from(self.0) << 64)),
        }
    }
}

/// A request over the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// Seconds until one more is taken, 1 to 61.
    pub(super) wait_s: u64,
    /// The first that this address was refused in 60 seconds.
    pub(super) first_of_minute: bool,
    /// The first that this address was refused in this second.
    pub(super) first_of_second: bool,
}

#[derive(Clone, Debug)]
struct Minute {
    /// The second that was counted last.
    second: i64,
    requests: [u32; SECONDS],
    total: u32,
    refused_at: i64,
    warned_at: i64,
}

impl Minute {
    fn new(second: i64) -> Self {
        Self { second, requests: [0; SECONDS], total: 0, refused_at: i64::MIN, warned_at: i64::MIN }
    }

    /// Forgets what is over a minute old. A clock that goes back counts on in the latest second.
    fn turn_to(&mut self, second: i64) {
        let passed = second.saturating_sub(self.second);
        if passed >= 61 {
            (self.requests, self.total) = ([0; SECONDS], 0);
        }
        for step in 1..=passed.min(60) {
            if let Some(requests) = self.requests.get_mut(slot(self.second.saturating_add(step))) {
                self.total = self.total.saturating_sub(*requests);
                *requests = 0;
            }
        }
        self.second = self.second.max(second);
    }

    fn count(&mut self, second: i64, limit: u32) -> Option<Counted> {
        self.turn_to(second);
        if self.total < limit {
            if let Some(requests) = self.requests.get_mut(slot(self.second)) {
                *requests += 1;
                self.total += 1;
            }
            return None;
        }
        let first_of_minute = self.second.saturating_sub(self.warned_at) >= 60;
        if first_of_minute {
            self.warned_at = self.second;
        }
        let first_of_second = self.refused_at != self.second;
        self.refused_at = self.second;
        Some(Counted { wait_s: self.wait_s(limit), first_of_minute, first_of_second })
    }

    /// Seconds until fewer than `limit` are left.
    fn wait_s(&self, limit: u32) -> u64 {
        let mut left = self.total;
        let mut wait = 0;
        for age in (0..61_i64).rev() {
            wait += 1;
            left = left.saturating_sub(self.requests.get(slot(self.second - age)).copied().unwrap_or(0));
            if left < limit {
                break;
            }
        }
        wait
    }
}

fn slot(second: i64) -> usize {
    usize::try_from(second.rem_euclid(61)).unwrap_or(0)
}

#[derive(Debug, Default)]
struct Shard {
    young: HashMap<Key, Minute>,
    old: HashMap<Key, Minute>,
}

impl Shard {
    fn minute(&mut self, key: Key, second: i64) -> &mut Minute {
        if !self.young.contains_key(&key) {
            if self.young.len() >= GENERATION {
                self.old = std::mem::take(&mut self.young);
            }
            let known = self.old.remove(&key).unwrap_or_else(|| Minute::new(second));
            self.young.insert(key, known);
        }
        self.young.entry(key).or_insert_with(|| Minute::new(second))
    }
}

/// All addresses.
#[derive(Debug)]
pub(super) struct Counts {
    shards: [Mutex<Shard>; SHARDS],
    /// Random, so that nobody can choose addresses that share a shard.
    hasher: RandomState,
}

impl Default for Counts {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), hasher: RandomState::new() }
    }
}

impl Counts {
    /// Counts one request, unless it is over the limit.
    pub(super) fn count(&self, key: Key, second: i64, limit: u32) -> Option<Counted> {
        let part = usize::try_from(self.hasher.hash_one(key) % SHARDS_U64).unwrap_or(0);
        let shard = self.shards.get(part)?;
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.minute(key, second).count(second, limit)
    }

    /// Addresses in memory.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let of = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(of).sum()
    }
}
