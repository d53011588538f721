//! A vendor's invoice or usage export (CSV) beside what the books say that the provider charged, per day and model.

use types::Problem;
use types::books::{CompareInvoice, InvoiceComparison};

use super::Admin;

impl Admin {
    /// Compares; changes nothing.
    pub async fn compare_invoice(&self, input: CompareInvoice) -> Result<InvoiceComparison, Problem> {
        let _ = input;
        Err(Problem::new("internal", "not built yet"))
    }
}
