//! `GET /v1/models` and its siblings: the models that a key may use, in the shape that its caller understands.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use protocol::models::{Entry, Shape};
use types::dialect::Dialect;

use super::{KeyedCall, ModelsCall, Reply, ReplyBody, authenticate, render};
use crate::catalogue::{self, Callers, Reached};
use crate::core::Core;
use crate::error::Refusal;
use crate::snapshot::{ApiKey, Snapshot};

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
    let entries = entries(core, &snapshot, key, shape).await;
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

async fn entries(core: &Core, snapshot: &Snapshot, key: Arc<ApiKey>, shape: Shape) -> Vec<Entry> {
    let keys = [key];
    let reach = catalogue::reach(core, snapshot, Callers::Keys(&keys)).await;
    let listed = reach.models.into_iter().filter(|(_, reached)| fits(reached, shape));
    listed
        .map(|(id, reached)| {
            let owner = reached.providers.first().map_or("tollgate", |provider| provider.spec.kind.as_str());
            Entry { id, created_at: core.started_at, owned_by: owner.to_owned() }
        })
        .collect()
}

/// Whether a caller of this shape is served with it, as it is or translated; the OpenAI list is everybody's catalogue
/// and shows all.
fn fits(reached: &Reached<'_>, shape: Shape) -> bool {
    match shape {
        Shape::Anthropic => reached.serves(Dialect::Anthropic),
        Shape::Gemini => reached.serves(Dialect::Gemini),
        Shape::OpenAi => true,
    }
}
