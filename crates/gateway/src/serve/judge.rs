//! What an answer is worth: the head and the beginning of the body, looked at before the caller gets a byte.
//!
//! Whole answers are read whole, streams until their first content, so that a fault in them can still become
//! another attempt or a clean error.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use protocol::error::UpstreamError;
use protocol::gate::{Gate, Opening};
use tokio::time::{Duration, Instant};
use types::dialect::Endpoint;
use types::routing::FailureClass;

use super::Request;
use super::attempt::{Content, content_type};
use super::echo;
use super::settle::Settlement;
use super::verdict::{self, Hint, Passed, Verdict};
use crate::snapshot::Credential;
use crate::upstream::{Answer, AnswerBody};

/// Answers up to this size are read whole before the caller gets a byte.
const WHOLE_ANSWER: usize = 8 * 1024 * 1024;
/// Most of an error answer that is read.
const ERROR_BODY: usize = 256 * 1024;
/// Most of a stream that is held back for its first content.
const HELD: usize = 256 * 1024;

pub(super) enum Judged {
    Good(Box<Good>),
    Failed(Box<Verdict>),
}

/// An answer that the caller may have.
pub(super) struct Good {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
}

fn good(status: StatusCode, headers: HeaderMap, content: Content) -> Judged {
    Judged::Good(Box::new(Good { status, headers, content }))
}

fn failed(verdict: Verdict) -> Judged {
    Judged::Failed(Box::new(verdict))
}

pub(super) async fn judge(
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
                return failed(verdict::of_bad_answer("upstream_bad_body", message));
            }
        },
    };
    if !status.is_success() {
        return failed(error_answer(request, credential, status, headers, body).await);
    }
    let endpoint = request.ingress.endpoint;
    let kind = content_type(&headers).unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with("text/html") {
        let message =
            format!("upstream answered with a web page instead of an API's answer (status {status})");
        return failed(verdict::of_bad_answer("upstream_bad_content_type", message));
    }
    let array = endpoint == Endpoint::GeminiStream && is_json(&kind) && is_array(&mut body).await;
    if array || endpoint == Endpoint::AudioSpeech {
        return not_empty(status, headers, body).await;
    }
    if request.streaming() && !is_json(&kind) {
        return match held_back(request, &mut body).await {
            Ok(()) => good(status, headers, Content::Stream(body)),
            Err(Early::Error(error)) => failed(error_in_success(request, credential, error)),
            Err(Early::Verdict(verdict)) => Judged::Failed(verdict),
        };
    }
    match whole(body).await {
        Err(verdict) => failed(verdict),
        Ok((Content::Whole(bytes), _)) if bytes.is_empty() && !may_be_empty(endpoint) => {
            failed(verdict::of_empty_answer("it was empty"))
        }
        Ok((content, head)) => match worthless(endpoint, &kind, &head) {
            Some(error) => {
                tracing::debug!(request.id = %settlement.record().request_id, kind = error.kind, "an error came as a success");
                failed(error_in_success(request, credential, error))
            }
            None => good(status, headers, content),
        },
    }
}

