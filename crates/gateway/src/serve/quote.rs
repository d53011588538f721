//! What a request can cost at a provider: its price, the factors on it, the worst case and a likely one.
//!
//! Nothing is held here; `admit` and `failover` do that with the amounts.

use std::sync::Arc;

use ledger::budget::Amounts;
use ledger::price::{Factors, Priced, WorstCase, cost, worst_case};
use types::dialect::Endpoint;
use types::price::{PriceSource, PriceSpec, PriceState};
use types::request::TokenUsage;
use types::setting::{PricedModel, Settings, UnpricedPolicy};
use types::translation::Served;
use types::{Money, ProviderId};

use super::Request;
use crate::core::Core;
use crate::price::Found;
use crate::snapshot::Provider;

/// Tokens that vendors add to what was sent: the frame of a conversation and of its tools.
const OVERHEAD_TOKENS: u64 = 2_048;
/// Input assumed where the body's size does not bound it and the price table does not say what the model takes.
const LARGEST_CONTEXT: u64 = 1_000_000;
/// Most tokens that vendors count for one image made.
const TOKENS_PER_IMAGE: u64 = 8_192;
/// Web searches assumed in the worst case where a request switches them on.
const SEARCHES: u64 = 10;
/// Output assumed for a first guess.
const LIKELY_OUTPUT: u64 = 1_024;

/// A request's price at one provider.
#[derive(Clone, Debug)]
pub(super) struct Quote {
    /// The price; `None` if none is known, or if nothing is to be priced.
    pub(super) price: Option<Arc<Found>>,
    pub(super) state: PriceState,
    pub(super) factors: Factors,
    /// The group through which the request goes.
    pub(super) group: Option<String>,
    /// What its payers are charged.
    pub(super) billed: Amounts,
    /// What the provider charges.
    pub(super) provider: Amounts,
}

impl Quote {
    /// What a usage costs; `answered` says whether the upstream answered at all.
    pub(super) fn cost(
        &self,
        usage: &TokenUsage,
        tier: Option<&str>,
        answered: bool,
    ) -> Option<ledger::price::Cost> {
        let found = self.price.as_ref()?;
        Some(cost(priced(found), usage, tier, answered, self.factors))
    }

    /// Whether no price is known and the rules say that the request must not be sent.
    pub(super) fn is_refused(&self, settings: &Settings) -> bool {
        self.state == PriceState::Unpriced && settings.billing_unpriced_policy == UnpricedPolicy::Refuse
    }
}

/// The quotes of one request, each worked out once.
#[derive(Debug, Default)]
pub(super) struct Quotes(Vec<(ProviderId, Option<String>, Quote)>);

impl Quotes {
    /// The quote of a provider.
    pub(super) fn of(
        &mut self,
        core: &Core,
        request: &Request,
        provider: &Provider,
        model: Option<&str>,
    ) -> Quote {
        let known = self.0.iter().find(|(id, of, _)| *id == provider.id && of.as_deref() == model);
        if let Some((_, _, quote)) = known {
            return quote.clone();
        }
        let quote = quote(core, request, provider, model);
        self.0.push((provider.id, model.map(str::to_owned), quote.clone()));
        quote
    }
}

/// The quote of a provider for a request. `routed` is the model that is asked of it: the one that the caller named,
/// or one that an alias stands for.
pub(super) fn quote(core: &Core, request: &Request, provider: &Provider, routed: Option<&str>) -> Quote {
    let settings = &request.snapshot.settings;
    let group = request.snapshot.group_of(&request.key, provider);
    let user_rate = if settings.billing_global_price_rate == types::Factor::ONE {
        request.key.user.spec.price_rate
    } else {
        settings.billing_global_price_rate
    };
    let factors = Factors {
        multiplier: provider.spec.cost_multiplier,
        group: group
            .map_or(types::Factor::ONE, |(_, group)| group.map_or(types::Factor::ONE, |g| g.spec.price_rate)),
        user: user_rate,
    };
    let mut quote = Quote {
        price: None,
        state: PriceState::None,
        factors,
        group: group.map(|(name, _)| name.to_owned()),
        billed: Amounts::default(),
        provider: Amounts::default(),
    };
    if request.ingress.endpoint.is_count() {
        return quote;
    }
    (quote.state, quote.price) = find(request, provider, routed);
    if let Some(found) = &quote.price {
        let tier = request.probe.service_tier.as_deref();
        let (billed, charged) =
            worst_case(priced(found), &demand(request, (provider, routed), &found.spec), tier, factors);
        quote.billed.worst = billed;
        quote.provider.worst = charged;
        (quote.billed.estimate, quote.provider.estimate) = (billed, charged);
        if request.snapshot.guesses {
            let guess = cost(priced(found), &likely(request), tier, true, factors);
            let model = request.model().unwrap_or_default();
            let learned = core.quotas.estimates.of(request.key.id, model);
            quote.billed.estimate = learned.unwrap_or(guess.billed).min(billed);
            quote.provider.estimate = guess.provider.min(charged);
        }
    }
    quote
}

