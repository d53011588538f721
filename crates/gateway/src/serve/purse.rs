//! The money side of a request in flight: what it holds, what it pays, and when it may go on.
//!
//! Its owner (`settle`) says how the request ended; what that costs is decided here, by the billing contract of the
//! handbook.

use ledger::budget::{Blocked, Hold};
use types::price::PriceState;
use types::request::{RequestRecord, TokenUsage};
use types::setting::UnknownOutcome;
use types::{ApiKeyId, Money, Timestamp};

use super::Request;
use super::admit::Admission;
use super::quote::{self, Quote};
use crate::core::Core;
use crate::quota::concurrency::SlotGuard;
use crate::quota::{charges, scope};
use crate::snapshot::{Credential, Provider, Snapshot};
use types::quota::ScopeKind;

/// How far ahead a stream that is watched holds money, in hundredths of what it did cost so far.
const AHEAD_PERCENT: i128 = 25;

/// What the end of a request is charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    /// Nothing: it was never sent, or the upstream refused it.
    Nothing,
    /// The usage on its record.
    Usage,
    /// Nobody can know what the upstream did.
    Unknown,
    /// The upstream may have billed something that the caller never got: the gateway's loss.
    Loss,
}

/// What a second attempt holds that runs beside the first; its money is with the request's own.
#[derive(Debug)]
pub(super) struct Side {
    slots: Option<SlotGuard>,
    tpm: Vec<ledger::budget::Scope>,
    quote: Quote,
}

/// What an attempt of which nobody gets the answer gives to go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waste {
    pub(super) charge: Charge,
    pub(super) request_bytes: u64,
    /// The usage that its answer had told by then.
    pub(super) told: Option<TokenUsage>,
}

/// What it may have cost its provider.
fn loss_of(quote: Option<&Quote>, waste: Waste) -> Money {
    let (Some(quote), Charge::Loss | Charge::Unknown) = (quote, waste.charge) else { return Money::ZERO };
    let usage = waste.told.unwrap_or_else(|| quote::input_only(waste.request_bytes));
    quote.cost(&usage, None, waste.told.is_some()).map_or(Money::ZERO, |cost| cost.provider)
}

/// What a request in flight holds.
#[derive(Debug)]
pub(super) struct Purse {
    hold: Hold,
    _slots: SlotGuard,
    supplier_slots: Option<SlotGuard>,
    tpm: Vec<ledger::budget::Scope>,
    watched: bool,
    key: ApiKeyId,
    unknown: UnknownOutcome,
    /// Whether costs are learned, because a limit somewhere holds an estimate.
    learns: bool,
    /// The quote of the running attempt.
    quote: Option<Quote>,
    /// What failed attempts cost.
    lost: Money,
}

impl Purse {
    pub(super) fn new(admission: Admission, request: &Request) -> Self {
        let Admission { hold, slots, tpm, watched, .. } = admission;
        let (snapshot, key) = (&request.snapshot, request.key.id);
        let unknown = snapshot.settings.billing_unknown_outcome;
        Self {
            hold,
            _slots: slots,
            supplier_slots: None,
            tpm,
            watched,
            key,
            unknown,
            learns: snapshot.guesses,
            quote: None,
            lost: Money::ZERO,
        }
    }

