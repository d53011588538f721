//! One try at one credential: prepare, send, wait for the first piece of the body, judge.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use types::dialect::Endpoint;
use types::provider::Timeouts;

use super::Request;
use super::echo;
use super::idempotency;
use super::settle::Settlement;
use super::verdict::{self, Verdict};
use crate::credential::Lease;
use crate::snapshot::{Credential, Provider};
use crate::upstream::{Answer, AnswerBody, Call, SendError, Upstreams, prepare};

/// Answers up to this size are read whole before the caller gets a byte, so that a fault in them can still
/// become another attempt or a clean error.
const WHOLE_ANSWER: usize = 8 * 1024 * 1024;
/// Bytes of the longest magic number of a compression (Zstandard's).
const LONGEST_MAGIC: usize = 4;
/// Most of an error answer that is read.
const ERROR_BODY: usize = 256 * 1024;

/// How an attempt went.
#[derive(Debug)]
pub(super) enum Attempted {
    /// The upstream answers; the caller may have it.
    Opened(Opened),
    /// The upstream blames the request itself: its answer belongs to the caller.
    Passed { status: StatusCode, content_type: HeaderValue, body: Bytes, said: String },
    /// Something else failed.
    Failed(Verdict),
}

/// An answer that has begun well.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
    pub(super) lease: Lease,
    pub(super) credential: Arc<Credential>,
    pub(super) idle: Duration,
}

/// The body of an opened answer.
#[derive(Debug)]
pub(super) enum Content {
    /// Complete.
    Whole(Bytes),
    /// Begun; more comes.
    Stream(AnswerBody),
}

/// Tries one credential.
pub(super) async fn attempt(
    upstreams: &Upstreams,
    settlement: &mut Settlement,
    request: &Request,
    provider: &Provider,
    credential: &Arc<Credential>,
    lease: Lease,
) -> Attempted {
    let timeouts = &provider.spec.timeouts;
    let streaming = request.streaming();
    let (phase, limit_ms) = if streaming {
        ("first byte", timeouts.first_byte_ms.unwrap_or(Timeouts::FIRST_BYTE_MS))
    } else {
        ("total", timeouts.total_ms.unwrap_or(Timeouts::TOTAL_MS))
    };
    let started = Instant::now();
    let limit = Duration::from_millis(limit_ms);
    let opening = open(upstreams, settlement, request, provider, credential);
    let (answer, first) = match tokio::time::timeout(limit, opening).await {
        Err(_) => return Attempted::Failed(verdict::of_timeout(phase, limit_ms)),
        Ok(Err(verdict)) => return Attempted::Failed(verdict),
        Ok(Ok(opened)) => opened,
    };
    let left = limit.saturating_sub(started.elapsed());
    let judged = tokio::time::timeout(left, judge(settlement, request, credential, answer, first)).await;
    match judged {
        Err(_) => Attempted::Failed(verdict::of_timeout(phase, limit_ms)),
        Ok(Judged::Passed { status, content_type, body, said }) => {
            Attempted::Passed { status, content_type, body, said }
        }
        Ok(Judged::Failed(verdict)) => Attempted::Failed(verdict),
        Ok(Judged::Good { status, headers, content }) => Attempted::Opened(Opened {
            status,
            headers,
            content,
            lease,
            credential: credential.clone(),
            idle: Duration::from_millis(timeouts.idle_ms.unwrap_or(Timeouts::IDLE_MS)),
        }),
    }
}

