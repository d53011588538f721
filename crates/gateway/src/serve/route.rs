//! Which credential serves a request: a pure function of the configuration, the gauges, the demand and a seed.
//!
//! Every route uses it, for the first attempt and for each further one (the tried set grows). It sends nothing.

mod nobody;
mod outage;
mod record;

use std::sync::Arc;

use routing::health::{Doubt, Look};
use routing::order::{Facts, order};
use types::credential::{CredentialState, Tier};
use types::dialect::{Dialect, Endpoint};
use types::request::{AffinityNote, AffinityOutcome};
use types::routing::Strategy;
use types::setting::Settings;
use types::translation::{Served, TranslationMode};
use types::{CredentialId, Timestamp};

use super::kept::Continued;
use super::session::Conversation;
use crate::authenticate::Auth;
use crate::keepers::Keeper;
use crate::snapshot::{ApiKey, Credential, Provider, Snapshot};

/// What else may stand in a candidate's way at this instant: limits, a missing price.
pub(super) trait Gate: std::fmt::Debug + Sync {
    /// The filter that removes a provider; `None` if it may serve the model.
    fn provider(&self, provider: &Provider, model: Option<&str>) -> Option<&'static str>;
    /// The filter that removes a credential.
    fn credential(
        &self,
        provider: &Provider,
        credential: &Credential,
        model: Option<&str>,
    ) -> Option<&'static str>;
    /// What speaks against every credential of a provider that takes its usual way.
    fn doubt(&self, provider: &Provider) -> Option<Doubt>;
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand<'a> {
    pub(super) endpoint: Endpoint,
    /// The model asked for, or one of those that an alias stands for.
    pub(super) model: Option<&'a str>,
    pub(super) key: &'a ApiKey,
    pub(super) user_agent: Option<&'a str>,
    /// Credentials that this request has tried already.
    pub(super) tried: &'a [CredentialId],
    pub(super) gate: &'a dyn Gate,
    pub(super) conversation: Option<&'a Conversation>,
    /// What it continues that one credential keeps; no other can serve it then.
    pub(super) continued: Option<&'a Continued>,
    /// Whether upstreams of other dialects may answer.
    pub(super) translation: TranslationMode,
    pub(super) now: Timestamp,
    /// Of the day in the billing time zone.
    pub(super) minute: u16,
    pub(super) seed: u64,
}

/// One that may serve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick<'a> {
    pub(super) provider: &'a Provider,
    pub(super) credential: &'a Arc<Credential>,
    /// In which dialect.
    pub(super) served: Served,
    /// Whether only one request at a time may look if it is well again.
    pub(super) probes: bool,
    facts: Facts,
    until: Option<Timestamp>,
    /// What speaks against it, if it failed lately and has not succeeded since.
    doubt: Option<Doubt>,
}

#[derive(Debug)]
struct Removal<'a> {
    provider: &'a Provider,
    credential: Option<&'a Arc<Credential>>,
    filter: &'static str,
    until: Option<Timestamp>,
    /// Whether it is there and well, and only a quota of its own is used up.
    quota: bool,
}

/// Who was considered and in which order the rest may serve.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    /// Best first.
    pub(super) ranked: Vec<Pick<'a>>,
    removed: Vec<Removal<'a>>,
    affinity: Option<AffinityNote>,
    strategy: Strategy,
    tier_order: &'a [Tier],
    seed: u64,
    revision: i64,
}

