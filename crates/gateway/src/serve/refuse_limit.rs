//! What a caller reads who ran into a limit: which one, how far it is used, and when it begins anew.

use ledger::budget::{Blocked, Scope};
use serde_json::json;
use types::limits::LimitName;
use types::quota::ScopeKind;
use types::{Money, Timestamp};

use super::Request;
use crate::core::Core;
use crate::error::{LimitHeaders, Refusal};
use crate::quota::concurrency::TooMany;
use crate::quota::rate::TooFast;
use crate::snapshot::ApiKey;

/// Whose limits they are, by names that the caller may see: never a provider's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) key: &'a ApiKey,
}

impl Named<'_> {
    fn of(self, scope: Scope) -> String {
        match scope.kind {
            ScopeKind::Key => format!("key '{}'", self.key.spec.name),
            ScopeKind::User => format!("user '{}'", self.key.user.spec.name),
            ScopeKind::Package => {
                let grant = self.key.user.grants.iter().find(|grant| grant.id.0 == scope.id);
                grant.map_or_else(|| "package".to_owned(), |grant| format!("package '{}'", grant.spec.name))
            }
            ScopeKind::Group => "this group".to_owned(),
            ScopeKind::Global | ScopeKind::Provider | ScopeKind::Credential => "the whole gateway".to_owned(),
        }
    }
}

/// What a limit is called in the sentence.
fn called(name: LimitName) -> &'static str {
    match name {
        LimitName::Rpm => "requests per minute",
        LimitName::Tpm => "tokens per minute",
        LimitName::FiveHours => "5-hour limit",
        LimitName::Day => "daily limit",
        LimitName::Week => "weekly limit",
        LimitName::Month => "monthly limit",
        LimitName::Total => "total limit",
        LimitName::Sessions => "concurrent sessions",
        LimitName::Requests => "concurrent requests",
    }
}

/// Requests or tokens per minute are used up (KE-06).
pub(super) fn too_fast(names: Named<'_>, full: &TooFast, now: Timestamp) -> Refusal {
    let wait_ms = i64::try_from(full.wait_s).unwrap_or(61).saturating_mul(1_000);
    let reset = now.plus_ms(wait_ms);
    let message = format!(
        "rate limit exceeded: {} of {} {} of {} are used; try again in {} s",
        full.current,
        full.limit,
        called(full.name),
        names.of(full.scope),
        full.wait_s
    );
    let mut refusal = Refusal::new(429, "rate_limit_exceeded", message)
        .with("limit_type", full.name.as_str())
        .with("current", full.current)
        .with("limit", full.limit)
        .with("reset_time", json!(reset))
        .retry_after(full.wait_s);
    refusal.limit = Some(Box::new(LimitHeaders {
        limit: full.limit.to_string(),
        remaining: full.limit.saturating_sub(full.current).to_string(),
        reset: Some(reset),
    }));
    refusal
}

/// Too much runs at once (RL-05).
pub(super) fn too_many(names: Named<'_>, full: &TooMany) -> Refusal {
    let message = format!(
        "too many concurrent requests: {} of {} {} of {} are running; wait for one to end",
        full.current,
        full.limit,
        called(full.name),
        names.of(full.scope)
    );
    let mut refusal = Refusal::new(429, "user_concurrency_limit", message)
        .with("limit_type", full.name.as_str())
        .with("current", full.current)
        .with("limit", full.limit)
        .retry_after(1);
    refusal.limit = Some(Box::new(LimitHeaders {
        limit: full.limit.to_string(),
        remaining: "0".to_owned(),
        reset: None,
    }));
    refusal
}

/// A limit in USD, or a package, cannot pay for the request.
pub(super) fn out_of_money(core: &Core, request: &Request, names: Named<'_>, blocked: &Blocked) -> Refusal {
    let package = blocked.scope.kind == ScopeKind::Package;
    let set = &request.snapshot.settings;
    let (status, stable) = if package {
        (set.limits_package_status, package_code(blocked.name))
    } else {
        (set.limits_money_status, "rate_limit_exceeded")
    };
    let what = match (package, blocked.name) {
        (true, LimitName::Total) => "quota".to_owned(),
        (_, name) => called(name).to_owned(),
    };
    let when = match blocked.resets_at {
        Some(at) => format!("; it resets at {at}"),
        None if blocked.rolling => "; usage expires gradually".to_owned(),
        None => "; ask your administrator".to_owned(),
    };
    let left = blocked.limit.minus(blocked.used).minus(blocked.reserved);
    // The way out differs: nothing is left, or too little for the most that this request could cost.
    let why = if blocked.used >= blocked.limit {
        String::new()
    } else {
        format!(
            "; ${} are free (${} are held for running requests) and this request could cost up to ${}: lower its \
             output limit or shorten it",
            left.display(),
            blocked.reserved.display(),
            blocked.needed.display()
        )
    };
    let message = format!(
        "{what} exceeded of {}: ${} of ${} USD are used{why}{when}",
        names.of(blocked.scope),
        blocked.used.display(),
        blocked.limit.display()
    );
    let now = core.clock.now();
    let mut refusal = Refusal::new(status, stable, message)
        .with("limit_type", blocked.name.as_str())
        .with("scope", blocked.scope.kind.as_str())
        .with("used_usd", json!(blocked.used))
        .with("held_usd", json!(blocked.reserved))
        .with("limit_usd", json!(blocked.limit))
        .with("needed_usd", json!(blocked.needed))
        .with("reset_time", json!(blocked.resets_at));
    refusal.retry_after_s = retry_after_s(blocked, now);
    refusal.limit = Some(Box::new(LimitHeaders {
        limit: blocked.limit.to_string(),
        remaining: remaining(blocked).to_string(),
        reset: blocked.resets_at,
    }));
    refusal
}

fn remaining(blocked: &Blocked) -> Money {
    blocked.limit.minus(blocked.used).minus(blocked.reserved)
}

/// Soon if only others' requests are in the way, at the reset if there is one, else never.
fn retry_after_s(blocked: &Blocked, now: Timestamp) -> Option<u64> {
    if blocked.waits {
        return Some(1);
    }
    match blocked.resets_at {
        Some(at) => u64::try_from(at.0.saturating_sub(now.0).max(0)).ok().map(|ms| ms.div_ceil(1_000).max(1)),
        None if blocked.rolling => Some(60),
        None => None,
    }
}

/// The name of a limit in the error contract of packages.
fn package_code(name: LimitName) -> &'static str {
    match name {
        LimitName::Day => "daily_limit_exceeded",
        LimitName::Week => "weekly_limit_exceeded",
        LimitName::Month => "monthly_limit_exceeded",
        _ => "quota_exceeded",
    }
}
