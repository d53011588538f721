//! One try at one credential: prepare, send, wait for the first piece of the body, judge.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, StatusCode};
use protocol::translate::without_envelopes;
use tokio::time::Instant;
use types::provider::Timeouts;
use types::translation::Served;

use super::Request;
use super::idempotency;
use super::judge::{Judged, judge};
use super::quote;
use super::settle::Settlement;
use super::translation::{self, Translated};
use super::trial::Trial;
use super::verdict::{self, Verdict};
use crate::core::Core;
use crate::credential::Lease;
use crate::error::Refusal;
use crate::snapshot::{Credential, Provider};
use crate::upstream::{Answer, AnswerBody, Call, SendError, prepare};

/// Bytes of the longest magic number of a compression (Zstandard's).
const LONGEST_MAGIC: usize = 4;

/// How an attempt went.
#[derive(Debug)]
pub(super) enum Attempted {
    /// The upstream answers; the caller may have it.
    Opened(Box<Opened>),
    /// Something failed; the slot is given back.
    Failed(Box<Verdict>, Lease),
}

/// An answer that has begun well.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
    pub(super) lease: Lease,
    pub(super) credential: Arc<Credential>,
    /// What the answer teaches about the credential when it ends.
    pub(super) trial: Option<Trial>,
    /// How it becomes the caller's dialect; `None` if it is.
    pub(super) translated: Option<Translated>,
    pub(super) idle: Duration,
}

/// The body of an opened answer.
#[derive(Debug)]
pub(super) enum Content {
    /// Complete.
    Whole(Bytes),
    /// Complete, as the upstream wrote it and as the caller gets it.
    Translated(Bytes, Bytes),
    /// Begun; more comes.
    Stream(AnswerBody),
}

/// What is sent where.
#[derive(Clone, Debug)]
pub(super) struct Target<'a> {
    pub(super) provider: &'a Provider,
    /// The model asked for, or one that an alias stands for.
    pub(super) model: Option<&'a str>,
    /// In which dialect.
    pub(super) served: Served,
    /// A mended body in place of the caller's.
    pub(super) body: Option<Bytes>,
    /// Of all attempts together.
    pub(super) deadline: Instant,
}

/// Tries one credential.
pub(super) async fn attempt(
    core: &Core,
    settlement: &mut Settlement,
    request: &Request,
    target: &Target<'_>,
    credential: &Arc<Credential>,
    lease: Lease,
) -> Attempted {
    let timeouts = &target.provider.spec.timeouts;
    let (phase, limit_ms) = if request.streaming() {
        ("first byte", timeouts.first_byte_ms.unwrap_or(Timeouts::FIRST_BYTE_MS))
    } else {
        ("total", timeouts.total_ms.unwrap_or(Timeouts::TOTAL_MS))
    };
    let until = target.deadline.min(Instant::now() + Duration::from_millis(limit_ms));
    let timed_out = |began| Box::new(verdict::of_timeout(phase, limit_ms, began));
    let translated = match translate(core, settlement, request, target) {
        Ok(translated) => translated,
        Err(refusal) => return Attempted::Failed(Box::new(verdict::of_request(refusal)), lease),
    };
    let opening = open(core, settlement, request, target, (credential, translated.as_ref()));
    let (answer, first) = match tokio::time::timeout_at(until, opening).await {
        Err(_) => {
            let began = settlement.attempt_has_head();
            return Attempted::Failed(timed_out(began), lease);
        }
        Ok(Err(verdict)) => return Attempted::Failed(verdict, lease),
        Ok(Ok(opened)) => opened,
    };
    match tokio::time::timeout_at(
        until,
        judge(settlement, request, (credential, translated.as_ref()), answer, first),
    )
    .await
    {
        Err(_) => Attempted::Failed(timed_out(true), lease),
        Ok(Judged::Failed(verdict)) => Attempted::Failed(verdict, lease),
        Ok(Judged::Good(good)) => Attempted::Opened(Box::new(Opened {
            status: good.status,
            headers: good.headers,
            content: good.content,
            lease,
            credential: credential.clone(),
            trial: None,
            translated,
            idle: Duration::from_millis(timeouts.idle_ms.unwrap_or(Timeouts::IDLE_MS)),
        })),
    }
}

