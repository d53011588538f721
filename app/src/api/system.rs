//! The system page.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::rotation::SecretsView;
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

/// Under which key secrets are stored.
#[server(input = Json)]
pub(crate) async fn secrets() -> Result<SecretsView, AppError> {
    Ok(crate::host::admin().await?.secrets_view().await?)
}

/// Begins to seal them all with the current key.
#[server]
pub(crate) async fn rotate() -> Result<(), AppError> {
    crate::host::admin().await?.secrets_rotate().await?;
    crate::host::redirect("/system?done=rotating");
    Ok(())
}
