//! Candidates × attempts: one after another until one answers, each credential at most once for each model.
//!
//! How many there may be depends on what went wrong. An upstream that says at once that it did nothing (its quota is
//! used up, it refuses the credential) costs nobody anything, so everybody else is asked. After failures that cost an
//! upstream work or a caller time, the setting `pool.max_attempts` and the retry budget bound them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use types::dialect::Dialect;
use types::request::{Attempt, Outcome};
use types::routing::FailureClass;
use types::translation::Served;
use types::{CredentialId, ProviderId};

use super::attempt::{Attempted, Opened, Target, attempt};
use super::count::{self, Counted};
use super::line;
use super::pool_log;
use super::quote::Quotes;
use super::renewal;
use super::route::{Pick, Selection};
use super::settle::Settlement;
use super::trial::{Doubts, Trial};
use super::verdict::{Passed, Verdict};
use super::{Request, Routed};
use crate::core::Core;
use crate::credential::Lease;
use crate::error::Refusal;

/// Attempts of one request, whatever happens.
const MOST: usize = 50;

/// What the caller gets.
#[derive(Debug)]
pub(super) enum Answered {
    /// An upstream's answer.
    Opened(Box<Opened>),
    /// A number of tokens that nobody had to be asked for.
    Counted(Counted),
}

/// Why the caller gets no answer of an upstream's.
#[derive(Debug)]
pub(super) enum Failed {
    /// The upstream's own error answer, which is about the request.
    Passed(Box<Passed>),
    /// Tollgate's answer.
    Refused { refusal: Refusal, outcome: Outcome },
}

/// What was tried so far.
#[derive(Debug, Default)]
struct Tried {
    /// With the model at hand.
    credentials: Vec<CredentialId>,
    /// For good: no other model makes a difference.
    spent: Vec<CredentialId>,
    /// Those whose token was refreshed for this request.
    refreshed: Vec<CredentialId>,
    /// Attempts that cost an upstream work, or a caller the wait for a connection.
    costly: u32,
    /// Providers to which no connection was made.
    unreached: Vec<ProviderId>,
    /// Attempts that failed because of a quota, and the shortest wait that was asked for, in seconds.
    limited: (usize, Option<u64>),
    /// All attempts.
    count: usize,
    last: Option<Verdict>,
}

/// Tries until an upstream answers, the attempts are used up, or a failure forbids another try.
pub(super) async fn run(
    core: &Arc<Core>,
    settlement: &mut Settlement,
    request: &Request,
    routed: Routed<'_>,
    mut quotes: Quotes,
) -> Result<Answered, Failed> {
    let settings = &request.snapshot.settings;
    let deadline = Instant::now() + Duration::from_millis(u64::from(settings.routing_deadline_ms));
    let models = request.models();
    let Routed { mut model_at, selection: mut first, conversation } = routed;
    let mut tried = Tried::default();
    let mut doubts = Doubts::new();
    core.retries.request(core.clock.now());
    while let Some(model) = models.get(model_at).copied() {
        let look = line::Look { core, request, model, conversation: conversation.as_ref() };
        let selection = first.take().unwrap_or_else(|| look.select(&tried.all()));
        let taken = take(core, settlement, request, (&selection, &tried.unreached), model, &mut quotes);
        let Some(taken) = taken else {
            if let Some(counter) = selection.counter() {
                return counted(core, settlement, request, counter, model, deadline).await;
            }
            // A later model of an alias may be served although this one is not, whatever went wrong with it.
            if model_at + 1 < models.len() && Instant::now() < deadline {
                model_at += 1;
                tried.credentials.clear();
                continue;
            }
            if look.refresh(&selection, &mut tried.refreshed, deadline).await {
                continue;
            }
            if tried.last.is_none() {
                return Err(Failed::Refused { refusal: look.nobody(&selection), outcome: Outcome::Refused });
            }
            break;
        };
        let pause = pause(core, settlement, request, &taken, &mut tried, deadline).await;
        let target = Target { provider: taken.provider, model, served: taken.served, body: None, deadline };
        let (credential, trial) = (taken.trial.credential().clone(), taken.trial);
        tried.credentials.push(credential.id);
        settlement.open_attempt(blank(taken.provider, &credential, request, model, pause));
        let mut lease = Some(taken.lease);
        let mut body = None;
        loop {
            let target = Target { body: body.take(), ..target.clone() };
            let Some(lease_now) = lease.take() else { break };
            let used = renewal::used(&credential);
            match attempt(core, settlement, request, &target, &credential, lease_now).await {
                Attempted::Opened(mut opened) => {
                    doubts.confirm();
                    if let Some(ms) = settlement.attempt_first_byte_ms() {
                        trial.first_byte(ms);
                    }
                    if let Some(conversation) = &conversation {
                        let now = core.clock.now();
                        conversation.served(&core.affinity, request, taken.provider, &credential, now);
                    }
                    opened.trial = Some(trial);
                    return Ok(Answered::Opened(opened));
                }
                Attempted::Failed(verdict, back) => {
                    if let Some(mended) = mend(request, &verdict, settlement) {
                        tracing::info!(request.id = %settlement.record().request_id, credential.name = credential.spec.name,
                            "rectify: the request is mended and sent again");
                        (body, lease) = (Some(mended), Some(back));
                        continue;
                    }
                    if renewal::replays(core, settlement, &credential, &verdict, (used, deadline)).await {
                        (body, lease) = (target.body, Some(back));
                        continue;
                    }
                    drop(back);
                    let moves_on = verdict.moves_on(settings.routing_retry_unknown);
                    let ends = !moves_on || !may_go_on(core, settings, &verdict, &mut tried, deadline);
                    note(&credential, taken.provider, &verdict);
                    settlement.judge_attempt(&verdict);
                    let (outcome, reason) = (verdict.outcome, verdict.refusal.message.clone());
                    settlement.fail_attempt(outcome, reason, verdict.charge(), ends);
                    if verdict.class == FailureClass::Client {
                        trial.refused_request();
                    } else {
                        if let Some(conversation) = &conversation {
                            conversation.failed(&core.affinity, &credential);
                        }
                        if let Some(doubt) = trial.failed(&verdict, settings) {
                            doubts.add(doubt, request);
                        }
                    }
                    if matches!(verdict.class, FailureClass::Auth | FailureClass::Quota) {
                        tried.spent.push(credential.id);
                    }
                    tried.note(*verdict, taken.provider.id);
                    if ends {
                        return Err(failed(core, settlement, tried));
                    }
                    break;
                }
            }
        }
    }
    Err(failed(core, settlement, tried))
}

