//! May this request run, and who pays? Rates, what runs at once, and money, in this order; all or nothing.
//!
//! Money that only others' running requests hold is waited for: a burst that fits in the end is not refused.

use std::time::Duration;

use ledger::budget::{Amounts, Blocked, Hold, Rule, Scope};
use tokio::time::Instant;
use types::package::GrantState;
use types::quota::ScopeKind;
use types::request::RequestRecord;
use types::{GrantId, Timestamp};

use super::Request;
use super::refuse_limit::{self, Named};
use crate::core::Core;
use crate::error::Refusal;
use crate::quota::concurrency::{SlotGuard, SlotRule};
use crate::quota::rate::RateRule;
use crate::quota::{Rules, charges, scope};
use crate::snapshot::{ApiKey, Grant};

/// How often what other instances hold is looked at again.
const LOOK: Duration = Duration::from_millis(250);
/// Shares asked for by one look: each of its payers may need a larger one.
const MOST_GRANTS: usize = 8;

/// What an admitted request holds; dropping it lets everything go.
#[derive(Debug)]
pub(super) struct Admission {
    pub(super) hold: Hold,
    pub(super) slots: SlotGuard,
    /// Scopes whose tokens per minute are counted.
    pub(super) tpm: Vec<Scope>,
    /// Whether a limit holds an estimate only, so that the running cost must be watched.
    pub(super) watched: bool,
    /// Whether it had to wait for money.
    pub(super) waited: bool,
}

/// Rates and slots of the caller.
fn hurdles(core: &Core, key: &ApiKey) -> (Vec<RateRule>, Vec<SlotRule>) {
    let of = [
        (scope(ScopeKind::Key, key.id.0), &key.spec.limits),
        (scope(ScopeKind::User, key.user.id.0), &key.user.spec.limits),
    ];
    let rates = of.iter().filter_map(|(scope, limits)| core.quotas.rate(*scope, limits)).collect();
    let slots = of.iter().filter_map(|(scope, limits)| core.quotas.slot(*scope, limits)).collect();
    (rates, slots)
}

/// Lets a request in, or says which limit is in its way.
pub(super) async fn admit(
    core: &Core,
    request: &Request,
    record: &mut RequestRecord,
    amounts: Amounts,
) -> Result<Admission, Refusal> {
    let now = core.clock.now();
    let key = &request.key;
    let names = Named { key };
    let (rates, slot_rules) = hurdles(core, key);
    core.quotas.rates.admit(now, &rates).map_err(|full| refuse_limit::too_fast(names, &full, now))?;
    // Counting tokens is a question, not work: clients ask it in bursts.
    let slot_rules = if request.ingress.endpoint.is_count() { Vec::new() } else { slot_rules };
    let slots = core
        .quotas
        .slots
        .take(now, &slot_rules, record.session_id.as_deref())
        .map_err(|full| refuse_limit::too_many(names, &full))?;
    let tpm = rates.iter().filter(|rule| rule.tpm.is_some()).map(|rule| rule.scope).collect();
    let (hold, grant, watched, waited) = hold(core, request, amounts).await?;
    record.grant_id = grant;
    record.held_usd = amounts.worst;
    Ok(Admission { hold, slots, tpm, watched, waited })
}

