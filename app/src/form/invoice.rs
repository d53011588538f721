//! The form of a vendor's invoice.

use serde::{Deserialize, Serialize};

/// An invoice and whose it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct InvoiceForm {
    pub(crate) csv: String,
    pub(crate) provider_id: String,
}
