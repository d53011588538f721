//! The audit log.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::Page;
use types::audit::{AuditFilter, AuditRow};

use crate::error::AppError;

/// One page of the log.
#[server(input = Json)]
pub(crate) async fn list(filter: AuditFilter) -> Result<Page<AuditRow>, AppError> {
    Ok(crate::host::admin().await?.audit_list(filter).await?)
}
