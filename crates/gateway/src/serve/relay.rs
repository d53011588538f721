//! From the upstream to the caller: pieces pass as they come, the meter listens, and whoever ends first settles.
//!
//! The body *is* the pump: the caller's connection polls it, it polls the upstream. A slow caller thus slows the
//! upstream without a queue between them, and a caller that leaves drops the body, which cancels the request
//! upstream and settles on the spot.

mod farewell;
mod left;
mod patience;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use protocol::meter::Meter;
use tokio_util::sync::WaitForCancellationFutureOwned;
use types::dialect::Endpoint;
use types::request::{AttemptOutcome, Outcome};

use super::attempt::{Content, Opened};
use super::body::{BrokenOff, ReplyBody};
use super::continued::Keep;
use super::echo;
use super::holdback::Holdback;
use super::kept::Listener;
use super::settle::Settlement;
use super::translation::Translated;
use super::trial::Trial;
use super::verdict;
use super::{Reply, Request};
use crate::core::Core;
use crate::credential::Lease;
use crate::error::Refusal;
use crate::keepers::Keeper;
use crate::metrics::GaugeGuard;
use crate::upstream::AnswerBody;
use farewell::cut_off;
use patience::Patience;

/// Headers of an upstream's answer that its caller may see. Its limits are those of a shared account, its cookies
/// and server names nobody's business.
const PASSED: [HeaderName; 5] = [
    CONTENT_TYPE,
    CONTENT_DISPOSITION,
    HeaderName::from_static("x-should-retry"),
    HeaderName::from_static("openai-processing-ms"),
    HeaderName::from_static("openai-version"),
];

