//! Health checks of credentials: asks each vendor now and then whether it still takes the account, and acts on what it
//! says. The cheapest true question is asked: what the vendor's descriptor says, else the list of models.
//!
//! It serves no request, and it never judges an account by a network that may be our own (HC-12).

mod plan;
mod question;
mod settle;
mod told;
mod trial;
mod verdict;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use types::check::{CheckLine, CheckRound, DisabledBy};
use types::setting::Settings;
use types::{CredentialId, ProviderId, Timestamp};

use crate::authenticate::{Auth, Flown};
use crate::core::Core;
use crate::refresh::{self, Trigger};
use crate::snapshot::{Credential, Provider, Snapshot};
use crate::upstream::{Knock, NoKnock, knock};
use plan::{Rhythm, Tempo};
use question::Asked;
use verdict::Verdict;

pub(crate) use trial::{Trial, Tried, tried};

/// How often the task looks who is due.
pub(crate) const TICK: Duration = Duration::from_secs(5);
/// The lease between instances; somebody else takes over after so long.
const LEASE_MS: i64 = 120_000;
const LEASE: &str = "check_credentials";

/// One credential to be checked, with the configuration that it is checked under.
#[derive(Clone, Debug)]
struct Target {
    snapshot: Arc<Snapshot>,
    /// Where it stands in the snapshot.
    provider: usize,
    provider_id: ProviderId,
    credential: Arc<Credential>,
}

impl Target {
    fn provider(&self) -> Option<&Provider> {
        self.snapshot.providers.get(self.provider)
    }
}

/// A target with what was found.
#[derive(Debug)]
struct Found {
    target: Target,
    line: CheckLine,
    verdict: Verdict,
}

/// Whom the checker may look at: what is switched on, and what it switched off itself.
fn watched(snapshot: &Arc<Snapshot>) -> Vec<Target> {
    let mut targets = Vec::new();
    for (provider, of) in snapshot.providers.iter().enumerate().filter(|(_, of)| of.spec.enabled) {
        for credential in &of.credentials {
            if (credential.spec.enabled || is_off(credential)) && credential.auth.is_readable() {
                let (snapshot, credential) = (snapshot.clone(), credential.clone());
                targets.push(Target { snapshot, provider, provider_id: of.id, credential });
            }
        }
    }
    targets
}

/// Whether the checker switched it off.
fn is_off(credential: &Credential) -> bool {
    !credential.spec.enabled && credential.check.disabled_by == Some(DisabledBy::HealthCheck)
}

fn interval_ms(settings: &Settings) -> i64 {
    i64::from(settings.account_health_check_interval) * 60_000
}

fn tempo(settings: &Settings, since: Timestamp) -> Tempo {
    Tempo { interval_ms: interval_ms(settings), threshold: settings.account_error_threshold, since }
}

fn rhythm(credential: &Credential) -> Rhythm {
    let (failures, checked_at) = credential.gauge.checks();
    Rhythm { id: credential.id, checked_at, failures, is_off: is_off(credential) }
}

/// When a credential is due; `None` if checks are switched off or it is none that is checked.
pub(crate) fn due_at(core: &Core, credential: &Credential) -> Option<Timestamp> {
    let settings = &core.snapshot().settings;
    let watched = (credential.spec.enabled || is_off(credential)) && credential.auth.is_readable();
    if !settings.account_health_check_enabled || !watched {
        return None;
    }
    let since = core.rounds.enabled(true, core.clock.now())?;
    Some(plan::due_at(rhythm(credential), tempo(settings, since)))
}

/// When the next credential of all is due.
pub(crate) fn next_due(core: &Core) -> Option<Timestamp> {
    let snapshot = core.snapshot();
    let watched = watched(&snapshot);
    watched.iter().filter_map(|target| due_at(core, &target.credential)).min()
}

/// Checks those that are due; what the task does. Says what became of it.
pub(crate) async fn tick(core: &Arc<Core>) -> Result<String, String> {
    let (snapshot, now) = (core.snapshot(), core.clock.now());
    let settings = &snapshot.settings;
    let Some(since) = core.rounds.enabled(settings.account_health_check_enabled, now) else {
        return Ok("switched off".to_owned());
    };
    let tempo = tempo(settings, since);
    let is_due = |target: &Target| plan::due_at(rhythm(&target.credential), tempo) <= now;
    let mut due = watched(&snapshot);
    let all = due.len();
    due.retain(is_due);
    if due.is_empty() {
        return Ok(format!("none of {all} is due"));
    }
    let wrong = |error: store::StoreError| error.to_string();
    if core.store.is_shared() {
        // Whoever holds the lease checks; what others checked meanwhile is not due any more.
        let until = now.plus_ms(LEASE_MS);
        if !core.store.lease_take(LEASE, &core.config.node, until, now).await.map_err(wrong)? {
            return Ok("another instance checks".to_owned());
        }
        for (id, at, failures) in core.store.credential_check_times().await.map_err(wrong)? {
            core.gauges.gauge(id).note_checks(failures, Some(at));
        }
        due.retain(is_due);
    }
    // After a pause all are due at once; they are not asked all at once.
    due.sort_by_key(|target| plan::due_at(rhythm(&target.credential), tempo));
    due.truncate(most_at_once(all, settings, tempo.interval_ms));
    let round = run(core, due).await.map_err(wrong)?;
    let counts = round.counts;
    Ok(format!(
        "{} of {all} checked, {} failed, {} inconclusive",
        counts.checked, counts.failed, counts.inconclusive
    ))
}

