//! The pool as a whole: how many credentials could serve, how they did lately, what selection works with.

use types::cached::{Availability, AvailabilityRow, PoolStats, TierStats};
use types::credential::Tier;
use types::pool::{PoolEntry, PoolReport, PriorityStats};
use types::system::Refreshed;
use types::{Problem, Timestamp};

use super::Admin;
use super::condition::{Condition, Stored};
use crate::environment;
use crate::identity::problem::store_problem;

/// Length of a slot of the availability grid; `routing::health` counts in such slots.
const SLOT_S: u64 = 300;

impl Admin {
    /// Counts of the whole pool.
    pub async fn pool_stats(&self) -> Result<PoolStats, Problem> {
        Ok(self.pool_report().await?.stats)
    }

    /// Counts of the whole pool, and every entry of it.
    #[expect(clippy::unused_async, reason = "all calls of the handle are awaited alike")]
    pub async fn pool_report(&self) -> Result<PoolReport, Problem> {
        let (snapshot, now) = (self.core.snapshot(), self.core.clock.now());
        let order = &snapshot.settings.pool_tier_order;
        let rest = Tier::ALL.iter().filter(|tier| !order.contains(tier));
        let counts = self.core.pool_counters.counts();
        let mut stats = PoolStats {
            tiers: order
                .iter()
                .chain(rest)
                .map(|tier| TierStats { tier: *tier, total: 0, active: 0 })
                .collect(),
            rate_limited: counts.rate_limited,
            switches: counts.switches,
            exhausted: counts.exhausted,
            trend: self.core.pool_counters.trend(now),
            faults: environment::faults(&self.core),
            ..PoolStats::default()
        };
        let mut entries = Vec::new();
        for provider in &snapshot.providers {
            for credential in &provider.credentials {
                let condition = Condition::of(&self.core, Stored::of(credential), now);
                let spec = &credential.spec;
                let is_active = provider.spec.enabled && condition.is_active();
                let active = u32::from(is_active);
                stats.total += 1;
                stats.active += active;
                *stats.states.entry(condition.state.as_str().to_owned()).or_default() += 1;
                if let Some(tier) = stats.tiers.iter_mut().find(|tier| tier.tier == spec.tier) {
                    tier.total += 1;
                    tier.active += active;
                }
                count_priority(&mut stats.by_priority, spec.priority, active);
                entries.push(PoolEntry {
                    credential_id: credential.id,
                    credential_name: spec.name.clone(),
                    provider_id: provider.id,
                    provider_name: provider.spec.name.clone(),
                    tier: spec.tier,
                    priority: spec.priority,
                    active: is_active,
                    state: condition.state,
                    reason: condition.reason,
                    until: condition.until,
                    answered: condition.answered,
                    failed: condition.failed,
                    consecutive_errors: self.core.gauges.credential(credential.id).consecutive_errors,
                });
            }
        }
        stats.failed = stats.total.saturating_sub(stats.active);
        stats.by_priority.sort_by_key(|line| line.priority);
        Ok(PoolReport { stats, entries })
    }

    /// How each credential did in the last day, in slots of five minutes.
    #[expect(clippy::unused_async, reason = "all calls of the handle are awaited alike")]
    pub async fn availability(&self) -> Result<Availability, Problem> {
        let (snapshot, now) = (self.core.snapshot(), self.core.clock.now());
        let mut rows = Vec::new();
        for provider in &snapshot.providers {
            for credential in &provider.credentials {
                rows.push(AvailabilityRow {
                    credential_id: credential.id,
                    credential_name: credential.spec.name.clone(),
                    provider_id: provider.id,
                    provider_name: provider.spec.name.clone(),
                    slots: credential.gauge.health().slots(now),
                });
            }
        }
        let slots = rows.first().map_or(0, |row| row.slots.len());
        let since = oldest_slot(now, slots);
        Ok(Availability { slot_s: SLOT_S, since, started_at: self.core.started_at, rows })
    }

    /// Loads the configuration anew, so that what was changed in the database by hand is in force (AC-03).
    pub async fn scheduler_refresh(&self) -> Result<Refreshed, Problem> {
        let before = self.core.snapshot();
        let age = self.core.clock.now().0.saturating_sub(before.loaded_at.0);
        self.core.reload().await.map_err(|error| store_problem(error, "configuration"))?;
        let snapshot = self.core.snapshot();
        let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let refreshed = Refreshed {
            revision: snapshot.revision,
            age_ms: u64::try_from(age).unwrap_or(0),
            providers: narrow(snapshot.providers.len()),
            credentials: narrow(snapshot.providers.iter().map(|p| p.credentials.len()).sum()),
        };
        self.note("refresh", "scheduler", "scheduler", None).await?;
        Ok(refreshed)
    }
}

fn count_priority(lines: &mut Vec<PriorityStats>, priority: i32, active: u32) {
    match lines.iter_mut().find(|line| line.priority == priority) {
        Some(line) => {
            line.total += 1;
            line.active += active;
        }
        None => lines.push(PriorityStats { priority, total: 1, active }),
    }
}

/// The start of the oldest of so many slots, of which the last is the current one.
fn oldest_slot(now: Timestamp, slots: usize) -> Timestamp {
    let length = i64::try_from(SLOT_S).unwrap_or(i64::MAX).saturating_mul(1_000);
    let current = now.0 - now.0.rem_euclid(length);
    let back = i64::try_from(slots.saturating_sub(1)).unwrap_or(0).saturating_mul(length);
    Timestamp(current.saturating_sub(back))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_slot_begins_so_many_slots_before_the_current_one() {
        let now = Timestamp(10 * 300_000 + 17);
        assert_eq!(oldest_slot(now, 3), Timestamp(8 * 300_000));
        assert_eq!(oldest_slot(now, 1), Timestamp(10 * 300_000));
        assert_eq!(oldest_slot(now, 0), Timestamp(10 * 300_000));
    }
}
