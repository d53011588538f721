//! Candidates × attempts: one after another until one answers, each credential at most once for each model.
//!
//! How many there may be depends on what went wrong. An upstream that says at once that it did nothing (its quota is
//! used up, it refuses the credential) costs nobody anything, so everybody else is asked. After failures that cost an
//! upstream work or a caller time, the setting `pool.max_attempts` and the retry budget bound them.

mod tried;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use types::dialect::Dialect;
use types::request::{Attempt, Outcome};
use types::routing::FailureClass;
use types::translation::Served;

use tried::Tried;

use super::attempt::{Attempted, Opened, Target, begin};
use super::count::{self, Counted};
use super::hedge;
use super::line;
use super::pool_log;
use super::quote::Quotes;
use super::route::{Pick, Selection};
use super::session::Conversation;
use super::settle::Settlement;
use super::trial::{Doubts, Trial};
use super::verdict::{Passed, Verdict};
use super::{Request, Routed};
use crate::core::Core;
use crate::credential::Lease;
use crate::error::Refusal;
use crate::snapshot::Provider;

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

/// One request on its way through its candidates.
pub(super) struct Course<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) request: &'a Request,
    pub(super) conversation: Option<Conversation>,
    pub(super) quotes: Quotes,
    pub(super) tried: Tried,
    /// Of all attempts together.
    pub(super) deadline: Instant,
    doubts: Doubts,
}

/// The running attempt.
pub(super) struct Current<'a> {
    pub(super) provider: &'a Provider,
    pub(super) served: Served,
    pub(super) trial: Trial,
}

/// Tries until an upstream answers, the attempts are used up, or a failure forbids another try.
pub(super) async fn run<'a>(
    core: &'a Arc<Core>,
    settlement: &mut Settlement,
    request: &'a Request,
    routed: Routed<'a>,
    quotes: Quotes,
) -> Result<Answered, Failed> {
    let settings = &request.snapshot.settings;
    let models = request.models();
    let Routed { mut model_at, selection: mut first, conversation } = routed;
    let deadline = Instant::now() + Duration::from_millis(u64::from(settings.routing_deadline_ms));
    let (tried, doubts) = (Tried::default(), Doubts::new());
    let mut course = Course { core, request, conversation, quotes, tried, deadline, doubts };
    core.retries.request(core.clock.now());
    if hedge::is_on(settings) {
        core.hedges.request(core.clock.now());
    }
    while let Some(model) = models.get(model_at).copied() {
        let look = line::Look { core, request, model, conversation: course.conversation.as_ref() };
        let selection = first.take().unwrap_or_else(|| look.select(&course.tried.all()));
        let refusal = selection.ranked.is_empty().then(|| look.nobody(&selection));
        let Some(taken) = course.take(settlement, &selection, model) else {
            if let Some(counter) = selection.counter() {
                return counted(core, settlement, request, counter, model, deadline).await;
            }
            // A later model of an alias may be served although this one is not, whatever went wrong with it.
            if model_at + 1 < models.len() && Instant::now() < deadline {
                model_at += 1;
                course.tried.credentials.clear();
                continue;
            }
            let look = line::Look { core, request, model, conversation: course.conversation.as_ref() };
            if look.refresh(&selection, &mut course.tried.refreshed, deadline).await {
                continue;
            }
            if course.tried.last.is_none() {
                let refusal = refusal.unwrap_or_else(|| look.nobody(&selection));
                return Err(Failed::Refused { refusal, outcome: Outcome::Refused });
            }
            break;
        };
        let pause = course.pause(settlement, &taken).await;
        let Taken { provider, served, lease, trial } = taken;
        let credential = trial.credential().clone();
        course.tried.credentials.push(credential.id);
        settlement.open_attempt(blank(provider, &credential, request, model, pause));
        let mut current = Current { provider, served, trial };
        let mut lease = Some(lease);
        let mut body = None;
        while let Some(lease_now) = lease.take() {
            // A second attempt may have taken the place of the first.
            let Current { provider, served, .. } = current;
            let (credential, signs) = (current.trial.credential().clone(), settlement.signs());
            let target = Target { provider, model, served, body: body.take(), deadline };
            let is_first = target.body.is_none();
            let attempt =
                pin!(begin(core, settlement, request, target, credential, lease_now, signs.clone()));
            let after = hedge::due(&course, settlement, &current).filter(|_| is_first);
            let done = match after {
                None => attempt.await,
                Some(after) => {
                    let watched = hedge::Watched { current, signs: &signs, after };
                    let done;
                    (done, current) =
                        Box::pin(hedge::run(&mut course, settlement, model, watched, attempt)).await;
                    done
                }
            };
            match done {
                Attempted::Opened(mut opened) => {
                    course.doubts.confirm();
                    let Current { provider, trial, .. } = current;
                    if let Some(ms) = settlement.attempt_first_byte_ms() {
                        trial.first_byte(ms, request.streaming());
                    }
                    if let Some(conversation) = &course.conversation {
                        let now = core.clock.now();
                        conversation.served(&core.affinity, request, provider, trial.credential(), now);
                    }
                    opened.trial = Some(trial);
                    return Ok(Answered::Opened(opened));
                }
                Attempted::Failed(verdict, back) => {
                    if let Some(mended) = mend(request, &verdict, settlement) {
                        tracing::info!(request.id = %settlement.record().request_id,
                            credential.name = current.trial.credential().spec.name,
                            "rectify: the request is mended and sent again");
                        (body, lease) = (Some(mended), Some(back));
                        continue;
                    }
                    drop(back);
                    let moves_on = verdict.moves_on(settings.routing_retry_unknown);
                    let ends = !moves_on || !course.may_go_on(&verdict);
                    settlement.judge_attempt(&verdict);
                    let (outcome, reason) = (verdict.outcome, verdict.refusal.message.clone());
                    settlement.fail_attempt(outcome, reason, verdict.charge(), ends);
                    course.blame(current, *verdict);
                    if ends {
                        return Err(failed(core, settlement, course.tried));
                    }
                    break;
                }
            }
        }
    }
    Err(failed(core, settlement, course.tried))
}

