//! What a member sees of himself.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::Page;
use types::api_key::ApiKeyView;
use types::catalogue::{Catalogue, CatalogueFilter};
use types::request::{RequestFilter, RequestRow};
use types::usage::OwnUsage;

use crate::error::AppError;

/// His usage.
#[server(input = Json)]
pub(crate) async fn usage() -> Result<OwnUsage, AppError> {
    Ok(crate::host::member().await?.me().await?)
}

/// His keys.
#[server(input = Json)]
pub(crate) async fn keys() -> Result<Vec<ApiKeyView>, AppError> {
    Ok(crate::host::member().await?.key_list().await?)
}

/// One page of his requests.
#[server(input = Json)]
pub(crate) async fn requests(filter: RequestFilter) -> Result<Page<RequestRow>, AppError> {
    Ok(crate::host::member().await?.request_list(filter).await?)
}

/// One of his requests.
#[server(input = Json)]
pub(crate) async fn request(id: String) -> Result<RequestRow, AppError> {
    Ok(crate::host::member().await?.request_fetch(id).await?)
}

/// The models that his keys reach.
#[server(input = Json)]
pub(crate) async fn models(filter: CatalogueFilter) -> Result<Catalogue, AppError> {
    Ok(crate::host::member().await?.model_list(filter).await?)
}
