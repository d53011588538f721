//! Every way in which Tollgate itself answers "no": status, stable code, sentence, and when to come back.
//!
//! The phrases in the sentences are part of the contract (operators search the handbook for them). How a
//! refusal looks on the wire is `protocol::error`'s business.

use serde_json::{Map, Value};
use types::{RequestId, Timestamp};

/// An answer that Tollgate makes itself instead of an upstream.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    pub code: &'static str,
    /// One sentence for the caller, with the way out.
    pub message: String,
    /// Seconds for `Retry-After`.
    pub retry_after_s: Option<u64>,
    /// Fields beside code and message, such as the reasons of a 503.
    pub details: Box<Map<String, Value>>,
    /// What `X-RateLimit-*` says.
    pub limit: Option<Box<LimitHeaders>>,
}

/// Values of `X-RateLimit-Limit`, `-Remaining` and `-Reset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitHeaders {
    /// The limit, as a decimal number.
    pub limit: String,
    /// What is left of it.
    pub remaining: String,
    /// When it begins anew; absent where it never does.
    pub reset: Option<Timestamp>,
}

impl Refusal {
    /// A refusal without further fields.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after_s: None,
            details: Box::default(),
            limit: None,
        }
    }

    /// Adds a field.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Adds `Retry-After`.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The request itself is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", message)
    }

    /// No key was sent.
    pub(crate) fn missing_key() -> Self {
        Self::new(
            401,
            "missing_authorization",
            "Unauthorized: send your key as `Authorization: Bearer sk-tg-…`, `x-api-key` or `x-goog-api-key`",
        )
    }

    /// The header is there but has another form.
    pub(crate) fn malformed_key() -> Self {
        Self::new(
            401,
            "malformed_authorization",
            "Unauthorized: the authorization header must have the form `Bearer <your-secret>`",
        )
    }

    /// Two headers name two keys.
    pub(crate) fn conflicting_keys() -> Self {
        Self::new(400, "conflicting_keys", "two different keys were sent in one request; send one")
    }

    /// `?key=` outside the Gemini paths.
    pub(crate) fn key_in_query() -> Self {
        Self::new(
            400,
            "key_in_query",
            "a key in the address is accepted on Gemini paths only; send it in a header and replace this key, \
             because addresses end up in logs",
        )
    }

    pub(crate) fn key_invalid() -> Self {
        Self::new(
            401,
            "key_invalid",
            "invalid API key: Tollgate does not know it; check it or ask your administrator",
        )
    }

    pub(crate) fn key_disabled(what: &str) -> Self {
        Self::new(401, "key_disabled", format!("this API key is disabled: {what}; ask your administrator"))
    }

    pub(crate) fn key_expired(what: &str) -> Self {
        Self::new(401, "key_expired", format!("this API key is expired: {what}; ask your administrator"))
    }

    pub(crate) fn ip_blocked(ip: std::net::IpAddr) -> Self {
        Self::new(403, "ip_blocked", format!("this key may not be used from {ip}; ask your administrator"))
    }

    pub(crate) fn client_not_allowed(user_agent: &str) -> Self {
        let shown: String = user_agent.chars().take(80).collect();
        Self::new(
            403,
            "client_not_allowed",
            format!("client not allowed (验证失败): this key is limited to certain clients and '{shown}' is none of them"),
        )
        .with("failed_rules", vec!["user_agent"])
    }

    pub(crate) fn model_not_allowed(model: &str) -> Self {
        Self::new(
            403,
            "model_not_allowed",
            format!("model not allowed: the model list of this key does not hold '{model}'"),
        )
        .with("list", "key")
    }

    pub(crate) fn model_required() -> Self {
        Self::new(400, "invalid_request", "model: this field is required").with("field", "model")
    }

    /// The first request under this `Idempotency-Key` has not ended yet.
    pub(crate) fn request_in_progress(first: RequestId) -> Self {
        Self::new(
            409,
            "request_in_progress",
            format!("request {first} with this idempotency-key is still in progress; wait for its answer"),
        )
        .with("first_request_id", first.to_string())
        .retry_after(1)
    }

    /// A request under this `Idempotency-Key` was answered before.
    pub(crate) fn idempotency_key_used(first: RequestId) -> Self {
        Self::new(
            409,
            "idempotency_key_used",
            format!(
                "this idempotency-key was used by request {first}, which was answered; Tollgate keeps no answers and \
                 cannot give that one again, so send a new key to make a new request"
            ),
        )
        .with("first_request_id", first.to_string())
    }

    /// This `Idempotency-Key` belongs to another request.
    pub(crate) fn idempotency_key_reused(first: RequestId) -> Self {
        Self::new(
            422,
            "idempotency_key_reused",
            format!(
                "this idempotency-key belongs to request {first}, which had another path or body; send a new key with \
                 each new request"
            ),
        )
        .with("first_request_id", first.to_string())
    }

    /// The package's time is over.
    pub(crate) fn package_expired(ended: Timestamp) -> Self {
        Self::new(
            403,
            "package_expired",
            format!("package expired at {ended}; ask your administrator to extend it"),
        )
        .with("expired_at", ended.to_string())
    }

    /// The user has packages, and none of them pays now.
    pub(crate) fn no_active_package(why: &str) -> Self {
        Self::new(403, "no_active_package", format!("no active package: {why}; ask your administrator"))
    }

    /// A stream was cut because its cost reached what its limits leave.
    pub(crate) fn budget_exceeded(limit: &str) -> Self {
        Self::new(
            429,
            "budget_exceeded",
            format!("the answer was cut: its cost has reached what the {limit} leaves"),
        )
    }

    /// A running process is about to end.
    pub(crate) fn draining() -> Self {
        Self::new(503, "shutting_down", "this instance is restarting; try again in a moment").retry_after(2)
    }

    pub(crate) fn books_unavailable() -> Self {
        Self::new(
            503,
            "journal_unavailable",
            "the request could not be booked (is the disk full?), so it was not sent; try again in a moment",
        )
        .retry_after(5)
    }

    pub(crate) fn database_unavailable() -> Self {
        Self::new(503, "database_unavailable", "database unavailable; try again in a moment").retry_after(5)
    }

    pub(crate) fn request_not_found() -> Self {
        Self::new(404, "not_found", "there is no such request of this key's user, or it is not booked yet")
    }

    pub(crate) fn model_not_found(model: &str) -> Self {
        Self::new(404, "model_not_found", format!("there is no model '{model}' that this key may use"))
    }

    /// The quotas of all credentials that could serve are used up.
    pub(crate) fn pool_exhausted(why: impl std::fmt::Display) -> Self {
        Self::new(429, "pool_exhausted", format!("all credentials exhausted: {why}"))
    }

    /// An upstream said no, or could not be reached, and no other candidate is left.
    pub(crate) fn upstream(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(status, code, message)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}
