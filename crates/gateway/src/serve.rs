//! The request path, top to bottom.
//!
//! Nothing here reads the database: the snapshot, the gauges and two appends to the journal are all that a
//! request needs. What each step decides is in its own file.

mod admit;
mod attempt;
mod authenticate;
mod body;
mod compaction;
mod continued;
mod count;
mod echo;
mod failover;
mod gate;
mod guard;
mod hedge;
mod holdback;
mod idempotency;
mod ingress;
mod judge;
mod kept;
mod line;
mod models;
mod own;
mod pool_log;
mod purse;
mod quote;
mod refuse_limit;
mod relay;
mod renewal;
mod route;
mod session;
mod settle;
mod signs;
mod simulate;
mod socket;
mod translation;
mod trial;
mod verdict;

use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use ledger::budget::Amounts;
use protocol::probe::Probe;
use types::dialect::{Dialect, Endpoint};
use types::request::{LiveEvent, Outcome, RequestRecord};
use types::translation::TranslationMode;

use crate::core::Core;
use crate::error::Refusal;
use crate::snapshot::{ApiKey, Snapshot};
use crate::used_keys::Claim;

pub use ingress::{Caller, Ingress, KeyedCall, ModelsCall, Received, Reply, ReplyBody};
pub(crate) use models::models;
pub(crate) use own::{explain, usage};
pub(crate) use simulate::simulate;
pub(crate) use socket::open as open_socket;
pub use socket::{Create, NotUnderstood, Socket, error_message, with_stream_id};

use failover::Answered;
use purse::Purse;
use quote::Quotes;
use settle::Settlement;

/// A request that passed every guard, with everything that the attempts need.
#[derive(Debug)]
struct Request {
    ingress: Ingress,
    probe: Probe,
    snapshot: Arc<Snapshot>,
    key: Arc<ApiKey>,
    /// Whether upstreams of other dialects may answer: the stricter of what the key and the request say.
    translation: TranslationMode,
    /// The body in the neutral form, read when it is first translated.
    reading: translation::Reading,
    /// The caller's `Idempotency-Key`, until the settlement has it.
    claim: Option<Claim>,
    /// What it continues that one account keeps.
    continued: Option<kept::Continued>,
}

impl Request {
    /// The model asked for: in the path (Gemini) or in the body.
    fn model(&self) -> Option<&str> {
        self.ingress.path_model.as_deref().or(self.probe.model.as_ref().map(|model| model.name.as_str()))
    }

    /// The models that may serve, best first: those that an alias stands for, or the one asked for.
    fn models(&self) -> Vec<Option<&str>> {
        let requested = self.model();
        let targets = requested.map_or(&[][..], |model| self.snapshot.alias_of(model));
        if targets.is_empty() {
            return vec![requested];
        }
        targets.iter().map(|model| Some(model.as_str())).collect()
    }

    /// Whether the caller asked for a stream.
    fn streaming(&self) -> bool {
        self.ingress.endpoint == Endpoint::GeminiStream || self.probe.stream
    }
}

/// Serves one request of a forwarded endpoint. `caller` is who asks, if that was looked up before the body was read.
pub(crate) async fn serve(core: &Arc<Core>, ingress: Ingress, caller: Option<Caller>) -> Reply {
    let mut record = record_of(&ingress);
    let mut request = match examine(core, ingress, caller, &mut record) {
        Ok(request) => request,
        Err(refused) => {
            let (ingress, refusal) = *refused;
            return refuse(core, &ingress, record, &refusal);
        }
    };
    let claim = request.claim.take();
    let (admission, routed, quotes) = match enter(core, &request, &mut record).await {
        Ok(entered) => entered,
        Err(refusal) => return refuse(core, &request.ingress, record, &refusal),
    };
    let user_name = request.key.user.spec.name.clone();
    let received = request.ingress.received;
    let purse = Purse::new(admission, &request);
    let mut settlement = match Settlement::admit(core, record, received, user_name, claim, purse) {
        Ok(settlement) => settlement,
        Err(not_booked) => {
            let (record, error) = *not_booked;
            tracing::error!(request.id = %record.request_id, %error, "a request could not be booked");
            return refuse(core, &request.ingress, record, &Refusal::books_unavailable());
        }
    };
    announce(core, &settlement);
    match failover::run(core, &mut settlement, &request, routed, quotes).await {
        Ok(Answered::Opened(opened)) => relay::reply(core, settlement, &request, *opened),
        Ok(Answered::Counted(counted)) => counted.reply(settlement),
        Err(failover::Failed::Passed(passed)) => {
            let verdict::Passed { status, content_type, body } = *passed;
            settlement.finish(Outcome::Failed, status.as_u16(), body.len());
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, content_type);
            Reply { status, headers, body: ReplyBody::whole(body) }
        }
        Err(failover::Failed::Refused { refusal, outcome }) => {
            let reply = render(request.ingress.endpoint.dialect(), &refusal, &shown_id(&request.ingress));
            settlement.note_error(refusal.code, &refusal.message);
            settlement.finish(outcome, refusal.status, 0);
            reply
        }
    }
}

