//! What comes in and what goes out, without any web framework's types.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use types::dialect::Endpoint;
use types::{RequestId, Timestamp};

use crate::snapshot::{ApiKey, Snapshot};

pub use super::body::ReplyBody;

/// When a request arrived, on both clocks: wall time for the record, monotonic time for durations.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// Wall time.
    pub at: Timestamp,
    /// Monotonic time.
    pub started: Instant,
}

impl Received {
    /// Milliseconds since the arrival.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A request for one of the forwarded endpoints.
#[derive(Debug)]
pub struct Ingress {
    /// Which path was asked.
    pub endpoint: Endpoint,
    /// The model in the path (Gemini), decoded.
    pub path_model: Option<String>,
    /// `v1beta` or `v1` (Gemini): the upstream is asked under the same version.
    pub gemini_version: Option<&'static str>,
    /// The query as received, without `?`.
    pub query: Option<String>,
    /// The headers as received.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// The caller's address, after forwarding headers were judged.
    pub client_ip: IpAddr,
    /// Tollgate's own id of this request.
    pub request_id: RequestId,
    /// The caller's `x-request-id`, if it was valid.
    pub client_request_id: Option<String>,
    /// When it arrived.
    pub received: Received,
}

/// A caller that was found, and the configuration in which he was: he must be found anew in any other.
#[derive(Debug)]
pub struct Caller {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) key: Arc<ApiKey>,
}

/// A call that needs a key and nothing else: `GET /v1/usage`, `GET /v1/requests/{id}/explain`.
#[derive(Debug)]
pub struct KeyedCall {
    /// The path as received, to tell the caller's dialect.
    pub path: String,
    /// The query as received, without `?`.
    pub query: Option<String>,
    /// The headers as received.
    pub headers: HeaderMap,
    /// The caller's address.
    pub client_ip: IpAddr,
    /// The id that the caller knows this request by: his own if it was valid, else ours.
    pub shown_id: String,
}

/// `GET /v1/models`, `/v1/models/{id}`, `/v1beta/models` and `/v1beta/models/{id}`.
#[derive(Debug)]
pub struct ModelsCall {
    /// The call.
    pub call: KeyedCall,
    /// The model in the path, decoded; `None` for the list.
    pub id: Option<String>,
}

/// The answer for the caller.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers; the edge adds `x-request-id` and the like.
    pub headers: HeaderMap,
    /// The body. Dropping it before its end means that the caller left.
    pub body: ReplyBody,
}
