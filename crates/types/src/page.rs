//! Cursor paging: stable under inserts, never an offset.

use serde::{Deserialize, Serialize};

/// One page of a list and where the next begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Page<T> {
    /// The rows, newest first unless the call says otherwise.
    pub items: Vec<T>,
    /// Opaque text for `cursor=`; null on the last page.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A list that is complete in one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// Page size: 50 unless asked, 1 to 500.
pub fn page_size(asked: Option<u32>) -> u32 {
    asked.unwrap_or(50).clamp(1, 500)
}
