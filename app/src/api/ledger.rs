//! The books: audit, reconciliation, a vendor's invoice.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::books::{AuditReport, InvoiceComparison, ReconcileFilter, Reconciliation};

use crate::error::AppError;

/// Checks the invariants now.
#[server(input = Json)]
pub(crate) async fn audit() -> Result<AuditReport, AppError> {
    Ok(crate::host::admin().await?.ledger_audit().await?)
}

/// Compares rows with kept sums.
#[server(input = Json)]
pub(crate) async fn reconcile(filter: ReconcileFilter) -> Result<Reconciliation, AppError> {
    Ok(crate::host::admin().await?.reconcile(filter).await?)
}

/// Rebuilds the kept sums of a span.
#[server]
pub(crate) async fn rebuild(
    #[server(default)] user_id: String,
    #[server(default)] since: String,
    #[server(default)] until: String,
) -> Result<(), AppError> {
    let filter = crate::host::read_reconcile(&user_id, &since, &until)?;
    crate::host::admin().await?.rebuild(filter).await?;
    let span = [("since", since.as_str()), ("until", &until), ("user_id", &user_id)];
    crate::host::redirect_to(
        "/ledger",
        &[&[("view", "reconcile"), ("run", "1"), ("done", "rebuilt")], &span[..]].concat(),
    );
    Ok(())
}

/// Puts an invoice beside the books.
#[server]
pub(crate) async fn compare(
    csv: String,
    #[server(default)] provider_id: String,
) -> Result<InvoiceComparison, AppError> {
    let ask = types::books::CompareInvoice { csv, provider_id: provider_id.parse().ok() };
    let result = crate::host::admin().await?.compare_invoice(ask).await?;
    crate::host::land(&crate::host::invoice_landing(&result));
    Ok(result)
}
