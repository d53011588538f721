//! The request log.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::Page;
use types::request::{RequestFilter, RequestRow};
use types::simulation::Counterfactual;

use crate::error::AppError;

/// One page of the log.
#[server(input = Json)]
pub(crate) async fn list(filter: RequestFilter) -> Result<Page<RequestRow>, AppError> {
    Ok(crate::host::admin().await?.request_list(filter).await?)
}

/// One request with its decision, by its own id or the caller's.
#[server(input = Json)]
pub(crate) async fn fetch(id: String) -> Result<RequestRow, AppError> {
    Ok(crate::host::admin().await?.request_fetch(id).await?)
}

/// What would have to be different for another candidate to have been first.
#[server(input = Json)]
pub(crate) async fn changes(id: String) -> Result<Vec<Counterfactual>, AppError> {
    Ok(crate::host::admin().await?.request_changes(id).await?)
}
