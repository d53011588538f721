//! `/api/admin/groups`, `/api/admin/quotas`, `/api/admin/refused-addresses`, and the resets of usage: of a user, a
//! key, a provider, a credential, a grant or a group.

use http::Method;
use types::group::UpdateGroup;
use types::quota::{QuotaFilter, ScopeKind};
use types::{ApiKeyId, CredentialId, GrantId, Page, ProviderId, UserId};

use super::endpoint::{Call, Endpoint, edge, endpoint};
use super::input::{Json, NoBody, NoQuery};

const RESET: &str = "Count usage from zero again towards its limits; nothing booked is changed";

/// The reset of what has a number; the identity's type decides what that is.
macro_rules! reset {
    ($path:literal, $id:ty, $kind:expr) => {
        endpoint(Method::POST, $path, RESET, |admin, call: Call<$id, NoQuery, NoBody>| async move {
            admin.usage_reset($kind, call.path.0).await
        })
    };
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/groups",
            "List groups: every tag that a provider, a user or a key carries, with its rate and limits",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.group_list().await.map(Page::whole) },
        ),
        endpoint(
            Method::PUT,
            "/groups/{name}",
            "Set rate and limits of a group; absent fields stay",
            |admin, call: Call<String, NoQuery, Json<UpdateGroup>>| async move {
                admin.group_put(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::GET,
            "/quotas",
            "Each limit with what is used, held and left, and when it resets",
            |admin, call: Call<(), QuotaFilter, NoBody>| async move {
                admin.quota_list(call.query).await.map(Page::whole)
            },
        ),
        edge("/refused-addresses", "The addresses that the limit per address refused most often", |state| {
            state.refused_addresses()
        }),
        reset!("/users/{id}/usage-reset", UserId, ScopeKind::User),
        reset!("/keys/{id}/usage-reset", ApiKeyId, ScopeKind::Key),
        reset!("/providers/{id}/usage-reset", ProviderId, ScopeKind::Provider),
        reset!("/credentials/{id}/usage-reset", CredentialId, ScopeKind::Credential),
        reset!("/grants/{id}/usage-reset", GrantId, ScopeKind::Package),
        endpoint(
            Method::POST,
            "/groups/{name}/usage-reset",
            RESET,
            |admin, call: Call<String, NoQuery, NoBody>| async move { admin.group_usage_reset(call.path).await },
        ),
    ]
}
