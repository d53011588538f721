//! One try at one credential: prepare, send, wait for the first piece of the body, judge.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use protocol::translate::without_envelopes;
use tokio::time::Instant;
use types::RequestId;
use types::provider::Timeouts;
use types::translation::Served;

use super::Request;
use super::idempotency;
use super::judge::{Good, Judged, judge};
use super::quote;
use super::renewal;
use super::settle::Settlement;
use super::signs::Signs;
use super::translation::{self, Translated};
use super::trial::Trial;
use super::verdict::{self, Verdict};
use crate::core::Core;
use crate::credential::Lease;
use crate::error::Refusal;
use crate::snapshot::{Credential, Provider};
use crate::upstream::{Answer, AnswerBody, Booked, Call, Prepared, SendError, Upstreams, prepare};

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

/// Begins a try at one credential: everything that the books must know of it is done when this returns. What is
/// left neither needs nor holds the settlement, so that two attempts of a request can run at once.
pub(super) fn begin<'a>(
    core: &'a Arc<Core>,
    settlement: &mut Settlement,
    request: &'a Request,
    target: Target<'a>,
    credential: Arc<Credential>,
    lease: Lease,
    signs: Signs,
) -> impl Future<Output = Attempted> + Send + use<'a> {
    let id = settlement.record().request_id;
    let deadline = target.deadline;
    let mut used = renewal::used(&credential);
    let booked = Draft::of(core, settlement, request, target).and_then(|draft| {
        let booked = draft.book(core, settlement, &credential)?;
        Ok((draft, booked))
    });
    async move {
        let (draft, mut booked) = match booked {
            Ok(booked) => booked,
            Err(verdict) => return Attempted::Failed(verdict, lease),
        };
        loop {
            let resend = booked.resend();
            let verdict = match ask(core, (id, request), &draft, booked, &credential, &signs).await {
                Err(verdict) => verdict,
                Ok(good) => {
                    let timeouts = &draft.provider.spec.timeouts;
                    return Attempted::Opened(Box::new(Opened {
                        status: good.status,
                        headers: good.headers,
                        content: good.content,
                        lease,
                        credential,
                        trial: None,
                        translated: draft.translated,
                        idle: Duration::from_millis(timeouts.idle_ms.unwrap_or(Timeouts::IDLE_MS)),
                    }));
                }
            };
            let renewed = if signs.is_renewed() {
                None
            } else {
                renewal::renewed(core, id, &credential, &verdict, (used, deadline)).await
            };
            let Some(note) = renewed else { return Attempted::Failed(verdict, lease) };
            signs.renewed(note);
            used = renewal::used(&credential);
            booked = match draft.written(core, &credential) {
                Ok(prepared) => resend.with(prepared),
                Err(verdict) => return Attempted::Failed(verdict, lease),
            };
        }
    }
}

/// Sends what was booked and judges the beginning of its answer.
async fn ask(
    core: &Core,
    (id, request): (RequestId, &Request),
    draft: &Draft<'_>,
    booked: Booked,
    credential: &Credential,
    signs: &Signs,
) -> Result<Box<Good>, Box<Verdict>> {
    let timeouts = &draft.provider.spec.timeouts;
    let (phase, limit_ms) = if request.streaming() {
        ("first byte", timeouts.first_byte_ms.unwrap_or(Timeouts::FIRST_BYTE_MS))
    } else {
        ("total", timeouts.total_ms.unwrap_or(Timeouts::TOTAL_MS))
    };
    let until = draft.deadline.min(Instant::now() + Duration::from_millis(limit_ms));
    let timed_out = |began| Box::new(verdict::of_timeout(phase, limit_ms, began));
    let opening = open(core, booked, draft.provider, credential, signs);
    let (answer, first) = match tokio::time::timeout_at(until, opening).await {
        Err(_) => return Err(timed_out(signs.has_head())),
        Ok(opened) => opened?,
    };
    let judging = judge(id, request, (credential, draft.translated.as_ref()), answer, first, signs);
    match tokio::time::timeout_at(until, judging).await {
        Err(_) => Err(timed_out(true)),
        Ok(Judged::Failed(verdict)) => Err(verdict),
        Ok(Judged::Good(good)) => Ok(good),
    }
}

