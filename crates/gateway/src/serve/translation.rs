//! Requests for upstreams that speak another dialect: read once, written for each upstream, and the way back.
//!
//! What translating means is `protocol`'s business; here stands when it happens, what it costs a strict caller,
//! and what is written down of it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, StatusCode};
use protocol::neutral;
use protocol::translate::{self, Back, Call, Fault, Framing, Target, embeddings};
use serde_json::Value;
use types::dialect::{Dialect, Endpoint};
use types::translation::{LossNote, TranslationMode, TranslationNote, endpoint_in};

use super::Request;
use crate::core::Core;
use crate::error::Refusal;
use crate::snapshot::ApiKey;

/// The header by which a caller asks for less than its key allows.
pub(super) const MODE: &str = "x-tollgate-translation";
/// The header that lists what was lost.
const DROPPED: HeaderName = HeaderName::from_static("x-tollgate-dropped");
/// The header that names what the upstream speaks.
const UPSTREAM: HeaderName = HeaderName::from_static("x-tollgate-upstream-dialect");
/// The header that says that the model wrote a summary because its vendor compacts nothing.
const COMPACTED: HeaderName = HeaderName::from_static("x-tollgate-compacted");
/// Most bytes of the list in the header; the record has all of it.
const MAX_DROPPED: usize = 1024;
/// Longest body that is translated, in bytes: the most that Anthropic takes. A tree takes several times as much memory
/// as its text.
const LONGEST: usize = 32 << 20;
/// Headers of the caller that mean the same in every dialect.
const PASSED: [&str; 3] = ["traceparent", "tracestate", "x-client-request-id"];

/// The stricter of what the key and the request's header say.
pub(super) fn mode(key: &ApiKey, headers: &HeaderMap) -> Result<TranslationMode, Refusal> {
    let own = key.spec.translation;
    let Some(value) = headers.get(MODE) else { return Ok(own) };
    let asked: TranslationMode = value
        .to_str()
        .unwrap_or_default()
        .trim()
        .parse()
        .map_err(|error| Refusal::bad_request(format!("header {MODE}: {error}")).with("field", MODE))?;
    Ok(own.max(asked))
}

/// A request in the neutral form, read when it is first needed and then kept for further attempts.
#[derive(Debug, Default)]
pub(super) struct Reading(OnceLock<Result<Arc<neutral::Request>, Fault>>);

impl Reading {
    fn of(&self, request: &Request) -> Result<Arc<neutral::Request>, Fault> {
        let read = || {
            let ingress = &request.ingress;
            let call = Call {
                model: ingress.path_model.as_deref(),
                stream: (ingress.endpoint.dialect() == Dialect::Gemini).then(|| request.streaming()),
            };
            let mut read = translate::read_request(ingress.endpoint.dialect(), &ingress.body, call)?;
            if ingress.endpoint == Endpoint::ResponsesCompact {
                if read.stream {
                    return Err(Fault::field("stream", NO_STREAM));
                }
                read.compact.get_or_insert_with(|| "input".to_owned());
            }
            Ok(Arc::new(read))
        };
        self.0.get_or_init(read).clone()
    }
}

/// A request as an upstream of another dialect gets it.
#[derive(Clone, Debug)]
pub(super) struct Translated {
    /// What the upstream is asked for.
    pub(super) endpoint: Endpoint,
    pub(super) body: Bytes,
    /// What was lost, for the record and the caller.
    pub(super) note: TranslationNote,
    way_back: WayBack,
}

/// How an answer becomes the caller's.
#[derive(Clone, Debug)]
enum WayBack {
    /// What a model said.
    Said(Arc<Back>, Framing),
    /// A model's summary, with what else stays of the conversation.
    Compacted(Arc<Back>, Arc<Vec<Value>>),
    /// A number of tokens: from whose counter, and for whom.
    Counted(Dialect, Dialect),
    /// Vectors, with the caller's name of the model.
    Vectors(embeddings::Form, String),
}

