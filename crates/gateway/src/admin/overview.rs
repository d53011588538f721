//! The overview: sums and curves from the rollups, what is open now, and what needs a person.

use types::breaker::BreakerState;
use types::check::DisabledBy;
use types::credential::{CredentialMark, CredentialState};
use types::quota::{QuotaLine, ScopeKind};
use types::usage::{
    Attention, AttentionKind, Overview, OverviewSpan, UsageBy, UsageFilter, latency_percentile,
};
use types::{CredentialId, Problem, ProviderId, Timestamp};

use super::Admin;
use super::condition::in_force;
use crate::core::Core;
use crate::identity::problem::store_problem;
use crate::snapshot::{Credential, Provider, Snapshot};

/// Lines of each list of the most used.
const TOP: u32 = 10;
/// Fewer requests in the last hour say nothing about a rate of errors.
const ENOUGH_REQUESTS: u64 = 20;
/// The journal is this many records ahead of the database: the writer is late.
const LATE_RECORDS: u64 = 5_000;
/// Models without a price that are told, and how long after their last use.
const UNPRICED: u32 = 5;
const UNPRICED_MS: i64 = 7 * Timestamp::DAY_MS;
/// Limits in USD that are told, and from which use on.
const NEAR: usize = 10;
const NEAR_PERCENT: u32 = 90;

impl Admin {
    /// Everything that the overview page shows.
    pub async fn overview(&self, span: OverviewSpan) -> Result<Overview, Problem> {
        let core = &self.core;
        let at = core.clock.now();
        // The bucket of this very moment is part of it.
        let until = at.plus_ms(1);
        let bucket_ms = span.bucket_ms();
        let since = Timestamp(at.0 - at.0.rem_euclid(bucket_ms)).plus_ms(bucket_ms - span.length_ms());
        let wrong = |error| store_problem(error, "usage");
        let store = &core.store;
        let top = async |by: UsageBy| {
            let filter = UsageFilter {
                by: Some(by),
                since: Some(since),
                until: Some(until),
                limit: Some(TOP),
                ..UsageFilter::default()
            };
            store.usage_by(&filter).await
        };

        let bins = store.latency_bins(since, until).await.map_err(wrong)?;
        let totals = store.usage_totals(since, until, None).await.map_err(wrong)?;
        let points = store.usage_points(since, until, bucket_ms).await.map_err(wrong)?;
        let top_models = top(UsageBy::Model).await.map_err(wrong)?;
        let top_keys = top(UsageBy::Key).await.map_err(wrong)?;
        let top_providers = top(UsageBy::Provider).await.map_err(wrong)?;
        let mut attention = standing_attention(&core.snapshot(), at);
        attention.extend(breaker_attention(core, at));
        attention.extend(pool_attention(core));
        if core.rounds.is_cut_off() {
            attention.push(general(AttentionKind::ChecksCutOff, String::new()));
        }
        let last_hour = store
            .usage_totals(at.plus_ms(-Timestamp::HOUR_MS).hour_start(), until, None)
            .await
            .map_err(wrong)?;
        if last_hour.requests >= ENOUGH_REQUESTS && last_hour.errors.saturating_mul(10) > last_hour.requests {
            let subject = format!("{} / {}", last_hour.errors, last_hour.requests);
            attention.push(general(AttentionKind::ErrorRate, subject));
        }
        let backlog = core.ledger.backlog();
        if backlog > LATE_RECORDS {
            attention.push(general(AttentionKind::WriterLate, backlog.to_string()));
        }
        attention.extend(self.money_attention(at).await?);
        let (in_flight, open_streams) = core.metrics.open_now();
        Ok(Overview {
            span,
            at,
            totals,
            first_byte_p50_ms: latency_percentile(&bins, 50),
            first_byte_p95_ms: latency_percentile(&bins, 95),
            in_flight,
            open_streams,
            points,
            top_models,
            top_keys,
            top_providers,
            attention,
        })
    }
}