/// Sends the request and reads the first piece of the answer's body.
async fn open(
    upstreams: &Upstreams,
    settlement: &mut Settlement,
    request: &Request,
    provider: &Provider,
    credential: &Credential,
) -> Result<(Answer, Option<Bytes>), Verdict> {
    let base_url = provider.spec.base_url.as_str();
    let fail = |error: SendError| verdict::of_send_error(&error, host_of(base_url));
    let Some(secret) = &credential.secret else {
        return Err(fail(SendError::Unsendable("its credential cannot be decrypted".into())));
    };
    let ingress = &request.ingress;
    let requested = request.model().unwrap_or_default();
    let model = provider.upstream_model(requested);
    settlement.record_mut().upstream_model = (!model.is_empty()).then(|| model.to_owned());
    settlement.record_mut().upstream_dialect = Some(ingress.endpoint.dialect());
    let call = Call::Endpoint {
        endpoint: ingress.endpoint,
        model,
        gemini_version: ingress.gemini_version.unwrap_or("v1beta"),
        query: ingress.query.as_deref(),
    };
    let body = body_for(request, model);
    let mut prepared =
        prepare(provider.spec.kind, base_url, secret, &call, &ingress.headers, body).map_err(fail)?;
    if let Some(key) = idempotency::upstream_key(settlement.record()) {
        prepared.headers.insert(HeaderName::from_static(idempotency::HEADER), key);
    }
    let Some(reservation) = settlement.reservation() else {
        return Err(fail(SendError::Unsendable("the request has ended already".into())));
    };
    let mut answer = upstreams.send(reservation, provider, prepared).await.map_err(fail)?;
    settlement.attempt_status(answer.status.as_u16());
    let first =
        first_piece(&mut answer.body).await.map_err(|error| verdict::of_empty_answer(&error.to_string()))?;
    if first.is_some() {
        settlement.first_byte();
    }
    Ok((answer, first))
}

