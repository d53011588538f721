//! The pool as a whole: how many credentials could serve, how they did lately, what selection works with.

use std::collections::HashMap;

use types::cached::{Availability, AvailabilityRow, PoolStats, TierStats};
use types::credential::Tier;
use types::pool::{PoolEntry, PoolReport, PriorityStats};
use types::system::Refreshed;
use types::usage::{UsageBy, UsageFilter, UsageLine};
use types::{CredentialId, Money, Problem, Timestamp};

use super::Admin;
use super::condition::{Condition, Stored, in_force};
use crate::environment;
use crate::identity::problem::store_problem;

/// Length of a slot of the availability grid; `routing::health` counts in such slots.
const SLOT_S: u64 = 300;

impl Admin {
    /// Counts of the whole pool, and every entry of it.
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
        let booked = self.booked(now).await;
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
                let gauge = self.core.gauges.credential(credential.id);
                let marked = Some(&credential.mark).filter(|mark| in_force(mark, now));
                entries.push(PoolEntry {
                    credential_id: credential.id,
                    credential_name: spec.name.clone(),
                    provider_id: provider.id,
                    provider_name: provider.spec.name.clone(),
                    kind: provider.spec.kind,
                    tier: spec.tier,
                    priority: spec.priority,
                    enabled: spec.enabled,
                    active: is_active,
                    state: condition.state,
                    rate_limit_reset_at: condition.limited_until(marked),
                    current_load: gauge.in_flight,
                    daily_requests: booked.as_ref().map(|booked| booked.today(credential.id)),
                    total_cost_usd: booked.as_ref().map(|booked| booked.cost(credential.id)),
                    reason: condition.reason,
                    until: condition.until,
                    answered: condition.answered,
                    failed: condition.failed,
                    consecutive_errors: gauge.consecutive_errors,
                    last_error: gauge.last_error.or_else(|| marked.and_then(|mark| mark.reason.clone())),
                    last_error_at: gauge.last_error_at.or_else(|| marked.and_then(|mark| mark.since)),
                });
            }
        }
        stats.failed = stats.total.saturating_sub(stats.active);
        stats.by_priority.sort_by_key(|line| line.priority);
        Ok(PoolReport { stats, entries })
    }

    /// What the books say of credentials. The pool can be looked at without them, and has to be when the database fails.
    async fn booked(&self, now: Timestamp) -> Option<Booked> {
        let by = |since| UsageFilter {
            by: Some(UsageBy::Credential),
            since,
            until: Some(now.plus_ms(1)),
            limit: Some(u32::MAX),
            ..UsageFilter::default()
        };
        let all = self.core.store.usage_by(&by(None)).await.ok()?;
        let today = self.core.store.usage_by(&by(Some(now.day_start()))).await.ok()?;
        let of = |line: UsageLine| Some((CredentialId(line.key.parse().ok()?), line.totals));
        Some(Booked {
            cost: all.into_iter().filter_map(of).map(|(id, sums)| (id, sums.provider_cost_usd)).collect(),
            today: today.into_iter().filter_map(of).map(|(id, sums)| (id, sums.requests)).collect(),
        })
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

/// What the books say of credentials.
struct Booked {
    cost: HashMap<CredentialId, Money>,
    today: HashMap<CredentialId, u64>,
}

impl Booked {
    fn cost(&self, id: CredentialId) -> Money {
        self.cost.get(&id).copied().unwrap_or_default()
    }

    fn today(&self, id: CredentialId) -> u64 {
        self.today.get(&id).copied().unwrap_or_default()
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