/// Where a request begins: the first of its models that somebody can serve, and who.
#[derive(Debug)]
struct Routed<'a> {
    model_at: usize,
    /// `None` if it has become stale because the request had to wait for money.
    selection: Option<route::Selection<'a>>,
    conversation: Option<session::Conversation>,
}

/// The last steps before a request is booked: somebody can serve it, and its payers can pay the dearest of them.
async fn enter<'a>(
    core: &Arc<Core>,
    request: &'a Request,
    record: &mut RequestRecord,
) -> Result<(admit::Admission, Routed<'a>, Quotes), Refusal> {
    let started = std::time::Instant::now();
    let conversation = session::of(core, request, record, core.clock.now());
    let models = request.models();
    let mut quotes = Quotes::default();
    let mut amounts = Amounts::default();
    let mut found: Option<(usize, route::Selection<'a>)> = None;
    for (at, model) in models.iter().copied().enumerate() {
        let look = line::Look { core, request, model, conversation: conversation.as_ref() };
        let selection = look.select(&[]);
        if selection.ranked.is_empty() {
            continue;
        }
        dearest(core, request, &selection, model, &mut quotes, &mut amounts);
        found = found.or(Some((at, selection)));
    }
    let route_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let (at, selection) = if let Some(found) = found {
        found
    } else {
        // Somebody may be free in a moment: the first model is waited for.
        let model = models.first().copied().flatten();
        let look = line::Look { core, request, model, conversation: conversation.as_ref() };
        let selection = look.select_or_wait().await;
        if selection.ranked.is_empty() {
            record.decision = Some(selection.decision());
            core.pool_counters.exhausted(core.clock.now());
            pool_log::exhausted(record.request_id, 0, "nobody can serve it now");
            return Err(look.nobody(&selection));
        }
        dearest(core, request, &selection, model, &mut quotes, &mut amounts);
        (0, selection)
    };
    let mut decision = selection.decision();
    decision.route_us = route_us;
    let waited_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX).saturating_sub(route_us);
    decision.queued_ms = waited_us / 1_000;
    if models.len() > 1 || models.first().copied().flatten() != request.model() {
        decision.models = models.iter().flatten().map(|model| (*model).to_owned()).collect();
    }
    record.decision = Some(decision);
    let admission = admit::admit(core, request, record, amounts).await?;
    let selection = (!admission.waited).then_some(selection);
    Ok((admission, Routed { model_at: at, selection, conversation }, quotes))
}

/// Raises the amounts to the most that any of the candidates could cost.
fn dearest(
    core: &Core,
    request: &Request,
    selection: &route::Selection<'_>,
    model: Option<&str>,
    quotes: &mut Quotes,
    most: &mut Amounts,
) {
    let mut last = None;
    for pick in &selection.ranked {
        if last.replace(pick.provider.id) == Some(pick.provider.id) {
            continue;
        }
        let quote = quotes.of(core, request, pick.provider, model);
        most.worst = most.worst.max(quote.billed.worst);
        most.estimate = most.estimate.max(quote.billed.estimate);
    }
}

/// Answers a forwarded endpoint with a refusal of the edge (a body too large, a deadline passed) and books it.
pub(crate) fn refuse_at_edge(core: &Arc<Core>, ingress: &Ingress, refusal: &Refusal) -> Reply {
    refuse(core, ingress, record_of(ingress), refusal)
}

/// Whether the caller is known, asked before his body is read: a stranger's megabytes stay where they are.
pub(crate) fn check_caller(core: &Core, ingress: &Ingress) -> Result<Caller, Refusal> {
    let snapshot = core.snapshot();
    let key = find_caller(core, &snapshot, ingress)?;
    Ok(Caller { snapshot, key })
}

fn find_caller(core: &Core, snapshot: &Snapshot, ingress: &Ingress) -> Result<Arc<ApiKey>, Refusal> {
    let gemini = ingress.endpoint.dialect() == Dialect::Gemini;
    let (headers, query) = (&ingress.headers, ingress.query.as_deref());
    authenticate::caller(core, snapshot, headers, query, gemini, ingress.received.at)
}

