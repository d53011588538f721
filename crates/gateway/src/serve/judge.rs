//! What an answer is worth: the head and the beginning of the body, looked at before the caller gets a byte.
//!
//! Whole answers are read whole, streams until their first content, so that a fault in them can still become
//! another attempt or a clean error.

mod failure;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use protocol::error::UpstreamError;
use protocol::gate::{Gate, Opening};
use tokio::time::{Duration, Instant};
use types::RequestId;
use types::dialect::Endpoint;

use super::Request;
use super::attempt::{Content, content_type};
use super::signs::Signs;
use super::translation::Translated;
use super::verdict::{self, Verdict};
use crate::snapshot::Credential;
use crate::upstream::{Answer, AnswerBody};

/// Answers up to this size are read whole before the caller gets a byte.
const WHOLE_ANSWER: usize = 8 * 1024 * 1024;
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
    id: RequestId,
    request: &Request,
    (credential, translated): (&Credential, Option<&Translated>),
    answer: Answer,
    first: Option<Bytes>,
    signs: &Signs,
) -> Judged {
    let endpoint = translated.map_or(request.ingress.endpoint, |translated| translated.endpoint);
    let asked = Asked { request, credential, endpoint, signs };
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
        return failed(asked.error_answer(status, headers, body).await);
    }
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
        return match asked.held_back(&mut body).await {
            Ok(()) => good(status, headers, Content::Stream(body)),
            Err(Early::Error(error)) => failed(asked.error_in_success(error)),
            Err(Early::Verdict(verdict)) => Judged::Failed(verdict),
        };
    }
    match asked.whole(body).await {
        Err(verdict) => failed(verdict),
        Ok((Content::Whole(bytes), _)) if bytes.is_empty() && !may_be_empty(endpoint) => {
            failed(verdict::of_empty_answer("it was empty"))
        }
        Ok((content, head)) => match worthless(endpoint, &kind, &head) {
            Some(error) => {
                tracing::debug!(request.id = %id, kind = error.kind, "an error came as a success");
                failed(asked.error_in_success(error))
            }
            None => match translated {
                Some(translated) => in_callers_dialect(translated, status, headers, content),
                None => good(status, headers, content),
            },
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

/// What was asked of an upstream, as its answer is judged by it.
#[derive(Clone, Copy)]
struct Asked<'a> {
    request: &'a Request,
    credential: &'a Credential,
    /// In its own dialect.
    endpoint: Endpoint,
    /// For what the answer tells before it is judged.
    signs: &'a Signs,
}

impl Asked<'_> {
    /// Holds the beginning of a stream back until its first content (U14, U39), for a time and up to a size; what was
    /// read is put back in front.
    async fn held_back(&self, body: &mut AnswerBody) -> Result<(), Early> {
        let ended = |why: &str| Early::Verdict(Box::new(verdict::of_empty_answer(why)));
        let patience = u64::from(self.request.snapshot.settings.routing_gate_ms);
        let until = Instant::now() + Duration::from_millis(patience);
        let mut gate = Gate::new(self.endpoint, true);
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
                    self.signs.hear(self.endpoint, true, &piece);
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
                Opening::Hold if patience == 0 || held.as_ref().is_some_and(|held| held.len() > HELD) => {
                    break;
                }
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
    /// Reads a body whole; if it is larger than the bound, what was read becomes the beginning of a stream.
    /// The second value is what was read, for a look inside.
    async fn whole(&self, mut body: AnswerBody) -> Result<(Content, Bytes), Verdict> {
        let Some(first) = self.piece(&mut body).await? else {
            return Ok((Content::Whole(Bytes::new()), Bytes::new()));
        };
        let Some(second) = self.piece(&mut body).await? else {
            return Ok((Content::Whole(first.clone()), first));
        };
        let mut all = BytesMut::with_capacity(first.len() + second.len());
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(piece) = self.piece(&mut body).await? {
            all.extend_from_slice(&piece);
            if all.len() > WHOLE_ANSWER {
                body.put_back(all.freeze());
                return Ok((Content::Stream(body), Bytes::new()));
            }
        }
        let all = all.freeze();
        Ok((Content::Whole(all.clone()), all))
    }

    async fn piece(&self, body: &mut AnswerBody) -> Result<Option<Bytes>, Verdict> {
        let piece = body.piece().await.transpose();
        let piece = piece.map_err(|error| verdict::of_empty_answer(&error.to_string()))?;
        if let Some(piece) = &piece {
            self.signs.hear(self.endpoint, false, piece);
        }
        Ok(piece)
    }
}

/// A whole answer of another dialect becomes the caller's while another attempt is still possible.
fn in_callers_dialect(
    translated: &Translated,
    status: StatusCode,
    headers: HeaderMap,
    content: Content,
) -> Judged {
    let Content::Whole(bytes) = content else {
        let message = "the upstream's answer is larger than 8 MiB and cannot be translated".to_owned();
        return failed(verdict::of_bad_answer("upstream_bad_answer", message));
    };
    match translated.answer(&bytes) {
        Ok(answer) => good(status, headers, Content::Translated(bytes, answer)),
        Err(fault) => {
            let message = format!("the upstream's answer cannot be translated: {fault}");
            failed(verdict::of_bad_answer("upstream_bad_answer", message))
        }
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json")
}
