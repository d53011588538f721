//! Whole answers that came with a success status and are none.
//!
//! It knows only strong signs: what might be an answer is one.

use crate::Endpoint;
use crate::error::UpstreamError;

/// What makes the whole body of a success no answer at all; `None` if it may be one.
pub fn looks_failed(endpoint: Endpoint, body: &[u8]) -> Option<UpstreamError> {
    super::parse_upstream(endpoint.dialect(), body)
}
