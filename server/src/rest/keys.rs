//! `/api/admin/keys`.

use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use types::api_key::UpdateApiKey;
use types::{ApiKeyId, Page, Problem, Secret, UserId};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{Json, NoBody, NoQuery};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Listing {
    /// Only of this user.
    user_id: Option<UserId>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindKey {
    /// The whole key, `sk-tg-…`. It is neither stored nor logged.
    key: Secret<String>,
}

type ById = Call<ApiKeyId, NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(Method::GET, "/keys", "List keys", |admin, call: Call<(), Listing, NoBody>| async move {
            admin.key_list(call.query.user_id).await.map(Page::whole)
        }),
        endpoint(
            Method::POST,
            "/keys/find",
            "Find out whose key this is",
            |admin, call: Call<(), NoQuery, Json<FindKey>>| async move {
                let found = admin.key_find(call.body.0.key).await?;
                found.ok_or_else(|| Problem::new("not_found", "no such key was issued here"))
            },
        ),
        endpoint(Method::GET, "/keys/{id}", "Fetch a key", |admin, call: ById| async move {
            admin.key_fetch(call.path).await
        }),
        endpoint(
            Method::PATCH,
            "/keys/{id}",
            "Change a key; absent fields stay",
            |admin, call: Call<ApiKeyId, NoQuery, Json<UpdateApiKey>>| async move {
                admin.key_update(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/keys/{id}",
            "Revoke a key; it can be restored",
            |admin, call: ById| async move { admin.key_delete(call.path).await },
        ),
        endpoint(Method::POST, "/keys/{id}/restore", "Undo a revocation", |admin, call: ById| async move {
            admin.key_restore(call.path).await
        }),
    ]
}
