//! `/api/admin/pool`, breakers, and the histories of credentials' states.

use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use types::{CredentialId, Page, ProviderId};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{NoBody, NoQuery};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Cursor {
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct OfProvider {
    /// Only of this provider.
    provider_id: Option<ProviderId>,
    /// `next` of the page before.
    cursor: Option<String>,
}

type Plain = Call<(), NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    credentials().into_iter().chain(breakers()).collect()
}

fn credentials() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/pool",
            "Count the credentials that could serve, by tier, priority and state, and list each with its health",
            |admin, _: Plain| async move { admin.pool_report().await },
        ),
        endpoint(
            Method::GET,
            "/pool/availability",
            "Show how each credential did lately, in slots of time",
            |admin, _: Plain| async move { admin.availability().await },
        ),
        endpoint(
            Method::GET,
            "/credentials/{id}/events",
            "List the changes of a credential's state, the latest first",
            |admin, call: Call<CredentialId, Cursor, NoBody>| async move {
                admin.credential_events(call.path, call.query.cursor).await
            },
        ),
        endpoint(
            Method::POST,
            "/credentials/recover",
            "Use every credential again: clear states, rests, breakers and counters",
            |admin, _: Plain| async move { admin.credential_recover_all().await },
        ),
        endpoint(
            Method::POST,
            "/scheduler/refresh",
            "Load the configuration from the database anew",
            |admin, _: Plain| async move { admin.scheduler_refresh().await },
        ),
    ]
}

fn breakers() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/breakers",
            "List circuit breakers, the open ones first",
            |admin, _: Plain| async move { admin.breaker_list().await.map(Page::whole) },
        ),
        endpoint(
            Method::GET,
            "/breakers/events",
            "List what circuit breakers did, the latest first",
            |admin, call: Call<(), OfProvider, NoBody>| async move {
                admin.breaker_events(call.query.provider_id, call.query.cursor).await
            },
        ),
        endpoint(
            Method::POST,
            "/breakers/reset",
            "Close every circuit breaker",
            |admin, _: Plain| async move { admin.breaker_reset(None).await },
        ),
        endpoint(
            Method::POST,
            "/providers/{id}/breaker/reset",
            "Close the circuit breakers of a provider",
            |admin, call: Call<ProviderId, NoQuery, NoBody>| async move {
                admin.breaker_reset(Some(call.path)).await
            },
        ),
    ]
}
