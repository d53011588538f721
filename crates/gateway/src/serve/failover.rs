//! Candidates × attempts: one after another until one answers, each credential at most once.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderValue;
use types::CredentialId;
use types::credential::{CredentialEvent, CredentialMark, CredentialState};
use types::request::{Attempt, AttemptOutcome, Outcome};

use super::Request;
use super::attempt::{Attempted, Opened, attempt};
use super::gate::LimitGate;
use super::quote::Quotes;
use super::route::{Demand, Selection, select};
use super::settle::Settlement;
use super::verdict::Verdict;
use crate::core::Core;
use crate::error::Refusal;
use crate::snapshot::{Credential, Provider};

/// Why the caller gets no answer of an upstream's.
#[derive(Debug)]
pub(super) enum Failed {
    /// The upstream's own error answer, which is about the request.
    Passed { status: StatusCode, content_type: HeaderValue, body: Bytes },
    /// Tollgate's answer.
    Refused { refusal: Refusal, outcome: Outcome },
}

/// Tries until an upstream answers, the attempts are used up, or a failure forbids another try.
pub(super) async fn run(
    core: &Arc<Core>,
    settlement: &mut Settlement,
    request: &Request,
    first: Option<Selection<'_>>,
    mut quotes: Quotes,
) -> Result<Opened, Failed> {
    let mut first = first;
    let max_attempts = request.snapshot.settings.pool_max_attempts;
    let most = usize::try_from(max_attempts).unwrap_or(usize::MAX);
    let mut tried: Vec<CredentialId> = Vec::new();
    let mut last: Option<Verdict> = None;
    for _ in 0..max_attempts {
        let gate = LimitGate::new(core, request);
        let demand = demand(request, &tried, &gate);
        let selection = first.take().unwrap_or_else(|| select(&request.snapshot, demand));
        let now = core.clock.now();
        let taken = selection.ranked.iter().find_map(|(provider, credential)| {
            // A slot, or the last of a provider's limit, may be lost to a neighbour between the look and the grab;
            // then the next one serves.
            let lease = credential.gauge.lease(credential.spec.max_concurrency, now)?;
            let quote = quotes.of(core, request, provider);
            let purse = settlement.purse()?;
            purse.attempt(core, &request.snapshot, (provider, credential), quote, now).ok()?;
            Some((*provider, *credential, lease))
        });
        let Some((provider, credential, lease)) = taken else {
            if last.is_some() {
                break;
            }
            return Err(Failed::Refused { refusal: selection.nobody(demand), outcome: Outcome::Refused });
        };
        if !tried.is_empty() {
            tracing::info!(
                request.id = %settlement.record().request_id,
                provider.name = provider.spec.name,
                credential.name = credential.spec.name,
                tier = credential.spec.tier.as_str(),
                attempt = tried.len() + 1,
                "pool.switch: trying another credential"
            );
        }
        tried.push(credential.id);
        settlement.open_attempt(blank_attempt(provider, credential));
        match attempt(&core.upstreams, settlement, request, provider, credential, lease).await {
            Attempted::Opened(opened) => {
                accepted(core, &opened.credential);
                return Ok(opened);
            }
            Attempted::Passed { status, content_type, body, said } => {
                accepted(core, credential);
                settlement.close_attempt(AttemptOutcome::UpstreamError, Some(said.clone()));
                settlement.note_error("upstream_rejected", &said);
                return Err(Failed::Passed { status, content_type, body });
            }
            Attempted::Failed(verdict) => {
                let ends = !verdict.move_on;
                let (outcome, reason) = (verdict.outcome, verdict.refusal.message.clone());
                settlement.fail_attempt(outcome, reason, verdict.charge(), ends || tried.len() >= most);
                note_failure(core, provider, credential, &verdict);
                last = Some(verdict);
                if ends {
                    break;
                }
            }
        }
    }
    let refusal = last.map_or_else(Refusal::books_unavailable, |verdict| verdict.refusal);
    let attempts = settlement.record().attempts.len();
    Err(Failed::Refused { refusal: refusal.with("attempts", attempts), outcome: Outcome::Failed })
}

/// What is asked of selection.
pub(super) fn demand<'a>(
    request: &'a Request,
    tried: &'a [CredentialId],
    gate: &'a LimitGate<'a>,
) -> Demand<'a> {
    Demand {
        endpoint: request.ingress.endpoint,
        model: request.model(),
        key: &request.key,
        tried,
        gate,
        seed: rand::random(),
    }
}

fn blank_attempt(provider: &Provider, credential: &Credential) -> Attempt {
    Attempt::begun((provider.id, &provider.spec.name), (credential.id, &credential.spec.name))
}

/// The upstream knows the credential: its errors are over, and so is its rejection.
fn accepted(core: &Arc<Core>, credential: &Credential) {
    credential.gauge.succeeded();
    if credential.rejected {
        mark(core, credential.id, None);
    }
}

fn note_failure(core: &Arc<Core>, provider: &Provider, credential: &Credential, verdict: &Verdict) {
    let now = core.clock.now();
    credential.gauge.failed(now, &verdict.refusal.message);
    tracing::warn!(
        provider.name = provider.spec.name,
        credential.name = credential.spec.name,
        outcome = verdict.outcome.as_str(),
        code = verdict.refusal.code,
        "an attempt failed"
    );
    if verdict.rejects_credential && !credential.rejected {
        mark(core, credential.id, Some((now, verdict.refusal.message.clone())));
    }
}

/// Writes down that an upstream refuses (or takes) a credential; not on the request's own time.
fn mark(core: &Arc<Core>, id: CredentialId, rejected: Option<(types::Timestamp, String)>) {
    let core_of_task = core.clone();
    core.tracker.spawn(async move {
        let core = core_of_task;
        let marked = store_mark(&core, id, rejected).await;
        if let Err(error) = marked {
            tracing::warn!(credential.id = id.0, %error, "the state of a credential could not be stored");
        } else if let Err(error) = core.reload().await {
            tracing::warn!(%error, "the configuration could not be reloaded");
        }
    });
}

async fn store_mark(
    core: &Core,
    id: CredentialId,
    rejected: Option<(types::Timestamp, String)>,
) -> Result<bool, store::StoreError> {
    let seen = core.store.credential_fetch(id).await?.mark;
    let (at, state, reason) = match rejected {
        Some((at, reason)) => (at, CredentialState::Invalid, Some(reason)),
        None => (core.clock.now(), CredentialState::Valid, None),
    };
    let event = CredentialEvent {
        credential_id: id,
        at,
        from: seen.state,
        to: state,
        until: None,
        reason: reason.clone(),
        cause: "upstream".to_owned(),
        request_id: None,
    };
    let mark = CredentialMark { state, reason, since: Some(at), ..CredentialMark::default() };
    core.store.credential_mark(id, seen.version, &mark, &event).await
}
