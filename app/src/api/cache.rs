//! What the process remembers from one request to the next.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::cached::{AccountLoad, CacheList, SessionView, UnavailableMark, UserLoad};

use crate::error::AppError;

/// Conversations and their credentials.
#[server(input = Json)]
pub(crate) async fn sessions(search: Option<String>) -> Result<CacheList<SessionView>, AppError> {
    Ok(crate::host::admin().await?.cache_sessions(search).await?)
}

/// Requests at once by credential.
#[server(input = Json)]
pub(crate) async fn accounts(search: Option<String>) -> Result<CacheList<AccountLoad>, AppError> {
    Ok(crate::host::admin().await?.cache_accounts(search).await?)
}

/// Requests at once by user.
#[server(input = Json)]
pub(crate) async fn users(search: Option<String>) -> Result<CacheList<UserLoad>, AppError> {
    Ok(crate::host::admin().await?.cache_users(search).await?)
}

/// What keeps credentials from serving.
#[server(input = Json)]
pub(crate) async fn unavailable(search: Option<String>) -> Result<CacheList<UnavailableMark>, AppError> {
    Ok(crate::host::admin().await?.cache_unavailable(search).await?)
}

/// Removes one entry of a view, or all of them.
#[server]
pub(crate) async fn clear(view: String, #[server(default)] id: String) -> Result<(), AppError> {
    crate::host::clear_cache(&crate::host::admin().await?, &view, &id).await?;
    crate::host::redirect_to("/cache", &[("view", &view), ("done", "cleared")]);
    Ok(())
}