/// Looks at every candidate.
pub(super) fn select<'a>(snapshot: &'a Snapshot, demand: Demand<'_>) -> Selection<'a> {
    let strategy = snapshot.strategy_of(demand.key);
    let mut picks = Vec::new();
    let mut removed = Vec::new();
    for provider in &snapshot.providers {
        let served = match provider_filter(provider, demand) {
            Ok(served) => served,
            Err(filter) => {
                removed.push(Removal::whole(provider, filter));
                continue;
            }
        };
        if provider.credentials.is_empty() {
            removed.push(Removal::whole(provider, "no_credential"));
        }
        let upstream_model = demand.model.map(|model| provider.upstream_model(model));
        for credential in &provider.credentials {
            match examine(&snapshot.settings, provider, (credential, served), upstream_model, demand) {
                Ok(pick) => picks.push(pick),
                Err(Removed { filter, until, quota }) => {
                    removed.push(Removal { provider, credential: Some(credential), filter, until, quota });
                }
            }
        }
    }
    outage::share(&mut picks, demand.gate);
    outage::leave_alone(&mut picks, &mut removed, demand.now);
    let (bound, affinity) = bound(&picks, &removed, demand);
    let ranked = if picks.len() < 2 {
        picks
    } else {
        let facts: Vec<Facts> = picks.iter().map(|pick| pick.facts).collect();
        order(&facts, strategy, demand.seed, bound).iter().filter_map(|at| picks.get(*at).copied()).collect()
    };
    let tier_order = &snapshot.settings.pool_tier_order;
    Selection {
        ranked,
        removed,
        affinity,
        strategy,
        tier_order,
        seed: demand.seed,
        revision: snapshot.revision,
    }
}

/// How a provider would answer, or the first filter that removes it as a whole.
fn provider_filter(provider: &Provider, demand: Demand<'_>) -> Result<Served, &'static str> {
    let routing = &provider.spec.routing;
    if !provider.spec.enabled {
        return Err("disabled");
    }
    let Some(served) = provider.serves(demand.endpoint, demand.model) else {
        return Err("endpoint");
    };
    let filter = if !demand.key.may_use_groups(&provider.spec.groups) {
        Some("group")
    } else if demand.model.is_some_and(|model| !provider.serves_model(model)) {
        Some("model")
    } else if served != Served::Natively && !may_translate(provider, demand) {
        Some("dialect")
    } else if !routing.clients.is_empty() && !routing::client::allows(&routing.clients, demand.user_agent) {
        Some("client")
    } else if routing.schedule.is_some_and(|hours| !routing::schedule::is_open(&hours, demand.minute)) {
        Some("schedule")
    } else {
        demand.gate.provider(provider, demand.model)
    };
    filter.map_or(Ok(served), Err)
}

/// Whether a request may be answered in another dialect by a provider that could.
fn may_translate(provider: &Provider, demand: Demand<'_>) -> bool {
    demand.translation != TranslationMode::Off
        && demand.model.is_some_and(|model| provider.names_model(model))
}

/// Why a credential is no candidate.
struct Removed {
    filter: &'static str,
    until: Option<Timestamp>,
    quota: bool,
}

/// Its access token is over, and a fresh one has to be fetched first.
const STALE: &str = "token";

/// Of limits of providers and credentials: their quota, not a fault.
const LIMIT: &str = "limit";

impl Removed {
    fn by(filter: &'static str, until: Option<Timestamp>) -> Self {
        Self { filter, until, quota: filter == LIMIT }
    }

    fn resting(state: CredentialState, until: Option<Timestamp>) -> Self {
        Self { filter: "cooldown", until, quota: state == CredentialState::RateLimited }
    }
}

impl<'a> Removal<'a> {
    fn whole(provider: &'a Provider, filter: &'static str) -> Self {
        Self { provider, credential: None, filter, until: None, quota: filter == LIMIT }
    }
}

/// A credential as a candidate, or the first filter that removes it.
fn examine<'a>(
    settings: &Settings,
    provider: &'a Provider,
    (credential, served): (&'a Arc<Credential>, Served),
    upstream_model: Option<&str>,
    demand: Demand<'_>,
) -> Result<Pick<'a>, Removed> {
    let (spec, gauge) = (&credential.spec, &credential.gauge);
    if demand.tried.contains(&credential.id) {
        return Err(Removed::by("tried", None));
    } else if demand.continued.is_some_and(|continued| continued.is_not_with(credential.id)) {
        return Err(Removed::by("kept_elsewhere", None));
    } else if !spec.enabled {
        return Err(Removed::by("disabled", None));
    } else if !credential.auth.is_readable() {
        return Err(Removed::by("unreadable", None));
    }
    let mut probes = marked(credential, demand.now)?;
    if let Some(until) = gauge.stopped_until(settings.account_allowance_percent, demand.now) {
        return Err(Removed { filter: "allowance", until: Some(until), quota: true });
    }
    if let Auth::Token(slot) = &credential.auth
        && !slot.is_ready(demand.now)
    {
        let until = slot.is_quiet(demand.now).then(|| slot.quiet_until());
        return Err(Removed::by(STALE, until));
    }
    let (mut demoted, mut until) = (false, None);
    match gauge.look(upstream_model, demand.now) {
        Look::Free => {}
        // In its usual place: behind all others nobody would look at it as long as they are well. One request at a
        // time does, and goes on to the next if it is not.
        Look::Probe => probes = true,
        Look::Demoted { until: end, .. } => (demoted, until) = (true, Some(end)),
        Look::Resting { until, state } => return Err(Removed::resting(state, Some(until))),
        Look::Open { until } => return Err(Removed::by("breaker", Some(until))),
    }
    if let Some(filter) = demand.gate.credential(provider, credential, demand.model) {
        return Err(Removed::by(filter, None));
    }
    let in_flight = gauge.in_flight();
    if !demand.endpoint.is_count() && spec.max_concurrency.is_some_and(|limit| in_flight >= limit) {
        return Err(Removed::by("concurrency", None));
    }
    let facts = Facts {
        demoted,
        tier: tier_at(&settings.pool_tier_order, spec.tier),
        priority: (provider.spec.priority, spec.priority),
        translated: served != Served::Natively,
        weight: provider.spec.weight.saturating_mul(spec.weight).max(1),
        in_flight,
        latency_ms: gauge.latency_ms(demand.now),
        multiplier_micro: provider.spec.cost_multiplier.micro(),
        last_turn: gauge.last_turn(),
    };
    let threshold = provider.spec.routing.breaker.failures();
    let doubt = gauge.doubt(upstream_model, demand.now, threshold);
    Ok(Pick { provider, credential, served, probes, facts, until, doubt })
}

