//! `/api/admin/credentials`.

use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use types::credential::{CreateCredential, UpdateCredential};
use types::import::{ExportCredentials, ImportCredentials};
use types::{CredentialId, Page, ProviderId};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{Json, LargeJson, NoBody, NoQuery};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Listing {
    /// Only of this provider.
    provider_id: Option<ProviderId>,
    /// `true`: only those with errors in a row, of requests or of checks.
    errors: Option<bool>,
}

type ById = Call<CredentialId, NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    entries().into_iter().chain(files()).collect()
}

fn files() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::POST,
            "/credentials/import",
            "Take over providers and credentials from another gateway's file; with `dry_run` only say what would happen",
            |admin, call: Call<(), NoQuery, LargeJson<ImportCredentials>>| async move {
                admin.credential_import(call.body.0).await
            },
        ),
        endpoint(
            Method::POST,
            "/credentials/export",
            "Hand out chosen providers and credentials, or all, sealed with a passphrase",
            |admin, call: Call<(), NoQuery, Json<ExportCredentials>>| async move {
                admin.credential_export(call.body.0).await
            },
        ),
    ]
}

fn entries() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/credentials",
            "List credentials",
            |admin, call: Call<(), Listing, NoBody>| async move {
                let Listing { provider_id, errors } = call.query;
                let mut list = admin.credential_list(provider_id).await?;
                list.retain(|credential| !errors.unwrap_or(false) || credential.has_errors());
                Ok(Page::whole(list))
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
            "/credentials/refresh",
            "Fetch fresh tokens for all accounts whose token is over or soon will be",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.credential_refresh_expiring().await },
        ),
        endpoint(
            Method::POST,
            "/credentials/{id}/refresh",
            "Fetch a fresh token for an account now",
            |admin, call: ById| async move { admin.credential_refresh(call.path).await },
        ),
    ]
}