/// Twice as many as keep up with the interval, and at least as many as run beside each other.
fn most_at_once(all: usize, settings: &Settings, interval_ms: i64) -> usize {
    let tick_ms = i64::try_from(TICK.as_millis()).unwrap_or(i64::MAX);
    let share = i64::try_from(all).unwrap_or(i64::MAX).saturating_mul(tick_ms).saturating_mul(2);
    let share = usize::try_from(share / interval_ms.max(1)).unwrap_or(usize::MAX).saturating_add(1);
    share.max(usize::try_from(settings.account_health_check_parallelism).unwrap_or(1))
}

/// Checks one credential now, whoever switched it off; `None` if there is no such one.
pub(crate) async fn one(
    core: &Arc<Core>,
    id: CredentialId,
) -> Result<Option<types::check::CheckReport>, store::StoreError> {
    let snapshot = core.snapshot();
    let found = snapshot.providers.iter().enumerate().find_map(|(provider, of)| {
        let credential = of.credentials.iter().find(|credential| credential.id == id)?.clone();
        Some(Target { snapshot: snapshot.clone(), provider, provider_id: of.id, credential })
    });
    let Some(target) = found else { return Ok(None) };
    Ok(run(core, vec![target]).await?.items.into_iter().next())
}

/// Checks every credential that the checker may look at, now.
pub(crate) async fn all(core: &Arc<Core>) -> Result<CheckRound, store::StoreError> {
    let targets = watched(&core.snapshot());
    run(core, targets).await
}

async fn run(core: &Arc<Core>, targets: Vec<Target>) -> Result<CheckRound, store::StoreError> {
    let beside = core.snapshot().settings.account_health_check_parallelism;
    let beside = usize::try_from(beside).unwrap_or(1).max(1);
    let asked = targets.into_iter().map(|target| Box::pin(ask(core, target)));
    // Whoever has not answered when the process stops is asked again after it: nobody waits for a vendor then, and what
    // the others said is written down while there is a database.
    let answered = futures_util::stream::iter(asked).buffer_unordered(beside);
    let found: Vec<Found> = answered.take_until(core.draining.cancelled()).collect().await;
    settle::settle(core, found).await
}

async fn ask(core: &Arc<Core>, target: Target) -> Found {
    let started = Instant::now();
    let settings = &core.snapshot().settings;
    let asked = question::of(&target.credential, target.provider(), &target.snapshot.vendors, settings);
    let answer = match (asked, target.provider()) {
        (Asked::Not { why, .. }, _) => Err(NoKnock::Unaskable(why.to_owned())),
        (_, None) => Err(NoKnock::Unaskable("it has no provider".to_owned())),
        (_, Some(provider)) => {
            let answer = knock_with_a_fresh_token(core, provider, &target.credential, asked).await;
            if let Ok(knock) = &answer {
                hear(core, provider, &target.credential, asked, knock);
            }
            answer
        }
    };
    let probe = asked.name().to_owned();
    let verdict = judged(&target.credential, asked, &answer);
    let line = CheckLine {
        at: core.clock.now(),
        probe,
        result: verdict.result,
        status: verdict.status,
        latency_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        message: verdict.message.clone().map(|message| message.chars().take(500).collect()),
        remedy: verdict.remedy.clone(),
    };
    Found { target, line, verdict }
}

fn judged(credential: &Credential, asked: Asked<'_>, answer: &Result<Knock, NoKnock>) -> Verdict {
    let is_account = matches!(credential.auth, Auth::Token(_));
    let mut verdict = verdict::of(answer.as_ref(), is_account, asked.probe());
    // Some vendors repeat the key that they refuse.
    let clean = verdict.message.as_deref().and_then(|message| credential.auth.redacted(message));
    if let Some(clean) = clean {
        verdict.message = Some(clean);
    }
    verdict
}

/// What an answer says beside a verdict: that the network works, and how far the account is used up.
fn hear(core: &Core, provider: &Provider, credential: &Credential, asked: Asked<'_>, knock: &Knock) {
    let now = core.clock.now();
    core.reach.answered(provider.id, now);
    credential.gauge.hear(provider.spec.kind, &knock.headers, now);
    let answered = asked.probe().zip(knock.body.as_ref().filter(|_| knock.status.is_success()));
    if let Some(allowance) = answered.and_then(|(probe, body)| told::allowance(probe, body, now)) {
        credential.gauge.tell(allowance);
    }
}

/// Asks the vendor; an account whose token is over, or refused, gets one refresh and another try, as with a request.
async fn knock_with_a_fresh_token(
    core: &Arc<Core>,
    provider: &Provider,
    credential: &Credential,
    asked: Asked<'_>,
) -> Result<Knock, NoKnock> {
    let timeout_ms = core.config.api_test_timeout_ms;
    let question = asked.question();
    let ask = || knock(&core.upstreams, (core.clock.now(), timeout_ms), provider, credential, question);
    let Auth::Token(slot) = &credential.auth else { return ask().await };
    let round = slot.round();
    let answer = ask().await;
    let trigger = match &answer {
        Ok(knock) if knock.status == http::StatusCode::UNAUTHORIZED => Trigger::Refused,
        Err(NoKnock::Unaskable(_)) => Trigger::Request,
        _ => return answer,
    };
    let deadline = tokio::time::Instant::now() + Duration::from_millis(timeout_ms);
    match refresh::refreshed(core, (credential.id, slot), round, trigger, deadline).await {
        Flown::Fresh => ask().await,
        // What the refresh found out is written down where it was found out.
        Flown::Failed(..) => answer,
    }
}
