//! Price lists in LiteLLM's format: what an import would change, and the import of exactly that.

use store::Change;
use types::Problem;
use types::price::{ImportPrices, PriceImport, PriceSource};

use super::{Admin, OBJECT};
use crate::admin::Subject;
use crate::price::Diff;
use crate::pricelist::{self, TakeOver};

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
        let from = (PriceSource::Imported, origin.as_str());
        pricelist::take_over(&self.core, diff, from, input.replace_manual, |done| self.taken_over(done)).await
    }

    /// Fetches the list behind the setting `prices.sync_url` and takes it over. Prices that were entered or imported
    /// stay.
    pub async fn price_sync(&self) -> Result<PriceImport, Problem> {
        pricelist::sync(&self.core, |done| self.taken_over(done)).await
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
            (None, Some(url)) => (pricelist::fetch(&self.core.upstreams, &url, "url").await?, url),
        };
        let origin = given(&input.origin).unwrap_or(origin);
        let diff = pricelist::compare(&self.core, text, PriceSource::Imported, input.replace_manual).await?;
        Ok((diff, origin))
    }

    fn taken_over(&self, TakeOver { verb, origin, counts }: TakeOver) -> Change {
        let subject = Subject { object: OBJECT, id: verb.to_owned(), name: &origin };
        self.change(verb, &subject, None, Some(counts))
    }
}
