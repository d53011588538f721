//! The playground without scripts: the same calls, made by this process through the same door as everybody's.

use std::time::Duration;

use gateway::Ingress;
use http::{HeaderMap, HeaderName, HeaderValue};
use types::dialect::Dialect;
use types::principal::Principal;
use types::request::RequestRow;
use types::{Problem, RequestId};

use super::{actor, admin, gateway, member, principal};
use crate::error::AppError;
use crate::form::playground::PlayForm;
use crate::play::{Ask, Lane, Listener, Played};

/// Longest answer that is read, in bytes; prompts of the playground ask for much less.
const MOST: usize = 4 * 1024 * 1024;
/// How long the books are waited for, so that the page can say what it cost.
const BOOKING: Duration = Duration::from_millis(1_500);

impl PlayForm {
    /// The same without what must not be kept.
    pub(crate) fn without_key(&self) -> Self {
        Self { key: crate::form::SecretText::default(), ..self.clone() }
    }
}

/// Asks the models one after the other and hears each to its end.
pub(crate) async fn play(form: &PlayForm) -> Result<Played, AppError> {
    principal()?;
    let models = form.models();
    let first = models.first().map(String::as_str).unwrap_or_default();
    // Everything that is wrong with the form is said before anything is sent.
    form.ask(first)?;
    let key = HeaderValue::from_str(form.key.0.trim())
        .map_err(|_| Problem::field("key", "expected visible characters only"))?;
    let mut lanes = Vec::new();
    for model in models {
        lanes.push(answer(&form.ask(&model)?, key.clone()).await?);
    }
    let ids: Vec<RequestId> = lanes.iter().filter_map(|lane| lane.request_id).collect();
    for id in ids {
        gateway()?.await_booking(id, BOOKING).await;
    }
    Ok(Played { form: form.without_key(), lanes })
}

async fn answer(ask: &Ask, mut key: HeaderValue) -> Result<Lane, AppError> {
    let (call, actor) = (ask.call(), actor()?);
    key.set_sensitive(true);
    let mut headers = HeaderMap::new();
    for (name, value) in call.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(HeaderName::from_static(Ask::KEY_HEADER), key);
    headers.insert(http::header::USER_AGENT, HeaderValue::from_static("tollgate-playground"));
    let gemini = ask.dialect == Dialect::Gemini;
    let (request_id, received) = gateway()?.begin();
    // The browser's own address, after forwarding headers were judged: the key's networks hold for it. Without one,
    // nothing is asked: any stand-in could be a network that a key allows.
    let client_ip = actor
        .client_ip
        .and_then(|ip| ip.parse().ok())
        .ok_or_else(|| Problem::new("internal", "the browser's address is not known"))?;
    let ingress = Ingress {
        endpoint: call.endpoint,
        path_model: gemini.then(|| ask.model.clone()),
        gemini_version: gemini.then_some("v1beta"),
        query: gemini.then(|| "alt=sse".to_owned()),
        headers,
        body: call.body.into(),
        client_ip,
        request_id,
        client_request_id: None,
        received,
    };
    let reply = Box::pin(gateway()?.serve(ingress)).await;
    let ms = || received.elapsed_ms();
    let header =
        |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut lane = Lane {
        model: ask.model.clone(),
        status: Some(reply.status.as_u16()),
        request_id: Some(request_id),
        upstream: header("x-tollgate-upstream-dialect"),
        dropped: header("x-tollgate-dropped").unwrap_or_default(),
        ..Lane::default()
    };
    let mut listener = Listener::new(ask.dialect, reply.status.as_u16());
    reply
        .read(MOST, |piece| {
            lane.first_ms.get_or_insert_with(ms);
            listener.feed(piece, &mut lane.heard);
        })
        .await;
    listener.finish(&mut lane.heard);
    lane.total_ms = Some(ms());
    Ok(lane)
}

/// A request as its reader may see it; `None` while it is not in the books, or if it is somebody else's.
pub(crate) async fn booked(id: String) -> Result<Option<RequestRow>, AppError> {
    let found = match principal()? {
        Principal::Admin => admin().await?.request_fetch(id).await,
        Principal::Member { .. } => member().await?.request_fetch(id).await,
    };
    match found {
        Err(problem) if problem.code == "not_found" => Ok(None),
        found => Ok(Some(found?)),
    }
}
