//! How a provider does at this moment, summed up from its credentials; and its strip of the last 24 hours.

use leptos::prelude::*;
use types::ProviderId;
use types::breaker::BreakerState;
use types::cached::Availability;
use types::credential::{CredentialState, CredentialView};
use types::provider::ProviderVitals;

use crate::api;
use crate::components::availability::{AvailabilityGrid, share};
use crate::components::flash::Failed;
use crate::components::load::load;
use crate::components::time::maybe;
use crate::components::{Refresh, badge, failure, routing_words};
use crate::format;
use crate::text::{common as c, pool as o, provider as p, translator};

/// What its credentials say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    /// Credentials that could serve now.
    pub(crate) usable: usize,
    /// Credentials that are not switched off.
    pub(crate) total: usize,
    /// Whether one of them rests for some model.
    pub(crate) hindered: bool,
    /// The worst breaker.
    pub(crate) breaker: BreakerState,
    /// Requests on it now.
    pub(crate) in_flight: u32,
    /// The best of their latencies.
    pub(crate) latency_ms: Option<u64>,
    /// Requests answered and failed since the process started.
    pub(crate) answered: u64,
    pub(crate) failed: u64,
}

impl Health {
    /// Of one provider among all credentials.
    pub(crate) fn of(provider: ProviderId, credentials: &[CredentialView]) -> Self {
        let mine = || {
            credentials.iter().filter(move |one| {
                one.provider_id == provider
                    && one.deleted_at.is_none()
                    && one.state != CredentialState::Disabled
            })
        };
        let usable = |one: &&CredentialView| {
            // What is tried last still serves.
            let state = matches!(one.state, CredentialState::Valid | CredentialState::Unavailable);
            state && one.cooldown_until.is_none() && one.breaker != BreakerState::Open
        };
        let any = |state| mine().any(|one| one.breaker == state);
        Self {
            usable: mine().filter(usable).count(),
            total: mine().count(),
            hindered: mine().any(|one| !one.cooldowns.is_empty() || one.breaker != BreakerState::Closed),
            breaker: if any(BreakerState::Open) {
                BreakerState::Open
            } else if any(BreakerState::HalfOpen) {
                BreakerState::HalfOpen
            } else {
                BreakerState::Closed
            },
            in_flight: mine().map(|one| one.in_flight).sum(),
            latency_ms: mine().filter_map(|one| one.latency_ms).min(),
            answered: mine().map(|one| one.answered).sum(),
            failed: mine().map(|one| one.failed).sum(),
        }
    }

    /// Mood, and how many of its credentials can serve.
    pub(crate) fn words(&self) -> (&'static str, String) {
        let t = translator();
        match (self.usable, self.total) {
            (_, 0) => ("warn", t(p::NO_CREDENTIAL).to_owned()),
            (0, _) => ("bad", t(o::H_NONE).to_owned()),
            (usable, total) if usable == total && self.hindered => ("warn", t(o::H_HINDERED).to_owned()),
            (usable, total) if usable == total => ("good", t(o::H_ALL).to_owned()),
            (usable, total) => ("warn", format!("{usable} / {total} {}", t(o::H_SOME))),
        }
    }
}

/// The panel on a provider's page.
#[component]
pub(crate) fn ProviderHealth(id: ProviderId) -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let reset = ServerAction::<api::breaker::Reset>::new();
    let failed = failure(reset);
    let credentials = Resource::new(move || refresh.0.get(), move |_| api::credential::list(id));
    let vitals = Resource::new(move || refresh.0.get(), move |_| api::provider::vitals(id));
    let grid = Resource::new(
        move || refresh.0.get(),
        move |_| async move {
            let mut availability = api::pool::availability().await?;
            availability.rows.retain(|row| row.provider_id == id);
            Ok(availability)
        },
    );
    view! {
        <section class="panel" id="health">
            <div class="panel-head">
                <h2 class="panel-title">{t(o::HEALTH)}</h2>
                <span class="row-actions">
                    <a class="button small quiet" href=format!("/breakers?provider_id={id}")>{t(o::BREAKERS)}</a>
                    <ActionForm action=reset>
                        <input type="hidden" name="provider_id" value=id.to_string()/>
                        <input type="hidden" name="back" value=format!("/providers/{id}")/>
                        <button class="button small">{t(o::RESET_PROVIDER)}</button>
                    </ActionForm>
                </span>
            </div>
            <Failed error=failed/>
            {load(credentials, move |credentials: Vec<CredentialView>| view! { <Facts health=Health::of(id, &credentials)/> })}
            {load(vitals, |vitals: ProviderVitals| view! { <Vitals vitals/> })}
            {load(grid, |availability: Availability| view! { <AvailabilityGrid availability named=false/> })}
        </section>
    }
}