/// What is stored of its state: whether it removes the credential, or lets one request look again.
fn marked(credential: &Credential, now: Timestamp) -> Result<bool, Removed> {
    let mark = &credential.mark;
    let over = mark.until.is_some_and(|until| until <= now);
    match mark.state {
        CredentialState::Valid => Ok(false),
        _ if over => Ok(true),
        CredentialState::RateLimited | CredentialState::Overloaded => {
            Err(Removed::resting(mark.state, mark.until))
        }
        _ => Err(Removed::by("state", mark.until)),
    }
}

fn tier_at(order: &[Tier], tier: Tier) -> u8 {
    let at = order.iter().position(|known| *known == tier).unwrap_or(order.len());
    u8::try_from(at).unwrap_or(u8::MAX)
}

/// Where the credential stands that the conversation sticks to, and what is to be said of it.
fn bound(
    picks: &[Pick<'_>],
    removed: &[Removal<'_>],
    demand: Demand<'_>,
) -> (Option<usize>, Option<AffinityNote>) {
    let Some(conversation) = demand.conversation else { return (None, None) };
    let Some(binding) = &conversation.bound else {
        return (None, Some(conversation.note(AffinityOutcome::Miss, None)));
    };
    let Some(at) = picks.iter().position(|pick| pick.credential.id == binding.credential) else {
        let is_bound = |removal: &&Removal<'_>| match removal.credential {
            Some(credential) => credential.id == binding.credential,
            None => removal.provider.id == binding.provider,
        };
        let filter = removed.iter().find(is_bound).map_or("gone", |removal| removal.filter);
        return (None, Some(conversation.note(AffinityOutcome::Broken, Some(filter))));
    };
    let class = |pick: &Pick<'_>| {
        let facts = &pick.facts;
        (facts.demoted, facts.tier, facts.priority, facts.translated)
    };
    let own = picks.get(at).map(class);
    let (sticky, demoted) =
        picks.get(at).map_or((false, false), |pick| (pick.provider.spec.routing.sticky, pick.facts.demoted));
    if !sticky || demoted {
        let why = if demoted { "unavailable" } else { "not_sticky" };
        return (None, Some(conversation.note(AffinityOutcome::Broken, Some(why))));
    }
    let best = picks.iter().map(class).min();
    if conversation.cold && best < own {
        return (None, Some(conversation.note(AffinityOutcome::Failback, None)));
    }
    (Some(at), Some(conversation.note(AffinityOutcome::Hit, None)))
}

