//! The limit per address (RL-01 to RL-04): so many requests in any 60 seconds, over model paths, the admin API,
//! server functions and sign-in. Pages, static files and health checks are not counted.
//!
//! It knows addresses and nothing else; limits of users and keys are `gateway::quota`'s. A refused request is
//! answered before its body is read. What a flood may write is bounded: one warning in the log for an address and
//! minute, and rows of the request log only so often (see [`Verdict`]); the metric counts every refusal.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::response::Response;
use gateway::Refusal;
use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, StatusCode, Uri};
use ipnet::IpNet;
use types::quota::RefusedAddress;
use types::setting::Settings;
use types::{Problem, Timestamp};

use super::request_id::RequestIds;
use crate::proxy::refuse::refuse;
use crate::proxy::surface::Surface;
use crate::state::AppState;
use crate::{auth, proxy};

mod counts;
mod hint;
mod refused;

use counts::{Counted, Counts, Key};
pub use hint::ProxyHint;
use refused::Refused;

/// Rows of the request log that refusals of all addresses together may write in a second.
const ROWS_A_SECOND: u64 = 20;

/// Who came how often; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct IpLimit(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    counts: Counts,
    refused: AtomicU64,
    who: Refused,
    /// Second of the wall clock (upper bits) and rows written in it (lower 16 bits).
    rows: AtomicU64,
}

/// A request that goes no further.
#[derive(Debug)]
pub struct Verdict {
    /// The answer.
    pub refusal: Refusal,
    /// Whether a call of a model endpoint gets a row in the request log: at most one a second for an address and
    /// twenty a second in all, so that a flood fills neither journal nor database.
    pub booked: bool,
    limit: u32,
    reset: Timestamp,
}

/// The answer to a request over the limit, in the language of whoever asks.
pub fn answer(
    state: &AppState,
    surface: Surface,
    verdict: &Verdict,
    ids: &RequestIds,
    request: Request,
) -> Response {
    let Verdict { refusal, .. } = verdict;
    let path = request.uri().path();
    let mut response = if matches!(surface, Surface::Model(_)) && verdict.booked {
        proxy::refuse_unread(state, refusal, request)
    } else if path.starts_with("/rpc/") && !auth::wants_page(request.headers()) {
        let problem = Problem::new(refusal.code, refusal.message.clone());
        auth::call_problem(path, StatusCode::TOO_MANY_REQUESTS, &problem)
    } else {
        refuse(&state.gateway, surface, refusal, ids)
    };
    verdict.stamp(&mut response);
    response
}

impl Verdict {
    /// Writes `Retry-After` and `X-RateLimit-*` onto the answer.
    fn stamp(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from(self.refusal.retry_after_s.unwrap_or(60)));
        headers.insert(HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(self.limit));
        headers.insert(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from_static("0"));
        let reset = HeaderValue::from(self.reset.0.div_euclid(1_000));
        headers.insert(HeaderName::from_static("x-ratelimit-reset"), reset);
    }
}

/// Whether requests for this path are counted.
pub fn concerns(surface: Surface, uri: &Uri) -> bool {
    let path = uri.path();
    match surface {
        Surface::Model(_) => true,
        Surface::Api => ["/api/", "/rpc/"].iter().any(|start| path.starts_with(start)) || path == "/api",
        Surface::Page => path == "/auth/login",
    }
}

impl IpLimit {
    /// Counts a request; the verdict if it is one too many.
    pub fn admit(&self, address: IpAddr, now: Timestamp, settings: &Settings) -> Option<Verdict> {
        let limit = settings.limits_ip_per_minute;
        if limit == 0 || is_exempt(address, &settings.limits_ip_exempt) {
            return None;
        }
        let second = now.0.div_euclid(1_000);
        let key = Key::of(address);
        let counted = self.0.counts.count(key, second, limit)?;
        self.0.who.count(key, now);
        self.0.refused.fetch_add(1, Ordering::Relaxed);
        if counted.first_of_minute {
            tracing::warn!(
                client_ip = %address,
                limit,
                retry_after_s = counted.wait_s,
                "Too Many Requests: this address is over limits.ip_per_minute"
            );
        }
        let booked = counted.first_of_second && self.row(second);
        let wait_ms = i64::try_from(counted.wait_s).unwrap_or(61).saturating_mul(1_000);
        Some(Verdict { refusal: refusal(&counted, limit), booked, limit, reset: now.plus_ms(wait_ms) })
    }

    /// Refused requests since the start.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// The addresses that were refused most often, those first; at most 20, none that was quiet for a day.
    pub fn most_refused(&self, now: Timestamp) -> Vec<RefusedAddress> {
        self.0.who.top(now)
    }

    /// Lines for `/metrics`, without the end mark.
    pub fn metrics(&self) -> String {
        format!(
            "# HELP tollgate_ip_refusals Requests refused by the limit per address.\n\
             # TYPE tollgate_ip_refusals counter\n\
             tollgate_ip_refusals_total {}\n",
            self.refused()
        )
    }

    /// Takes one of this second's rows, if any is left.
    fn row(&self, second: i64) -> bool {
        let second = u64::try_from(second).unwrap_or_default() << 16;
        let taken = self.0.rows.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |rows| {
            if rows & !0xffff != second {
                return Some(second | 1);
            }
            (rows & 0xffff < ROWS_A_SECOND).then_some(rows + 1)
        });
        taken.is_ok()
    }
}

fn is_exempt(address: IpAddr, exempt: &[IpNet]) -> bool {
    exempt.iter().any(|network| network.contains(&address))
}

fn refusal(counted: &Counted, limit: u32) -> Refusal {
    let message = format!(
        "Too Many Requests: more than {limit} requests in a minute came from this address; try again in {} s",
        counted.wait_s
    );
    Refusal::new(429, "ip_rate_limited", message).with("limit", limit).retry_after(counted.wait_s)
}

#[cfg(test)]
mod tests;
