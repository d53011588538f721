//! Circuit breakers.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::breaker::{BreakerEvent, BreakerView};
use types::{Page, ProviderId};

use crate::error::AppError;

/// All breakers that ever counted something.
#[server(input = Json)]
pub(crate) async fn list() -> Result<Vec<BreakerView>, AppError> {
    Ok(crate::host::admin().await?.breaker_list().await?)
}

/// What they did, the latest first.
#[server(input = Json)]
pub(crate) async fn events(
    provider: Option<ProviderId>,
    cursor: Option<String>,
) -> Result<Page<BreakerEvent>, AppError> {
    Ok(crate::host::admin().await?.breaker_events(provider, cursor).await?)
}

/// Closes those of one provider, or all.
#[server]
pub(crate) async fn reset(
    #[server(default)] provider_id: Option<ProviderId>,
    #[server(default)] back: String,
) -> Result<(), AppError> {
    crate::host::admin().await?.breaker_reset(provider_id).await?;
    crate::host::go_back(if back.is_empty() { "/breakers" } else { &back }, "breakers_reset");
    Ok(())
}
