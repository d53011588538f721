//! What one attempt teaches about its credential: breaker, rests, stored state, latency.
//!
//! Each attempt has one, and it hears exactly one verdict. Where none comes (the caller left before there was
//! anything to judge), its drop gives the place of a probe back.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use routing::cooldown::{Rest, rest};
use routing::health::Failed;
use types::breaker::BreakerConfig;
use types::credential::CredentialState;
use types::provider::ProviderKind;
use types::routing::FailureClass;
use types::setting::Settings;
use types::{ProviderId, RequestId, Timestamp};

use super::Request;
use super::verdict::Verdict;
use crate::authenticate::Auth;
use crate::core::Core;
use crate::events::{self, NewState};
use crate::snapshot::{Credential, Provider};

/// How long a credential that its upstream refused is left alone.
const REFUSED_MS: i64 = Timestamp::HOUR_MS;
/// Shorter rests are not worth a row: a restart may well forget them.
const STORED_MS: i64 = 30_000;

/// One attempt, as far as its credential is concerned.
pub(super) struct Trial {
    core: Arc<Core>,
    credential: Arc<Credential>,
    provider: ProviderId,
    kind: ProviderKind,
    breaker: BreakerConfig,
    /// As sent upstream.
    model: Option<String>,
    request: RequestId,
    /// Whether it holds the one place of a probe.
    probing: bool,
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("credential", &self.credential.id).finish_non_exhaustive()
    }
}

impl Trial {
    /// Begins an attempt; `None` if it would be a probe and another request is one already.
    pub(super) fn begin(
        core: &Arc<Core>,
        request: RequestId,
        (provider, credential): (&Provider, &Arc<Credential>),
        model: Option<&str>,
        probes: bool,
    ) -> Option<Self> {
        if probes && !credential.gauge.begin_probe(model, core.clock.now()) {
            return None;
        }
        Some(Self {
            core: core.clone(),
            credential: credential.clone(),
            provider: provider.id,
            kind: provider.spec.kind,
            breaker: provider.spec.routing.breaker,
            model: model.map(str::to_owned),
            request,
            probing: probes,
        })
    }

    pub(super) fn credential(&self) -> &Arc<Credential> {
        &self.credential
    }

    /// Notes what it took to the first byte, or, where another attempt was quicker, that it had not come by then.
    pub(super) fn first_byte(&self, ms: u64, streaming: bool) {
        self.credential.gauge.observe(ms, self.core.clock.now());
        self.credential.gauge.waited(self.model.as_deref().unwrap_or_default(), streaming, ms);
    }

    /// How long nearly all answers of this kind take to their first byte.
    pub(super) fn patience(&self, streaming: bool) -> Option<u64> {
        self.credential.gauge.patience(self.model.as_deref().unwrap_or_default(), streaming)
    }

    /// It answered well.
    pub(super) fn succeeded(mut self) {
        self.probing = false;
        let now = self.core.clock.now();
        let changes = self.credential.gauge.succeeded(self.model.as_deref(), now, &self.breaker);
        events::breakers(&self.core, self.provider, &self.credential, changes, now);
        self.core.reach.answered(self.provider, now);
        if self.credential.gauge.ends_check_failures() {
            events::checks_ended(&self.core, &self.credential);
        }
        if self.credential.mark.state != CredentialState::Valid {
            let new = NewState {
                state: CredentialState::Valid,
                until: None,
                reason: None,
                cause: "upstream",
                request: Some(self.request),
            };
            events::mark(&self.core, &self.credential, new);
        }
    }

    /// The answer broke off after its content had begun.
    pub(super) fn broke(mut self, what: &str) {
        self.probing = false;
        self.credential.gauge.note_error(self.core.clock.now(), FailureClass::Provider, what);
        self.count(FailureClass::Provider, None, 0, true, what);
    }

    /// The upstream refused the request itself: the credential is well.
    pub(super) fn refused_request(self) {
        self.core.reach.answered(self.provider, self.core.clock.now());
    }

    /// It failed. What follows at once (rests, states) is done; what counts for a breaker is given back, because it
    /// depends on whether another credential can serve the same request.
    pub(super) fn failed(self, verdict: &Verdict, settings: &Settings) -> Option<Doubt> {
        let now = self.core.clock.now();
        let (class, what) = (verdict.class, verdict.refusal.message.as_str());
        if matches!(class, FailureClass::Client | FailureClass::ClientGone | FailureClass::Local) {
            return None;
        }
        let gauge = &self.credential.gauge;
        gauge.note_error(now, class, what);
        if verdict.commit != types::request::Commit::NotSent || class != FailureClass::System {
            self.core.reach.answered(self.provider, now);
        } else if self.credential.takes_usual_way() && verdict.refusal.code != "proxy_error" {
            self.core.reach.failed(self.provider, now);
        }
        if class == FailureClass::RateLimit {
            self.core.pool_counters.rate_limited(now);
        }
        let rest = self.rest(verdict, settings, now);
        if let Some(rest) = &rest {
            self.mark(rest, class, what, now);
        }
        let network =
            settings.routing_breaker_on_network_errors || self.core.config.breaker_on_network_errors;
        let doubtful = match class {
            FailureClass::Provider | FailureClass::Unknown | FailureClass::NotFound => true,
            FailureClass::System => network,
            _ => false,
        };
        if doubtful {
            return Some(Doubt { trial: self, class, rest, what: what.to_owned() });
        }
        let failed = Failed {
            model: self.model.as_deref(),
            class,
            rest,
            fingerprint: 0,
            confirmed: true,
            network_counts: false,
            what,
        };
        let changes = gauge.failed(failed, now, &self.breaker);
        events::breakers(&self.core, self.provider, &self.credential, changes, now);
        None
    }