/// Writes a request for an upstream.
///
/// # Errors
/// What the caller is told: its body cannot be understood, or it is strict and something would be lost.
pub(super) fn write(
    core: &Core,
    request: &Request,
    dialect: Dialect,
    model: &str,
    max_output: u64,
) -> Result<Translated, Refusal> {
    if request.ingress.body.len() > LONGEST {
        return Err(too_long());
    }
    let target = Target { dialect, model, max_output: Some(max_output) };
    if matches!(request.ingress.endpoint, Endpoint::Responses | Endpoint::ResponsesCompact)
        && let Ok(read) = request.reading.of(request)
        && let Some(id) = &read.previous
    {
        return Err(super::continued::unknown(id));
    }
    let (body, losses, way_back) = match request.ingress.endpoint {
        Endpoint::CountTokens | Endpoint::GeminiCountTokens => count(request, target),
        Endpoint::Embeddings | Endpoint::GeminiEmbed | Endpoint::GeminiBatchEmbed => vectors(request, model),
        _ => turn(core, request, target),
    }
    .map_err(|fault| refusal_of(&fault))?;
    if request.translation == TranslationMode::Strict
        && let Some(loss) = losses.first_meaning()
    {
        return Err(would_lose(dialect, &loss.field, loss.what));
    }
    let note = TranslationNote {
        dialect,
        losses: losses
            .kept()
            .iter()
            .map(|loss| LossNote {
                field: loss.field.clone(),
                what: loss.what.to_owned(),
                meaning: loss.weight == neutral::Weight::Meaning,
            })
            .collect(),
        more: losses.more(),
    };
    let endpoint = endpoint_in(dialect, request.ingress.endpoint, request.streaming());
    Ok(Translated { endpoint, body: body.into(), note, way_back })
}

/// A compacted conversation is no stream.
const NO_STREAM: &str = "must be false: a compacted conversation comes whole";
/// Whose model cannot count.
const FIELD: &str = "model";

type Asked = (Vec<u8>, neutral::Losses, WayBack);

/// Something for a model to answer.
fn turn(core: &Core, request: &Request, target: Target<'_>) -> Result<Asked, Fault> {
    let ingress = &request.ingress;
    let read = request.reading.of(request)?;
    let written = translate::write_request(&read, target);
    let sealer = read.compact.is_some().then(|| super::compaction::sealer(core, request.key.user.id));
    let back = Back {
        request: read,
        upstream: target.dialect,
        names: written.names,
        ids: ingress.request_id.to_string().replace('-', ""),
        created: ingress.received.at.0.div_euclid(1_000),
        sealer,
    };
    if ingress.endpoint == Endpoint::ResponsesCompact {
        let kept = Arc::new(translate::compaction::kept_of(&ingress.body));
        return Ok((written.body, written.losses, WayBack::Compacted(Arc::new(back), kept)));
    }
    let array = ingress.endpoint == Endpoint::GeminiStream && !asks_for_events(ingress.query.as_deref());
    let framing = if array { Framing::Array } else { Framing::Events };
    Ok((written.body, written.losses, WayBack::Said(Arc::new(back), framing)))
}

/// Something for a vendor to count.
fn count(request: &Request, target: Target<'_>) -> Result<Asked, Fault> {
    let (own, ingress) = (request.ingress.endpoint.dialect(), &request.ingress);
    let call = Call { model: ingress.path_model.as_deref(), stream: Some(false) };
    let none = || Fault::field(FIELD, "is served by nobody who counts tokens");
    let asked = translate::count::request(own, &ingress.body, call, target)?.ok_or_else(none)?;
    Ok((asked.body, asked.losses, WayBack::Counted(target.dialect, own)))
}

/// Texts for a vendor to turn into vectors.
fn vectors(request: &Request, model: &str) -> Result<Asked, Fault> {
    let (endpoint, body) = (request.ingress.endpoint, &request.ingress.body);
    let asked = match endpoint {
        Endpoint::Embeddings => embeddings::to_gemini(body, model)?,
        _ => embeddings::to_openai(body, endpoint == Endpoint::GeminiBatchEmbed, model)?,
    };
    let name = request.model().unwrap_or_default().to_owned();
    Ok((asked.body, asked.losses, WayBack::Vectors(asked.form, name)))
}

/// Gemini's streams are events only for those who say so.
fn asks_for_events(query: Option<&str>) -> bool {
    query.is_some_and(|query| query.split('&').any(|pair| pair.eq_ignore_ascii_case("alt=sse")))
}

pub(super) fn refusal_of(fault: &Fault) -> Refusal {
    let refusal = Refusal::bad_request(fault.to_string());
    match fault.at() {
        Some(field) => refusal.with("field", field),
        None => refusal,
    }
}

