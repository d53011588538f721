//! Takes out of a request what is the operator's business: which providers and credentials there are.

use types::request::{Attempt, Candidate, RequestRow};
use types::{CredentialId, ProviderId};

const PROVIDER: &str = "provider";
const CREDENTIAL: &str = "credential";

/// The row as its owner may see it: how often and how it was tried, but not with what.
pub(super) fn without_upstreams(mut row: RequestRow) -> RequestRow {
    row.provider_name = None;
    row.record.provider_id = None;
    row.record.credential_id = None;
    // What the operator pays, and how he gets from there to what he charges, is his.
    row.record.provider_cost_usd = types::Money::ZERO;
    row.record.group = None;
    if let Some(bill) = &mut row.record.bill {
        bill.cost_multiplier = types::Factor::ONE;
    }
    for attempt in &mut row.record.attempts {
        let Attempt {
            provider_id,
            provider_name,
            credential_id,
            credential_name,
            status_code: _,
            outcome: _,
            reason,
            started_ms: _,
            duration_ms: _,
            first_byte_ms: _,
            provider_cost_usd,
            class: _,
            commit: _,
            model,
            head_ms: _,
            pause_ms: _,
            hedge: _,
            rectified: _,
            // What was lost of his request is his to know.
            translation: _,
        } = attempt;
        // What an alias stands for is the operator's choice.
        *model = None;
        *provider_cost_usd = types::Money::ZERO;
        *provider_id = ProviderId(0);
        PROVIDER.clone_into(provider_name);
        *credential_id = CredentialId(0);
        CREDENTIAL.clone_into(credential_name);
        // It may name hosts and addresses.
        *reason = None;
    }
    if let Some(decision) = &mut row.record.decision {
        decision.models.clear();
        if let Some(hedge) = &mut decision.hedge {
            hedge.cost_usd = types::Money::ZERO;
        }
        if let Some(affinity) = &mut decision.affinity {
            affinity.credential_id = None;
        }
        for candidate in &mut decision.candidates {
            let Candidate {
                provider_id,
                provider_name,
                credential_id,
                credential_name,
                removed_by: _,
                rank: _,
                tier: _,
                priority,
                weight,
                in_flight,
                latency_ms,
                cost_multiplier,
                breaker: _,
                until: _,
                demoted: _,
                translated: _,
                chance_permille: _,
            } = candidate;
            (*priority, *weight, *in_flight, *latency_ms) = ((0, 0), 1, 0, None);
            *cost_multiplier = types::Factor::ONE;
            *provider_id = ProviderId(0);
            PROVIDER.clone_into(provider_name);
            *credential_id = credential_id.map(|_| CredentialId(0));
            *credential_name = credential_name.as_ref().map(|_| CREDENTIAL.to_owned());
        }
    }
    row
}
