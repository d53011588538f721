//! An administrator's questions to an upstream: does it answer, and which models does it have?

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use types::Timestamp;
use types::dialect::{Dialect, Endpoint};
use types::provider::{ProviderKind, ProviderTest};
use types::request::{Attempt, AttemptOutcome, Outcome, RequestRecord};

use super::listing::ask_list;
use super::{Answer, Call, SendError, Upstreams, prepare};
use crate::authenticate::{Presented, Unpresentable};
use crate::snapshot::{Credential, Provider};

/// Most of an answer that is looked at.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// How a request of the house is booked.
#[derive(Clone, Copy)]
pub(crate) struct Books<'a> {
    pub(crate) ledger: &'a ledger::Ledger,
    pub(crate) now: Timestamp,
    /// Puts the cost on a record that ended well.
    pub(crate) price: &'a (dyn Fn(&mut RequestRecord) + Send + Sync),
}

impl std::fmt::Debug for Books<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Books").field("now", &self.now).finish_non_exhaustive()
    }
}

/// Sends a request of one token (with a model) or fetches the model list (without) and judges the answer.
///
/// A request with a model costs money, so it is booked like any other, on no user.
pub(crate) async fn test_provider(
    upstreams: &Upstreams,
    books: Books<'_>,
    timeout_ms: u64,
    provider: &Provider,
    credential: &Arc<Credential>,
    model: Option<String>,
) -> ProviderTest {
    let started = Instant::now();
    let timeout = Duration::from_millis(timeout_ms);
    let asked = async {
        match &model {
            None => {
                ask_list(upstreams, books.now, provider, credential, None).await.map(|(status, _)| status)
            }
            Some(model) => ask_model(upstreams, books, provider, credential, model).await,
        }
    };
    let result = tokio::time::timeout(timeout, asked)
        .await
        .unwrap_or_else(|_| Err((None, format!("no answer within {timeout_ms} ms"))));
    let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (ok, status, error) = match result {
        Ok(status) => (true, Some(status), None),
        Err((status, message)) => (false, status, Some(message)),
    };
    ProviderTest { ok, status, latency_ms, model, error }
}

pub(super) type Failure = (Option<u16>, String);

async fn ask_model(
    upstreams: &Upstreams,
    books: Books<'_>,
    provider: &Provider,
    credential: &Credential,
    model: &str,
) -> Result<u16, Failure> {
    let presented = present(credential, books.now)?;
    let spec = &provider.spec;
    let sent_as = provider.upstream_model(model);
    let (endpoint, body) = smallest_request(spec.kind, sent_as);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let call =
        Call::Endpoint { endpoint, model: sent_as, gemini_version: "v1beta", query: None, stream: false };
    let request = prepare(
        spec.kind,
        spec.base_url.as_str(),
        &presented,
        &call,
        &headers,
        Bytes::from(body.to_string()),
    )
    .map_err(|error| (None, error.to_string()))?;
    let started = Instant::now();
    let mut reservation = books
        .ledger
        .admit(house_record(books.now, endpoint, provider, credential, model, sent_as))
        .map_err(|error| (None, format!("the test could not be booked: {error}")))?;
    let strict = books.ledger.is_strict();
    let sent = match Upstreams::book(&mut reservation, strict, request) {
        Ok(booked) => upstreams.send(booked, provider, &credential.proxy).await,
        Err(error) => Err(error),
    };
    let result = match sent {
        Ok(answer) => {
            let status = answer.status.as_u16();
            reservation.record_mut().status_code = status;
            judge_metered(endpoint, answer, reservation.record_mut()).await.map(|()| status)
        }
        Err(error) => Err(explain(&error)),
    };
    let record = reservation.record_mut();
    record.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if let Some(attempt) = record.attempts.first_mut() {
        attempt.duration_ms = record.duration_ms;
        attempt.status_code = result.as_ref().map_or_else(|(status, _)| *status, |status| Some(*status));
        attempt.outcome = if result.is_ok() { AttemptOutcome::Done } else { AttemptOutcome::UpstreamError };
        attempt.reason = result.as_ref().err().map(|(_, message)| message.clone());
    }
    match &result {
        Ok(_) => {
            record.outcome = Outcome::Ok;
            (books.price)(record);
        }
        Err((_, message)) => {
            record.outcome = Outcome::Failed;
            record.error_code = Some("provider_test_failed".into());
            record.error_message = Some(message.clone());
        }
    }
    reservation.settle().map_err(|error| (None, format!("the test could not be booked: {error}")))?;
    result
}

