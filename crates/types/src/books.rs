//! The books as shown: audits of their invariants, reconciliation, adjustments, a vendor's invoice beside ours.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::money::Money;
use crate::usage::UsageTotals;

/// One invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Violation {
    /// `INV-1` to `INV-20`.
    pub invariant: String,
    /// What it is about: a request id, a scope, an hour.
    pub subject: String,
    /// One sentence with the figures.
    pub message: String,
}

/// Answer of `GET /api/admin/ledger/audit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditReport {
    /// When it was made.
    pub at: Timestamp,
    /// Things looked at, over all invariants.
    pub checked: u64,
    /// The invariants that were looked at, by name.
    pub invariants: Vec<String>,
    /// What does not hold; at most 1,000.
    pub violations: Vec<Violation>,
    /// How long it took in milliseconds.
    pub duration_ms: u64,
}

/// Which part of the books to reconcile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ReconcileFilter {
    /// Only of this user.
    pub user_id: Option<crate::UserId>,
    /// From this UTC hour on; default: the last seven days.
    pub since: Option<Timestamp>,
    /// Before this UTC hour; default: now.
    pub until: Option<Timestamp>,
}

/// One difference between request rows and what is summed from them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Difference {
    /// What was compared: `hour`, `day`, `user`, `key`, `provider`, `credential`, `package`, `counter`.
    pub subject: String,
    /// Its identity as text.
    pub id: String,
    /// The sums over request rows.
    pub rows: UsageTotals,
    /// The sums that are kept.
    pub kept: UsageTotals,
}

/// What a reconciliation found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reconciliation {
    /// From.
    pub since: Timestamp,
    /// To.
    pub until: Timestamp,
    /// Request rows looked at.
    pub rows: u64,
    /// Sums compared.
    pub compared: u64,
    /// What differs; at most 500. Empty means that everything agrees.
    pub differences: Vec<Difference>,
    /// Whether the kept sums were rebuilt from the rows.
    pub rebuilt: bool,
}

/// One line of an invoice compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InvoiceLine {
    /// UTC day, `YYYY-MM-DD`.
    pub day: String,
    /// Model.
    pub model: String,
    /// What the vendor says.
    pub invoiced_usd: Money,
    /// What the books say the provider charged.
    pub booked_usd: Money,
    /// Vendor minus books, with its sign.
    pub difference_usd: String,
}

/// Body of `POST /api/admin/ledger/invoice`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CompareInvoice {
    /// A CSV file with a header line that names the columns `date`, `model` and `cost` (or the vendors' own names).
    pub csv: String,
    /// Only requests that this provider answered.
    pub provider_id: Option<crate::ProviderId>,
}

/// An invoice beside the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InvoiceComparison {
    /// Sum of the invoice.
    pub invoiced_usd: Money,
    /// Sum of the books over the same days and models.
    pub booked_usd: Money,
    /// By day and model; at most 2,000.
    pub lines: Vec<InvoiceLine>,
    /// Lines of the file that could not be read, with their numbers.
    pub unread: Vec<String>,
}

/// One correction of the books, as kept for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Adjustment {
    /// Identity.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// How many rows changed.
    pub rows: u64,
    /// Sum of their billed costs before.
    pub before_usd: Money,
    /// Sum of their billed costs after.
    pub after_usd: Money,
}
