//! Limits of providers and credentials, and missing prices, as a gate of selection.

use std::sync::atomic::{AtomicI64, Ordering};

use ledger::budget::Blocked;
use routing::health::Doubt;
use types::Timestamp;
use types::quota::ScopeKind;

use super::Request;
use super::quote::quote;
use super::route::Gate;
use crate::core::Core;
use crate::quota::{charges, scope};
use crate::snapshot::{Credential, Provider};

/// Looks at the limits as they are used now; takes nothing.
pub(super) struct LimitGate<'a> {
    core: &'a Core,
    request: &'a Request,
    now: Timestamp,
    /// When the first of the limits in the way begins anew, in milliseconds; the largest number for never.
    opens_at: AtomicI64,
}

impl std::fmt::Debug for LimitGate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LimitGate").field("now", &self.now).finish_non_exhaustive()
    }
}

impl<'a> LimitGate<'a> {
    pub(super) fn new(core: &'a Core, request: &'a Request) -> Self {
        Self { core, request, now: core.clock.now(), opens_at: AtomicI64::new(i64::MAX) }
    }

    /// Seconds until a provider that is at its limit may serve again; `None` if none is, or nobody can know.
    pub(super) fn opens_in_s(&self) -> Option<u64> {
        let at = self.opens_at.load(Ordering::Relaxed);
        let wait = at.saturating_sub(self.now.0).max(1);
        (at < i64::MAX).then(|| u64::try_from(wait).ok().map(|ms| ms.div_ceil(1_000))).flatten()
    }

    fn note(&self, blocked: &Blocked) {
        if let Some(at) = blocked.resets_at {
            self.opens_at.fetch_min(at.0, Ordering::Relaxed);
        }
    }

    fn limited(
        &self,
        (kind, id): (ScopeKind, i64),
        limits: &types::limits::Limits,
        provider: &Provider,
        model: Option<&str>,
    ) -> bool {
        if limits.is_none() {
            return false;
        }
        let (quotas, scope) = (&self.core.quotas, scope(kind, id));
        if quotas.rate(scope, limits).is_some_and(|rule| quotas.rates.is_full(self.now, &rule))
            || quotas.slot(scope, limits).is_some_and(|rule| quotas.slots.is_full(&rule))
        {
            return true;
        }
        let rules = [quotas.money(scope, limits, self.now)];
        if rules.iter().all(|(_, rules)| rules.is_empty()) {
            return false;
        }
        let amounts = quote(self.core, self.request, provider, model).provider;
        let blocked = quotas.budgets.would_block(quotas.moment(self.now), &charges(&rules), amounts);
        if let Some(blocked) = &blocked {
            self.note(blocked);
        }
        blocked.is_some()
    }
}

impl Gate for LimitGate<'_> {
    fn provider(&self, provider: &Provider, model: Option<&str>) -> Option<&'static str> {
        let settings = &self.request.snapshot.settings;
        if settings.billing_unpriced_policy == types::setting::UnpricedPolicy::Refuse
            && quote(self.core, self.request, provider, model).is_refused(settings)
        {
            return Some("unpriced");
        }
        let scope = (ScopeKind::Provider, provider.id.0);
        self.limited(scope, &provider.spec.limits, provider, model).then_some("limit")
    }

    fn credential(
        &self,
        provider: &Provider,
        credential: &Credential,
        model: Option<&str>,
    ) -> Option<&'static str> {
        let scope = (ScopeKind::Credential, credential.id.0);
        self.limited(scope, &credential.spec.limits, provider, model).then_some("limit")
    }

    fn doubt(&self, provider: &Provider) -> Option<Doubt> {
        self.core.reach.doubt(provider.id)
    }
}
