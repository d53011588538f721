//! `/api/admin/packages`, the packages of one user, and `/api/admin/grants`.

use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use types::package::{GrantPackage, PackageInput, UpdateGrant};
use types::{GrantId, PackageId, Page, UserId};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{Json, NoBody, NoQuery};
use super::providers::Listing;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct GrantListing {
    /// Only of this user.
    user_id: Option<UserId>,
}

type ById = Call<PackageId, NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    templates().into_iter().chain(grants()).collect()
}

fn templates() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/packages",
            "List package templates",
            |admin, call: Call<(), Listing, NoBody>| async move {
                admin.package_list(call.query.include_deleted).await.map(Page::whole)
            },
        ),
        endpoint(
            Method::POST,
            "/packages",
            "Add a package template",
            |admin, call: Call<(), NoQuery, Json<PackageInput>>| async move {
                admin.package_create(call.body.0).await
            },
        )
        .creates(),
        endpoint(Method::GET, "/packages/{id}", "Fetch a package template", |admin, call: ById| async move {
            admin.package_fetch(call.path).await
        }),
        endpoint(
            Method::PATCH,
            "/packages/{id}",
            "Change a package template; grants made from it stay as they are",
            |admin, call: Call<PackageId, NoQuery, Json<PackageInput>>| async move {
                admin.package_update(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/packages/{id}",
            "Delete a package template; grants made from it go on, and it can be restored",
            |admin, call: ById| async move { admin.package_delete(call.path).await },
        ),
        endpoint(Method::POST, "/packages/{id}/restore", "Undo a deletion", |admin, call: ById| async move {
            admin.package_restore(call.path).await
        }),
    ]
}

fn grants() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/users/{id}/packages",
            "List what a user was granted",
            |admin, call: Call<UserId, NoQuery, NoBody>| async move {
                // An unknown user is an error, not a user without packages.
                admin.user_fetch(call.path).await?;
                admin.grant_list(Some(call.path)).await.map(Page::whole)
            },
        ),
        endpoint(
            Method::POST,
            "/users/{id}/packages",
            "Grant a package to a user",
            |admin, call: Call<UserId, NoQuery, Json<GrantPackage>>| async move {
                admin.grant_create(call.path, call.body.0).await
            },
        )
        .creates(),
        endpoint(
            Method::GET,
            "/grants",
            "List grants of packages",
            |admin, call: Call<(), GrantListing, NoBody>| async move {
                admin.grant_list(call.query.user_id).await.map(Page::whole)
            },
        ),
        endpoint(
            Method::PATCH,
            "/grants/{id}",
            "Extend, raise, revoke or give back a grant",
            |admin, call: Call<GrantId, NoQuery, Json<UpdateGrant>>| async move {
                admin.grant_update(call.path, call.body.0).await
            },
        ),
    ]
}