/// The tokens of a request whose first candidate has no counter of its own.
async fn counted(
    core: &Core,
    settlement: &mut Settlement,
    request: &Request,
    counter: (&Provider, Dialect),
    model: Option<&str>,
    deadline: Instant,
) -> Result<Answered, Failed> {
    let record = settlement.record_mut();
    (record.provider_id, record.credential_id) = (Some(counter.0.id), None);
    let number = count::count(core, request, counter, model.unwrap_or_default(), deadline).await;
    let refused = |refusal| Failed::Refused { refusal, outcome: Outcome::Refused };
    number.map(Answered::Counted).map_err(refused)
}

/// A candidate with everything that an attempt at it holds.
#[derive(Debug)]
struct Taken<'a> {
    provider: &'a Provider,
    served: Served,
    lease: Lease,
    trial: Trial,
}

impl<'a> Course<'a> {
    /// The first candidate that can be had. A slot, the last of a provider's limit, or the place of a probe may be lost
    /// to a neighbour between the look and the grab; then the next one serves.
    fn take(
        &mut self,
        settlement: &mut Settlement,
        selection: &Selection<'a>,
        model: Option<&str>,
    ) -> Option<Taken<'a>> {
        if selection.counts_here() {
            return None;
        }
        let Self { core, request, quotes, tried, .. } = self;
        let now = core.clock.now();
        let reached = |pick: &&Pick<'_>| !tried.unreached.contains(&pick.provider.id);
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
    async fn pause(&mut self, settlement: &Settlement, taken: &Taken<'_>) -> u64 {
        let attempt = self.tried.count;
        self.tried.count += 1;
        let id = settlement.record().request_id;
        let Some(last) = &self.tried.last else {
            pool_log::selected(id, taken.provider, &taken.trial);
            return 0;
        };
        self.core.pool_counters.switched(self.core.clock.now());
        pool_log::switched(id, taken.provider, &taken.trial, attempt + 1, last.class.as_str());
        if !matches!(last.class, FailureClass::Provider | FailureClass::Overload | FailureClass::Unknown) {
            return 0;
        }
        let ms = routing::retry::pause_ms(self.tried.costly, rand::random());
        tokio::time::sleep_until(self.deadline.min(Instant::now() + Duration::from_millis(ms))).await;
        ms
    }

    /// Whether the bounds on further attempts allow one more.
    fn may_go_on(&mut self, verdict: &Verdict) -> bool {
        if self.tried.count >= MOST || Instant::now() >= self.deadline {
            return false;
        }
        match verdict.class {
            FailureClass::Provider
            | FailureClass::System
            | FailureClass::Overload
            | FailureClass::Unknown => {
                self.tried.costly += 1;
                let settings = &self.request.snapshot.settings;
                let (now, percent) = (self.core.clock.now(), settings.routing_retry_budget_percent);
                self.tried.costly < settings.pool_max_attempts && self.core.retries.take(now, percent)
            }
            _ => true,
        }
    }

    /// What a failed attempt teaches about its credential.
    pub(super) fn blame(&mut self, current: Current<'_>, verdict: Verdict) {
        let Current { provider, trial, .. } = current;
        let credential = trial.credential().clone();
        tracing::warn!(
            provider.name = provider.spec.name,
            credential.name = credential.spec.name,
            outcome = verdict.outcome.as_str(),
            class = verdict.class.as_str(),
            code = verdict.refusal.code,
            "an attempt failed"
        );
        if verdict.class == FailureClass::Client {
            trial.refused_request();
        } else {
            if let Some(conversation) = &self.conversation {
                conversation.failed(&self.core.affinity, &credential);
            }
            if let Some(doubt) = trial.failed(&verdict, &self.request.snapshot.settings) {
                self.doubts.add(doubt, self.request);
            }
        }
        if matches!(verdict.class, FailureClass::Auth | FailureClass::Quota) {
            self.tried.spent.push(credential.id);
        }
        self.tried.note(verdict, provider.id);
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

pub(super) fn blank(
    provider: &Provider,
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
