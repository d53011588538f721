//! `/api/admin/cache`: what the process remembers between requests, and forgetting it.

use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use types::{ApiKeyId, CredentialId, UserId};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{NoBody, NoQuery};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Search {
    /// Part of a name, without regard to case.
    search: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct OfKey {
    /// Only the conversations of this key.
    key_id: Option<ApiKeyId>,
}

type List = Call<(), Search, NoBody>;
type All = Call<(), NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    lists().into_iter().chain(clearing()).collect()
}

fn lists() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/cache/sessions",
            "List conversations and the credentials that they stick to, the latest first",
            |admin, call: List| async move { admin.cache_sessions(call.query.search).await },
        ),
        endpoint(
            Method::GET,
            "/cache/accounts",
            "List requests at once by credential, the busiest first",
            |admin, call: List| async move { admin.cache_accounts(call.query.search).await },
        ),
        endpoint(
            Method::GET,
            "/cache/users",
            "List requests and conversations at once by user, the busiest first",
            |admin, call: List| async move { admin.cache_users(call.query.search).await },
        ),
        endpoint(
            Method::GET,
            "/cache/unavailable",
            "List what keeps credentials, or models of theirs, from being chosen",
            |admin, call: List| async move { admin.cache_unavailable(call.query.search).await },
        ),
    ]
}

fn clearing() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::DELETE,
            "/cache/sessions",
            "Forget the conversations of a key, or all",
            |admin, call: Call<(), OfKey, NoBody>| async move {
                admin.cache_sessions_clear(None, call.query.key_id).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/cache/sessions/{id}",
            "Forget one conversation",
            |admin, call: Call<String, NoQuery, NoBody>| async move {
                admin.cache_sessions_clear(Some(call.path), None).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/cache/accounts",
            "Count the requests of every credential from zero",
            |admin, _: All| async move { admin.cache_accounts_clear(None).await },
        ),
        endpoint(
            Method::DELETE,
            "/cache/accounts/{id}",
            "Count the requests of a credential from zero",
            |admin, call: Call<CredentialId, NoQuery, NoBody>| async move {
                admin.cache_accounts_clear(Some(call.path)).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/cache/users",
            "Count requests and conversations of every user from zero",
            |admin, _: All| async move { admin.cache_users_clear(None).await },
        ),
        endpoint(
            Method::DELETE,
            "/cache/users/{id}",
            "Count requests and conversations of a user from zero",
            |admin, call: Call<UserId, NoQuery, NoBody>| async move {
                admin.cache_users_clear(Some(call.path)).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/cache/unavailable",
            "Remove every mark that keeps a credential from being chosen",
            |admin, _: All| async move { admin.cache_unavailable_clear(None).await },
        ),
        endpoint(
            Method::DELETE,
            "/cache/unavailable/{id}",
            "Remove the marks of a credential",
            |admin, call: Call<CredentialId, NoQuery, NoBody>| async move {
                admin.cache_unavailable_clear(Some(call.path)).await
            },
        ),
    ]
}