impl<'a> Selection<'a> {
    /// Whether the first candidate is one for which tokens are counted here.
    pub(super) fn counts_here(&self) -> bool {
        self.ranked.first().is_some_and(|pick| matches!(pick.served, Served::Counted(_)))
    }

    /// The first provider for which tokens are counted here, and what it speaks.
    pub(super) fn counter(&self) -> Option<(&'a Provider, Dialect)> {
        self.ranked.iter().find_map(|pick| match pick.served {
            Served::Counted(dialect) => Some((pick.provider, dialect)),
            Served::Natively | Served::Translated(_) => None,
        })
    }

    /// The filter that removed a credential, alone or with its provider, and until when; `None` if it was not there.
    pub(super) fn why_not(&self, keeper: Keeper) -> Option<(&'static str, Option<Timestamp>)> {
        let own = |removal: &&Removal<'_>| match removal.credential {
            Some(credential) => credential.id == keeper.credential,
            None => removal.provider.id == keeper.provider,
        };
        self.removed.iter().find(own).map(|removal| (removal.filter, removal.until))
    }

    /// Credentials that could serve with a fresh access token, in the order in which they would be tried.
    pub(super) fn stale(&self) -> Vec<&'a Arc<Credential>> {
        let mut stale: Vec<_> = self.removed.iter().filter(|removal| removal.filter == STALE).collect();
        stale.sort_by_key(|removal| {
            let own = removal.credential.map_or((Tier::Fallback, 0), |c| (c.spec.tier, c.spec.priority));
            (own.0, removal.provider.spec.priority, own.1)
        });
        stale.into_iter().filter_map(|removal| removal.credential).collect()
    }
}

impl Pick<'_> {
    /// Whether nothing speaks against it.
    pub(super) fn is_well(&self) -> bool {
        !self.probes && !self.facts.demoted
    }
}

impl Selection<'_> {
    /// Providers all of whose credentials are busy, with the number of requests that may wait for one of them.
    pub(super) fn busy(&self, settings: &Settings) -> Vec<(types::ProviderId, u32)> {
        let mut busy: Vec<(types::ProviderId, u32)> = Vec::new();
        for removal in self.removed.iter().filter(|removal| removal.filter == "concurrency") {
            let id = removal.provider.id;
            if !busy.iter().any(|(known, _)| *known == id) {
                let size = removal.provider.spec.routing.queue_size.unwrap_or(settings.routing_queue_size);
                busy.push((id, size));
            }
        }
        busy
    }

    /// How long a request waits for one of them at most, in milliseconds.
    pub(super) fn patience_ms(&self, settings: &Settings) -> u64 {
        let busy = self.removed.iter().filter(|removal| removal.filter == "concurrency");
        let longest =
            busy.map(|removal| removal.provider.spec.routing.queue_ms.unwrap_or(settings.routing_queue_ms));
        longest.max().map_or(0, u64::from)
    }
}

#[cfg(test)]
mod tests;
