//! Which models can be asked for: by whom they are served, in which dialects, to which keys.
//!
//! One answer for `GET /v1/models`, the dashboard's catalogue and a member's. It looks at the configuration and at
//! upstreams' own lists, not at states and limits: those pass. Who serves a request is `serve::route`'s business.

mod list;
mod page;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use types::ProviderId;
use types::dialect::{Dialect, Endpoint};
use types::translation::{Served, TranslationMode};

use crate::core::Core;
use crate::snapshot::{ApiKey, Provider, Snapshot};

pub(crate) use page::page;

/// For whom to look.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Callers<'a> {
    /// Keys without bounds.
    Anyone,
    /// What at least one of these reaches.
    Keys(&'a [Arc<ApiKey>]),
}

/// Who serves a model, and in which dialects.
#[derive(Debug, Default)]
pub(crate) struct Reached<'a> {
    /// In the order of the configuration.
    pub(crate) providers: Vec<&'a Provider>,
    /// Dialects in which it is served as it is.
    pub(crate) native: Vec<Dialect>,
    /// Dialects in which it is served by translation.
    pub(crate) translated: Vec<Dialect>,
    /// The models that stand for it; empty if it is none's alias.
    pub(crate) targets: &'a [String],
}

/// Every model by its name.
#[derive(Debug, Default)]
pub(crate) struct Reach<'a> {
    pub(crate) models: BTreeMap<String, Reached<'a>>,
    /// Providers whose own list did not come.
    pub(crate) missing: Vec<&'a Provider>,
}

/// The endpoint that stands for a dialect.
pub(crate) fn endpoint_of(dialect: Dialect) -> Endpoint {
    match dialect {
        Dialect::Anthropic => Endpoint::Messages,
        Dialect::OpenAiChat => Endpoint::ChatCompletions,
        Dialect::OpenAiResponses => Endpoint::Responses,
        Dialect::Gemini => Endpoint::GeminiGenerate,
    }
}

/// How a provider that serves the model answers callers of a dialect whose key has a mode.
fn served(provider: &Provider, model: &str, dialect: Dialect, mode: TranslationMode) -> Option<Served> {
    let served = provider.serves(endpoint_of(dialect), Some(model))?;
    let may = served == Served::Natively || mode != TranslationMode::Off && provider.names_model(model);
    may.then_some(served)
}

impl Callers<'_> {
    /// How one of them is answered by a provider when he asks for `name`, which stands for `model`.
    fn answered(self, provider: &Provider, name: &str, model: &str, dialect: Dialect) -> Option<Served> {
        let Self::Keys(keys) = self else {
            return served(provider, model, dialect, TranslationMode::Allow);
        };
        let open =
            keys.iter().filter(|key| key.may_use_model(name) && key.may_use_groups(&provider.spec.groups));
        let mut best = None;
        for key in open {
            match served(provider, model, dialect, key.spec.translation) {
                Some(Served::Natively) => return Some(Served::Natively),
                other => best = best.or(other),
            }
        }
        best
    }

    /// Whether one of them may use a provider at all.
    fn may_use(self, provider: &Provider) -> bool {
        match self {
            Self::Anyone => true,
            Self::Keys(keys) => keys.iter().any(|key| key.may_use_groups(&provider.spec.groups)),
        }
    }
}

impl<'a> Reached<'a> {
    /// Takes in what a provider does for the model; whether it does anything.
    fn add(&mut self, callers: Callers<'_>, provider: &'a Provider, name: &str, model: &str) -> bool {
        let mut any = false;
        for dialect in Dialect::ALL.iter().copied() {
            let list = match callers.answered(provider, name, model, dialect) {
                Some(Served::Natively) => &mut self.native,
                Some(Served::Translated(_) | Served::Counted(_)) => &mut self.translated,
                None => continue,
            };
            if !list.contains(&dialect) {
                list.push(dialect);
            }
            any = true;
        }
        if any && !self.providers.iter().any(|known| known.id == provider.id) {
            self.providers.push(provider);
        }
        any
    }

    fn settle(&mut self, order: &[ProviderId]) {
        let native = &self.native;
        self.translated.retain(|dialect| !native.contains(dialect));
        self.native.sort();
        self.translated.sort();
        self.providers.sort_by_key(|provider| order.iter().position(|id| *id == provider.id));
    }

    /// Whether callers of a dialect reach it.
    pub(crate) fn serves(&self, dialect: Dialect) -> bool {
        self.native.contains(&dialect) || self.translated.contains(&dialect)
    }
}

/// Every model that the callers reach. Waits a few seconds at most for upstreams' own lists.
pub(crate) async fn reach<'a>(core: &Core, snapshot: &'a Snapshot, callers: Callers<'_>) -> Reach<'a> {
    let open =
        snapshot.providers.iter().filter(|provider| provider.spec.enabled && callers.may_use(provider));
    let mut asked: FuturesUnordered<_> =
        open.map(|provider| list::names(core, snapshot.revision, provider)).collect();
    let mut reach = Reach::default();
    while let Some((provider, listed)) = asked.next().await {
        if !listed.complete {
            reach.missing.push(provider);
        }
        for name in listed.names.into_iter().filter(|name| provider.serves_model(name)) {
            let mut entry = reach.models.remove(&name).unwrap_or_default();
            if entry.add(callers, provider, &name, &name) || !entry.providers.is_empty() {
                reach.models.insert(name, entry);
            }
        }
    }
    stand_in(&mut reach, snapshot, callers);
    let order: Vec<ProviderId> = snapshot.providers.iter().map(|provider| provider.id).collect();
    reach.missing.sort_by_key(|provider| order.iter().position(|id| *id == provider.id));
    for entry in reach.models.values_mut() {
        entry.settle(&order);
    }
    reach
}

/// Whoever asks for a name that an alias covers gets what stands for it, even if somebody serves the name itself.
fn stand_in<'a>(reach: &mut Reach<'a>, snapshot: &'a Snapshot, callers: Callers<'_>) {
    let exact = snapshot.aliases.iter().map(|alias| &alias.name).filter(|name| !name.contains('*'));
    let covered = reach.models.keys().filter(|name| !snapshot.alias_of(name).is_empty());
    let names: Vec<String> = exact.chain(covered).cloned().collect();
    for name in names {
        let targets = snapshot.alias_of(&name);
        let mut entry = Reached { targets, ..Reached::default() };
        for target in targets {
            let serving = snapshot.providers.iter().filter(|p| p.spec.enabled && p.serves_model(target));
            for provider in serving {
                entry.add(callers, provider, &name, target);
            }
        }
        if entry.providers.is_empty() {
            reach.models.remove(&name);
        } else {
            reach.models.insert(name, entry);
        }
    }
}