    fn rest(&self, verdict: &Verdict, settings: &Settings, now: Timestamp) -> Option<Rest> {
        let (class, model) = (verdict.class, self.model.as_deref());
        if class == FailureClass::Auth {
            // Without a token it is passed over until there is one; a rest would only outlast that.
            if matches!(&self.credential.auth, Auth::Token(slot) if !slot.is_ready(now)) {
                return None;
            }
            let until = now.plus_ms(REFUSED_MS);
            return Some(Rest { until, state: CredentialState::Invalid, whole: true, told: false });
        }
        let streak = self.credential.gauge.health().streak(model, class);
        let most = if class == FailureClass::System {
            settings.routing_unavailable_s
        } else {
            settings.routing_cooldown_max_s
        };
        let hint = &verdict.hint;
        let found = rest(class, self.kind, &hint.headers, hint.delay_ms, now, streak, most, rand::random());
        let Some(seconds) = hint.rule_s else { return found };
        let until = now.plus_ms(i64::from(seconds) * 1_000);
        // A rule may set a rest where the class has none.
        let none = Rest { until, state: CredentialState::Overloaded, whole: false, told: true };
        Some(found.map_or(none, |rest| Rest { until, told: true, ..rest }))
    }

    /// Writes down a state that a restart should remember.
    fn mark(&self, rest: &Rest, class: FailureClass, what: &str, now: Timestamp) {
        let long = rest.until.0.saturating_sub(now.0) >= STORED_MS;
        let (state, until) = match class {
            FailureClass::Auth if matches!(self.credential.auth, Auth::Token(_)) => {
                (CredentialState::NeedsReauth, Some(rest.until))
            }
            FailureClass::Auth => (CredentialState::Invalid, Some(rest.until)),
            FailureClass::Quota => (CredentialState::Suspended, Some(rest.until)),
            FailureClass::RateLimit if rest.whole && long => (CredentialState::RateLimited, Some(rest.until)),
            _ => return,
        };
        let cause = "upstream";
        let new =
            NewState { state, until, reason: Some(what.to_owned()), cause, request: Some(self.request) };
        events::mark(&self.core, &self.credential, new);
    }

    fn count(&self, class: FailureClass, rest: Option<Rest>, fingerprint: u64, confirmed: bool, what: &str) {
        let now = self.core.clock.now();
        let model = self.model.as_deref();
        // Who cannot be reached while the same request got through elsewhere is at fault himself; else it is more
        // likely our own network, and that must not take every credential out of service (HC-12).
        let network_counts = confirmed && self.core.reach.others_answer(self.provider, now);
        let failed = Failed { model, class, rest, fingerprint, confirmed, network_counts, what };
        let changes = self.credential.gauge.failed(failed, now, &self.breaker);
        events::breakers(&self.core, self.provider, &self.credential, changes, now);
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if self.probing {
            self.credential.gauge.end_probe(self.model.as_deref());
        }
    }
}

/// A failure of which it is not known yet whether it was the credential's or the request's.
#[derive(Debug)]
pub(super) struct Doubt {
    trial: Trial,
    class: FailureClass,
    rest: Option<Rest>,
    what: String,
}

/// The doubtful failures of one request. If another credential serves it, they were the credentials'; if nobody
/// can, the request may be at fault, and however often it is repeated it counts once.
#[derive(Debug)]
pub(super) struct Doubts {
    failures: Vec<Doubt>,
    fingerprint: u64,
}

impl Doubts {
    pub(super) fn new() -> Self {
        Self { failures: Vec::new(), fingerprint: 0 }
    }

    pub(super) fn add(&mut self, doubt: Doubt, request: &Request) {
        if self.fingerprint == 0 {
            let mut hasher = DefaultHasher::new();
            request.key.id.hash(&mut hasher);
            request.ingress.body.hash(&mut hasher);
            self.fingerprint = hasher.finish() | 1;
        }
        self.failures.push(doubt);
    }

    /// Another credential served the request.
    pub(super) fn confirm(&mut self) {
        self.settle(true);
    }

    fn settle(&mut self, confirmed: bool) {
        for mut doubt in self.failures.drain(..) {
            // A model that nobody has is a slip of the caller's, and no account needs to rest from it.
            if doubt.class == FailureClass::NotFound && !confirmed {
                continue;
            }
            doubt.trial.probing = false;
            doubt.trial.count(doubt.class, doubt.rest, self.fingerprint, confirmed, &doubt.what);
        }
    }
}

impl Drop for Doubts {
    fn drop(&mut self) {
        self.settle(false);
    }
}
