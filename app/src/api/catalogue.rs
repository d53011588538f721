//! The catalogue of models.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::catalogue::{Catalogue, CatalogueFilter};

use crate::error::AppError;

/// One page of every model that keys can reach.
#[server(input = Json)]
pub(crate) async fn list(filter: CatalogueFilter) -> Result<Catalogue, AppError> {
    Ok(crate::host::admin().await?.model_list(filter).await?)
}