/// The tokens of a request whose first candidate has no counter of its own.
async fn counted(
    core: &Core,
    settlement: &mut Settlement,
    request: &Request,
    counter: (&crate::snapshot::Provider, Dialect),
    model: Option<&str>,
    deadline: Instant,
) -> Result<Answered, Failed> {
    let record = settlement.record_mut();
    (record.provider_id, record.credential_id) = (Some(counter.0.id), None);
    let number = count::count(core, request, counter, model.unwrap_or_default(), deadline).await;
    let refused = |refusal| Failed::Refused { refusal, outcome: Outcome::Refused };
    number.map(Answered::Counted).map_err(refused)
}

impl Tried {
    fn all(&self) -> Vec<CredentialId> {
        self.credentials.iter().chain(&self.spent).copied().collect()
    }

    fn note(&mut self, verdict: Verdict, provider: ProviderId) {
        match verdict.class {
            // Its other credentials go the same way, unless it was a proxy of their own.
            FailureClass::System if verdict.refusal.code != "proxy_error" => self.unreached.push(provider),
            FailureClass::RateLimit | FailureClass::Quota => {
                let (count, soonest) = self.limited;
                let asked = verdict.refusal.retry_after_s;
                self.limited = (count + 1, soonest.into_iter().chain(asked).min());
            }
            _ => {}
        }
        self.last = Some(verdict);
    }
}

/// A candidate with everything that an attempt at it holds.
#[derive(Debug)]
struct Taken<'a> {
    provider: &'a crate::snapshot::Provider,
    served: Served,
    lease: Lease,
    trial: Trial,
}

/// The first candidate that can be had. A slot, the last of a provider's limit, or the place of a probe may be lost to
/// a neighbour between the look and the grab; then the next one serves.
fn take<'a>(
    core: &Arc<Core>,
    settlement: &mut Settlement,
    request: &Request,
    (selection, unreached): (&Selection<'a>, &[ProviderId]),
    model: Option<&str>,
    quotes: &mut Quotes,
) -> Option<Taken<'a>> {
    if selection.counts_here() {
        return None;
    }
    let now = core.clock.now();
    let reached = |pick: &&Pick<'_>| !unreached.contains(&pick.provider.id);
    let ranked = || selection.ranked.iter().filter(|pick| !matches!(pick.served, Served::Counted(_)));
    ranked().filter(reached).chain(ranked().filter(|pick| !reached(pick))).find_map(|pick| {
        let (provider, credential) = (pick.provider, pick.credential);
        let sent_as = model.map(|model| provider.upstream_model(model));
        // Editors count tokens in bursts; that is no work that slots are made for.
        let lease = if request.ingress.endpoint.is_count() {
            credential.gauge.lease_of_nothing(now)
        } else {
            credential.gauge.lease(credential.spec.max_concurrency, now)?
        };
        let id = settlement.record().request_id;
        let trial = Trial::begin(core, id, (provider, credential), sent_as, pick.probes)?;
        let quote = quotes.of(core, request, provider, model);
        let purse = settlement.purse()?;
        purse.attempt(core, &request.snapshot, (provider, credential), quote, now).ok()?;
        core.gauges.chosen(&credential.gauge);
        Some(Taken { provider, served: pick.served, lease, trial })
    })
}