    /// Holds what an attempt needs of its provider, credential and group, in place of those of the attempt before.
    pub(super) fn attempt(
        &mut self,
        core: &Core,
        snapshot: &Snapshot,
        (provider, credential): (&Provider, &Credential),
        quote: Quote,
        now: Timestamp,
    ) -> Result<(), Blocked> {
        let quotas = &core.quotas;
        let (of_provider, of_credential) =
            (scope(ScopeKind::Provider, provider.id.0), scope(ScopeKind::Credential, credential.id.0));
        let suppliers = [
            quotas.money(of_provider, &provider.spec.limits, now),
            quotas.money(of_credential, &credential.spec.limits, now),
        ];
        let groups: Vec<_> = quote
            .group
            .as_ref()
            .and_then(|name| snapshot.groups.get(name))
            .map(|group| quotas.money(scope(ScopeKind::Group, group.id.0), &group.spec.limits, now))
            .into_iter()
            .collect();
        self.hold.attempt(&charges(&suppliers), &charges(&groups), quote.provider)?;
        if groups.iter().any(|(_, rules)| rules.iter().any(|rule| !rule.hard)) {
            self.watched = true;
        }
        let rates = [(of_provider, &provider.spec.limits), (of_credential, &credential.spec.limits)];
        let rules: Vec<_> = rates.iter().filter_map(|(scope, limits)| quotas.rate(*scope, limits)).collect();
        // Selection has looked already; a neighbour may have been faster, which costs a minute's accuracy at most.
        let _ = quotas.rates.admit(now, &rules);
        self.tpm.retain(|scope| !matches!(scope.kind, ScopeKind::Provider | ScopeKind::Credential));
        self.tpm.extend(rules.iter().filter(|rule| rule.tpm.is_some()).map(|rule| rule.scope));
        let slots: Vec<_> = rates.iter().filter_map(|(scope, limits)| quotas.slot(*scope, limits)).collect();
        self.supplier_slots = quotas.slots.take(now, &slots, None).ok();
        self.quote = Some(quote);
        Ok(())
    }

    /// Also holds what a second attempt needs that runs beside the current one. `None` if a limit forbids it, or if it
    /// would go through another group, which its payers would have to hold twice.
    pub(super) fn beside(
        &mut self,
        core: &Core,
        (provider, credential): (&Provider, &Credential),
        quote: Quote,
        now: Timestamp,
    ) -> Option<Side> {
        if self.quote.as_ref().is_none_or(|own| own.group != quote.group) {
            return None;
        }
        let quotas = &core.quotas;
        let limits = [
            (scope(ScopeKind::Provider, provider.id.0), &provider.spec.limits),
            (scope(ScopeKind::Credential, credential.id.0), &credential.spec.limits),
        ];
        let rules: Vec<_> = limits.iter().filter_map(|(scope, limits)| quotas.rate(*scope, limits)).collect();
        let slots: Vec<_> = limits.iter().filter_map(|(scope, limits)| quotas.slot(*scope, limits)).collect();
        let slots = if slots.is_empty() { None } else { Some(quotas.slots.take(now, &slots, None).ok()?) };
        let suppliers = limits.map(|(scope, limits)| quotas.money(scope, limits, now));
        self.hold.beside(&charges(&suppliers), quote.provider).ok()?;
        // As for the first attempt: selection has looked already.
        let _ = quotas.rates.admit(now, &rules);
        let tpm = rules.iter().filter(|rule| rule.tpm.is_some()).map(|rule| rule.scope).collect();
        Some(Side { slots, tpm, quote })
    }

    /// What is lost at most, by the estimate, if one of the running attempt and another one is cancelled before it has
    /// said anything.
    pub(super) fn waste_of_two(&self, other: &Quote, request_bytes: u64) -> Money {
        let waste = Waste { charge: Charge::Loss, request_bytes, told: None };
        loss_of(self.quote.as_ref(), waste).max(loss_of(Some(other), waste))
    }

    /// Books what the second attempt may have cost the gateway, and lets its provider go.
    pub(super) fn leave_beside(&mut self, side: &Side, waste: Waste) -> Money {
        let loss = loss_of(Some(&side.quote), waste);
        self.hold.leave_beside(loss);
        self.lost = self.lost.plus(loss);
        loss
    }

    /// Puts the second attempt in the place of the current one, and books what that may have cost the gateway.
    pub(super) fn take_beside(&mut self, side: Side, waste: Waste) -> Money {
        let loss = loss_of(self.quote.as_ref(), waste);
        self.hold.take_beside(loss);
        self.lost = self.lost.plus(loss);
        self.supplier_slots = side.slots;
        self.tpm.retain(|scope| !matches!(scope.kind, ScopeKind::Provider | ScopeKind::Credential));
        self.tpm.extend(side.tpm);
        self.quote = Some(side.quote);
        loss
    }

