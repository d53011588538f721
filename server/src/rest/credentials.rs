//! `/api/admin/credentials`.

use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use types::credential::{CreateCredential, UpdateCredential};
use types::{CredentialId, Page, ProviderId};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{Json, NoBody, NoQuery};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Listing {
    /// Only of this provider.
    provider_id: Option<ProviderId>,
}

type ById = Call<CredentialId, NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/credentials",
            "List credentials",
            |admin, call: Call<(), Listing, NoBody>| async move {
                admin.credential_list(call.query.provider_id).await.map(Page::whole)
            },
        ),
        endpoint(
            Method::POST,
            "/credentials",
            "Add a credential to a provider",
            |admin, call: Call<(), NoQuery, Json<CreateCredential>>| async move {
                admin.credential_create(call.body.0).await
            },
        )
        .creates(),
        endpoint(Method::GET, "/credentials/{id}", "Fetch a credential", |admin, call: ById| async move {
            admin.credential_fetch(call.path).await
        }),
        endpoint(
            Method::PATCH,
            "/credentials/{id}",
            "Change a credential; absent fields stay",
            |admin, call: Call<CredentialId, NoQuery, Json<UpdateCredential>>| async move {
                admin.credential_update(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/credentials/{id}",
            "Delete a credential; it can be restored",
            |admin, call: ById| async move { admin.credential_delete(call.path).await },
        ),
        endpoint(
            Method::POST,
            "/credentials/{id}/restore",
            "Undo a deletion",
            |admin, call: ById| async move { admin.credential_restore(call.path).await },
        ),
        endpoint(
            Method::POST,
            "/credentials/{id}/recover",
            "Use a credential again that the upstream had refused",
            |admin, call: ById| async move { admin.credential_recover(call.path).await },
        ),
        endpoint(
            Method::POST,
            "/credentials/{id}/check",
            "Call the upstream with this credential",
            |admin, call: ById| async move { admin.credential_check(call.path).await },
        ),
    ]
}
