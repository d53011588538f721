//! An invoice pasted into its form.

use types::books::CompareInvoice;

use crate::form::invoice::InvoiceForm;

impl InvoiceForm {
    /// As the input of a comparison.
    pub(crate) fn read(&self) -> CompareInvoice {
        CompareInvoice { csv: self.csv.clone(), provider_id: self.provider_id.parse().ok() }
    }
}
