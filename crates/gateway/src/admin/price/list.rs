//! Stored prices and defaults as one list, page by page in the order of the models' names.

use store::{PriceRow, Store, StoreError};
use types::Page;
use types::price::{PriceFilter, PriceSource, PriceSpec, PriceView};

use super::stored_view;
use crate::price::{PriceBook, default_origin, defaults};

/// Page size where the filter names none, and the largest: those of the store.
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 500;

/// The default price of exactly this name.
pub(super) fn default(model: &str) -> Option<PriceView> {
    let name = model.to_ascii_lowercase();
    defaults().find(|(known, _)| *known == name).map(|(name, spec)| default_view(name, spec))
}

fn default_view(name: &str, spec: PriceSpec) -> PriceView {
    PriceView {
        model: name.to_owned(),
        spec,
        source: PriceSource::Default,
        origin: default_origin().to_owned(),
        updated_at: None,
        version: 0,
    }
}

/// One page; `book` says which defaults a stored price hides.
pub(super) async fn page(
    store: &Store,
    book: &PriceBook,
    filter: &PriceFilter,
) -> Result<Page<PriceView>, StoreError> {
    let size = filter.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let stored = match filter.source {
        Some(PriceSource::Default) => Page::whole(Vec::new()),
        Some(_) => {
            let Page { items, next } = store.price_list(filter).await?;
            return Ok(Page { items: items.into_iter().map(stored_view).collect(), next });
        }
        None => store.price_list(&PriceFilter { limit: Some(size), ..filter.clone() }).await?,
    };
    let more_stored = stored.next.is_some();
    let count = usize::try_from(size).unwrap_or(usize::MAX);
    let part = filter.q.as_deref().unwrap_or_default().to_lowercase();
    let after = filter.cursor.as_deref().unwrap_or_default();
    let defaults = defaults()
        .filter(|(name, _)| *name > after && name.contains(&part))
        .filter(|(name, _)| book.stored(name).is_none())
        // One more than fits says that there is another page.
        .take(count.saturating_add(1));
    let mut lines: Vec<PriceView> = stored.items.into_iter().map(|row: PriceRow| stored_view(row)).collect();
    lines.extend(defaults.map(|(name, spec)| default_view(name, spec)));
    lines.sort_by(|one, other| one.model.cmp(&other.model));
    let more = more_stored || lines.len() > count;
    lines.truncate(count);
    let next = if more { lines.last().map(|line| line.model.clone()) } else { None };
    Ok(Page { items: lines, next })
}
