//! `GET /v1/models` and its siblings: the models that a key may use, in the shape that its caller understands.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use moka::future::Cache;
use protocol::models::{Entry, Shape};
use types::ProviderId;
use types::dialect::Dialect;
use types::provider::ProviderKind;

use super::{KeyedCall, ModelsCall, Reply, ReplyBody, authenticate, render};
use crate::core::Core;
use crate::error::Refusal;
use crate::snapshot::{ApiKey, Provider, Snapshot};
use crate::upstream::list_models;

/// How long to wait for upstreams' own lists; what has not come by then is left out this time.
const PATIENCE_MS: u64 = 3_000;

/// Upstreams' model lists, kept for a while. The revision is part of the key, so a changed provider is asked anew.
#[derive(Clone, Debug)]
pub(crate) struct ModelLists(Cache<(ProviderId, i64), Arc<Vec<String>>>);

impl Default for ModelLists {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(1_000).time_to_live(Duration::from_mins(10)).build())
    }
}

/// Answers a list or one model.
pub(crate) async fn models(core: &Arc<Core>, call: ModelsCall) -> Reply {
    let ModelsCall { call, id } = call;
    let shape = shape(&call);
    match find(core, &call, id.as_deref(), shape).await {
        Ok(body) => {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Reply { status: StatusCode::OK, headers, body: ReplyBody::whole(body.into()) }
        }
        Err(refusal) => render(dialect(shape), &refusal, &call.shown_id),
    }
}

fn shape(call: &KeyedCall) -> Shape {
    protocol::models::shape(
        &call.path,
        call.headers.contains_key("anthropic-version"),
        call.headers.contains_key("x-goog-api-key"),
        call.query.as_deref().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("key="))),
    )
}

fn dialect(shape: Shape) -> Dialect {
    match shape {
        Shape::Anthropic => Dialect::Anthropic,
        Shape::OpenAi => Dialect::OpenAiChat,
        Shape::Gemini => Dialect::Gemini,
    }
}

async fn find(
    core: &Arc<Core>,
    call: &KeyedCall,
    id: Option<&str>,
    shape: Shape,
) -> Result<Vec<u8>, Refusal> {
    let snapshot = core.snapshot();
    let gemini = shape == Shape::Gemini;
    let key = authenticate::caller(
        core,
        &snapshot,
        &call.headers,
        call.query.as_deref(),
        gemini,
        core.clock.now(),
    )?;
    super::guard::origin(&key, call.client_ip, &call.headers)?;
    let entries = entries(core, &snapshot, &key, shape).await;
    match id {
        None => Ok(protocol::models::render_list(shape, &entries)),
        Some(id) => {
            let id = id.trim_start_matches("models/");
            let entry =
                entries.iter().find(|entry| entry.id == id).ok_or_else(|| Refusal::model_not_found(id))?;
            Ok(protocol::models::render_one(shape, entry))
        }
    }
}

async fn entries(core: &Arc<Core>, snapshot: &Arc<Snapshot>, key: &ApiKey, shape: Shape) -> Vec<Entry> {
    let open = snapshot
        .providers
        .iter()
        .filter(|p| p.spec.enabled && fits(p.spec.kind, shape) && key.may_use_groups(&p.spec.groups));
    let mut asked: FuturesUnordered<_> = open.map(|provider| names(core, snapshot, provider)).collect();
    let mut found: BTreeSet<(String, &'static str)> = BTreeSet::new();
    while let Some((provider, names)) = asked.next().await {
        found.extend(
            names
                .into_iter()
                .filter(|name| provider.serves_model(name) && key.may_use_model(name))
                .map(|name| (name, provider.spec.kind.as_str())),
        );
    }
    let mut entries: Vec<Entry> = found
        .into_iter()
        .map(|(id, owner)| Entry { id, created_at: core.started_at, owned_by: owner.to_owned() })
        .collect();
    entries.dedup_by(|a, b| a.id == b.id);
    entries
}

/// Whether a caller of this shape can talk to this kind; the OpenAI list is everybody's catalogue and shows all.
fn fits(kind: ProviderKind, shape: Shape) -> bool {
    match shape {
        Shape::Anthropic => kind == ProviderKind::Anthropic,
        Shape::Gemini => kind == ProviderKind::Gemini,
        Shape::OpenAi => true,
    }
}

/// The names that a provider is configured with, plus its own list where the configuration leaves that open.
async fn names<'a>(
    core: &Arc<Core>,
    snapshot: &Arc<Snapshot>,
    provider: &'a Provider,
) -> (&'a Provider, Vec<String>) {
    let fixed = |pattern: &&String| !pattern.contains('*');
    let spec = &provider.spec;
    let mut names: Vec<String> =
        spec.models.iter().filter(fixed).chain(spec.model_redirects.keys().filter(fixed)).cloned().collect();
    let open = spec.models.is_empty() || spec.models.iter().any(|pattern| pattern.contains('*'));
    let credential = provider.credentials.iter().find(|c| c.spec.enabled && c.secret.is_some());
    if let Some(credential) = credential.filter(|_| open) {
        let listed = core.model_lists.0.try_get_with((provider.id, snapshot.revision), async {
            list_models(&core.upstreams, PATIENCE_MS, provider, credential).await.map(Arc::new)
        });
        match listed.await {
            Ok(listed) => names.extend(listed.iter().cloned()),
            Err(error) => {
                tracing::debug!(provider.name = spec.name, %error, "the provider's model list could not be fetched");
            }
        }
    }
    (provider, names)
}
