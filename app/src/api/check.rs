//! Checks of credentials.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::CredentialId;
use types::check::{CheckLine, CheckerView};

use crate::error::AppError;

/// How the checker does.
#[server(input = Json)]
pub(crate) async fn checker() -> Result<CheckerView, AppError> {
    Ok(crate::host::admin().await?.checker().await?)
}

/// The last checks of one credential.
#[server(input = Json)]
pub(crate) async fn history(id: CredentialId) -> Result<Vec<CheckLine>, AppError> {
    Ok(crate::host::admin().await?.credential_checks(id).await?)
}

/// Checks one now.
#[server]
pub(crate) async fn one(id: CredentialId) -> Result<(), AppError> {
    crate::host::admin().await?.credential_check(id).await?;
    crate::host::redirect(&format!("/pool?history={id}&done=checked"));
    Ok(())
}

/// Checks all now.
#[server]
pub(crate) async fn all() -> Result<(), AppError> {
    crate::host::admin().await?.credential_check_all().await?;
    crate::host::redirect("/pool?done=checked");
    Ok(())
}

/// Lets the errors of one begin anew.
#[server]
pub(crate) async fn reset(id: CredentialId) -> Result<(), AppError> {
    crate::host::admin().await?.credential_errors_reset(Some(id)).await?;
    crate::host::redirect("/pool?done=errors_reset");
    Ok(())
}

/// Lets the errors of all begin anew.
#[server]
pub(crate) async fn reset_all() -> Result<(), AppError> {
    crate::host::admin().await?.credential_errors_reset(None).await?;
    crate::host::redirect("/pool?done=errors_reset");
    Ok(())
}

/// Switches one on and lets its errors begin anew.
#[server]
pub(crate) async fn enable(id: CredentialId) -> Result<(), AppError> {
    crate::host::admin().await?.credential_enable(id).await?;
    crate::host::redirect("/pool?done=enabled");
    Ok(())
}