/// Turns an opened answer into the reply.
pub(super) fn reply(
    core: &Arc<Core>,
    mut settlement: Settlement,
    request: &Request,
    opened: Opened,
) -> Reply {
    let Opened { status, headers: upstream_headers, content, lease, credential, trial, translated, idle } =
        opened;
    let endpoint = translated.as_ref().map_or(request.ingress.endpoint, |translated| translated.endpoint);
    let streaming = request.streaming();
    let keep = translated.is_some().then(|| Keep::of(core, request)).flatten();
    let mut headers = HeaderMap::with_capacity(4);
    let passed = if translated.is_some() { &[] } else { &PASSED[..] };
    for name in passed {
        if let Some(value) = upstream_headers.get(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
    if let Some(translated) = &translated {
        headers.insert(CONTENT_TYPE, translated.content_type());
        translated.describe(&mut headers);
    }
    settlement.record_mut().status_code = status.as_u16();
    let provider = settlement.record().provider_id.filter(|_| translated.is_none());
    let keeper = provider.map(|provider| Keeper { provider, credential: credential.id });
    let listener = keeper.and_then(|keeper| Listener::of(core, request, keeper));
    let body = match content {
        Content::Whole(_) | Content::Translated(..) => {
            let (bytes, shown) = match content {
                Content::Translated(bytes, shown) => (bytes, shown),
                Content::Whole(bytes) => (bytes.clone(), bytes),
                Content::Stream(_) => (Bytes::new(), Bytes::new()),
            };
            if let Some(keep) = keep
                && let Ok(response) = serde_json::from_slice(&shown)
            {
                keep.keep(&response);
            }
            if let Some(listener) = listener {
                listener.whole(&bytes);
            }
            let mut meter = Meter::new(endpoint, false);
            meter.feed(&bytes);
            settlement.meter(&meter.finish(), true);
            settlement.close_attempt(AttemptOutcome::Done, None);
            settlement.finish(Outcome::Ok, status.as_u16(), shown.len());
            if let Some(trial) = trial {
                trial.succeeded();
            }
            drop(lease);
            ReplyBody::whole(shown)
        }
        Content::Stream(body) => {
            let sse = is_sse(if translated.is_some() { &headers } else { &upstream_headers });
            if sse {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                // nginx would otherwise collect a stream into its buffers.
                headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
            }
            ReplyBody::relay(Relay {
                body,
                meter: Some(Meter::new(endpoint, streaming)),
                settlement: Some(settlement),
                endpoint: request.ingress.endpoint,
                translation: translated.as_ref().and_then(Translated::stream).map(Box::new),
                fault: None,
                keep,
                listener,
                status,
                sse,
                metered: sse || translated.is_some() || endpoint == Endpoint::GeminiStream,
                shown_id: super::shown_id(&request.ingress),
                sent_bytes: 0,
                over_limit: None,
                holdback: Holdback::default(),
                patience: Patience::new(idle),
                cut: Box::pin(core.cut.clone().cancelled_owned()),
                credential,
                trial,
                _lease: lease,
                _open: core.metrics.open_stream(),
            })
        }
    };
    Reply { status, headers, body }
}

fn is_sse(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream"))
}

/// A stream on its way.
pub(super) struct Relay {
    body: AnswerBody,
    /// `None` once it was read out.
    meter: Option<Meter>,
    /// `None` once the request has ended.
    settlement: Option<Settlement>,
    /// The caller's.
    endpoint: Endpoint,
    /// Makes the caller's dialect of it; `None` if it is.
    translation: Option<Box<protocol::translate::Stream>>,
    /// What its answer needs to be continued later.
    keep: Option<Keep>,
    /// Hears which response its vendor keeps.
    listener: Option<Listener>,
    /// Why the stream cannot go on, once the last that was understood has been passed on.
    fault: Option<Refusal>,
    status: StatusCode,
    /// Whether an error event can be appended.
    sse: bool,
    /// Whether the body has an end that the meter can recognise.
    metered: bool,
    shown_id: String,
    sent_bytes: u64,
    /// Set once the stream's cost reached a limit: it ends at the next event.
    over_limit: Option<Refusal>,
    holdback: Holdback,
    patience: Patience,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    credential: Arc<crate::snapshot::Credential>,
    /// What the answer teaches about its credential; `None` once it has.
    trial: Option<Trial>,
    _lease: Lease,
    _open: GaugeGuard,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay")
            .field("endpoint", &self.endpoint)
            .field("sent_bytes", &self.sent_bytes)
            .finish_non_exhaustive()
    }
}

impl Relay {
    /// Whether the request has ended.
    pub(super) fn is_over(&self) -> bool {
        self.settlement.is_none()
    }

    /// The next piece for the caller.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        if self.settlement.is_none() {
            return Poll::Ready(None);
        }
        loop {
            if let Some(refusal) = self.fault.take() {
                return self.broken(AttemptOutcome::UpstreamError, &refusal);
            }
            match self.body.poll_piece(cx) {
                Poll::Ready(Some(Ok(piece))) => {
                    let piece = self.hear(piece);
                    if let Some(refusal) = self.over_limit.take() {
                        return self.broken(AttemptOutcome::BudgetCut, &refusal);
                    }
                    if let Some(piece) = piece {
                        self.count(piece.len());
                        return Poll::Ready(Some(Ok(piece)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return self.broken(AttemptOutcome::CutOff, &cut_off(&error.to_string()));
                }
                Poll::Ready(None) => return self.ended(),
                Poll::Pending => break,
            }
        }
        if self.cut.as_mut().poll(cx).is_ready() {
            return self.broken(AttemptOutcome::Interrupted, &Refusal::draining());
        }
        if let Poll::Ready((phase, limit)) = self.patience.poll(cx) {
            let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            return self.broken(AttemptOutcome::TimedOut, &verdict::of_timeout(phase, limit, true).refusal);
        }
        Poll::Pending
    }

    /// Lets the meter hear a piece and gives what may go on now.
    fn hear(&mut self, piece: Bytes) -> Option<Bytes> {
        let meter = self.meter.as_mut()?;
        meter.feed(&piece);
        self.patience.heard(meter.steps());
        self.listener = self.listener.take().and_then(|listener| listener.piece(&piece));
        if let Some(settlement) = &mut self.settlement
            && let Err(blocked) = settlement.heard(meter)
        {
            self.over_limit = Some(Refusal::budget_exceeded(blocked.name.as_str()));
        }
        if self.translation.is_some() {
            return self.translate(&piece);
        }
        if self.sse { self.holdback.pass(piece, meter.mid_event()) } else { Some(piece) }
    }

    /// The piece in the caller's dialect, if it says anything.
    fn translate(&mut self, piece: &[u8]) -> Option<Bytes> {
        let stream = self.translation.as_mut()?;
        let mut out = Vec::new();
        let fed = stream.feed(piece, &mut out);
        self.fault = match (fed, stream.failed()) {
            (Err(fault), _) => Some(Refusal::upstream(
                502,
                "upstream_bad_answer",
                format!("the upstream's stream cannot be translated: {fault}"),
            )),
            (Ok(()), Some(error)) => {
                let message = error.message.clone();
                Some(self.said_by_upstream(message))
            }
            (Ok(()), None) => None,
        };
        (!out.is_empty()).then(|| out.into())
    }

    /// The upstream's own error inside a stream.
    fn said_by_upstream(&self, message: String) -> Refusal {
        Refusal::upstream(502, "upstream_stream_error", echo::cleaned(message, &self.credential))
    }

    fn count(&mut self, bytes: usize) {
        self.sent_bytes = self.sent_bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// The upstream closed its answer.
    fn ended(&mut self) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        let Some(meter) = self.meter.take() else { return Poll::Ready(None) };
        let metered = meter.finish();
        if self.metered && !metered.completed && metered.error.is_none() {
            let refusal = cut_off("it ended before its last event");
            return self.broken_after(&metered, AttemptOutcome::CutOff, &refusal);
        }
        let rest = match &mut self.translation {
            None => self.holdback.rest(),
            Some(stream) => {
                let mut out = Vec::new();
                stream.finish(&mut out);
                if !stream.ended() {
                    let said = stream.failed().map(|error| error.message.clone());
                    let refusal = match said {
                        Some(message) => self.said_by_upstream(message),
                        None => cut_off("it ended before its last event"),
                    };
                    return self.broken_after(&metered, AttemptOutcome::CutOff, &refusal);
                }
                if let (Some(keep), Some(response)) = (self.keep.take(), stream.response()) {
                    keep.keep(response);
                }
                (!out.is_empty()).then(|| out.into())
            }
        };
        self.count(rest.as_ref().map_or(0, Bytes::len));
        let Some(mut settlement) = self.settlement.take() else { return Poll::Ready(None) };
        settlement.meter(&metered, true);
        let (status, bytes) = (self.status.as_u16(), usize::try_from(self.sent_bytes).unwrap_or(usize::MAX));
        if let Some(error) = metered.error {
            let said = echo::cleaned(error.message, &self.credential);
            // The upstream has told its caller itself; nothing is added (U39).
            settlement.close_attempt(AttemptOutcome::UpstreamError, Some(said.clone()));
            settlement.note_error("upstream_stream_error", &said);
            if let Some(trial) = self.trial.take() {
                trial.broke(&said);
            }
            settlement.finish(Outcome::Broken, status, bytes);
        } else {
            settlement.close_attempt(AttemptOutcome::Done, None);
            settlement.finish(Outcome::Ok, status, bytes);
            self.answered();
        }
        Poll::Ready(rest.map(Ok))
    }

    /// The credential has shown that it is well.
    fn answered(&mut self) {
        if let Some(trial) = self.trial.take() {
            trial.succeeded();
        }
    }

    fn broken(
        &mut self,
        outcome: AttemptOutcome,
        refusal: &Refusal,
    ) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        match self.meter.take() {
            Some(meter) => self.broken_after(&meter.finish(), outcome, refusal),
            None => Poll::Ready(None),
        }
    }

    /// Ends the request in the dialect's error event, never in a fabricated stop; without events, by a closed
    /// connection.
    fn broken_after(
        &mut self,
        metered: &protocol::meter::Metered,
        outcome: AttemptOutcome,
        refusal: &Refusal,
    ) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        let Some(mut settlement) = self.settlement.take() else { return Poll::Ready(None) };
        let event = self.sse.then(|| {
            let own = self.translation.as_ref().and_then(|stream| stream.begun());
            let begun = if self.translation.is_some() { own.as_ref() } else { metered.begun.as_ref() };
            farewell::event(self.endpoint, refusal, &self.shown_id, self.holdback.is_torn(), begun)
        });
        self.count(event.as_ref().map_or(0, Bytes::len));
        settlement.meter(metered, false);
        settlement.close_attempt(outcome, Some(refusal.message.clone()));
        settlement.note_error(refusal.code, &refusal.message);
        let ours = matches!(outcome, AttemptOutcome::Interrupted | AttemptOutcome::BudgetCut);
        if let Some(trial) = self.trial.take().filter(|_| !ours) {
            trial.broke(&refusal.message);
        }
        let outcome =
            if outcome == AttemptOutcome::Interrupted { Outcome::Interrupted } else { Outcome::Broken };
        settlement.finish(
            outcome,
            self.status.as_u16(),
            usize::try_from(self.sent_bytes).unwrap_or(usize::MAX),
        );
        match event {
            Some(event) => Poll::Ready(Some(Ok(event))),
            None => Poll::Ready(Some(Err(BrokenOff::because(&refusal.message)))),
        }
    }
}
