//! Counting tokens where the vendor that would serve the model has no counter: here, without asking anybody.
//!
//! Which provider would serve decides, so keys, limits and selection hold as for every request; no slot, no attempt and
//! no money are needed. How the number came about is said in the reply's header and in the record.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use protocol::translate::{self, Call, Fault};
use tokio::time::Instant;
use types::dialect::Dialect;
use types::request::Outcome;
use types::translation::CountNote;

use super::body::ReplyBody;
use super::settle::Settlement;
use super::translation::refusal_of;
use super::{Reply, Request};
use crate::core::Core;
use crate::error::Refusal;
use crate::snapshot::Provider;

/// Says that and how the tokens were counted here.
const HEADER: HeaderName = HeaderName::from_static("x-tollgate-token-count");

/// A counted request.
#[derive(Debug)]
pub(super) struct Counted {
    note: CountNote,
    body: Bytes,
}

/// Counts for a provider that speaks a dialect and would serve the model.
///
/// # Errors
/// The body cannot be understood, or others are counted for until the deadline.
pub(super) async fn count(
    core: &Core,
    request: &Request,
    (provider, dialect): (&Provider, Dialect),
    model: &str,
    deadline: Instant,
) -> Result<Counted, Refusal> {
    let busy = || {
        let message = "too many tokens are being counted at once; try again in a moment";
        Refusal::new(503, "overloaded", message).retry_after(1)
    };
    let place = tokio::time::timeout_at(deadline, core.counting.clone().acquire_owned());
    let place = place.await.map_err(|_| busy())?.map_err(|_| busy())?;
    let (own, body) = (request.ingress.endpoint.dialect(), request.ingress.body.clone());
    let path = request.ingress.path_model.clone();
    let model = provider.upstream_model(model).to_owned();
    // The place moves into the work: a caller that leaves must not make room while a core is still busy.
    let work = move || -> Result<Counted, Fault> {
        let call = Call { model: path.as_deref(), stream: Some(false) };
        let read = translate::count::read(own, &body, call)?;
        let counted = tokens::count(&read, &model, dialect);
        drop(place);
        Ok(Counted {
            body: translate::count::answer(own, counted.tokens).into(),
            note: CountNote {
                tokens: counted.tokens,
                vocabulary: counted.vocabulary.name().to_owned(),
                within_percent: counted.within_percent,
                model,
            },
        })
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(counted) => counted.map_err(|fault| refusal_of(&fault)),
        Err(error) => {
            tracing::error!(%error, "counting tokens did not end");
            Err(Refusal::new(500, "internal_error", "the tokens could not be counted"))
        }
    }
}

impl Counted {
    /// Ends the request and answers it.
    pub(super) fn reply(self, mut settlement: Settlement) -> Reply {
        let Self { note, body } = self;
        let error = note.within_percent.map_or_else(|| "unknown".to_owned(), |percent| format!("{percent}%"));
        let said = format!("local; vocabulary={}; error={error}", note.vocabulary);
        tracing::debug!(request.id = %settlement.record().request_id, tokens = note.tokens, vocabulary = note.vocabulary,
            "tokens were counted here");
        if let Some(decision) = &mut settlement.record_mut().decision {
            decision.counted = Some(note);
        }
        settlement.finish(Outcome::Ok, StatusCode::OK.as_u16(), body.len());
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(said) = HeaderValue::from_str(&said) {
            headers.insert(HEADER, said);
        }
        Reply { status: StatusCode::OK, headers, body: ReplyBody::whole(body) }
    }
}
