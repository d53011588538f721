//! A second attempt beside one that is slow to begin, with another credential: whoever answers first serves.
//!
//! It costs more than it seems: the one that is cancelled may be billed by its vendor. So it is off unless the setting
//! `routing.hedge_percent` says how many requests may have one, it waits until nearly all answers of that credential
//! and model would have begun, it stays within every limit, and it never doubles what must happen once.

use std::pin::{Pin, pin};
use std::time::Duration;

use types::Money;
use types::dialect::Endpoint;
use types::request::{HedgeNote, HedgeOutcome};
use types::routing::FailureClass;
use types::setting::Settings;

use super::attempt::{Attempted, Target, begin};
use super::failover::{Course, Current, blank};
use super::line;
use super::route::Pick;
use super::settle::{Loss, Settlement};
use super::signs::Signs;
use super::trial::Trial;
use super::verdict::Verdict;
use super::{Request, continued};
use crate::credential::Lease;

/// Whether there may be second attempts at all.
pub(super) fn is_on(settings: &Settings) -> bool {
    settings.routing_hedge_percent > 0
}

/// When a second attempt is due beside this one; `None` if there must be none.
pub(super) fn due(course: &Course<'_>, settlement: &Settlement, current: &Current<'_>) -> Option<Duration> {
    let settings = &course.request.snapshot.settings;
    let bounded = course.tried.costly + 1 < settings.pool_max_attempts;
    if !is_on(settings) || !bounded || !may_be_doubled(course.request, settlement) {
        return None;
    }
    let learned = current.trial.patience(course.request.streaming())?;
    Some(Duration::from_millis(learned.max(u64::from(settings.routing_hedge_min_ms))))
}

/// Whether it does no harm if two upstreams act on a request: it only makes words, nobody asked for it to happen once,
/// and no upstream has to find something that only another one keeps.
fn may_be_doubled(request: &Request, settlement: &Settlement) -> bool {
    let words = matches!(
        request.ingress.endpoint,
        Endpoint::Messages
            | Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Responses
            | Endpoint::GeminiGenerate
            | Endpoint::GeminiStream
    );
    words
        && settlement.record().idempotency_key.is_none()
        && !request.probe.web_search
        && !continued::needs_its_upstream(&request.ingress)
        && !continued::calls_others(&request.ingress)
}

/// An attempt that is watched.
pub(super) struct Watched<'a, 's> {
    pub(super) current: Current<'a>,
    pub(super) signs: &'s Signs,
    /// How long it has.
    pub(super) after: Duration,
}

/// A second attempt that is about to begin.
struct Second<'a> {
    current: Current<'a>,
    lease: Lease,
    signs: Signs,
}

/// Waits for an attempt, and begins a second one beside it if it is slow. Gives what came of the one that stays; the
/// other one is booked, and judged if it failed.
pub(super) async fn run<'a, F: Future<Output = Attempted>>(
    course: &mut Course<'a>,
    settlement: &mut Settlement,
    model: Option<&'a str>,
    watched: Watched<'a, '_>,
    mut first: Pin<&mut F>,
) -> (Attempted, Current<'a>) {
    let Watched { current, signs, after } = watched;
    tokio::select! {
        biased;
        done = first.as_mut() => return (done, current),
        () = tokio::time::sleep(after) => {}
    }
    if signs.first_byte_ms().is_some() {
        return (first.await, current);
    }
    let Some(second) = open(course, settlement, model, after) else { return (first.await, current) };
    let (core, request) = (course.core, course.request);
    let credential = second.current.trial.credential().clone();
    tracing::info!(
        request.id = %settlement.record().request_id,
        credential.name = current.trial.credential().spec.name,
        second.name = credential.spec.name,
        after_ms = signs.elapsed_ms(),
        "hedge: a second attempt begins beside a slow one"
    );
    let Second { current: beside, lease, signs: its_signs } = second;
    signs.double();
    its_signs.double();
    let Current { provider, served, .. } = beside;
    let target = Target { provider, model, served, body: None, deadline: course.deadline };
    let mut other = pin!(begin(core, settlement, request, target, credential, lease, its_signs));
    let (done, is_first) = tokio::select! {
        biased;
        done = first.as_mut() => (done, true),
        done = other.as_mut() => (done, false),
    };
    match (done, is_first) {
        (Attempted::Failed(verdict, lease), true) if stands_aside(&verdict) => {
            drop(lease);
            settlement.take_beside(Loss::failed(&verdict));
            decided(course, settlement, HedgeOutcome::TookOver);
            course.blame(current, *verdict);
            (other.await, beside)
        }
        (done, true) => {
            settlement.leave_beside(Loss::superseded());
            decided(course, settlement, HedgeOutcome::Lost);
            (done, current)
        }
        (Attempted::Failed(verdict, lease), false) => {
            drop(lease);
            settlement.leave_beside(Loss::failed(&verdict));
            decided(course, settlement, HedgeOutcome::Failed);
            course.blame(beside, *verdict);
            (first.await, current)
        }
        (done, false) => {
            // It was at least as slow as this, which is all that it is blamed for.
            current.trial.first_byte(signs.elapsed_ms(), request.streaming());
            settlement.take_beside(Loss::superseded());
            decided(course, settlement, HedgeOutcome::Won);
            (done, beside)
        }
    }
}

