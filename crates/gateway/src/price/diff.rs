//! What an import would change.
//!
//! It compares and decides nothing else; `admin::price` stores what is to be stored, in one transaction.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use types::price::{PriceChange, PriceDiff, PriceImport, PriceSource, PriceSpec};

use super::{List, PriceBook, table};

/// Most differences that are shown.
const SHOWN: usize = 500;

/// An import that was worked out and not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diff {
    /// What is shown; its digest covers all differences, not only those.
    pub(crate) import: PriceImport,
    /// What is to be stored.
    pub(crate) apply: Vec<(String, PriceSpec)>,
}

/// Compares a list with the prices that hold now: the stored ones, and the table that comes with this version.
///
/// Prices that the list does not name stay as they are. A price that equals the default table's is not stored.
pub(crate) fn diff(current: &PriceBook, list: &List, replace_manual: bool) -> Diff {
    let mut items: BTreeMap<String, PriceDiff> = BTreeMap::new();
    let mut apply = Vec::new();
    let mut import = PriceImport {
        preview: String::new(),
        entries: length(list.prices.len()),
        unchanged: 0,
        new: 0,
        changed: 0,
        kept_manual: 0,
        invalid: length(list.invalid.len()),
        items: Vec::new(),
    };
    for (model, after) in &list.prices {
        let stored = current.stored(model);
        let before =
            stored.map_or_else(|| table::get(&model.to_ascii_lowercase()), |found| Some(found.spec.clone()));
        if before.as_ref() == Some(after) {
            import.unchanged += 1;
            continue;
        }
        let manual = stored.is_some_and(|found| found.source == PriceSource::Manual);
        // Under the name that is stored already, whatever its case.
        let model = stored.map_or(model, |found| &found.model).clone();
        let change = if manual && !replace_manual {
            import.kept_manual += 1;
            PriceChange::KeptManual
        } else {
            apply.push((model.clone(), after.clone()));
            if before.is_some() {
                import.changed += 1;
                PriceChange::Changed
            } else {
                import.new += 1;
                PriceChange::New
            }
        };
        let item =
            PriceDiff { model: model.clone(), change, before, after: Some(after.clone()), reason: None };
        items.insert(model, item);
    }
    for invalid in &list.invalid {
        let item = PriceDiff {
            model: invalid.model.chars().take(200).collect(),
            change: PriceChange::Invalid,
            before: None,
            after: None,
            reason: Some(invalid.reason.chars().take(300).collect()),
        };
        items.insert(invalid.model.clone(), item);
    }
    import.preview = digest(items.values());
    import.items = items.into_values().take(SHOWN).collect();
    Diff { import, apply }
}

/// A digest of every difference, in order.
fn digest<'a>(items: impl Iterator<Item = &'a PriceDiff>) -> String {
    let mut hash = Sha256::new();
    for item in items {
        // These types always serialise; should they ever not, the digest only says less.
        let text = serde_json::to_vec(item).unwrap_or_default();
        hash.update(length(text.len()).to_le_bytes());
        hash.update(&text);
    }
    hex::encode(hash.finalize())
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
