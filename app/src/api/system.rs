//! The system page.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::system::SystemView;

use crate::error::AppError;

/// What runs here.
#[server(input = Json)]
pub(crate) async fn view() -> Result<SystemView, AppError> {
    Ok(crate::host::admin().await?.system().await?)
}

/// Runs a background task now.
#[server]
pub(crate) async fn run(name: String) -> Result<(), AppError> {
    crate::host::admin().await?.task_run(name).await?;
    crate::host::redirect("/system?done=task");
    Ok(())
}