/// Everything that is decided before a request is booked: who asks, for what, and whether he may.
fn examine(
    core: &Core,
    mut ingress: Ingress,
    caller: Option<Caller>,
    record: &mut RequestRecord,
) -> Result<Request, Box<(Ingress, Refusal)>> {
    let snapshot = core.snapshot();
    let known = caller.filter(|caller| Arc::ptr_eq(&caller.snapshot, &snapshot));
    let checked = || -> Result<(Arc<ApiKey>, Probe, TranslationMode, Option<Claim>), Refusal> {
        if core.draining.is_cancelled() {
            return Err(Refusal::draining());
        }
        let key = match known {
            Some(caller) => caller.key,
            None => find_caller(core, &snapshot, &ingress)?,
        };
        record.user_id = Some(key.user.id);
        record.key_id = Some(key.id);
        guard::origin(&key, ingress.client_ip, &ingress.headers)?;
        continued::resolve(core, key.user.id, &mut ingress)?;
        compaction::resolve(core, key.user.id, &mut ingress)?;
        let probe = guard::body(&ingress)?;
        note_demand(record, &ingress, &probe);
        guard::model(&key, &ingress, &probe)?;
        let mode = translation::mode(&key, &ingress.headers)?;
        // Last, so that a request that is refused for another reason does not hold its key.
        let claim = idempotency::claim(core, &ingress, key.id, record)?;
        Ok((key, probe, mode, claim))
    };
    match checked() {
        Ok((key, probe, translation, claim)) => {
            let reading = translation::Reading::default();
            let continued = kept::of(core, key.user.id, &ingress);
            Ok(Request { ingress, probe, snapshot, key, translation, reading, claim, continued })
        }
        Err(refusal) => Err(Box::new((ingress, refusal))),
    }
}

fn note_demand(record: &mut RequestRecord, ingress: &Ingress, probe: &Probe) {
    let header =
        |name: &str| ingress.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    record.session_id = protocol::session::hint(ingress.endpoint, &header, probe);
    record.model =
        ingress.path_model.clone().or_else(|| probe.model.as_ref().map(|model| model.name.clone()));
    record.streaming = ingress.endpoint == Endpoint::GeminiStream || probe.stream;
    record.service_tier.clone_from(&probe.service_tier);
}

/// Books and answers a refusal.
fn refuse(core: &Arc<Core>, ingress: &Ingress, mut record: RequestRecord, refusal: &Refusal) -> Reply {
    record.outcome = Outcome::Refused;
    record.status_code = refusal.status;
    record.error_code = Some(refusal.code.to_owned());
    record.error_message = Some(refusal.message.clone());
    record.duration_ms = ingress.received.elapsed_ms();
    if let Err(error) = crate::accounts::append(core, || core.ledger.refuse(&record)) {
        tracing::error!(request.id = %record.request_id, %error, "a refused request could not be booked");
    }
    let reply = render(ingress.endpoint.dialect(), refusal, &shown_id(ingress));
    settle::publish(core, record, None);
    reply
}

/// A refusal as an answer in a dialect.
pub(crate) fn render(dialect: Dialect, refusal: &Refusal, request_id: &str) -> Reply {
    let body = protocol::error::render(
        dialect,
        &protocol::error::ErrorBody {
            status: refusal.status,
            code: refusal.code,
            message: &refusal.message,
            request_id,
            details: (!refusal.details.is_empty()).then(|| (*refusal.details).clone()),
        },
    );
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = refusal.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(limit) = &refusal.limit {
        let reset = limit.reset.map(|at| at.0.div_euclid(1_000).to_string());
        for (name, value) in [
            ("x-ratelimit-limit", Some(limit.limit.clone())),
            ("x-ratelimit-remaining", Some(limit.remaining.clone())),
            ("x-ratelimit-reset", reset),
        ] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
    if refusal.status == 401 {
        headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tollgate\""));
    }
    if !(refusal.status == 429 || refusal.status >= 500 || refusal.retry_after_s.is_some()) {
        // The official SDKs would otherwise retry 408 and 409 on their own.
        headers.insert(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
    }
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply { status, headers, body: ReplyBody::whole(body.into()) }
}

/// The id that the caller knows his request by.
fn shown_id(ingress: &Ingress) -> String {
    ingress.client_request_id.clone().unwrap_or_else(|| ingress.request_id.to_string())
}

fn record_of(ingress: &Ingress) -> RequestRecord {
    let mut record = RequestRecord::blank(ingress.request_id, ingress.endpoint, ingress.received.at);
    record.client_request_id.clone_from(&ingress.client_request_id);
    record.model.clone_from(&ingress.path_model);
    record.streaming = ingress.endpoint == Endpoint::GeminiStream;
    record.request_bytes = u64::try_from(ingress.body.len()).unwrap_or(u64::MAX);
    record.client_ip = Some(ingress.client_ip.to_string());
    record.user_agent = ingress
        .headers
        .get(http::header::USER_AGENT)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).chars().take(200).collect());
    record
}

fn announce(core: &Core, settlement: &Settlement) {
    if !core.live.is_watched() {
        return;
    }
    let record = settlement.record();
    core.live.publish(LiveEvent::Started {
        request_id: record.request_id,
        created_at: record.created_at,
        user_name: Some(settlement.user_name().to_owned()),
        model: record.model.clone(),
        endpoint: record.endpoint,
        streaming: record.streaming,
    });
}
