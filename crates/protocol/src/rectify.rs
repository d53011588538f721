//! Mending a request that an upstream refused for a known, harmless reason: what to cut from its body.
//!
//! It neither sends anything nor decides whether mending is allowed. Bytes that need no change are not touched.

use crate::Endpoint;
use crate::error::UpstreamError;

/// A known way to mend a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rectifier {
    /// Thinking blocks that the upstream cannot verify are left out.
    ThinkingSignature,
    /// A thinking budget out of range is put in range.
    ThinkingBudget,
    /// Empty text blocks are left out.
    EmptyText,
    /// Tool results without their call are left out.
    OrphanToolResults,
}

impl Rectifier {
    /// Every value, in order.
    pub const ALL: &'static [Self] =
        &[Self::ThinkingSignature, Self::ThinkingBudget, Self::EmptyText, Self::OrphanToolResults];

    /// The stable text form, for logs and decisions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ThinkingSignature => "thinking_signature",
            Self::ThinkingBudget => "thinking_budget",
            Self::EmptyText => "empty_text",
            Self::OrphanToolResults => "orphan_tool_results",
        }
    }
}

/// Which mending an upstream's refusal asks for, if any: by status, parsed type and the vendors' fixed phrases.
pub fn asked_for(_endpoint: Endpoint, _status: u16, _error: &UpstreamError) -> Option<Rectifier> {
    None
}

/// The mended body, or `None` if there is nothing to change (or nothing would be left of it).
pub fn apply(_rectifier: Rectifier, _endpoint: Endpoint, _body: &[u8]) -> Option<Vec<u8>> {
    None
}
