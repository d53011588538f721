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

impl Named {
    /// A thing whose pages begin with the given folder.
    pub(crate) fn new(what: &str, name: String, id: impl std::fmt::Display) -> Self {
        Self { what: what.to_owned(), name, path: format!("/{what}s/{id}") }
    }
}

/// Every provider, user and key by name.
#[server(input = Json)]
pub(crate) async fn names() -> Result<Vec<Named>, AppError> {
    let admin = crate::host::admin().await?;
    let providers = admin.provider_list(false).await?.into_iter().map(|p| Named::new("provider", p.name, p.id));
    let users = admin.user_list(false).await?.into_iter().map(|u| Named::new("user", u.name, u.id));
    let keys = admin.key_list(None).await?.into_iter().map(|k| Named::new("key", k.name, k.id));
    Ok(providers.chain(users).chain(keys).collect())
}
