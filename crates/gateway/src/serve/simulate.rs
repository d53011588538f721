//! What a request would meet now: the same selection as a real one, with nothing held and nothing sent.

use std::sync::Arc;
use std::time::Instant;

use types::api_key::ApiKeySpec;
use types::dialect::{Dialect, Endpoint};
use types::limits::Limits;
use types::request::SessionSource;
use types::simulation::{Simulate, Simulation};
use types::user::UserSpec;
use types::{ApiKeyId, Factor, Problem, UserId};

use super::route::{Demand, Gate, select};
use super::session::Conversation;
use crate::affinity::SessionKey;
use crate::core::Core;
use crate::quota::{Rules, charges, scope};
use crate::snapshot::{ApiKey, Credential, Provider, User};
use types::quota::ScopeKind;

/// The limits that can be told without a body: rates, what runs at once, and budgets that are used up.
#[derive(Debug)]
struct SpentGate<'a>(&'a Core);

impl SpentGate<'_> {
    fn limited(&self, kind: ScopeKind, id: i64, limits: &Limits) -> bool {
        let (quotas, scope, now) = (&self.0.quotas, scope(kind, id), self.0.clock.now());
        if limits.is_none() {
            return false;
        }
        let rules: [Rules; 1] = [quotas.money(scope, limits, now)];
        let least = types::Money::from_nano(1).unwrap_or_default();
        let amounts = ledger::budget::Amounts { worst: least, estimate: least };
        quotas.rate(scope, limits).is_some_and(|rule| quotas.rates.is_full(now, &rule))
            || quotas.slot(scope, limits).is_some_and(|rule| quotas.slots.is_full(&rule))
            || quotas.budgets.would_block(quotas.moment(now), &charges(&rules), amounts).is_some()
    }
}

impl Gate for SpentGate<'_> {
    fn provider(&self, provider: &Provider, _model: Option<&str>) -> Option<&'static str> {
        self.limited(ScopeKind::Provider, provider.id.0, &provider.spec.limits).then_some("limit")
    }

    fn credential(
        &self,
        _provider: &Provider,
        credential: &Credential,
        _model: Option<&str>,
    ) -> Option<&'static str> {
        self.limited(ScopeKind::Credential, credential.id.0, &credential.spec.limits).then_some("limit")
    }

    fn doubt(&self, provider: &Provider) -> Option<routing::health::Doubt> {
        self.0.reach.doubt(provider.id)
    }
}

/// Asks the router.
pub(crate) fn simulate(core: &Core, ask: &Simulate) -> Result<Simulation, Problem> {
    let snapshot = core.snapshot();
    let dialect = ask.dialect.as_deref().unwrap_or("anthropic");
    let dialect: Dialect = dialect.parse().map_err(|_| {
        Problem::field("dialect", "expected anthropic, openai-chat, openai-responses or gemini")
    })?;
    let endpoint = match dialect {
        Dialect::Anthropic => Endpoint::Messages,
        Dialect::OpenAiChat => Endpoint::ChatCompletions,
        Dialect::OpenAiResponses => Endpoint::Responses,
        Dialect::Gemini => Endpoint::GeminiGenerate,
    };
    let model = ask.model.trim();
    if model.is_empty() {
        return Err(Problem::field("model", "must not be empty"));
    }
    let key = match ask.key_id {
        None => unbound_key(),
        Some(id) => {
            let found = snapshot.keys.values().find(|key| key.id == id).cloned();
            found.ok_or_else(|| Problem::field("key_id", "there is no such key"))?
        }
    };
    if !key.may_use_model(model) {
        return Err(Problem::field("model", "this key may not ask for it"));
    }
    let now = core.clock.now();
    let settings = &snapshot.settings;
    let session = ask.session_id.as_deref().map(str::trim).filter(|session| !session.is_empty());
    let conversation = session.filter(|_| settings.affinity_enabled).map(|session| {
        let named = SessionKey::named(key.id, SessionSource::Client, session.as_bytes());
        Conversation::known(core, named, session, settings, now)
    });
    let gate = SpentGate(core);
    let seed = ask.seed.unwrap_or_else(rand::random);
    let targets = snapshot.alias_of(model);
    let own = [model.to_owned()];
    let models = if targets.is_empty() { &own[..] } else { targets };
    let demand = |model| Demand {
        endpoint,
        model: Some(model),
        key: &key,
        user_agent: ask.user_agent.as_deref(),
        tried: &[],
        gate: &gate,
        conversation: conversation.as_ref(),
        continued: None,
        translation: key.spec.translation,
        now,
        minute: core.quotas.minute_of_day(now),
        seed,
    };
    let started = Instant::now();
    let mut first = None;
    for model in models {
        let selection = select(&snapshot, demand(model.as_str()));
        let served = !selection.ranked.is_empty();
        if served || first.is_none() {
            first = Some((model, selection));
        }
        if served {
            break;
        }
    }
    let Some((chosen, selection)) = first else {
        return Err(Problem::field("model", "must not be empty"));
    };
    let mut decision = selection.decision();
    decision.route_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    if !targets.is_empty() {
        decision.models = targets.to_vec();
    }
    let refusal = selection.ranked.is_empty().then(|| selection.nobody(demand(chosen.as_str())).message);
    let changes = routing::explain::counterfactuals(&decision, &settings.pool_tier_order);
    Ok(Simulation { decision, changes, refusal })
}

/// A key that may do everything.
fn unbound_key() -> Arc<ApiKey> {
    let user = UserSpec {
        name: String::new(),
        groups: Vec::new(),
        enabled: true,
        expires_at: None,
        price_rate: Factor::ONE,
        limits: Limits::default(),
    };
    Arc::new(ApiKey {
        id: ApiKeyId(0),
        spec: ApiKeySpec {
            name: String::new(),
            groups: Vec::new(),
            models: Vec::new(),
            clients: Vec::new(),
            ip_allow: Vec::new(),
            enabled: true,
            expires_at: None,
            limits: Limits::default(),
            grant_id: None,
            translation: types::translation::TranslationMode::Allow,
        },
        user: Arc::new(User { id: UserId(0), spec: user, grants: Vec::new() }),
    })
}