/// Whether the second attempt may still serve a request whose first one failed like this.
fn stands_aside(verdict: &Verdict) -> bool {
    !matches!(verdict.class, FailureClass::Client | FailureClass::ClientGone | FailureClass::Local)
}

/// Takes everything that a second attempt needs, and writes it down; `None` if there can be none.
fn open<'a>(
    course: &mut Course<'a>,
    settlement: &mut Settlement,
    model: Option<&'a str>,
    after: Duration,
) -> Option<Second<'a>> {
    let (core, request, now) = (course.core, course.request, course.core.clock.now());
    let settings = &request.snapshot.settings;
    let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    let note = |settlement: &mut Settlement, outcome| {
        if let Some(decision) = &mut settlement.record_mut().decision {
            decision.hedge = Some(HedgeNote { after_ms, outcome, cost_usd: Money::ZERO });
        }
    };
    let look = line::Look { core, request, model, conversation: course.conversation.as_ref() };
    let selection = look.select(&course.tried.all());
    let well: Vec<&Pick<'_>> = selection.ranked.iter().filter(|pick| pick.is_well()).collect();
    if well.is_empty() {
        note(settlement, HedgeOutcome::Nobody);
        return None;
    }
    let (quotes, bytes) = (&mut course.quotes, settlement.record().request_bytes);
    let purse = settlement.purse()?;
    let affordable: Vec<&Pick<'_>> = well
        .into_iter()
        .filter(|pick| {
            let quote = quotes.of(core, request, pick.provider, model);
            purse.waste_of_two(&quote, bytes) <= settings.routing_hedge_max_usd
        })
        .collect();
    if affordable.is_empty() {
        note(settlement, HedgeOutcome::Dear);
        decided(course, settlement, HedgeOutcome::Dear);
        return None;
    }
    if !core.hedges.take(now, settings.routing_hedge_percent)
        || !core.retries.take(now, settings.routing_retry_budget_percent)
    {
        note(settlement, HedgeOutcome::Capped);
        decided(course, settlement, HedgeOutcome::Capped);
        return None;
    }
    let quotes = &mut course.quotes;
    let found = affordable.into_iter().find_map(|pick| {
        let (provider, credential, served) = (pick.provider, pick.credential, pick.served);
        let lease = credential.gauge.lease(credential.spec.max_concurrency, now)?;
        let sent_as = model.map(|model| provider.upstream_model(model));
        let id = settlement.record().request_id;
        let trial = Trial::begin(core, id, (provider, credential), sent_as, false)?;
        let quote = quotes.of(core, request, provider, model);
        let side = settlement.purse()?.beside(core, (provider, credential), quote, now)?;
        Some((Current { provider, served, trial }, lease, side))
    });
    let Some((current, lease, side)) = found else {
        note(settlement, HedgeOutcome::Nobody);
        return None;
    };
    let credential = current.trial.credential();
    core.gauges.chosen(&credential.gauge);
    course.tried.credentials.push(credential.id);
    course.tried.costly += 1;
    course.tried.count += 1;
    let signs = settlement.open_beside(blank(current.provider, credential, request, model, 0), side);
    note(settlement, HedgeOutcome::Open);
    Some(Second { current, lease, signs })
}

/// Notes what became of it.
fn decided(course: &Course<'_>, settlement: &mut Settlement, outcome: HedgeOutcome) {
    course.core.metrics.hedged(outcome);
    if let Some(note) = settlement.record_mut().decision.as_mut().and_then(|decision| decision.hedge.as_mut())
    {
        note.outcome = outcome;
    }
    tracing::info!(request.id = %settlement.record().request_id, outcome = outcome.as_str(), "hedge: decided");
}
