//! One recorded decision, taken again under another policy.
//!
//! A record holds ranks and not tickets. Among candidates that only the draw told apart, the tickets are drawn anew
//! under the condition that they come out in the recorded order: for exponential tickets the gaps between them are
//! exponential too, each with the weights of those not yet drawn. So an unchanged policy gives the recorded order, and
//! changed weights give exactly the shares that they would have given, while as few requests move as can.

use std::cmp::Ordering;
use std::collections::HashMap;

use types::credential::Tier;
use types::request::{AffinityOutcome, Candidate};
use types::routing::Strategy;
use types::simulation::{Backtest, ProviderEdit};
use types::{CredentialId, ProviderId};

use super::{Sample, Target};
use crate::order::{Facts, burdens, compare, order_by, ticket};

/// The edited policy, and whose turn it is under it.
pub(super) struct Policy<'a> {
    edit: &'a Backtest,
    /// The present one.
    tier_order: &'a [Tier],
    /// Another strategy than the present one.
    strategy: Option<Strategy>,
    /// Own weights of providers, as far as records tell.
    weights: HashMap<ProviderId, u32>,
    turns: HashMap<CredentialId, u64>,
    turn: u64,
}

impl<'a> Policy<'a> {
    pub(super) fn new(
        samples: &[Sample],
        edit: &'a Backtest,
        tier_order: &'a [Tier],
        strategy: Strategy,
    ) -> Self {
        let mut weights = HashMap::new();
        for candidate in samples.iter().flat_map(could_serve) {
            // Recorded is the product with the credential's own weight; those of a provider's credentials are taken
            // to have no common factor, as it is with one credential of the usual weight one.
            let common = weights.entry(candidate.provider_id).or_insert(0);
            *common = common_divisor(*common, candidate.weight.max(1));
        }
        Self {
            edit,
            tier_order,
            strategy: edit.strategy.filter(|other| *other != strategy),
            weights,
            turns: HashMap::new(),
            turn: 0,
        }
    }

    /// Whether a record holds enough.
    pub(super) fn can_replay(&self, sample: &Sample) -> bool {
        // Filters stop at the first that removes, so nothing else is known of a provider that was disabled.
        let enabled_now = |candidate: &Candidate| {
            candidate.credential_id.is_none()
                && candidate.removed_by.as_deref() == Some("disabled")
                && self.change(candidate.provider_id).enabled == Some(true)
        };
        could_serve(sample).next().is_some() && !sample.decision.candidates.iter().any(enabled_now)
    }

    /// Where the first attempt would have gone; `None` if nobody is left.
    pub(super) fn first(&mut self, sample: &Sample) -> Option<Target> {
        let recorded = sample.decision.strategy.unwrap_or(Strategy::Weighted);
        let strategy = self.strategy.unwrap_or(recorded);
        let mut ranked: Vec<_> = could_serve(sample).collect();
        ranked.sort_by_key(|candidate| candidate.rank);
        let order = self.order_of(sample);
        let before: Vec<_> = ranked.iter().zip(0_u64..).map(|(one, rank)| facts(order, one, rank)).collect();
        let held = is_held(sample, &ranked);
        let tickets = tickets(&before, recorded, held, seed(sample));

        let mut left = Vec::with_capacity(ranked.len());
        for (place, ((candidate, facts), ticket)) in ranked.iter().zip(before).zip(tickets).enumerate() {
            let change = self.change(candidate.provider_id);
            if change.enabled == Some(false) {
                continue;
            }
            let mut edited = facts;
            edited.priority.0 = change.priority.unwrap_or(facts.priority.0);
            if let (Some(weight), Some(old)) = (change.weight, self.weights.get(&candidate.provider_id)) {
                edited.weight = (facts.weight / (*old).max(1)).max(1).saturating_mul(weight.max(1));
            }
            if strategy == Strategy::RoundRobin && recorded != Strategy::RoundRobin {
                edited.last_turn =
                    candidate.credential_id.and_then(|id| self.turns.get(&id)).copied().unwrap_or(0);
            }
            let ticket = ticket * f64::from(facts.weight) / f64::from(edited.weight);
            left.push((*candidate, edited, ticket, held && place == 0));
        }
        let facts: Vec<_> = left.iter().map(|(_, facts, ..)| *facts).collect();
        let bound = left.iter().position(|(.., bound)| *bound);
        let drawn = |index: usize, _| left.get(index).map_or(f64::INFINITY, |(_, _, ticket, _)| *ticket);
        let first = *order_by(&facts, strategy, bound, drawn).first()?;
        let (candidate, ..) = left.get(first)?;
        let credential = candidate.credential_id?;
        self.turn += 1;
        self.turns.insert(credential, self.turn);
        Some(Target {
            provider: candidate.provider_id,
            credential,
            multiplier: candidate.cost_multiplier,
            latency_ms: candidate.latency_ms,
        })
    }