impl Admin {
    /// What prices, limits and the books show.
    async fn money_attention(&self, at: Timestamp) -> Result<Vec<Attention>, Problem> {
        let mut list = Vec::new();
        let since = at.plus_ms(-UNPRICED_MS);
        let unpriced = self.core.store.unpriced_models(since, UNPRICED).await;
        let unpriced = unpriced.map_err(|error| store_problem(error, "price"))?;
        list.extend(unpriced.into_iter().map(|model| general(AttentionKind::Unpriced, model.model)));
        let mut near = self.quotas_of_all(&self.core.snapshot());
        near.retain(|line| line.limit_name.is_money() && line.percent.is_some_and(|p| p >= NEAR_PERCENT));
        near.sort_by_key(|line| std::cmp::Reverse(line.percent));
        list.extend(near.into_iter().take(NEAR).map(near_limit));
        let violations = self.core.metrics.violations();
        if violations > 0 {
            list.push(general(AttentionKind::AuditFailed, violations.to_string()));
        }
        Ok(list)
    }
}

/// What the environment's lists could not set up. What cannot be decrypted is told by credential already.
fn pool_attention(core: &Core) -> Vec<Attention> {
    let mut subjects: Vec<String> = core.pool_faults.list().into_iter().map(|fault| fault.subject).collect();
    subjects.dedup();
    subjects.into_iter().map(|subject| general(AttentionKind::PoolFault, subject)).collect()
}

fn near_limit(line: QuotaLine) -> Attention {
    let QuotaLine { scope, scope_id, scope_name, limit_name, percent, .. } = line;
    let whose = if scope_name.is_empty() { scope.to_string() } else { format!("{scope} {scope_name}") };
    Attention {
        kind: AttentionKind::NearLimit,
        subject: format!("{whose}: {limit_name} {} %", percent.unwrap_or(0)),
        provider_id: (scope == ScopeKind::Provider).then_some(ProviderId(scope_id)),
        credential_id: (scope == ScopeKind::Credential).then_some(CredentialId(scope_id)),
    }
}

/// What the configuration alone shows.
fn standing_attention(snapshot: &Snapshot, now: Timestamp) -> Vec<Attention> {
    let mut list = Vec::new();
    if snapshot.providers.is_empty() {
        list.push(general(AttentionKind::NoProvider, String::new()));
    }
    if snapshot.keys.is_empty() {
        list.push(general(AttentionKind::NoKey, String::new()));
    }
    for provider in snapshot.providers.iter().filter(|provider| provider.spec.enabled) {
        if !provider.credentials.iter().any(|c| c.spec.enabled && c.auth.is_readable()) {
            list.push(about(AttentionKind::NoCredential, provider, None));
        }
    }
    for provider in &snapshot.providers {
        for credential in &provider.credentials {
            if !credential.auth.is_readable() {
                list.push(about(AttentionKind::CredentialUnreadable, provider, Some(credential)));
            } else if credential.check.disabled_by == Some(DisabledBy::HealthCheck) {
                list.push(about(AttentionKind::CredentialOff, provider, Some(credential)));
            } else if credential.spec.enabled && needs_somebody(&credential.mark, now) {
                let account = credential.mark.state == CredentialState::NeedsReauth;
                let kind =
                    if account { AttentionKind::AccountLost } else { AttentionKind::CredentialInvalid };
                list.push(about(kind, provider, Some(credential)));
            }
        }
    }
    list
}

/// Credentials that a breaker keeps out: they come back by themselves, but what trips them often needs a person.
fn breaker_attention(core: &Core, now: Timestamp) -> Vec<Attention> {
    let snapshot = core.snapshot();
    let mut list = Vec::new();
    for provider in snapshot.providers.iter().filter(|provider| provider.spec.enabled) {
        for credential in provider.credentials.iter().filter(|credential| credential.spec.enabled) {
            let worst = core.gauges.gauge(credential.id).health().worst(now);
            if worst == BreakerState::Open {
                list.push(about(AttentionKind::BreakerOpen, provider, Some(credential)));
            }
        }
    }
    list
}

/// Whether an account is lost rather than busy: that it is looked at again every hour does not mend it.
fn needs_somebody(mark: &CredentialMark, now: Timestamp) -> bool {
    let busy = matches!(mark.state, CredentialState::RateLimited | CredentialState::Overloaded);
    in_force(mark, now) && !busy
}

fn general(kind: AttentionKind, subject: String) -> Attention {
    Attention { kind, subject, provider_id: None, credential_id: None }
}

fn about(kind: AttentionKind, provider: &Provider, credential: Option<&Credential>) -> Attention {
    let subject = match credential {
        Some(credential) => format!("{} / {}", provider.spec.name, credential.spec.name),
        None => provider.spec.name.clone(),
    };
    Attention { kind, subject, provider_id: Some(provider.id), credential_id: credential.map(|c| c.id) }
}
