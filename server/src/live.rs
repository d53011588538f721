//! The live tail: request events as server-sent events, straight from memory.
//!
//! It reads nothing from the database and keeps nothing for later: a reader who was away has missed it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use gateway::{Actor, Gateway};
use http::StatusCode;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, SemaphorePermit, broadcast};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use types::Problem;
use types::principal::Principal;
use types::request::LiveEvent;

use crate::rest::error::ApiError;
use crate::state::AppState;

/// At most so many tails at once, dashboard and scripts together.
static SEATS: Semaphore = Semaphore::const_new(64);

/// A tail ends after a quarter of an hour; the browser reconnects and proves its session anew.
const LONGEST: Duration = Duration::from_mins(15);

/// How often an idle tail looks whether its time is over or the reader was shut out.
const LOOK: Duration = Duration::from_secs(1);

/// `GET /live/requests`. Members are refused: the feed carries everybody's requests.
pub(crate) async fn requests(
    State(state): State<AppState>,
    principal: Option<Extension<Principal>>,
    actor: Option<Extension<Actor>>,
    request: Request,
) -> Response {
    let refuse =
        |problem: Problem| ApiError::from(problem).with_request_id(request.extensions()).into_response();
    let (Some(Extension(principal)), Some(Extension(actor))) = (principal, actor) else {
        return refuse(Problem::new("token_invalid", "invalid token: sign in to watch requests"));
    };
    match state.gateway.admin(&principal, actor) {
        Ok(admin) => open(state.gateway, admin.live(), Some(principal)),
        Err(problem) => refuse(problem),
    }
}

/// Streams events until the client leaves, the process drains, or `watcher` loses his account.
pub(crate) fn open(
    gateway: Gateway,
    feed: broadcast::Receiver<Arc<LiveEvent>>,
    watcher: Option<Principal>,
) -> Response {
    let Ok(seat) = SEATS.try_acquire() else {
        let problem = Problem::new("overloaded", "too many live tails are open; close one and try again");
        return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, problem).into_response();
    };
    let draining = gateway.draining();
    let tail = Tail { gateway, draining, feed, watcher, until: Instant::now() + LONGEST, _seat: seat };
    let events = stream::unfold(tail, |mut tail| async move {
        let event = tail.next().await?;
        Some((Ok::<_, Infallible>(event), tail))
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // nginx would otherwise collect events until its buffer is full.
    response.headers_mut().insert("x-accel-buffering", http::HeaderValue::from_static("no"));
    response
}

struct Tail {
    gateway: Gateway,
    draining: CancellationToken,
    feed: broadcast::Receiver<Arc<LiveEvent>>,
    watcher: Option<Principal>,
    until: Instant,
    _seat: SemaphorePermit<'static>,
}

impl Tail {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.is_over() {
                return None;
            }
            let received = tokio::select! {
                () = self.draining.cancelled() => return None,
                () = tokio::time::sleep(LOOK) => continue,
                received = self.feed.recv() => received,
            };
            let event = match received {
                Ok(event) => event,
                Err(RecvError::Lagged(count)) => Arc::new(LiveEvent::Missed { count }),
                Err(RecvError::Closed) => return None,
            };
            match Event::default().event("request").json_data(&*event) {
                Ok(event) => return Some(event),
                Err(error) => tracing::error!(%error, "a live event could not be written as JSON"),
            }
        }
    }

    fn is_over(&self) -> bool {
        self.draining.is_cancelled()
            || Instant::now() >= self.until
            || self.watcher.as_ref().is_some_and(|watcher| self.gateway.viewer(watcher).is_none())
    }
}