/// The caller's bytes, with the model's name replaced in place if it is redirected.
fn body_for(request: &Request, model: &str) -> Bytes {
    match &request.probe.model {
        Some(asked) if asked.name != model => {
            let kind = content_type(&request.ingress.headers);
            let multipart = protocol::probe::is_multipart(request.ingress.endpoint, kind);
            protocol::splice::replace_model(&request.ingress.body, asked, model, multipart)
        }
        _ => request.ingress.body.clone(),
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

enum Judged {
    Good { status: StatusCode, headers: HeaderMap, content: Content },
    Passed { status: StatusCode, content_type: HeaderValue, body: Bytes, said: String },
    Failed(Verdict),
}

async fn judge(
    settlement: &Settlement,
    request: &Request,
    credential: &Credential,
    answer: Answer,
    first: Option<Bytes>,
) -> Judged {
    let Answer { status, mut headers, body } = answer;
    let mut body = match first {
        None => body,
        Some(first) => match body.decoded(&mut headers, first) {
            Ok(body) => body,
            Err(error) => {
                let kind = content_type(&headers).unwrap_or("no content type").to_owned();
                let message = format!("upstream body could not be decoded (content-type {kind}): {error}");
                return Judged::Failed(verdict::of_bad_answer("upstream_bad_body", message));
            }
        },
    };
    if !status.is_success() {
        return judge_error(request, credential, status, &headers, body).await;
    }
    let endpoint = request.ingress.endpoint;
    let kind = content_type(&headers).unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with("text/html") {
        let message =
            format!("upstream answered with a web page instead of an API's answer (status {status})");
        return Judged::Failed(verdict::of_bad_answer("upstream_bad_content_type", message));
    }
    let array = endpoint == Endpoint::GeminiStream && is_json(&kind) && is_array(&mut body).await;
    if request.streaming() && !is_json(&kind) || array || endpoint == Endpoint::AudioSpeech {
        return judge_stream(status, headers, body).await;
    }
    match whole(body).await {
        Err(verdict) => Judged::Failed(verdict),
        Ok((Content::Whole(bytes), _)) if bytes.is_empty() && !may_be_empty(endpoint) => {
            Judged::Failed(verdict::of_empty_answer("it was empty"))
        }
        Ok((content, head)) => match protocol::error::parse_upstream(endpoint.dialect(), &head) {
            Some(error) if is_json(&kind) => {
                tracing::debug!(request.id = %settlement.record().request_id, kind = error.kind, "an error came as a success");
                let said = echo::cleaned(error.message, credential);
                Judged::Failed(verdict::of_error_in_success(&error.kind, &said))
            }
            _ => Judged::Good { status, headers, content },
        },
    }
}

/// The text of silence is empty; every other good answer says something.
fn may_be_empty(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::AudioTranscriptions | Endpoint::AudioTranslations)
}

/// Whether the body is the array that Gemini streams are made of without `alt=sse`. A lone object in its place is
/// an error or a whole answer and must be looked into.
async fn is_array(body: &mut AnswerBody) -> bool {
    match body.piece().await {
        Some(Ok(piece)) => {
            let array = piece.trim_ascii_start().first() == Some(&b'[');
            body.put_back(piece);
            array
        }
        // Nothing comes after this either, so the stream counts as empty.
        Some(Err(_)) | None => true,
    }
}

async fn judge_stream(status: StatusCode, headers: HeaderMap, mut body: AnswerBody) -> Judged {
    // Decoding may have swallowed the first piece into nothing; a stream without a single byte is no stream (U13).
    match body.piece().await {
        Some(Ok(piece)) => {
            body.put_back(piece);
            Judged::Good { status, headers, content: Content::Stream(body) }
        }
        Some(Err(error)) => Judged::Failed(verdict::of_empty_answer(&error.to_string())),
        None => Judged::Failed(verdict::of_empty_answer("the stream was empty")),
    }
}

async fn judge_error(
    request: &Request,
    credential: &Credential,
    status: StatusCode,
    headers: &HeaderMap,
    mut body: AnswerBody,
) -> Judged {
    let mut bytes = BytesMut::new();
    // A body that breaks off or goes on for ever still has a status that says enough.
    while let Some(Ok(piece)) = body.piece().await {
        let room = ERROR_BODY.saturating_sub(bytes.len());
        bytes.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if bytes.len() >= ERROR_BODY {
            break;
        }
    }
    let bytes = echo::cleaned_body(bytes.freeze(), credential);
    let parsed = protocol::error::parse_upstream(request.ingress.endpoint.dialect(), &bytes);
    let said = parsed.as_ref().map_or_else(|| format!("HTTP {status}"), |error| error.message.clone());
    if let Some(verdict) = verdict::of_status(status.as_u16(), &said, verdict::retry_after(headers)) {
        return Judged::Failed(verdict);
    }
    let content_type = headers.get(CONTENT_TYPE).cloned();
    match (parsed, content_type) {
        (Some(_), Some(content_type)) if bytes.len() < ERROR_BODY => {
            Judged::Passed { status, content_type, body: bytes, said }
        }
        _ => {
            let message =
                format!("upstream refused the request ({status}) without saying why in a known form");
            let mut verdict = verdict::of_bad_answer("upstream_rejected", message);
            verdict.refusal.status = status.as_u16();
            verdict.move_on = false;
            Judged::Failed(verdict)
        }
    }
}

/// Reads a body whole; if it is larger than the bound, what was read becomes the beginning of a stream.
/// The second value is what was read, for a look inside.
async fn whole(mut body: AnswerBody) -> Result<(Content, Bytes), Verdict> {
    let broken = |error: std::io::Error| verdict::of_empty_answer(&error.to_string());
    let Some(first) = body.piece().await.transpose().map_err(broken)? else {
        return Ok((Content::Whole(Bytes::new()), Bytes::new()));
    };
    let Some(second) = body.piece().await.transpose().map_err(broken)? else {
        return Ok((Content::Whole(first.clone()), first));
    };
    let mut all = BytesMut::with_capacity(first.len() + second.len());
    all.extend_from_slice(&first);
    all.extend_from_slice(&second);
    while let Some(piece) = body.piece().await.transpose().map_err(broken)? {
        all.extend_from_slice(&piece);
        if all.len() > WHOLE_ANSWER {
            body.put_back(all.freeze());
            return Ok((Content::Stream(body), Bytes::new()));
        }
    }
    let all = all.freeze();
    Ok((Content::Whole(all.clone()), all))
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json")
}

fn host_of(base_url: &str) -> &str {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
