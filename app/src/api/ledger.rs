//! The books: audit, reconciliation, a vendor's invoice.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::books::{AuditReport, InvoiceComparison, ReconcileFilter, Reconciliation};

use crate::error::AppError;
use crate::form::invoice::InvoiceForm;

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

/// Looks at an invoice, and leads to the page that shows it beside the books.
#[server]
pub(crate) async fn compare(form: InvoiceForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    let ask = form.read();
    admin.compare_invoice(ask.clone()).await.map_err(&keep)?;
    let kept = crate::host::keep(crate::host::Draft::Invoice(ask.into()))?;
    crate::host::redirect_to("/ledger", &[("view", "invoice"), ("kept", &kept)]);
    Ok(())
}

/// A kept invoice beside the books; nothing if it is no longer kept.
#[server(input = Json)]
pub(crate) async fn compared(kept: String) -> Result<Option<InvoiceComparison>, AppError> {
    let admin = crate::host::admin().await?;
    let Some(ask) = crate::host::kept_invoice(&kept)? else { return Ok(None) };
    Ok(Some(admin.compare_invoice((*ask).clone()).await?))
}