fn house_record(
    now: Timestamp,
    endpoint: Endpoint,
    provider: &Provider,
    credential: &Credential,
    model: &str,
    sent_as: &str,
) -> RequestRecord {
    let mut record = RequestRecord::blank(crate::clock::new_request_id(), endpoint, now);
    record.provider_id = Some(provider.id);
    record.credential_id = Some(credential.id);
    record.upstream_dialect = Some(endpoint.dialect());
    record.model = Some(model.to_owned());
    record.upstream_model = Some(sent_as.to_owned());
    record.user_agent = Some("tollgate provider test".into());
    record
        .attempts
        .push(Attempt::begun((provider.id, &provider.spec.name), (credential.id, &credential.spec.name)));
    record
}

fn smallest_request(kind: ProviderKind, model: &str) -> (Endpoint, Value) {
    if kind.dialect_of(model) == Some(Dialect::Anthropic) {
        return smallest_request(ProviderKind::Anthropic, model);
    }
    match kind {
        ProviderKind::Anthropic | ProviderKind::Bedrock => (
            Endpoint::Messages,
            json!({"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}),
        ),
        ProviderKind::Gemini | ProviderKind::Vertex => (
            Endpoint::GeminiGenerate,
            json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 1}}),
        ),
        // Newer OpenAI models refuse `max_tokens`; nothing else takes it amiss that the answer is not capped.
        ProviderKind::OpenAi | ProviderKind::AzureOpenAi => (
            Endpoint::ChatCompletions,
            json!({"model": model, "max_completion_tokens": 16, "messages": [{"role": "user", "content": "Hi"}]}),
        ),
        ProviderKind::OpenAiCompatible => (
            Endpoint::ChatCompletions,
            json!({"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}),
        ),
    }
}

pub(super) fn dialect(kind: ProviderKind) -> Dialect {
    match kind {
        ProviderKind::Anthropic | ProviderKind::Bedrock => Dialect::Anthropic,
        ProviderKind::Gemini | ProviderKind::Vertex => Dialect::Gemini,
        ProviderKind::OpenAi | ProviderKind::OpenAiCompatible | ProviderKind::AzureOpenAi => {
            Dialect::OpenAiChat
        }
    }
}

async fn judge_metered(
    endpoint: Endpoint,
    answer: Answer,
    record: &mut RequestRecord,
) -> Result<(), Failure> {
    let status = answer.status;
    let body = read(answer).await?;
    if status.is_success() {
        let mut meter = protocol::meter::Meter::new(endpoint, false);
        meter.feed(&body);
        record.set_usage(meter.finish().usage);
    }
    judge_body(endpoint.dialect(), status, &body).map(|_| ())
}

pub(super) async fn judge(dialect: Dialect, answer: Answer) -> Result<Value, Failure> {
    let status = answer.status;
    let body = read(answer).await?;
    judge_body(dialect, status, &body)
}

fn judge_body(dialect: Dialect, status: http::StatusCode, body: &[u8]) -> Result<Value, Failure> {
    let code = Some(status.as_u16());
    if status.is_success() {
        let hint = "is the address right, and is it an API and not a web page?";
        let value = serde_json::from_slice::<Value>(body)
            .map_err(|_| (code, format!("the answer is no JSON; {hint}")))?;
        return match protocol::error::parse_upstream(dialect, body) {
            Some(error) => Err((code, format!("upstream: {}", error.message))),
            None => Ok(value),
        };
    }
    let said = protocol::error::parse_upstream(dialect, body).map(|error| error.message);
    let said = said.unwrap_or_else(|| format!("HTTP {status}"));
    let remedy = match status.as_u16() {
        401 | 403 => "; check the API key of this credential",
        404 => "; check the base address and the model name",
        429 => "; the upstream limits this account right now",
        300..=399 => "; redirects are not followed, enter the final address",
        _ => "",
    };
    Err((code, format!("upstream: {said}{remedy}")))
}

pub(super) async fn read(mut answer: Answer) -> Result<BytesMut, Failure> {
    let code = Some(answer.status.as_u16());
    let broken = |error: std::io::Error| (code, format!("the answer broke off: {error}"));
    let mut all = BytesMut::new();
    if let Some(first) = answer.body.piece().await {
        let first = first.map_err(broken)?;
        let mut body =
            answer.body.decoded(&mut answer.headers, first).map_err(|error| (code, error.to_string()))?;
        while let Some(piece) = body.piece().await {
            all.extend_from_slice(&piece.map_err(broken)?);
            if all.len() > MAX_ANSWER {
                return Err((code, "the answer is larger than 8 MiB".into()));
            }
        }
    }
    Ok(all)
}

pub(super) fn present(credential: &Credential, now: Timestamp) -> Result<Presented<'_>, Failure> {
    credential.presented(now).map_err(|fault| {
        let message = match fault {
            Unpresentable::Unreadable => {
                "this credential cannot be decrypted; enter its API key again".to_owned()
            }
            other => other.to_string(),
        };
        (None, message)
    })
}

pub(super) fn explain(error: &SendError) -> Failure {
    (None, error.to_string())
}
