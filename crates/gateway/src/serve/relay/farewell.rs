//! The last event of a stream that broke off, in the caller's dialect. It does not decide that a stream broke.

use bytes::Bytes;
use protocol::error::{ErrorBody, render_event};
use protocol::meter::Begun;
use types::dialect::Endpoint;

use crate::error::Refusal;

/// The event. `torn` is whether half an event went out before it: that is closed first, or the error would become a
/// part of it. `begun` is what a Responses stream was.
pub(super) fn event(
    endpoint: Endpoint,
    refusal: &Refusal,
    request_id: &str,
    torn: bool,
    begun: Option<&Begun>,
) -> Bytes {
    let body = ErrorBody {
        status: refusal.status,
        code: refusal.code,
        message: &refusal.message,
        request_id,
        details: None,
    };
    let gap: &[u8] = if torn { b"\n\n" } else { b"" };
    Bytes::from([gap, &render_event(endpoint, &body, begun)].concat())
}

/// What is said of an upstream's answer that ended too early.
pub(super) fn cut_off(why: &str) -> Refusal {
    Refusal::upstream(502, "upstream_cut_off", format!("the upstream's answer broke off: {why}"))
}
