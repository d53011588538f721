//! What is kept of a selection: every candidate with the facts that decided, so that it can be explained, repeated
//! and tried with another policy.

use std::collections::BTreeMap;

use routing::order::{Facts, chances};
use types::request::{Candidate, Decision, Removed};
use types::routing::Strategy;
use types::translation::Served;

use super::{Pick, Removal, Selection};

/// Candidates that a decision record keeps.
const MAX_RECORDED: usize = 50;

impl Selection<'_> {
    /// What is kept of the selection.
    pub(in crate::serve) fn decision(&self) -> Decision {
        let chances = if self.ranked.len() > 1 {
            let facts: Vec<Facts> = self.ranked.iter().take(MAX_RECORDED).map(|pick| pick.facts).collect();
            chances(&facts, self.strategy)
        } else {
            Vec::new()
        };
        let kept = self.ranked.iter().zip(1_u32..).zip(chances.into_iter().chain(std::iter::repeat(None)));
        let kept = kept.map(|((pick, rank), chance)| kept_candidate(pick, rank, chance));
        let removed = self.removed.iter().map(removed_candidate);
        // No room to spare: it is kept as long as the request's stream runs.
        let number = (self.ranked.len() + self.removed.len()).min(MAX_RECORDED);
        let mut candidates = Vec::with_capacity(number);
        candidates.extend(kept.chain(removed).take(number));
        Decision {
            candidates,
            removed: self
                .counts()
                .into_iter()
                .map(|(filter, count)| Removed { filter: filter.to_owned(), count })
                .collect(),
            config_revision: self.revision,
            tier_order: self.tier_order.to_vec(),
            strategy: (self.strategy != Strategy::Weighted).then_some(self.strategy),
            seed: self.seed,
            affinity: self.affinity.clone(),
            ..Decision::default()
        }
    }

    /// How many candidates each filter removed.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u32> {
        let mut counts = BTreeMap::new();
        for removal in &self.removed {
            *counts.entry(removal.filter).or_insert(0) += 1;
        }
        counts
    }
}

fn kept_candidate(pick: &Pick<'_>, rank: u32, chance: Option<u32>) -> Candidate {
    let (provider, credential) = (pick.provider, pick.credential);
    let plain = Candidate::plain(
        (provider.id, &provider.spec.name),
        Some((credential.id, credential.spec.name.as_str())),
    );
    Candidate {
        rank: Some(rank),
        tier: Some(credential.spec.tier),
        priority: pick.facts.priority,
        weight: pick.facts.weight,
        in_flight: pick.facts.in_flight,
        latency_ms: pick.facts.latency_ms.map(u64::from),
        cost_multiplier: provider.spec.cost_multiplier,
        until: pick.until,
        // One request at a time looks whether it is well again.
        breaker: pick.probes.then_some(types::breaker::BreakerState::HalfOpen),
        demoted: pick.facts.demoted.then(|| "unavailable".to_owned()),
        translated: match pick.served {
            Served::Natively => None,
            Served::Translated(dialect) | Served::Counted(dialect) => Some(dialect),
        },
        chance_permille: chance,
        ..plain
    }
}

fn removed_candidate(removal: &Removal<'_>) -> Candidate {
    let (provider, credential) = (removal.provider, removal.credential);
    let named = credential.map(|credential| (credential.id, credential.spec.name.as_str()));
    Candidate {
        removed_by: Some(removal.filter.to_owned()),
        tier: credential.map(|credential| credential.spec.tier),
        priority: (provider.spec.priority, credential.map_or(0, |credential| credential.spec.priority)),
        weight: provider.spec.weight.saturating_mul(credential.map_or(1, |c| c.spec.weight)).max(1),
        cost_multiplier: provider.spec.cost_multiplier,
        breaker: (removal.filter == "breaker").then_some(types::breaker::BreakerState::Open),
        until: removal.until,
        ..Candidate::plain((provider.id, &provider.spec.name), named)
    }
}