/// What makes a whole body of a success status no answer.
fn worthless(endpoint: Endpoint, kind: &str, body: &[u8]) -> Option<UpstreamError> {
    if body.is_empty() || !is_json(kind) {
        return None;
    }
    protocol::error::looks_failed(endpoint, body)
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

/// A stream whose content cannot be told apart: one byte is enough (U13).
async fn not_empty(status: StatusCode, headers: HeaderMap, mut body: AnswerBody) -> Judged {
    match body.piece().await {
        Some(Ok(piece)) => {
            body.put_back(piece);
            good(status, headers, Content::Stream(body))
        }
        Some(Err(error)) => failed(verdict::of_empty_answer(&error.to_string())),
        None => failed(verdict::of_empty_answer("the stream was empty")),
    }
}

/// Why a stream is not opened.
enum Early {
    /// An error event came before any content.
    Error(UpstreamError),
    Verdict(Box<Verdict>),
}

/// Holds the beginning of a stream back until its first content (U14, U39), for a time and up to a size; what was
/// read is put back in front.
async fn held_back(request: &Request, body: &mut AnswerBody) -> Result<(), Early> {
    let ended = |why: &str| Early::Verdict(Box::new(verdict::of_empty_answer(why)));
    let patience = u64::from(request.snapshot.settings.routing_gate_ms);
    let until = Instant::now() + Duration::from_millis(patience);
    let mut gate = Gate::new(request.ingress.endpoint, true);
    let mut held: Option<Bytes> = None;
    loop {
        let piece = match &held {
            // The first piece has the whole of the first-byte deadline.
            None => body.piece().await,
            Some(_) => match tokio::time::timeout_at(until, body.piece()).await {
                Ok(piece) => piece,
                Err(_) => break,
            },
        };
        let opening = match piece {
            Some(Ok(piece)) => {
                let opening = gate.feed(&piece);
                held = Some(match held.take() {
                    None => piece,
                    Some(before) => {
                        let mut joined = BytesMut::with_capacity(before.len() + piece.len());
                        joined.extend_from_slice(&before);
                        joined.extend_from_slice(&piece);
                        joined.freeze()
                    }
                });
                opening
            }
            Some(Err(error)) => return Err(ended(&error.to_string())),
            None => match gate.finish() {
                Opening::Hold => return Err(ended("the stream was empty")),
                Opening::Content => break,
                other => other,
            },
        };
        match opening {
            Opening::Content => break,
            Opening::Hold if patience == 0 || held.as_ref().is_some_and(|held| held.len() > HELD) => break,
            Opening::Hold => {}
            Opening::Failed(error) => return Err(Early::Error(error)),
            Opening::Malformed("empty" | "cut") => {
                return Err(ended("the stream ended before its first content"));
            }
            Opening::Malformed("html") => {
                let message = "upstream answered with a web page instead of an API's answer".to_owned();
                let verdict = verdict::of_bad_answer("upstream_bad_content_type", message);
                return Err(Early::Verdict(Box::new(verdict)));
            }
            Opening::Malformed(what) => {
                let message = format!("upstream sent no stream of this dialect ({what})");
                let verdict = verdict::of_bad_answer("upstream_bad_answer", message);
                return Err(Early::Verdict(Box::new(verdict)));
            }
        }
    }
    if let Some(held) = held {
        body.put_back(held);
    }
    Ok(())
}

/// A success status with an error inside (U11, U39): judged by what the vendor calls it.
fn error_in_success(request: &Request, credential: &Credential, error: UpstreamError) -> Verdict {
    if matches!(error.kind.as_str(), "empty_answer" | "bad_json") {
        return verdict::of_empty_answer(&error.message);
    }
    let class = routing::failure::of_status(200, &error.kind, &error.message);
    let status = match class {
        FailureClass::Auth => 401,
        FailureClass::Quota => 402,
        FailureClass::NotFound => 404,
        FailureClass::RateLimit => 429,
        FailureClass::Overload => 503,
        FailureClass::Client => 400,
        _ => 500,
    };
    let hint = Hint { delay_ms: error.retry_after_ms, ..Hint::default() };
    classed(request, credential, status, class, error, hint)
}

/// An error status with its body.
async fn error_answer(
    request: &Request,
    credential: &Credential,
    status: StatusCode,
    headers: HeaderMap,
    mut body: AnswerBody,
) -> Verdict {
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
    let known = parsed.is_some();
    let error = parsed.unwrap_or_else(|| UpstreamError {
        message: String::new(),
        kind: String::new(),
        code: None,
        retry_after_ms: None,
    });
    let kind = error.code.as_deref().filter(|code| is_word(code)).unwrap_or(&error.kind);
    let mut class = routing::failure::of_status(status.as_u16(), &error.kind, &error.message);
    if class == routing::failure::of_status(status.as_u16(), "", "") {
        // The finer code may know more than the type; it never says less.
        class = routing::failure::of_status(status.as_u16(), kind, &error.message);
    }
    let content_type = headers.get(http::header::CONTENT_TYPE).cloned();
    let hint = Hint { delay_ms: error.retry_after_ms, headers, rule_s: None };
    let mut verdict = classed(request, credential, status.as_u16(), class, error, hint);
    let about_request = matches!(verdict.class, FailureClass::Client | FailureClass::NotFound);
    if let Some(content_type) =
        content_type.filter(|_| about_request && known && !verdict.is_overridden && bytes.len() < ERROR_BODY)
    {
        verdict.passed = Some(Box::new(Passed { status, content_type, body: bytes }));
    }
    verdict
}

fn is_word(code: &str) -> bool {
    !code.is_empty() && !code.bytes().all(|byte| byte.is_ascii_digit())
}

/// The verdict on an upstream's own error, by the administrator's rules first.
fn classed(
    request: &Request,
    credential: &Credential,
    status: u16,
    class: FailureClass,
    error: UpstreamError,
    mut hint: Hint,
) -> Verdict {
    let rule = request.snapshot.rules.find(status, &error.kind, &error.message);
    let class = rule.map_or(class, |rule| rule.class);
    let rectifier = protocol::rectify::asked_for(request.ingress.endpoint, status, &error);
    let said = echo::cleaned(error.message, credential);
    let said = if said.is_empty() { format!("HTTP {status}") } else { said };
    let now = request.ingress.received.at;
    let asked = routing::cooldown::retry_after(&hint.headers, now)
        .or_else(|| hint.delay_ms.and_then(|ms| i64::try_from(ms).ok()))
        .and_then(|ms| u64::try_from(ms).ok())
        .map(|ms| ms.div_ceil(1_000).clamp(1, 3_600));
    hint.rule_s = rule.and_then(|rule| rule.cooldown_s);
    let mut verdict = verdict::of_status(status, class, &said, asked);
    verdict.hint = hint;
    verdict.rectifier = rectifier;
    if let Some(rule) = rule {
        if let Some(status) = rule.answer_status {
            verdict.refusal.status = status;
            verdict.is_overridden = true;
        }
        if let Some(message) = &rule.answer_message {
            verdict.refusal.message.clone_from(message);
            verdict.is_overridden = true;
        }
    }
    verdict
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

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json")
}
