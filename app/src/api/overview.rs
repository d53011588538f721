//! The overview.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::usage::{Overview, OverviewSpan};

use crate::error::AppError;

/// Everything that the overview shows.
#[server(input = Json)]
pub(crate) async fn fetch(span: OverviewSpan) -> Result<Overview, AppError> {
    Ok(crate::host::admin().await?.overview(span).await?)
}
