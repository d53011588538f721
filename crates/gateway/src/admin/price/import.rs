//! Price lists in LiteLLM's format: what an import would change, and the import of exactly that.

use types::Problem;
use types::price::{ImportPrices, PriceImport};

use super::Admin;

impl Admin {
    /// What an import would do.
    pub async fn price_preview(&self, input: ImportPrices) -> Result<PriceImport, Problem> {
        let _ = input;
        Err(Problem::new("internal", "not built yet"))
    }

    /// Imports a list.
    pub async fn price_import(&self, input: ImportPrices) -> Result<PriceImport, Problem> {
        let _ = input;
        Err(Problem::new("internal", "not built yet"))
    }

    /// Fetches the list of `prices.sync_url` and takes it over.
    pub async fn price_sync(&self) -> Result<PriceImport, Problem> {
        Err(Problem::new("internal", "not built yet"))
    }
}