    /// Books what a failed attempt may have cost the gateway, and lets its provider go.
    pub(super) fn fail_attempt(&mut self, request_bytes: u64, charge: Charge) -> Money {
        let loss = loss_of(self.quote.as_ref(), Waste { charge, request_bytes, told: None });
        self.hold.fail_attempt(loss);
        self.supplier_slots = None;
        self.lost = self.lost.plus(loss);
        loss
    }

    /// The group through which the running attempt goes.
    pub(super) fn group(&self) -> Option<String> {
        self.quote.as_ref().and_then(|quote| quote.group.clone())
    }

    /// Whether the running cost must be watched.
    pub(super) fn is_watched(&self) -> bool {
        self.watched
    }

    /// What a usage costs its payers.
    pub(super) fn billed(&self, usage: &TokenUsage, tier: Option<&str>) -> Money {
        self.quote
            .as_ref()
            .and_then(|quote| quote.cost(usage, tier, true))
            .map_or(Money::ZERO, |cost| cost.billed)
    }

    /// Holds enough for what the request did cost so far; the limit that forbids it otherwise.
    pub(super) fn cover(&mut self, billed: Money) -> Result<(), Blocked> {
        if billed <= self.hold.amounts().estimate {
            return Ok(());
        }
        let ahead = Money::clamp_nano(i128::from(billed.nano()) * (100 + AHEAD_PERCENT) / 100);
        // Near the limit the exact amount may fit where a margin does not.
        self.hold.raise(ahead).or_else(|_| self.hold.raise(billed))
    }

    /// Prices the record and lets go of everything.
    pub(super) fn close(self, core: &Core, record: &mut RequestRecord, charge: Charge) {
        let now = core.clock.now();
        let tier = record.service_tier.clone();
        let usage = match charge {
            Charge::Usage => record.usage(),
            Charge::Unknown | Charge::Loss => quote::input_only(record.request_bytes),
            Charge::Nothing => TokenUsage::default(),
        };
        if charge == Charge::Unknown {
            record.set_usage(usage);
            record.estimated = true;
        }
        let mut provider_total = Money::ZERO;
        if let Some(quote) = self.quote.filter(|_| charge != Charge::Nothing) {
            record.group.clone_from(&quote.group);
            record.price_state = quote.state;
            if let Some(mut cost) = quote.cost(&usage, tier.as_deref(), charge == Charge::Usage) {
                let worst = quote.billed.worst;
                // Everything that was held is no sum of lines, so there is nothing to take apart.
                let all = charge == Charge::Unknown && self.unknown == UnknownOutcome::Reserve;
                if all {
                    cost.billed = worst;
                } else if record.estimated {
                    cost.billed = quote::within(cost.billed, worst);
                } else if cost.billed > worst && !worst.is_zero() {
                    core.metrics.overshot();
                    tracing::warn!(request.id = %record.request_id, cost = %cost.billed, held = %worst,
                        "a request cost more than its worst case");
                }
                provider_total = cost.provider;
                if charge == Charge::Loss {
                    record.price_state = PriceState::None;
                } else {
                    if self.learns && charge == Charge::Usage && !record.estimated {
                        let model = record.model.as_deref().unwrap_or_default();
                        core.quotas.estimates.learn(self.key, model, cost.billed);
                    }
                    record.cost_usd = cost.billed;
                    record.base_cost_usd = cost.base;
                    record.bill = (!all).then(|| Box::new(cost.bill));
                }
                if let Some(attempt) = record.attempts.last_mut() {
                    attempt.provider_cost_usd = cost.provider;
                }
            }
        }
        // The record's own provider cost is that of its last attempt; those before it carry theirs.
        record.provider_cost_usd =
            record.attempts.last().map_or(Money::ZERO, |attempt| attempt.provider_cost_usd);
        core.quotas.rates.spend(now, &self.tpm, usage.total());
        self.hold.settle(record.cost_usd, provider_total);
    }
}