/// Holds money of everybody who pays, waiting for what others hold if that would do.
async fn hold(
    core: &Core,
    request: &Request,
    amounts: Amounts,
) -> Result<(Hold, Option<GrantId>, bool, bool), Refusal> {
    let names = Named { key: &request.key };
    let blocked = match hold_now(core, request, amounts).await {
        Ok((hold, grant, watched)) => return Ok((hold, grant, watched, false)),
        Err(Stop::Blocked(blocked)) => blocked,
        Err(stop) => return Err(stop.into_refusal()),
    };
    let refuse = |blocked: &Blocked| refuse_limit::out_of_money(core, request, names, blocked);
    let patience = Duration::from_millis(u64::from(request.snapshot.settings.limits_wait_ms));
    if !blocked.waits || patience.is_zero() {
        return Err(refuse(&blocked));
    }
    let Some(place) = core.quotas.wait() else { return Err(refuse(&blocked)) };
    let until = Instant::now() + patience;
    loop {
        let released = place.released();
        match hold_now(core, request, amounts).await {
            Ok((hold, grant, watched)) => return Ok((hold, grant, watched, true)),
            Err(Stop::Blocked(blocked)) if !blocked.waits || Instant::now() >= until => {
                return Err(refuse(&blocked));
            }
            Err(Stop::Blocked(_)) => {}
            Err(stop) => return Err(stop.into_refusal()),
        }
        // What other instances let go is not heard of; it is looked for now and then.
        let look = if core.shares.is_some() { until.min(Instant::now() + LOOK) } else { until };
        tokio::select! {
            () = released => {}
            () = tokio::time::sleep_until(look) => {}
            () = core.draining.cancelled() => return Err(Refusal::draining()),
        }
    }
}

/// Why a look did not end in a hold.
enum Stop {
    Refused(Box<Refusal>),
    Blocked(Box<Blocked>),
    /// This instance's share of a budget is used up.
    Share(Box<Blocked>, Vec<Rule>),
}

impl Stop {
    fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => *refusal,
            Self::Blocked(_) | Self::Share(..) => Refusal::database_unavailable(),
        }
    }
}

/// One look, with larger shares of budgets asked for as long as they are what is missing. Money fails closed: without
/// the database nothing is granted.
async fn hold_now(
    core: &Core,
    request: &Request,
    amounts: Amounts,
) -> Result<(Hold, Option<GrantId>, bool), Stop> {
    for _ in 0..MOST_GRANTS {
        let (blocked, rules) = match try_hold(core, request, amounts) {
            Err(Stop::Share(blocked, rules)) => (blocked, rules),
            done => return done,
        };
        let lacking = blocked.used.plus(blocked.reserved).plus(blocked.needed).minus(blocked.limit);
        let now = core.clock.now();
        match crate::accounts::share::grow(core, blocked.scope, &rules, lacking, now).await {
            Ok(true) => {}
            Ok(false) => return Err(Stop::Blocked(Box::new(as_limit(core, *blocked, &rules, now)))),
            Err(error) => {
                tracing::error!(%error, "a share of a budget could not be asked for; the request is refused");
                return Err(Stop::Refused(Box::new(Refusal::database_unavailable())));
            }
        }
    }
    Err(Stop::Refused(Box::new(Refusal::database_unavailable())))
}

/// The limit itself in place of this instance's share of it, for the caller to read.
fn as_limit(core: &Core, blocked: Blocked, rules: &[Rule], now: Timestamp) -> Blocked {
    let readings = core.quotas.budgets.read(blocked.scope, rules, now);
    let tightest = rules.iter().zip(readings).min_by_key(|(rule, reading)| rule.limit.minus(reading.used));
    match tightest {
        Some((rule, reading)) => Blocked {
            name: rule.name,
            used: reading.used,
            reserved: reading.reserved,
            limit: rule.limit,
            resets_at: reading.resets_at,
            waits: reading.used < rule.limit,
            ..blocked
        },
        None => blocked,
    }
}

/// The outcome of a look at one set of payers.
fn stopped(blocked: Blocked, payers: &[Rules]) -> Stop {
    let rules = payers.iter().find(|(scope, _)| *scope == blocked.scope).map(|(_, rules)| rules.clone());
    match rules {
        Some(rules) if blocked.allowance => Stop::Share(Box::new(blocked), rules),
        _ => Stop::Blocked(Box::new(blocked)),
    }
}

