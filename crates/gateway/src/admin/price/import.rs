//! Price lists in LiteLLM's format: what an import would change, and the import of exactly that.

use types::Problem;
use types::price::{ImportPrices, PriceImport, PriceSource};

use super::{Admin, OBJECT, fetch};
use crate::admin::Subject;
use crate::identity::problem::store_problem;
use crate::price::{Diff, ListError, diff, read_list};

/// Longest name of a file or list that is kept.
const ORIGIN_CHARS: usize = 200;

impl Admin {
    /// What an import would do; changes nothing.
    pub async fn price_preview(&self, input: ImportPrices) -> Result<PriceImport, Problem> {
        let (diff, _) = self.price_diff(&input).await?;
        Ok(diff.import)
    }

    /// Imports a list: all of its usable prices or, if the database fails, none. With a `preview`, only exactly what
    /// was looked at.
    pub async fn price_import(&self, input: ImportPrices) -> Result<PriceImport, Problem> {
        let (diff, origin) = self.price_diff(&input).await?;
        if input.preview.as_ref().is_some_and(|seen| *seen != diff.import.preview) {
            return Err(Problem::new(
                "stale_version",
                "prices or the list have changed since the preview; look at the new preview before you import",
            ));
        }
        self.price_take_over(diff, PriceSource::Imported, &origin, input.replace_manual).await
    }

    /// Fetches the list behind the setting `prices.sync_url` and takes it over. Prices that were entered or imported
    /// stay.
    pub async fn price_sync(&self) -> Result<PriceImport, Problem> {
        let url = self.core.snapshot().settings.prices_sync_url.clone();
        if url.is_empty() {
            return Err(Problem::field("prices.sync_url", "set the address of the price list first"));
        }
        let text = fetch::list(&self.core.upstreams, &url, "prices.sync_url").await?;
        let diff = self.price_compare(text, PriceSource::Synced, false).await?;
        self.price_take_over(diff, PriceSource::Synced, &bounded(&url), false).await
    }

    /// The difference that the input makes, and what its list is called.
    async fn price_diff(&self, input: &ImportPrices) -> Result<(Diff, String), Problem> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let (text, origin) = match (given(&input.list), given(&input.url)) {
            (Some(_), Some(_)) => return Err(Problem::field("url", "give a list or an address, not both")),
            (None, None) => {
                return Err(Problem::field("list", "give a price list, or an address to fetch it from"));
            }
            (Some(list), None) => (list, "a file".to_owned()),
            (None, Some(url)) => (fetch::list(&self.core.upstreams, &url, "url").await?, url),
        };
        let origin = given(&input.origin).unwrap_or(origin);
        let diff = self.price_compare(text, PriceSource::Imported, input.replace_manual).await?;
        Ok((diff, bounded(&origin)))
    }

    async fn price_compare(
        &self,
        text: String,
        source: PriceSource,
        replace_manual: bool,
    ) -> Result<Diff, Problem> {
        let snapshot = self.core.snapshot();
        let compared = tokio::task::spawn_blocking(move || {
            let mut list = read_list(&text)?;
            if source == PriceSource::Synced {
                let imported = |model: &str| {
                    snapshot.prices.stored(model).is_some_and(|found| found.source == PriceSource::Imported)
                };
                list.prices.retain(|(model, _)| !imported(model));
            }
            Ok(diff(&snapshot.prices, &list, replace_manual))
        });
        let failed = |_| Problem::new("internal", "the price list could not be compared; the log says why");
        compared.await.map_err(failed)?.map_err(|error: ListError| Problem::field("list", error.to_string()))
    }

    async fn price_take_over(
        &self,
        diff: Diff,
        source: PriceSource,
        origin: &str,
        replace_manual: bool,
    ) -> Result<PriceImport, Problem> {
        let Diff { import, apply } = diff;
        if apply.is_empty() {
            return Ok(import);
        }
        let after = serde_json::json!({
            "origin": origin,
            "new": import.new,
            "changed": import.changed,
            "kept_manual": import.kept_manual,
            "invalid": import.invalid,
            "replace_manual": replace_manual,
        });
        let verb = if source == PriceSource::Synced { "sync" } else { "import" };
        let subject = Subject { object: OBJECT, id: verb.to_owned(), name: origin };
        let change = self.change(verb, &subject, None, Some(after));
        let applied = self.core.store.price_apply(apply, source, origin, replace_manual, change).await;
        applied.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await?;
        Ok(import)
    }
}

fn bounded(origin: &str) -> String {
    origin.trim().chars().take(ORIGIN_CHARS).collect()
}