fn priced(found: &Found) -> Priced<'_> {
    Priced { model: &found.model, source: found.source, spec: &found.spec }
}

fn find(request: &Request, provider: &Provider, routed: Option<&str>) -> (PriceState, Option<Arc<Found>>) {
    let settings = &request.snapshot.settings;
    let requested = request.model().unwrap_or_default();
    let upstream = provider.upstream_model(routed.unwrap_or(requested));
    let (first, second) = match settings.billing_priced_model {
        PricedModel::Upstream => (upstream, requested),
        PricedModel::Requested => (requested, upstream),
    };
    let prices = &request.snapshot.prices;
    let kind = provider.spec.kind;
    let found =
        prices.find(kind, first).or_else(|| (first != second).then(|| prices.find(kind, second)).flatten());
    match found {
        Some(found) if found.spec.free => (PriceState::Free, Some(found)),
        Some(found) => (PriceState::Priced, Some(found)),
        None if settings.billing_unpriced_policy == UnpricedPolicy::DefaultPrice => {
            (PriceState::DefaultPrice, Some(Arc::new(default_price(settings))))
        }
        None => (PriceState::Unpriced, None),
    }
}

fn default_price(settings: &Settings) -> Found {
    let mut spec = PriceSpec::default();
    spec.rates.input_per_million_usd = Some(settings.billing_default_input);
    spec.rates.output_per_million_usd = Some(settings.billing_default_output);
    Found { model: String::new(), source: PriceSource::Manual, spec }
}

/// The most that the request can use: a token is at least a byte of what is sent, media too.
fn demand(request: &Request, (provider, model): (&Provider, Option<&str>), spec: &PriceSpec) -> WorstCase {
    let endpoint = request.ingress.endpoint;
    let probe = &request.probe;
    let spoken = match provider.serves(endpoint, model) {
        Some(Served::Translated(dialect) | Served::Counted(dialect)) => dialect,
        _ => endpoint.dialect(),
    };
    let of_images = probe.images.saturating_mul(protocol::probe::most_image_tokens(spoken));
    let sent = bytes(request).saturating_add(of_images).saturating_add(OVERHEAD_TOKENS);
    // A price list may lag behind a model that has grown, so it only ever widens the bound.
    let context = spec.max_input_tokens.unwrap_or(LARGEST_CONTEXT).max(LARGEST_CONTEXT);
    let input = if probe.remote_input {
        spec.max_input_tokens.unwrap_or(LARGEST_CONTEXT).max(sent.min(context))
    } else {
        sent.min(context)
    };
    let answers = probe.n.unwrap_or(1).max(1);
    let images = if makes_images(endpoint) { answers } else { 0 };
    let default_bound = u64::from(request.snapshot.settings.limits_default_max_output_tokens);
    let output = match endpoint {
        _ if makes_images(endpoint) => TOKENS_PER_IMAGE.saturating_mul(answers),
        _ if !generates(endpoint) => 0,
        _ => probe.max_tokens.or(spec.max_output_tokens).unwrap_or(default_bound).saturating_mul(answers),
    };
    WorstCase {
        input_tokens: input,
        output_tokens: output,
        images,
        web_searches: if probe.web_search { SEARCHES } else { 0 },
        may_cache_1h: probe.caches_1h,
    }
}

/// The longest answer of a model that the hold on its payers covers: what a request is given that names none, where
/// the upstream's dialect demands a limit.
pub(super) fn output_bound(request: &Request, provider: &Provider, routed: Option<&str>) -> u64 {
    let known = find(request, provider, routed).1.and_then(|found| found.spec.max_output_tokens);
    known.unwrap_or_else(|| u64::from(request.snapshot.settings.limits_default_max_output_tokens))
}

/// What a request of this size uses as a rule.
fn likely(request: &Request) -> TokenUsage {
    let bound = request.probe.max_tokens.unwrap_or(LIKELY_OUTPUT);
    let output = if generates(request.ingress.endpoint) { LIKELY_OUTPUT.min(bound) } else { 0 };
    TokenUsage { output, ..input_only(bytes(request)) }
}

/// The usage that is assumed where only the size of the request is known: four bytes a token is the usual rule of
/// thumb for text.
pub(super) fn input_only(request_bytes: u64) -> TokenUsage {
    TokenUsage { input: request_bytes.div_ceil(4), ..TokenUsage::default() }
}

/// The cost of a usage that was only estimated must stay below what was held.
pub(super) fn within(cost: Money, held: Money) -> Money {
    if held.is_zero() { cost } else { cost.min(held) }
}

fn bytes(request: &Request) -> u64 {
    u64::try_from(request.ingress.body.len()).unwrap_or(u64::MAX)
}

fn makes_images(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::ImageGenerations | Endpoint::ImageEdits | Endpoint::ImageVariations)
}

fn generates(endpoint: Endpoint) -> bool {
    !matches!(
        endpoint,
        Endpoint::Embeddings
            | Endpoint::Moderations
            | Endpoint::Rerank
            | Endpoint::GeminiEmbed
            | Endpoint::GeminiBatchEmbed
    )
}
