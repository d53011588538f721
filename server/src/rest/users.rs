//! `/api/admin/users`, with the keys of one user.

use http::Method;
use types::api_key::CreateApiKey;
use types::user::{CreateUser, UpdateUser};
use types::{Page, UserId};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{Json, NoBody, NoQuery};
use super::providers::Listing;

type ById = Call<UserId, NoQuery, NoBody>;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(Method::GET, "/users", "List users", |admin, call: Call<(), Listing, NoBody>| async move {
            admin.user_list(call.query.include_deleted).await.map(Page::whole)
        }),
        endpoint(
            Method::POST,
            "/users",
            "Add a user",
            |admin, call: Call<(), NoQuery, Json<CreateUser>>| async move { admin.user_create(call.body.0).await },
        )
        .creates(),
        endpoint(Method::GET, "/users/{id}", "Fetch a user", |admin, call: ById| async move {
            admin.user_fetch(call.path).await
        }),
        endpoint(
            Method::PATCH,
            "/users/{id}",
            "Change a user; absent fields stay",
            |admin, call: Call<UserId, NoQuery, Json<UpdateUser>>| async move {
                admin.user_update(call.path, call.body.0).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/users/{id}",
            "Delete a user; keys and sessions stop with the next request",
            |admin, call: ById| async move { admin.user_delete(call.path).await },
        ),
        endpoint(Method::POST, "/users/{id}/restore", "Undo a deletion", |admin, call: ById| async move {
            admin.user_restore(call.path).await
        }),
        endpoint(Method::GET, "/users/{id}/keys", "List the keys of a user", |admin, call: ById| async move {
            // An unknown user is an error, not a user without keys.
            admin.user_fetch(call.path).await?;
            admin.key_list(Some(call.path)).await.map(Page::whole)
        }),
        endpoint(
            Method::POST,
            "/users/{id}/keys",
            "Issue a key; the answer is the only time it is shown",
            |admin, call: Call<UserId, NoQuery, Json<CreateApiKey>>| async move {
                admin.key_create(call.path, call.body.0).await
            },
        )
        .creates(),
    ]
}
