//! The catalogue page by page, with prices.

use std::sync::Arc;

use types::catalogue::{Ability, Catalogue, CatalogueFilter, CatalogueModel, CatalogueProvider, Priced};
use types::page::page_size;
use types::price::PriceSpec;
use types::setting::PricedModel;

use super::{Callers, Reached, reach};
use crate::core::Core;
use crate::price::Found;
use crate::snapshot::{Provider, Snapshot};

/// One page of what the callers reach. `named` shows providers, aliases and what they stand for.
pub(crate) async fn page(
    core: &Core,
    snapshot: &Snapshot,
    callers: Callers<'_>,
    filter: &CatalogueFilter,
    named: bool,
) -> Catalogue {
    let reach = reach(core, snapshot, callers).await;
    let size = usize::try_from(page_size(filter.limit)).unwrap_or(usize::MAX);
    let part = filter.q.as_deref().unwrap_or_default().trim().to_lowercase();
    let after = filter.cursor.as_deref().unwrap_or_default();
    let all = count(reach.models.len());
    let (mut items, mut total, mut more): (Vec<CatalogueModel>, u64, bool) = (Vec::new(), 0, false);
    for (name, reached) in &reach.models {
        let aliases = if named { aliases_of(snapshot, name, reached) } else { Vec::new() };
        if !speaks(reached, filter) || !(part.is_empty() || says(&part, name, &aliases, reached, named)) {
            continue;
        }
        // Prices are looked up for what may be shown only: there may be thousands of names.
        let on_page = name.as_str() > after && items.len() < size;
        let asks_price = filter.ability.is_some() || filter.priced.is_some();
        let price = (on_page || asks_price).then(|| price_of(snapshot, name, reached)).flatten();
        if !costs(price.as_deref().map(|found| &found.spec), filter) {
            continue;
        }
        total += 1;
        if on_page {
            items.push(model(name, reached, aliases, price.as_deref(), named));
        } else if name.as_str() > after {
            more = true;
        }
    }
    let next = if more { items.last().map(|item| item.name.clone()) } else { None };
    let missing = reach.missing.iter().map(|provider| provider.spec.name.clone()).collect();
    Catalogue { items, next, total, all, missing: if named { missing } else { Vec::new() } }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Whether it is reached as the filter wants.
fn speaks(reached: &Reached<'_>, filter: &CatalogueFilter) -> bool {
    let only_native = filter.native == Some(true);
    let dialect = match filter.dialect {
        Some(dialect) if only_native => reached.native.contains(&dialect),
        Some(dialect) => reached.serves(dialect),
        None => !only_native || !reached.native.is_empty(),
    };
    dialect && filter.provider_id.is_none_or(|id| reached.providers.iter().any(|provider| provider.id == id))
}

/// Whether a name has the part that is searched for.
fn says(part: &str, name: &str, aliases: &[String], reached: &Reached<'_>, named: bool) -> bool {
    let has = |text: &str| text.to_lowercase().contains(part);
    has(name)
        || aliases.iter().any(|alias| has(alias))
        || named && reached.targets.iter().any(|model| has(model))
}

fn costs(price: Option<&PriceSpec>, filter: &CatalogueFilter) -> bool {
    let priced = match filter.priced {
        None => true,
        Some(Priced::Known) => price.is_some(),
        Some(Priced::Unknown) => price.is_none(),
    };
    priced
        && filter
            .ability
            .is_none_or(|ability| price.is_some_and(|price| Ability::of(price).contains(&ability)))
}

/// The aliases that lead to a model.
fn aliases_of(snapshot: &Snapshot, name: &str, reached: &Reached<'_>) -> Vec<String> {
    if !reached.targets.is_empty() {
        return Vec::new();
    }
    let leads = snapshot.aliases.iter().filter(|alias| alias.targets.iter().any(|target| target == name));
    leads.map(|alias| alias.name.clone()).collect()
}

/// What a provider is asked for when a caller asks for `name`.
fn sent<'a>(provider: &'a Provider, name: &'a str, reached: &'a Reached<'_>) -> &'a str {
    let target = reached.targets.iter().find(|target| provider.serves_model(target));
    provider.upstream_model(target.map_or(name, String::as_str))
}

/// The price at the first provider that has one, by the name that the books go by.
fn price_of(snapshot: &Snapshot, name: &str, reached: &Reached<'_>) -> Option<Arc<Found>> {
    reached.providers.iter().find_map(|provider| {
        let upstream = sent(provider, name, reached);
        let (first, second) = match snapshot.settings.billing_priced_model {
            PricedModel::Upstream => (upstream, name),
            PricedModel::Requested => (name, upstream),
        };
        let kind = provider.spec.kind;
        snapshot.prices.find(kind, first).or_else(|| snapshot.prices.find(kind, second))
    })
}

fn model(
    name: &str,
    reached: &Reached<'_>,
    aliases: Vec<String>,
    price: Option<&Found>,
    named: bool,
) -> CatalogueModel {
    let spec = price.map(|found| &found.spec);
    let providers =
        reached.providers.iter().filter(|_| named).map(|provider| provider_of(provider, name, reached));
    CatalogueModel {
        name: name.to_owned(),
        targets: if named { reached.targets.to_vec() } else { Vec::new() },
        aliases,
        native: reached.native.clone(),
        translated: reached.translated.clone(),
        providers: providers.collect(),
        // The entry's name may tell what an alias or a redirect stands for.
        price_model: price.filter(|_| named).map(|found| found.model.clone()),
        price_source: price.filter(|_| named).map(|found| found.source),
        max_input_tokens: spec.and_then(|spec| spec.max_input_tokens),
        max_output_tokens: spec.and_then(|spec| spec.max_output_tokens),
        abilities: spec.map(Ability::of).unwrap_or_default(),
        price: spec.cloned(),
    }
}

fn provider_of(provider: &Provider, name: &str, reached: &Reached<'_>) -> CatalogueProvider {
    let spec = &provider.spec;
    let sent = sent(provider, name, reached);
    let asked =
        reached.targets.iter().find(|target| provider.serves_model(target)).map_or(name, String::as_str);
    CatalogueProvider {
        id: provider.id,
        name: spec.name.clone(),
        kind: spec.kind,
        model: sent.to_owned(),
        speaks: spec.routing.spoken_with(spec.kind, sent).to_vec(),
        translates: spec.routing.translate && provider.names_model(asked),
        ready: provider.credentials.iter().any(|c| c.spec.enabled && c.auth.is_readable()),
    }
}