/// One look: the first grant that can pay, or the limits alone for a user without packages.
fn try_hold(core: &Core, request: &Request, amounts: Amounts) -> Result<(Hold, Option<GrantId>, bool), Stop> {
    let now = core.clock.now();
    let moment = core.quotas.moment(now);
    let id = request.ingress.request_id;
    let mut payers = payers(core, request, now);
    let grants = match grants(request, now) {
        Ok(grants) => grants,
        Err(refusal) => return Err(Stop::Refused(Box::new(refusal))),
    };
    let watched = |payers: &[Rules]| payers.iter().any(|(_, rules)| rules.iter().any(|rule| !rule.hard));
    if grants.is_empty() {
        crate::accounts::share::guard(core, &payers);
        return match core.quotas.budgets.hold(id, moment, &charges(&payers), amounts) {
            Ok(hold) => Ok((hold, None, watched(&payers))),
            Err(blocked) => Err(stopped(blocked, &payers)),
        };
    }
    let mut last: Option<Stop> = None;
    for grant in grants {
        payers.push(core.quotas.money(scope(ScopeKind::Package, grant.id.0), &grant.limits, now));
        crate::accounts::share::guard(core, &payers);
        match core.quotas.budgets.hold(id, moment, &charges(&payers), amounts) {
            Ok(hold) => return Ok((hold, Some(grant.id), watched(&payers))),
            // The soonest to end is asked first; a later one may still pay. What helps soonest is remembered.
            Err(blocked) => {
                let better = match &last {
                    None => true,
                    Some(Stop::Blocked(known)) => blocked.allowance || blocked.waits || !known.waits,
                    Some(_) => false,
                };
                if better {
                    last = Some(stopped(blocked, &payers));
                }
            }
        }
        payers.pop();
    }
    Err(last.unwrap_or_else(|| Stop::Refused(Box::new(Refusal::no_active_package("no active package")))))
}

/// Everybody who pays whatever the provider: the whole gateway, the user, the key.
fn payers(core: &Core, request: &Request, now: Timestamp) -> Vec<Rules> {
    let key = &request.key;
    vec![
        core.quotas.money(scope(ScopeKind::Global, 0), &request.snapshot.global, now),
        core.quotas.money(scope(ScopeKind::User, key.user.id.0), &key.user.spec.limits, now),
        core.quotas.money(scope(ScopeKind::Key, key.id.0), &key.spec.limits, now),
    ]
}

/// The grants that may pay, soonest to end first. Empty if the user never had one: then his limits alone count.
fn grants(request: &Request, now: Timestamp) -> Result<Vec<&Grant>, Refusal> {
    let key = &request.key;
    let all = &key.user.grants;
    if request.ingress.endpoint.is_count() || (all.is_empty() && key.spec.grant_id.is_none()) {
        return Ok(Vec::new());
    }
    let bound = |grant: &&Grant| key.spec.grant_id.is_none_or(|id| id == grant.id);
    let mine: Vec<&Grant> = all.iter().filter(bound).collect();
    let active: Vec<&Grant> = mine.iter().copied().filter(|g| g.state(now) == GrantState::Active).collect();
    if active.is_empty() {
        let ended = mine
            .iter()
            .filter_map(|g| (g.state(now) == GrantState::Expired).then_some(g.ends_at))
            .flatten()
            .max();
        return Err(match ended {
            Some(ended) => Refusal::package_expired(ended),
            None => Refusal::no_active_package(if mine.is_empty() {
                "the package that this key is bound to is gone"
            } else {
                "the package is disabled or has not begun"
            }),
        });
    }
    let model = request.model();
    let mut fitting: Vec<&Grant> = active.into_iter().filter(|grant| grant.pays_for(model)).collect();
    if fitting.is_empty() {
        let shown = model.unwrap_or("(none)");
        return Err(Refusal::new(
            403,
            "model_not_allowed",
            format!("model not allowed: no package of this key's user pays for '{shown}'"),
        )
        .with("list", "package"));
    }
    fitting.sort_by_key(|grant| (grant.ends_at.unwrap_or(Timestamp(i64::MAX)), grant.id));
    Ok(fitting)
}
