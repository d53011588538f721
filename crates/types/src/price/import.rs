//! Lists of prices taken over, and costs computed anew: inputs and what they would do.

use serde::{Deserialize, Serialize};

use super::PriceSpec;
use crate::dialect::named;
use crate::{Money, Timestamp};

named! {
    /// What an import would do to an entry.
    PriceChange {
        /// The model is new.
        New = "new",
        /// The price differs.
        Changed = "changed",
        /// A manual price stands in the way and stays.
        KeptManual = "kept_manual",
        /// The entry makes no sense and is left out.
        Invalid = "invalid",
    }
}

/// One line of an import's preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PriceDiff {
    /// The model.
    pub model: String,
    /// What would happen.
    pub change: PriceChange,
    /// The price now.
    pub before: Option<PriceSpec>,
    /// The price after the import.
    pub after: Option<PriceSpec>,
    /// Why an entry is invalid.
    pub reason: Option<String>,
}

/// Body of `POST /api/admin/price-import` and of its preview.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ImportPrices {
    /// A price list in LiteLLM's JSON format, as text; at most 16 MiB.
    pub list: Option<String>,
    /// Or where to fetch it from.
    pub url: Option<String>,
    /// Name of the file or list, for the record.
    pub origin: Option<String>,
    /// Also replace manual prices; default false.
    pub replace_manual: bool,
    /// Digest of the preview that was looked at; the import is refused if it would do something else by now.
    pub preview: Option<String>,
}

/// What an import would do, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PriceImport {
    /// Digest of everything below; send it back to import exactly this.
    pub preview: String,
    /// Entries of the list that hold a price.
    pub entries: u64,
    /// How many of them change nothing.
    pub unchanged: u64,
    /// New entries.
    pub new: u64,
    /// Changed entries.
    pub changed: u64,
    /// Manual prices that stay.
    pub kept_manual: u64,
    /// Entries that were left out.
    pub invalid: u64,
    /// The first 500 differences, in the order of the models' names.
    pub items: Vec<PriceDiff>,
}

/// Body of `POST /api/admin/reprice` and of its preview: which rows to compute anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Reprice {
    /// Only requests for (or sent as) this model.
    pub model: Option<String>,
    /// Only requests that had no price.
    pub unpriced_only: bool,
    /// Arrived at or after; default: everything that is kept.
    pub since: Option<Timestamp>,
    /// Arrived before; default: now.
    pub until: Option<Timestamp>,
    /// Why, for the audit trail; needed for the change itself.
    pub reason: Option<String>,
}

/// What re-pricing would do, or did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Repriced {
    /// Rows looked at.
    pub checked: u64,
    /// Rows whose cost differs.
    pub changed: u64,
    /// Rows that still have no price.
    pub unpriced: u64,
    /// Sum of the billed costs before.
    pub before_usd: Money,
    /// Sum of the billed costs after.
    pub after_usd: Money,
    /// Identity of the adjustment in the books; null for a preview.
    pub adjustment_id: Option<i64>,
}
