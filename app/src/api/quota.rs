//! Quotas: what is used of each limit, resets of usage, temporary increases.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::quota::{QuotaFilter, QuotaLine, RefusedAddresses, ScopeKind};

use crate::error::AppError;
use crate::form::increase::IncreaseForm;

/// Lines, worst first.
#[server(input = Json)]
pub(crate) async fn list(filter: QuotaFilter) -> Result<Vec<QuotaLine>, AppError> {
    Ok(crate::host::admin().await?.quota_list(filter).await?)
}

/// Who was refused by the limit per address.
#[server(input = Json)]
pub(crate) async fn refused() -> Result<RefusedAddresses, AppError> {
    crate::host::admin().await?;
    Ok(crate::host::refused_addresses())
}

/// Lets usage count from zero again.
#[server]
pub(crate) async fn reset(scope: ScopeKind, id: i64, back: String) -> Result<(), AppError> {
    crate::host::admin().await?.usage_reset(scope, id).await?;
    crate::host::go_back(&back, "usage_reset");
    Ok(())
}

/// Raises a limit for a while.
#[server]
pub(crate) async fn raise(form: IncreaseForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    crate::host::raise(&admin, &form).await.map_err(&keep)?;
    crate::host::go_back(&form.back, "increased");
    Ok(())
}

/// Ends an increase before its time.
#[server]
pub(crate) async fn lower(form: IncreaseForm) -> Result<(), AppError> {
    let admin = crate::host::admin().await?;
    crate::host::lower(&admin, &form).await?;
    crate::host::go_back(&form.back, "ended");
    Ok(())
}
