//! `/api/admin/ledger`: whether the books are right, and a vendor's invoice beside them.

use http::Method;
use types::books::{CompareInvoice, ReconcileFilter};

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{LargeJson, MaybeJson, NoBody, NoQuery};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/ledger/audit",
            "Check every invariant of the books; an empty `violations` means that all hold",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.ledger_audit().await },
        ),
        endpoint(
            Method::GET,
            "/ledger/reconcile",
            "Compare requests with every sum that is kept of them",
            |admin, call: Call<(), ReconcileFilter, NoBody>| async move { admin.reconcile(call.query).await },
        ),
        endpoint(
            Method::POST,
            "/ledger/rebuild",
            "Make the kept sums anew from the requests",
            |admin, call: Call<(), NoQuery, MaybeJson<ReconcileFilter>>| async move {
                admin.rebuild(call.body.0).await
            },
        ),
        endpoint(
            Method::POST,
            "/ledger/invoice",
            "Compare a vendor's invoice or usage export (CSV) with the books, by day and model",
            |admin, call: Call<(), NoQuery, LargeJson<CompareInvoice>>| async move {
                admin.compare_invoice(call.body.0).await
            },
        ),
    ]
}
