//! Finding the price of a request, and reading price lists.
//!
//! It finds prices; `ledger::price` computes with them, and `admin::price` stores, imports and shows them.

mod classes;
mod diff;
mod gaps;
mod litellm;
mod names;
mod table;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use types::pattern::pattern_matches;
use types::price::{PriceSource, PriceSpec};
use types::provider::ProviderKind;

pub(crate) use diff::{Diff, diff};
pub(crate) use litellm::{List, ListError, MAX_BYTES, read as read_list};
pub(crate) use table::{all as defaults, origin as default_origin};

/// Most names that are remembered; callers choose them.
const REMEMBERED: usize = 2_000;

/// A price as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The entry's name; may be a pattern.
    pub(crate) model: String,
    /// Where it comes from.
    pub(crate) source: PriceSource,
    /// The price.
    pub(crate) spec: PriceSpec,
}

/// All stored prices over the table that comes with this version. Immutable but for what it remembers; a change of
/// prices makes a new one.
#[derive(Default)]
pub(crate) struct PriceBook {
    /// Strongest source first.
    layers: [Layer; 3],
    remembered: RwLock<HashMap<Box<str>, Answers>>,
}

/// What was found for one name, by kind of provider.
type Answers = Vec<(ProviderKind, Option<Arc<Found>>)>;

/// Stored prices of one source.
#[derive(Default)]
struct Layer {
    /// By name in lower case.
    names: BTreeMap<String, Arc<Found>>,
    /// The longest first: it says most.
    patterns: Vec<Arc<Found>>,
}

impl fmt::Debug for PriceBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stored: usize = self.layers.iter().map(|layer| layer.names.len() + layer.patterns.len()).sum();
        f.debug_struct("PriceBook").field("stored", &stored).finish_non_exhaustive()
    }
}

impl PriceBook {
    /// A book of the stored prices: model or pattern, source, price.
    pub(crate) fn new(rows: impl IntoIterator<Item = (String, PriceSource, PriceSpec)>) -> Self {
        let mut book = Self::default();
        let [manual, imported, synced] = &mut book.layers;
        for (model, source, spec) in rows {
            let layer = match source {
                PriceSource::Manual => &mut *manual,
                PriceSource::Imported => &mut *imported,
                PriceSource::Synced | PriceSource::Default => &mut *synced,
            };
            let name = model.to_ascii_lowercase();
            let found = Arc::new(Found { model, source, spec });
            if name.contains('*') {
                layer.patterns.push(Arc::clone(&found));
            }
            layer.names.insert(name, found);
        }
        for layer in &mut book.layers {
            layer
                .patterns
                .sort_by(|a, b| b.model.len().cmp(&a.model.len()).then_with(|| a.model.cmp(&b.model)));
        }
        book
    }

    /// The price of a model at a kind of provider.
    ///
    /// A stronger source wins, whatever the names: manual, imported, synced, default. Within a source: the name with
    /// the prefixes of that kind of provider (of a manual price: as it was entered first), each of them as it is,
    /// without its date or `-latest`, and in its freshest dated form; then patterns, the longest first.
    pub(crate) fn find(&self, kind: ProviderKind, model: &str) -> Option<Arc<Found>> {
        {
            let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
            let answers = remembered.get(model).map(Vec::as_slice).unwrap_or_default();
            if let Some((_, found)) = answers.iter().find(|(asked, _)| *asked == kind) {
                return found.clone();
            }
        }
        let found = self.search(kind, model);
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        let answers = remembered.entry(model.into()).or_default();
        if !answers.iter().any(|(asked, _)| *asked == kind) {
            answers.push((kind, found.clone()));
        }
        found
    }

    /// The stored price of exactly this name or pattern, case ignored; the strongest source if there are several.
    pub(crate) fn stored(&self, model: &str) -> Option<&Arc<Found>> {
        let name = model.to_ascii_lowercase();
        self.layers.iter().find_map(|layer| layer.names.get(&name))
    }

    fn search(&self, kind: ProviderKind, model: &str) -> Option<Arc<Found>> {
        let name = names::plain(model);
        let whole = model.trim().to_ascii_lowercase();
        for (strength, layer) in self.layers.iter().enumerate() {
            // A name is entered as it is asked for; only lists have prefixes.
            let bare_first = strength == 0;
            let exact = |name: &str| layer.names.get(name).cloned();
            let dated = |base: &str| {
                let after = layer.names.range(base.to_owned()..);
                let all = after.map_while(|(name, _)| name.starts_with(base).then_some(name.as_str()));
                let freshest = freshest(base, all)?;
                exact(freshest)
            };
            let found = exact(&whole)
                .filter(|_| bare_first || whole != name)
                .or_else(|| by_name(kind, &name, bare_first, exact, dated))
                .or_else(|| {
                    let covers = |found: &&Arc<Found>| {
                        pattern_matches(&found.model, &whole) || pattern_matches(&found.model, &name)
                    };
                    layer.patterns.iter().find(covers).cloned()
                });
            if found.is_some() {
                return found;
            }
        }
        let exact = |name: &str| {
            let spec = table::get(name)?;
            Some(Arc::new(Found { model: name.to_owned(), source: PriceSource::Default, spec }))
        };
        let dated = |base: &str| exact(freshest(base, table::starting_with(base))?);
        by_name(kind, &name, false, exact, dated)
    }
}

/// Tries all names of a model in one source: with one prefix after the other, as it is, without its date, and with
/// whatever date is the freshest.
fn by_name(
    kind: ProviderKind,
    name: &str,
    bare_first: bool,
    exact: impl Fn(&str) -> Option<Arc<Found>>,
    dated: impl Fn(&str) -> Option<Arc<Found>>,
) -> Option<Arc<Found>> {
    let bare = bare_first.then_some("");
    let undated = names::undated(name);
    bare.into_iter().chain(names::prefixes(kind)).find_map(|prefix| {
        let name = format!("{prefix}{name}");
        let undated = undated.map(|undated| format!("{prefix}{undated}"));
        exact(&name)
            .or_else(|| exact(undated.as_deref()?))
            .or_else(|| dated(&name))
            .or_else(|| dated(undated.as_deref()?))
    })
}

/// The freshest of the dated forms of a name.
fn freshest<'n>(base: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let dated = names.filter_map(|name| Some((names::freshness(name, base)?, name)));
    dated.max().map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
