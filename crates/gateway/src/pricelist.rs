//! Taking over a price list: fetching it, comparing it with the prices of now, and storing what differs, all of it or
//! nothing. For the administrator's imports and for the sync by the clock.
//!
//! Who asks, and what the audit log says of him, is the caller's business.

mod fetch;

use serde_json::Value;
use store::Change;
use types::Problem;
use types::price::{PriceImport, PriceSource};

use crate::core::Core;
use crate::identity::problem::store_problem;
use crate::price::{Diff, ListError, diff, read_list};

pub(crate) use fetch::list as fetch;

/// What a change of prices is about, in the audit log.
pub(crate) const OBJECT: &str = "price";
/// Longest name of a file or list that is kept.
const ORIGIN_CHARS: usize = 200;

/// What is to be written down of a take-over: `import` or `sync`, the list's name, and the counts.
#[derive(Clone, Debug)]
pub(crate) struct TakeOver {
    pub(crate) verb: &'static str,
    pub(crate) origin: String,
    pub(crate) counts: Value,
}

/// What a list would change. Lists that are synced leave imported prices alone.
pub(crate) async fn compare(
    core: &Core,
    text: String,
    source: PriceSource,
    replace_manual: bool,
) -> Result<Diff, Problem> {
    let snapshot = core.snapshot();
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

/// Stores what differs; it is in force when this returns.
pub(crate) async fn take_over(
    core: &Core,
    diff: Diff,
    (source, origin): (PriceSource, &str),
    replace_manual: bool,
    change: impl FnOnce(TakeOver) -> Change,
) -> Result<PriceImport, Problem> {
    let Diff { import, apply } = diff;
    if apply.is_empty() {
        return Ok(import);
    }
    let origin: String = origin.trim().chars().take(ORIGIN_CHARS).collect();
    let counts = serde_json::json!({
        "origin": origin,
        "new": import.new,
        "changed": import.changed,
        "kept_manual": import.kept_manual,
        "invalid": import.invalid,
        "replace_manual": replace_manual,
    });
    let verb = if source == PriceSource::Synced { "sync" } else { "import" };
    let change = change(TakeOver { verb, origin: origin.clone(), counts });
    let applied = core.store.price_apply(apply, source, &origin, replace_manual, change).await;
    applied.map_err(|error| store_problem(error, OBJECT))?;
    core.reload().await.map_err(|error| store_problem(error, "configuration"))?;
    Ok(import)
}

/// Fetches the list behind the setting `prices.sync_url` and takes it over. Prices that were entered or imported stay.
pub(crate) async fn sync(
    core: &Core,
    change: impl FnOnce(TakeOver) -> Change,
) -> Result<PriceImport, Problem> {
    let url = core.snapshot().settings.prices_sync_url.clone();
    if url.is_empty() {
        return Err(Problem::field("prices.sync_url", "set the address of the price list first"));
    }
    let text = fetch(&core.upstreams, &url, "prices.sync_url").await?;
    let diff = compare(core, text, PriceSource::Synced, false).await?;
    take_over(core, diff, (PriceSource::Synced, &url), false, change).await
}