/// Sends the request and reads the first piece of the answer's body.
async fn open(
    core: &Core,
    settlement: &mut Settlement,
    request: &Request,
    target: &Target<'_>,
    (credential, translated): (&Credential, Option<&Translated>),
) -> Result<(Answer, Option<Bytes>), Box<Verdict>> {
    let provider = target.provider;
    let base_url = provider.spec.base_url.as_str();
    let fail = |error: SendError| Box::new(verdict::of_send_error(&error, host_of(base_url)));
    let presented = credential
        .auth
        .presented(core.clock.now())
        .map_err(|fault| fail(SendError::Unsendable(fault.to_string())))?;
    let ingress = &request.ingress;
    let model = target.model.map_or("", |model| provider.upstream_model(model));
    settlement.record_mut().upstream_model = (!model.is_empty()).then(|| model.to_owned());
    let endpoint = translated.map_or(ingress.endpoint, |translated| translated.endpoint);
    settlement.record_mut().upstream_dialect = Some(endpoint.dialect());
    let call = Call::Endpoint {
        endpoint,
        model,
        gemini_version: ingress.gemini_version.unwrap_or("v1beta"),
        query: match translated {
            None => ingress.query.as_deref(),
            Some(translated) => translated.query(),
        },
        stream: request.streaming(),
    };
    let kind = provider.spec.kind;
    let prepared = if let Some(translated) = translated {
        let headers = Translated::headers(&ingress.headers);
        prepare(kind, base_url, &presented, &call, &headers, translated.body.clone())
    } else {
        let body = body_for(request, target.body.as_ref(), model);
        prepare(kind, base_url, &presented, &call, &ingress.headers, body)
    };
    let mut prepared = prepared.map_err(fail)?;
    if let Some(key) = idempotency::upstream_key(settlement.record()) {
        prepared.headers.insert(HeaderName::from_static(idempotency::HEADER), key);
    }
    let Some(reservation) = settlement.reservation() else {
        return Err(fail(SendError::Unsendable("the request has ended already".into())));
    };
    let strict = core.ledger.is_strict();
    let sent = core.upstreams.send(reservation, strict, provider, &credential.proxy, prepared).await;
    let mut answer = sent.map_err(fail)?;
    credential.gauge.hear(kind, &answer.headers, core.clock.now());
    settlement.attempt_head(answer.status.as_u16());
    let first = first_piece(&mut answer.body)
        .await
        .map_err(|error| Box::new(verdict::of_empty_answer(&error.to_string())))?;
    if first.is_some() {
        settlement.first_byte();
    }
    Ok((answer, first))
}

/// The request in the upstream's dialect, if that is another than the caller's; what was lost is written down.
fn translate(
    core: &Core,
    settlement: &mut Settlement,
    request: &Request,
    target: &Target<'_>,
) -> Result<Option<Translated>, Refusal> {
    let Served::Translated(dialect) = target.served else { return Ok(None) };
    let model = target.model.map_or("", |model| target.provider.upstream_model(model));
    let bound = quote::output_bound(request, target.provider, target.model);
    let translated = translation::write(core, request, dialect, model, bound)?;
    if let Some(attempt) = settlement.record_mut().attempts.last_mut() {
        attempt.translation = Some(translated.note.clone());
    }
    Ok(Some(translated))
}

/// The caller's bytes (or the mended ones), with the model's name replaced in place if it is redirected, and without
/// proofs of other vendors that an earlier turn was translated from.
fn body_for(request: &Request, mended: Option<&Bytes>, model: &str) -> Bytes {
    let kind = content_type(&request.ingress.headers);
    let endpoint = request.ingress.endpoint;
    let multipart = protocol::probe::is_multipart(endpoint, kind);
    let bare = (!multipart).then(|| without_envelopes(mended.unwrap_or(&request.ingress.body))).flatten();
    let bare = bare.map(Bytes::from);
    let mended = bare.as_ref().or(mended);
    let again = mended.map(|body| protocol::probe::probe(endpoint, kind, body));
    let (body, span) = match (mended, &again) {
        (Some(body), Some(Ok(probe))) => (body, &probe.model),
        _ => (&request.ingress.body, &request.probe.model),
    };
    match span {
        Some(asked) if asked.name != model => protocol::splice::replace_model(body, asked, model, multipart),
        _ => body.clone(),
    }
}

/// The first piece, at least as long as the longest magic number that is looked for, unless the body is shorter.
async fn first_piece(body: &mut AnswerBody) -> std::io::Result<Option<Bytes>> {
    let Some(first) = body.piece().await.transpose()? else { return Ok(None) };
    if first.len() >= LONGEST_MAGIC {
        return Ok(Some(first));
    }
    let mut joined = BytesMut::from(first.as_ref());
    while joined.len() < LONGEST_MAGIC {
        let Some(next) = body.piece().await.transpose()? else { break };
        joined.extend_from_slice(&next);
    }
    Ok(Some(joined.freeze()))
}

pub(super) fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

fn host_of(base_url: &str) -> &str {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