fn too_long() -> Refusal {
    let message = format!(
        "the request body is larger than {LONGEST} bytes, the most that is translated for a model of another dialect; \
         send less, such as smaller images"
    );
    Refusal::new(413, "payload_too_large", message).with("field", "body")
}

fn would_lose(dialect: Dialect, field: &str, what: &str) -> Refusal {
    let message = format!(
        "translation would lose something: '{field}' {what} ({dialect}); leave it out, choose a model that speaks \
         this dialect, or allow lossy translation"
    );
    Refusal::new(400, "translation_would_lose", message).with("field", field)
}

impl Translated {
    /// The query that the upstream's endpoint needs.
    pub(super) fn query(&self) -> Option<&'static str> {
        (self.endpoint == Endpoint::GeminiStream).then_some("alt=sse")
    }

    /// The caller's headers that make sense to another vendor.
    pub(super) fn headers(caller: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(6);
        for name in PASSED {
            if let Some(value) = caller.get(name) {
                headers.insert(HeaderName::from_static(name), value.clone());
            }
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("tollgate/", env!("CARGO_PKG_VERSION"))));
        headers
    }

    /// A whole answer in the caller's dialect; as a stream if that was asked for.
    pub(super) fn answer(&self, body: &[u8]) -> Result<Bytes, Fault> {
        let (back, framing) = match &self.way_back {
            WayBack::Said(back, framing) => (back, *framing),
            WayBack::Compacted(back, kept) => {
                let answer = translate::read_answer(back, body)?;
                return Ok(translate::compaction::write(&answer, back, kept.to_vec())?.into());
            }
            WayBack::Counted(from, to) => {
                let tokens = translate::count::counted(*from, body)?;
                return Ok(translate::count::answer(*to, tokens).into());
            }
            WayBack::Vectors(form, model) => return Ok(embeddings::answer(body, *form, model)?.into()),
        };
        let answer = translate::read_answer(back, body)?;
        if !back.request.stream {
            return Ok(translate::write_answer(&answer, back).into());
        }
        let mut out = Vec::new();
        translate::write_events(answer, back, framing, &mut out);
        Ok(out.into())
    }

    /// The way back of a stream; `None` for what is never streamed.
    pub(super) fn stream(&self) -> Option<translate::Stream> {
        match &self.way_back {
            WayBack::Said(back, framing) => Some(translate::Stream::framed(back.clone(), *framing)),
            WayBack::Compacted(..) | WayBack::Counted(..) | WayBack::Vectors(..) => None,
        }
    }

    /// The media type of what the caller gets.
    pub(super) fn content_type(&self) -> HeaderValue {
        let events = matches!(&self.way_back, WayBack::Said(back, Framing::Events) if back.request.stream);
        HeaderValue::from_static(if events { "text/event-stream; charset=utf-8" } else { "application/json" })
    }

    /// Says in the reply's headers what was lost.
    pub(super) fn describe(&self, headers: &mut HeaderMap) {
        headers.insert(UPSTREAM, HeaderValue::from_static(self.note.dialect.as_str()));
        if let WayBack::Said(back, _) | WayBack::Compacted(back, _) = &self.way_back
            && back.request.compact.is_some()
        {
            headers.insert(COMPACTED, HeaderValue::from_static("by-the-model"));
        }
        let mut list = String::new();
        for loss in &self.note.losses {
            let shown: String =
                loss.field.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect();
            if list.len() + shown.len() > MAX_DROPPED {
                list.push_str(", …");
                break;
            }
            if !list.is_empty() {
                list.push_str(", ");
            }
            list.push_str(&shown);
        }
        if let Ok(value) = HeaderValue::from_str(&list.replace('…', "..."))
            && !list.is_empty()
        {
            headers.insert(DROPPED, value);
        }
    }

    /// The upstream's refusal of the request, in the caller's dialect.
    pub(super) fn refusal(request: &Request, status: StatusCode, said: &str) -> (HeaderValue, Bytes) {
        let body = protocol::error::render(
            request.ingress.endpoint.dialect(),
            &protocol::error::ErrorBody {
                status: status.as_u16(),
                code: "upstream_rejected",
                message: said,
                request_id: &super::shown_id(&request.ingress),
                details: None,
            },
        );
        (HeaderValue::from_static("application/json"), body.into())
    }
}
