//! The credential pool as a whole.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::CredentialId;
use types::credential::CredentialView;
use types::pool::PoolReport;

use crate::error::AppError;

/// Counts of the pool, and every entry of it.
#[server(input = Json)]
pub(crate) async fn report() -> Result<PoolReport, AppError> {
    Ok(crate::host::admin().await?.pool_report().await?)
}

/// Every credential of every provider.
#[server(input = Json)]
pub(crate) async fn credentials() -> Result<Vec<CredentialView>, AppError> {
    Ok(crate::host::admin().await?.credential_list(None).await?)
}

/// How each did in the last 24 hours.
#[server(input = Json)]
pub(crate) async fn availability() -> Result<types::cached::Availability, AppError> {
    Ok(crate::host::admin().await?.availability().await?)
}

/// Marks one as usable again; of a lost account the vendor is asked.
#[server]
pub(crate) async fn recover(id: CredentialId) -> Result<(), AppError> {
    let recovered = crate::host::admin().await?.credential_recover(id).await?;
    crate::host::not_lost(&recovered)?;
    crate::host::redirect("/pool?done=recovered");
    Ok(())
}

/// Marks all as usable again.
#[server]
pub(crate) async fn recover_all() -> Result<(), AppError> {
    crate::host::admin().await?.credential_recover_all().await?;
    crate::host::redirect("/pool?done=recovered");
    Ok(())
}