/// Waits a moment before another attempt if the last failure was one of overload or breakdown, so that many callers
/// do not come back at once. Says how long, in milliseconds.
async fn pause(
    core: &Core,
    settlement: &Settlement,
    _request: &Request,
    taken: &Taken<'_>,
    tried: &mut Tried,
    deadline: Instant,
) -> u64 {
    let attempt = tried.count;
    tried.count += 1;
    let id = settlement.record().request_id;
    let Some(last) = &tried.last else {
        pool_log::selected(id, taken.provider, &taken.trial);
        return 0;
    };
    core.pool_counters.switched(core.clock.now());
    pool_log::switched(id, taken.provider, &taken.trial, attempt + 1, last.class.as_str());
    if !matches!(last.class, FailureClass::Provider | FailureClass::Overload | FailureClass::Unknown) {
        return 0;
    }
    let ms = routing::retry::pause_ms(tried.costly, rand::random());
    tokio::time::sleep_until(deadline.min(Instant::now() + Duration::from_millis(ms))).await;
    ms
}

/// Whether the bounds on further attempts allow one more.
fn may_go_on(
    core: &Core,
    settings: &types::setting::Settings,
    verdict: &Verdict,
    tried: &mut Tried,
    deadline: Instant,
) -> bool {
    if tried.count >= MOST || Instant::now() >= deadline {
        return false;
    }
    match verdict.class {
        FailureClass::Provider | FailureClass::System | FailureClass::Overload | FailureClass::Unknown => {
            tried.costly += 1;
            tried.costly < settings.pool_max_attempts
                && core.retries.take(core.clock.now(), settings.routing_retry_budget_percent)
        }
        _ => true,
    }
}

/// The mended body, if the upstream's answer asks for a mending that is allowed and was not tried yet.
fn mend(request: &Request, verdict: &Verdict, settlement: &mut Settlement) -> Option<bytes::Bytes> {
    use protocol::rectify::Rectifier;
    let rectifier = verdict.rectifier?;
    let settings = &request.snapshot.settings;
    let allowed = match rectifier {
        Rectifier::ThinkingSignature => settings.rectify_thinking_signature,
        Rectifier::ThinkingBudget => settings.rectify_thinking_budget,
        Rectifier::EmptyText => settings.rectify_empty_text,
        Rectifier::OrphanToolResults => settings.rectify_orphan_tool_results,
    };
    let word = rectifier.as_str();
    let attempt = settlement.record_mut().attempts.last_mut()?;
    if !allowed || !attempt.rectified.is_empty() {
        return None;
    }
    let body = protocol::rectify::apply(rectifier, request.ingress.endpoint, &request.ingress.body)?;
    attempt.rectified.push(word.to_owned());
    Some(body.into())
}

fn blank(
    provider: &crate::snapshot::Provider,
    credential: &crate::snapshot::Credential,
    request: &Request,
    model: Option<&str>,
    pause_ms: u64,
) -> Attempt {
    let sent_as = model.map(|model| provider.upstream_model(model));
    Attempt {
        model: sent_as.filter(|sent| request.model() != Some(*sent)).map(str::to_owned),
        pause_ms,
        ..Attempt::begun((provider.id, &provider.spec.name), (credential.id, &credential.spec.name))
    }
}

fn note(credential: &crate::snapshot::Credential, provider: &crate::snapshot::Provider, verdict: &Verdict) {
    tracing::warn!(
        provider.name = provider.spec.name,
        credential.name = credential.spec.name,
        outcome = verdict.outcome.as_str(),
        class = verdict.class.as_str(),
        code = verdict.refusal.code,
        "an attempt failed"
    );
}

/// The end of a request that nobody answered.
fn failed(core: &Core, settlement: &mut Settlement, tried: Tried) -> Failed {
    let Some(verdict) = tried.last else {
        return Failed::Refused { refusal: Refusal::books_unavailable(), outcome: Outcome::Failed };
    };
    if verdict.class != FailureClass::Client {
        core.pool_counters.exhausted(core.clock.now());
        let record = settlement.record();
        pool_log::exhausted(record.request_id, record.attempts.len(), verdict.class.as_str());
    }
    if let Some(passed) = verdict.passed {
        settlement.note_error("upstream_rejected", &verdict.refusal.message);
        return Failed::Passed(passed);
    }
    let attempts = settlement.record().attempts.len();
    let (limited, soonest) = tried.limited;
    let refusal = if limited > 1
        && limited == attempts
        && verdict.class == FailureClass::RateLimit
        // A 403 rests like one, but says that the account was refused.
        && verdict.refusal.status == 429
        && !verdict.is_overridden
    {
        Refusal::pool_exhausted(verdict.refusal.message).retry_after(soonest.unwrap_or(1))
    } else {
        verdict.refusal
    };
    Failed::Refused { refusal: refusal.with("attempts", attempts), outcome: Outcome::Failed }
}