#[component]
fn Facts(health: Health) -> impl IntoView {
    let t = translator();
    let (mood, words) = health.words();
    let Health { breaker, in_flight, latency_ms, answered, failed, .. } = health;
    let well = if answered + failed == 0 { "–".to_owned() } else { share(answered, failed) };
    view! {
        <dl class="facts pad-x health-facts">
            <div><dt>{t(o::STATE)}</dt><dd><badge::State mood word=words/></dd></div>
            <div><dt>{t(o::BREAKER)}</dt><dd>{badge::breaker(breaker)}</dd></div>
            <div><dt>{t(p::IN_FLIGHT)}</dt><dd>{in_flight.to_string()}</dd></div>
            <div><dt>{t(o::LATENCY)}</dt><dd>{latency_ms.map_or_else(|| "–".to_owned(), format::duration)}</dd></div>
            <div><dt>{t(o::GRID_SHARE)}</dt><dd>{well}</dd></div>
            <div><dt>{t(c::REQUESTS)}</dt><dd>{format::count(answered + failed)} " " <span class="faint">{t(o::SINCE_START)}</span></dd></div>
        </dl>
    }
}

/// Whether the provider itself is up, or the own network is down (RF-07).
#[component]
fn Vitals(vitals: ProviderVitals) -> impl IntoView {
    let t = translator();
    let ProviderVitals {
        last_success_at,
        last_failure_at,
        last_failure_class,
        last_failure,
        first_byte_p95_ms,
        others_answer,
        started_at: _,
    } = vitals;
    let class = last_failure_class.map(|class| {
        let (name, meaning) = routing_words::class(class);
        view! { <span class="faint" title=t(meaning)>{t(name)}</span> }
    });
    let network = if others_answer { o::NETWORK_OK } else { o::NETWORK_UNKNOWN };
    view! {
        <dl class="facts pad-x health-facts" id="vitals">
            <div><dt>{t(o::LAST_SUCCESS)}</dt><dd>{maybe(last_success_at, "–")}</dd></div>
            <div><dt>{t(o::LAST_FAILURE)}</dt><dd>{class} " " {maybe(last_failure_at, "–")}</dd></div>
            <div><dt>{t(o::P95_DAY)}</dt><dd>{format::latency(first_byte_p95_ms)}</dd></div>
            <div><dt>{t(o::OWN_NETWORK)}</dt><dd>{t(network)} " " <a href="/pool#checks">{t(o::NETWORK_CHECK)}</a></dd></div>
        </dl>
        {last_failure.map(|what| view! { <p class="reason break pad-x health-facts">{what}</p> })}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(provider: i64, state: &str, breaker: &str) -> CredentialView {
        serde_json::from_value(serde_json::json!({
            "id": 1, "provider_id": provider, "name": "a", "secret_hint": "sk…", "tier": "shared", "priority": 0,
            "weight": 1, "max_concurrency": null, "enabled": true, "limits": {}, "state": state, "state_reason": null,
            "cooldown_until": null, "breaker": breaker, "latency_ms": 200, "consecutive_errors": 0,
            "last_error": null, "last_error_at": null, "last_used_at": null, "in_flight": 2,
            "created_at": "2026-11-21T08:00:00Z", "updated_at": "2026-11-21T08:00:00Z", "deleted_at": null, "version": 1,
        }))
        .unwrap()
    }

    #[test]
    fn an_open_breaker_makes_a_usable_credential_unusable_and_switched_off_ones_do_not_count() {
        let all = [
            credential(1, "valid", "closed"),
            credential(1, "valid", "open"),
            credential(1, "disabled", "closed"),
            credential(1, "unavailable", "half_open"),
            credential(2, "invalid", "closed"),
        ];
        let health = Health::of(ProviderId(1), &all);
        assert_eq!((health.usable, health.total, health.breaker), (2, 3, BreakerState::Open));
        assert_eq!((health.in_flight, health.latency_ms), (6, Some(200)));
        assert_eq!(Health::of(ProviderId(2), &all).usable, 0);
        assert_eq!(Health::of(ProviderId(3), &all).total, 0);
    }
}