    fn change(&self, provider: ProviderId) -> ProviderEdit {
        self.edit.providers.get(&provider.0).copied().unwrap_or_default()
    }

    /// The order of tiers: the edited one, else the one under which it was decided.
    fn order_of<'s>(&'s self, sample: &'s Sample) -> &'s [Tier] {
        let recorded = &sample.decision.tier_order;
        let unedited = if recorded.is_empty() { self.tier_order } else { recorded };
        self.edit.tier_order.as_deref().unwrap_or(unedited)
    }
}

fn facts(tier_order: &[Tier], candidate: &Candidate, rank: u64) -> Facts {
    let place = |tier: Tier| tier_order.iter().position(|other| *other == tier);
    let tier = candidate.tier.and_then(place).and_then(|place| u8::try_from(place).ok());
    Facts {
        demoted: candidate.demoted.is_some(),
        tier: tier.unwrap_or(u8::MAX),
        priority: candidate.priority,
        translated: candidate.translated.is_some(),
        weight: candidate.weight.max(1),
        in_flight: candidate.in_flight,
        latency_ms: candidate.latency_ms.map(|ms| u32::try_from(ms).unwrap_or(u32::MAX)),
        multiplier_micro: candidate.cost_multiplier.micro(),
        // Under turns the recorded order is the order of turns.
        last_turn: rank,
    }
}

fn could_serve(sample: &Sample) -> impl Iterator<Item = &Candidate> {
    let candidates = sample.decision.candidates.iter();
    candidates.filter(|candidate| {
        candidate.removed_by.is_none() && candidate.rank.is_some() && candidate.credential_id.is_some()
    })
}

/// Whether the first was first because its conversation was bound to it.
fn is_held(sample: &Sample, ranked: &[&Candidate]) -> bool {
    sample.decision.affinity.as_ref().is_some_and(|note| {
        note.outcome == AffinityOutcome::Hit
            && note.credential_id.is_some()
            && note.credential_id == ranked.first().and_then(|first| first.credential_id)
    })
}

/// Old records have no seed; the time stands in, so that they do not all draw the same.
fn seed(sample: &Sample) -> u64 {
    sample.decision.seed ^ u64::try_from(sample.at.0).unwrap_or(0)
}

/// Tickets that come out in the recorded order wherever only they decided it.
fn tickets(ranked: &[Facts], strategy: Strategy, held: bool, seed: u64) -> Vec<f64> {
    let mut tickets = vec![0.0; ranked.len()];
    let (bound, rest) = ranked.split_at(usize::from(held).min(ranked.len()));
    let mut from = 0;
    let equals = rest.chunk_by(|a, b| compare(a, b, strategy) == Ordering::Equal);
    for group in bound.chunks(1).chain(equals) {
        let drawn =
            if strategy == Strategy::Latency { compared_by_twos(group) } else { (0..group.len()).collect() };
        let drawn: Vec<usize> = drawn.into_iter().map(|place| from + place).collect();
        from += group.len();
        let mut weights: u64 = group.iter().map(|facts| u64::from(facts.weight)).sum();
        let mut value = 0.0;
        for place in drawn {
            // Never zero, and weights are small: exact in a float.
            let left = u32::try_from(weights.max(1)).unwrap_or(u32::MAX);
            value += ticket(left, seed, place);
            if let (Some(slot), Some(facts)) = (tickets.get_mut(place), ranked.get(place)) {
                *slot = value;
                weights = weights.saturating_sub(u64::from(facts.weight));
            }
        }
    }
    tickets
}

/// An order of draws from which comparing by twos makes the given order: of two the slower waits, so one of the
/// slowest waited all the time, and was let go by the next as slow as it.
fn compared_by_twos(group: &[Facts]) -> Vec<usize> {
    let burdens = burdens(group);
    let most = burdens.iter().max().copied().unwrap_or_default();
    let mut slowest = burdens.iter().enumerate().filter(|(_, one)| **one == most).map(|(place, _)| place);
    let mut drawn: Vec<usize> = slowest.next().into_iter().collect();
    for (place, burden) in burdens.iter().enumerate() {
        drawn.extend(if *burden == most { slowest.next() } else { Some(place) });
    }
    drawn
}

fn common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}
