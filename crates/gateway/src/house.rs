//! Requests that are priced outside the request path: those of the house itself, such as an administrator's test of a
//! provider (nobody is charged, but the provider bills them), and those that a stop of the process interrupted.

use ledger::OpenRequest;
use ledger::budget::Amounts;
use ledger::price::{Factors, Priced, cost};
use types::Factor;
use types::price::PriceState;
use types::quota::ScopeKind;
use types::request::{AttemptOutcome, RequestRecord, TokenUsage};
use types::setting::UnknownOutcome;

use crate::core::Core;
use crate::quota::{charges, scope};
use crate::snapshot::{Provider, Snapshot};

/// Prices the record of a request that ended, and counts it on its provider and credential.
pub(crate) fn settle(core: &Core, provider: &Provider, record: &mut RequestRecord) {
    let (Some(model), Some(credential)) = (record.upstream_model.clone(), record.credential_id) else {
        return;
    };
    let snapshot = core.snapshot();
    let Some(found) = snapshot.prices.find(provider.spec.kind, &model) else {
        record.price_state = PriceState::Unpriced;
        return;
    };
    let price = Priced { model: &found.model, source: found.source, spec: &found.spec };
    let factors =
        Factors { multiplier: provider.spec.cost_multiplier, group: Factor::ONE, user: Factor::ZERO };
    let cost = cost(price, &record.usage(), record.service_tier.as_deref(), true, factors);
    record.price_state = if found.spec.free { PriceState::Free } else { PriceState::Priced };
    record.base_cost_usd = cost.base;
    record.cost_usd = cost.billed;
    record.provider_cost_usd = cost.provider;
    if let Some(attempt) = record.attempts.last_mut() {
        attempt.provider_cost_usd = cost.provider;
    }
    record.bill = Some(Box::new(cost.bill));
    let now = core.clock.now();
    let nobody = [core.quotas.money(scope(ScopeKind::Global, 0), &types::limits::Limits::default(), now)];
    let suppliers = [
        (scope(ScopeKind::Provider, provider.id.0), Vec::new()),
        (scope(ScopeKind::Credential, credential.0), Vec::new()),
    ];
    let moment = core.quotas.moment(now);
    // Without rules nothing can be in the way.
    if let Ok(mut hold) =
        core.quotas.budgets.hold(record.request_id, moment, &charges(&nobody), Amounts::default())
        && hold.attempt(&charges(&suppliers), &[], Amounts::default()).is_ok()
    {
        hold.settle(cost.billed, cost.provider);
    }
}

/// The end of a request that a stop of the process interrupted, by the billing contract: nothing if it was never sent,
/// what was known of its answer if one had begun, else its estimated input or everything that was held.
pub(crate) fn interrupted(core: &Core, open: OpenRequest) -> RequestRecord {
    let (sent, progressed, output) = (open.sent, open.progressed, open.output_estimate);
    let mut record = ledger::interrupted(open);
    if !sent || record.endpoint.is_count() {
        return record;
    }
    let mut usage = record.usage();
    if !progressed || usage.input == 0 {
        // Four bytes a token, as everywhere where the vendor gave no counts.
        usage.input = usage.input.max(record.request_bytes.div_ceil(4));
    }
    usage.output = usage.output.max(output);
    record.set_usage(usage);
    record.estimated = true;
    let snapshot = core.snapshot();
    price_interrupted(&snapshot, &mut record, usage, progressed);
    price_beside(&snapshot, &mut record);
    record
}

/// Where two attempts ran side by side, both were with their upstreams: the one that is not charged to anybody is the
/// gateway's own cost.
fn price_beside(snapshot: &Snapshot, record: &mut RequestRecord) {
    let asked = record.model.clone().unwrap_or_default();
    let usage = TokenUsage { input: record.request_bytes.div_ceil(4), ..TokenUsage::default() };
    let Some((last, before)) = record.attempts.split_last_mut() else { return };
    for attempt in before {
        let ran = attempt.outcome == AttemptOutcome::Interrupted && (attempt.hedge || last.hedge);
        if !ran || !attempt.provider_cost_usd.is_zero() {
            continue;
        }
        let provider = snapshot.providers.iter().find(|provider| provider.id == attempt.provider_id);
        let Some(provider) = provider else { continue };
        let model = attempt.model.as_deref().unwrap_or(&asked);
        let Some(found) = snapshot.prices.find(provider.spec.kind, model) else { continue };
        let price = Priced { model: &found.model, source: found.source, spec: &found.spec };
        let factors =
            Factors { multiplier: provider.spec.cost_multiplier, group: Factor::ONE, user: Factor::ZERO };
        attempt.provider_cost_usd = cost(price, &usage, None, false, factors).provider;
    }
}

fn price_interrupted(snapshot: &Snapshot, record: &mut RequestRecord, usage: TokenUsage, progressed: bool) {
    let provider = snapshot.providers.iter().find(|provider| Some(provider.id) == record.provider_id);
    let model = record.upstream_model.as_deref().or(record.model.as_deref()).unwrap_or_default();
    let found = provider.and_then(|provider| snapshot.prices.find(provider.spec.kind, model));
    let (Some(provider), Some(found)) = (provider, found) else {
        record.price_state = PriceState::Unpriced;
        return;
    };
    let settings = &snapshot.settings;
    let user = record.user_id.and_then(|id| snapshot.users.get(&id));
    let rate = if settings.billing_global_price_rate == Factor::ONE {
        user.map_or(Factor::ONE, |user| user.spec.price_rate)
    } else {
        settings.billing_global_price_rate
    };
    let group = record.group.as_ref().and_then(|name| snapshot.groups.get(name));
    let factors = Factors {
        multiplier: provider.spec.cost_multiplier,
        group: group.map_or(Factor::ONE, |group| group.spec.price_rate),
        user: rate,
    };
    let price = Priced { model: &found.model, source: found.source, spec: &found.spec };
    let cost = cost(price, &usage, record.service_tier.as_deref(), progressed, factors);
    record.price_state = if found.spec.free { PriceState::Free } else { PriceState::Priced };
    let all = !progressed && settings.billing_unknown_outcome == UnknownOutcome::Reserve;
    record.cost_usd = if all { record.held_usd } else { cost.billed };
    record.base_cost_usd = cost.base;
    record.provider_cost_usd = cost.provider;
    if let Some(attempt) = record.attempts.last_mut() {
        attempt.provider_cost_usd = cost.provider;
    }
    // Everything that was held is no sum of lines, so there is nothing to take apart.
    record.bill = (!all).then(|| Box::new(cost.bill));
}
