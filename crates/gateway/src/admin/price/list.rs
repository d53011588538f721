//! Stored prices and defaults as one list, page by page in the order of the models' names.

use std::collections::HashSet;

use store::{PriceRow, Store, StoreError};
use types::Page;
use types::price::{PriceFilter, PriceSource, PriceSpec, PriceView};

use super::{DEFAULT_ORIGIN, stored_view};

/// Page size where the filter names none, and the largest: those of the store.
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 500;

/// The default price of exactly this name.
pub(super) fn default(model: &str) -> Option<PriceView> {
    default_of(model).map(|spec| default_view(model.to_owned(), spec))
}

fn default_view(model: String, spec: PriceSpec) -> PriceView {
    let origin = DEFAULT_ORIGIN.to_owned();
    PriceView { model, spec, source: PriceSource::Default, origin, updated_at: None, version: 0 }
}

pub(super) async fn page(store: &Store, filter: &PriceFilter) -> Result<Page<PriceView>, StoreError> {
    let size = filter.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let (stored, hidden) = match filter.source {
        Some(PriceSource::Default) => (Page::whole(Vec::new()), all_names(store).await?),
        Some(_) => {
            let page = store.price_list(filter).await?;
            let Page { items, next } = page;
            return Ok(Page { items: items.into_iter().map(stored_view).collect(), next });
        }
        None => {
            let page = store.price_list(&PriceFilter { limit: Some(size), ..filter.clone() }).await?;
            let names = page.items.iter().map(|row| row.model.clone()).collect();
            (page, names)
        }
    };
    let more_stored = stored.next.is_some();
    // What lies behind the last stored price of this page may be hidden by one that was not read.
    let end = more_stored.then(|| stored.items.last().map(|row| row.model.clone())).flatten();
    let count = usize::try_from(size).unwrap_or(usize::MAX);
    let part = filter.q.as_deref().unwrap_or_default().to_lowercase();
    let after = filter.cursor.as_deref().unwrap_or_default();
    let defaults = default_names()
        .filter(|name| *name > after && end.as_deref().is_none_or(|end| *name <= end))
        .filter(|name| part.is_empty() || name.to_lowercase().contains(&part))
        .filter(|name| !hidden.contains(*name))
        .take(count.saturating_add(1));
    let mut lines: Vec<Line> = stored.items.into_iter().map(|row| Line::Stored(Box::new(row))).collect();
    lines.extend(defaults.map(|name| Line::Default(name.to_owned())));
    lines.sort_by(|one, other| one.model().cmp(other.model()));
    let more = more_stored || lines.len() > count;
    lines.truncate(count);
    let next = if more { lines.last().map(|line| line.model().to_owned()) } else { None };
    Ok(Page { items: lines.into_iter().filter_map(Line::view).collect(), next })
}

enum Line {
    Stored(Box<PriceRow>),
    Default(String),
}

impl Line {
    fn model(&self) -> &str {
        match self {
            Self::Stored(row) => &row.model,
            Self::Default(name) => name,
        }
    }

    fn view(self) -> Option<PriceView> {
        match self {
            Self::Stored(row) => Some(stored_view(*row)),
            Self::Default(name) => default(&name),
        }
    }
}

async fn all_names(store: &Store) -> Result<HashSet<String>, StoreError> {
    let mut names = HashSet::new();
    let mut filter = PriceFilter { limit: Some(PAGE_MAX), ..PriceFilter::default() };
    loop {
        let page = store.price_list(&filter).await?;
        names.extend(page.items.into_iter().map(|row| row.model));
        if page.next.is_none() {
            return Ok(names);
        }
        filter.cursor = page.next;
    }
}

fn default_of(_model: &str) -> Option<PriceSpec> {
    None
}

fn default_names() -> impl Iterator<Item = &'static str> {
    std::iter::empty()
}
