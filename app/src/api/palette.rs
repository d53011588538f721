//! Names that the command palette offers.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// One thing with a page of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    /// `provider`, `user` or `key`.
    pub(crate) what: String,
    /// Its name.
    pub(crate) name: String,
    /// Its page.
    pub(crate) path: String,
}

/// Every provider, user and key by name.
#[server(input = Json)]
pub(crate) async fn names() -> Result<Vec<Named>, AppError> {
    let admin = crate::host::admin().await?;
    let named = |what: &str, name, id: i64| Named { what: what.into(), name, path: format!("/{what}s/{id}") };
    let providers = admin.provider_list(false).await?.into_iter().map(|p| named("provider", p.name, p.id.0));
    let users = admin.user_list(false).await?.into_iter().map(|u| named("user", u.name, u.id.0));
    let keys = admin.key_list(None).await?.into_iter().map(|k| named("key", k.name, k.id.0));
    Ok(providers.chain(users).chain(keys).collect())
}
