//! `/api/admin/providers`.

use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use types::credential::{ResetProvider, RestoreCredentials};
use types::provider::{CreateProvider, TestProvider, UpdateProvider};
use types::{Page, ProviderId};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{Json, MaybeJson, NoBody, NoQuery};

/// Query of lists whose deleted rows can be restored.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Listing {
    /// Also list what was deleted and can be restored; default false.
    pub(super) include_deleted: bool,
}

type ById = Call<ProviderId, NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/providers",
            "List providers",
            |admin, call: Call<(), Listing, NoBody>| async move {
                admin.provider_list(call.query.include_deleted).await.map(Page::whole)
            },
        ),
        endpoint(
            Method::POST,
            "/providers",
            "Add a provider, with its first credential if `api_key` is given",
            |admin, call: Call<(), NoQuery, Json<CreateProvider>>| async move {
                admin.provider_create(call.body.0).await
            },
        )
        .creates(),
        endpoint(Method::GET, "/providers/{id}", "Fetch a provider", |admin, call: ById| async move {
            admin.provider_fetch(call.path).await
        }),
        endpoint(
            Method::PATCH,
            "/providers/{id}",
            "Change a provider; absent fields stay",
            |admin, call: Call<ProviderId, NoQuery, Json<UpdateProvider>>| async move {
                admin.provider_update(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/providers/{id}",
            "Delete a provider; it can be restored",
            |admin, call: ById| async move { admin.provider_delete(call.path).await },
        ),
        endpoint(
            Method::POST,
            "/providers/{id}/restore",
            "Undo a deletion",
            |admin, call: ById| async move { admin.provider_restore(call.path).await },
        ),
        endpoint(
            Method::POST,
            "/providers/{id}/reset",
            "Delete all credentials of a provider, whose name confirms it; they can be restored for seven days",
            |admin, call: Call<ProviderId, NoQuery, Json<ResetProvider>>| async move {
                admin.provider_reset(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::GET,
            "/providers/{id}/deleted",
            "List a provider's credentials that were deleted in the last seven days, by when",
            |admin, call: ById| async move { admin.provider_deleted(call.path).await.map(Page::whole) },
        ),
        endpoint(
            Method::POST,
            "/providers/{id}/deleted/restore",
            "Bring back the credentials of a provider that were deleted together",
            |admin, call: Call<ProviderId, NoQuery, Json<RestoreCredentials>>| async move {
                admin.provider_restore_deleted(call.path, call.body.0.deleted_at).await
            },
        ),
        endpoint(
            Method::POST,
            "/providers/{id}/test",
            "Call the provider for real, by its model list or with one token",
            |admin, call: Call<ProviderId, NoQuery, MaybeJson<TestProvider>>| async move {
                admin.provider_test(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::GET,
            "/providers/{id}/vitals",
            "Show how a provider did lately: last success, last failure, time to the first byte",
            |admin, call: ById| async move { admin.provider_vitals(call.path).await },
        ),
        endpoint(
            Method::GET,
            "/providers/{id}/models",
            "Ask the provider for its models",
            |admin, call: ById| async move { admin.provider_models(call.path).await.map(Page::whole) },
        ),
    ]
}
