//! Which credential serves a request: a pure function of the configuration, the gauges, the demand and a seed.
//!
//! Every route uses it, for the first attempt and for each further one (the tried set grows). It sends nothing.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use types::CredentialId;
use types::credential::Tier;
use types::dialect::Endpoint;
use types::request::{Candidate, Decision, Removed};

use crate::error::Refusal;
use crate::snapshot::{ApiKey, Credential, Provider, Snapshot};

/// Candidates that a decision record keeps.
const MAX_RECORDED: usize = 200;

/// What else may stand in a candidate's way at this instant: limits, a missing price.
pub(super) trait Gate: std::fmt::Debug + Sync {
    /// The filter that removes a provider; `None` if it may serve.
    fn provider(&self, provider: &Provider) -> Option<&'static str>;
    /// The filter that removes a credential.
    fn credential(&self, provider: &Provider, credential: &Credential) -> Option<&'static str>;
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) model: Option<&'a str>,
    pub(super) key: &'a ApiKey,
    /// Credentials that this request has tried already.
    pub(super) tried: &'a [CredentialId],
    pub(super) gate: &'a dyn Gate,
    pub(super) seed: u64,
}

/// Who was considered and in which order the rest may serve.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    /// Best first.
    pub(super) ranked: Vec<(&'a Provider, &'a Arc<Credential>)>,
    removed: Vec<(&'a Provider, Option<&'a Arc<Credential>>, &'static str)>,
    revision: i64,
}

/// Looks at every candidate.
pub(super) fn select<'a>(snapshot: &'a Snapshot, demand: Demand<'_>) -> Selection<'a> {
    let mut ranked = Vec::new();
    let mut removed = Vec::new();
    for provider in &snapshot.providers {
        if let Some(filter) = provider_filter(provider, demand) {
            removed.push((provider, None, filter));
            continue;
        }
        if provider.credentials.is_empty() {
            removed.push((provider, None, "no_credential"));
        }
        for credential in &provider.credentials {
            let filter = credential_filter(credential, demand)
                .or_else(|| demand.gate.credential(provider, credential));
            match filter {
                Some(filter) => removed.push((provider, Some(credential), filter)),
                None => ranked.push((provider, credential)),
            }
        }
    }
    order(&mut ranked, &snapshot.settings.pool_tier_order, demand.seed);
    Selection { ranked, removed, revision: snapshot.revision }
}

/// The first filter that removes a provider as a whole.
fn provider_filter(provider: &Provider, demand: Demand<'_>) -> Option<&'static str> {
    if !provider.spec.enabled {
        Some("disabled")
    } else if !provider.spec.kind.serves(demand.endpoint) {
        Some("endpoint")
    } else if !demand.key.may_use_groups(&provider.spec.groups) {
        Some("group")
    } else if demand.model.is_some_and(|model| !provider.serves_model(model)) {
        Some("model")
    } else {
        demand.gate.provider(provider)
    }
}

/// The first filter that removes a credential.
fn credential_filter(credential: &Credential, demand: Demand<'_>) -> Option<&'static str> {
    if demand.tried.contains(&credential.id) {
        Some("tried")
    } else if !credential.spec.enabled {
        Some("disabled")
    } else if credential.secret.is_none() {
        Some("unreadable")
    } else if credential.spec.max_concurrency.is_some_and(|limit| credential.gauge.in_flight() >= limit) {
        Some("concurrency")
    } else {
        None
    }
}

/// Orders by: not rejected by its upstream, tier, provider priority, credential priority; among equals a
/// weighted draw, so that each gets its share and a retry meets another one.
fn order(ranked: &mut [(&Provider, &Arc<Credential>)], tiers: &[Tier], seed: u64) {
    let mut rng = SmallRng::seed_from_u64(seed);
    ranked.sort_by_cached_key(|(provider, credential)| {
        let tier = tiers.iter().position(|tier| *tier == credential.spec.tier).unwrap_or(tiers.len());
        let weight = provider.spec.weight.saturating_mul(credential.spec.weight).max(1);
        (
            credential.rejected,
            tier,
            provider.spec.priority,
            credential.spec.priority,
            Reverse(ticket(weight, rng.random())),
        )
    });
}

/// A lottery ticket whose chance to be the highest is proportional to the weight: u^(1/w) of Efraimidis and
/// Spirakis (2006), compared by its logarithm.
#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "a draw, no money; 53 bits are plenty"
)]
fn ticket(weight: u32, random: u64) -> Ordered {
    let unit = ((random >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
    Ordered(unit.ln() / f64::from(weight))
}

#[derive(Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Selection<'_> {
    /// What is kept of the selection.
    pub(super) fn decision(&self) -> Decision {
        let plain = |provider: &Provider, credential: Option<&Arc<Credential>>| {
            let credential = credential.map(|credential| (credential.id, credential.spec.name.as_str()));
            Candidate::plain((provider.id, &provider.spec.name), credential)
        };
        let kept = self.ranked.iter().zip(1_u32..).map(|((provider, credential), rank)| Candidate {
            rank: Some(rank),
            ..plain(provider, Some(credential))
        });
        let removed = self.removed.iter().map(|(provider, credential, filter)| Candidate {
            removed_by: Some((*filter).to_owned()),
            ..plain(provider, *credential)
        });
        Decision {
            candidates: kept.chain(removed).take(MAX_RECORDED).collect(),
            removed: self
                .counts()
                .into_iter()
                .map(|(filter, count)| Removed { filter: filter.to_owned(), count })
                .collect(),
            config_revision: self.revision,
            ..Decision::default()
        }
    }

    fn counts(&self) -> BTreeMap<&'static str, u32> {
        let mut counts = BTreeMap::new();
        for (_, _, filter) in &self.removed {
            *counts.entry(*filter).or_insert(0) += 1;
        }
        counts
    }

    /// The answer when nobody is left: counts by reason, no names (AC-01).
    pub(super) fn nobody(&self, demand: Demand<'_>) -> Refusal {
        let counts = self.counts();
        let reasons =
            counts.iter().map(|(filter, count)| format!("{filter} {count}")).collect::<Vec<_>>().join(", ");
        let model = demand.model.map_or_else(String::new, |model| format!(" for model '{model}'"));
        let why = if counts.is_empty() {
            "no provider is set up".to_owned()
        } else {
            format!("removed by: {reasons}")
        };
        let refusal = Refusal::new(
            503,
            "no_available_account",
            format!(
                "No available provider found{model} on {} ({why}); no available account, account not available",
                demand.endpoint
            ),
        )
        .with("reasons", serde_json::json!(counts));
        // Only a busy credential gets better by itself.
        if counts.contains_key("concurrency") { refusal.retry_after(1) } else { refusal }
    }
}

#[cfg(test)]
mod tests;