fn unsent(provider: &Provider, error: &SendError) -> Box<Verdict> {
    Box::new(verdict::of_send_error(error, host_of(provider.spec.base_url.as_str())))
}

/// A request as one upstream needs it, but for what is presented as its credential.
struct Draft<'a> {
    request: &'a Request,
    provider: &'a Provider,
    /// As the upstream calls it.
    model: &'a str,
    translated: Option<Translated>,
    body: Bytes,
    /// For the upstream's own idempotency.
    key: Option<HeaderValue>,
    deadline: Instant,
}

impl<'a> Draft<'a> {
    /// Writes the request, and on the record where it goes and what it loses.
    fn of(
        core: &Core,
        settlement: &mut Settlement,
        request: &'a Request,
        target: Target<'a>,
    ) -> Result<Self, Box<Verdict>> {
        let translated = translate(core, settlement, request, &target)
            .map_err(|refusal| Box::new(verdict::of_request(refusal)))?;
        let Target { provider, model, body, deadline, .. } = target;
        let model = model.map_or("", |model| provider.upstream_model(model));
        let endpoint = translated.as_ref().map_or(request.ingress.endpoint, |translated| translated.endpoint);
        let body = match &translated {
            Some(translated) => translated.body.clone(),
            None => body_for(request, body.as_ref(), model),
        };
        let record = settlement.record_mut();
        record.upstream_model = (!model.is_empty()).then(|| model.to_owned());
        record.upstream_dialect = Some(endpoint.dialect());
        let key = idempotency::upstream_key(record);
        Ok(Self { request, provider, model, translated, body, key, deadline })
    }

    /// What goes out with the credential as it is now.
    fn written(&self, core: &Core, credential: &Credential) -> Result<Prepared, Box<Verdict>> {
        let Self { request, provider, model, translated, body, key, .. } = self;
        let fail = |error: SendError| unsent(provider, &error);
        let presented = credential
            .presented(core.clock.now())
            .map_err(|fault| fail(SendError::Unsendable(fault.to_string())))?;
        let ingress = &request.ingress;
        let call = Call::Endpoint {
            endpoint: translated.as_ref().map_or(ingress.endpoint, |translated| translated.endpoint),
            model,
            gemini_version: ingress.gemini_version.unwrap_or("v1beta"),
            query: match translated {
                None => ingress.query.as_deref(),
                Some(translated) => translated.query(),
            },
            stream: request.streaming(),
        };
        let (kind, base_url) = (provider.spec.kind, provider.spec.base_url.as_str());
        let prepared = if translated.is_some() {
            let headers = Translated::headers(&ingress.headers);
            prepare(kind, base_url, &presented, &call, &headers, body.clone())
        } else {
            prepare(kind, base_url, &presented, &call, &ingress.headers, body.clone())
        };
        let mut prepared = prepared.map_err(fail)?;
        if let Some(key) = key {
            prepared.headers.insert(HeaderName::from_static(idempotency::HEADER), key.clone());
        }
        Ok(prepared)
    }

    /// The same, in the books.
    fn book(
        &self,
        core: &Core,
        settlement: &mut Settlement,
        credential: &Credential,
    ) -> Result<Booked, Box<Verdict>> {
        let prepared = self.written(core, credential)?;
        let fail = |error: SendError| unsent(self.provider, &error);
        let Some(reservation) = settlement.reservation() else {
            return Err(fail(SendError::Unsendable("the request has ended already".into())));
        };
        Upstreams::book(reservation, core.ledger.is_strict(), prepared).map_err(fail)
    }
}

/// Sends the request and reads the first piece of the answer's body.
async fn open(
    core: &Core,
    booked: Booked,
    provider: &Provider,
    credential: &Credential,
    signs: &Signs,
) -> Result<(Answer, Option<Bytes>), Box<Verdict>> {
    let sent = core.upstreams.send(booked, provider, &credential.proxy).await;
    let mut answer = sent.map_err(|error| unsent(provider, &error))?;
    let now = core.clock.now();
    credential.gauge.hear(provider.spec.kind, &answer.headers, now);
    credential.hear_refusal(answer.status, &answer.headers, now);
    signs.head(answer.status.as_u16());
    let first = first_piece(&mut answer.body)
        .await
        .map_err(|error| Box::new(verdict::of_empty_answer(&error.to_string())))?;
    if first.is_some() {
        signs.first_byte();
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
