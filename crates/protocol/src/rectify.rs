//! Mending a request that an upstream refused for a known, harmless reason: what to cut from its body.
//!
//! It neither sends anything nor decides whether mending is allowed. It never asks for more than the caller did: no
//! bound on tokens is raised, nothing is made up. Bytes that need no change are not touched.

use crate::error::UpstreamError;
use crate::{Dialect, Endpoint};

mod edit;
mod thinking;
mod tools;
mod turns;

/// A known way to mend a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rectifier {
    /// Thinking that the upstream cannot verify (it came from another account or model) is left out.
    ThinkingSignature,
    /// A thinking budget that is too low, or not below `max_tokens`, is put in range; where there is no room, thinking
    /// is switched off.
    ThinkingBudget,
    /// Empty text blocks, and messages that consist of nothing else, are left out.
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

/// Types of refusals that are not about the body's contents, whatever their words.
const OTHER_KINDS: [&str; 8] = [
    "authentication_error",
    "permission_error",
    "billing_error",
    "rate_limit_error",
    "overloaded_error",
    "not_found_error",
    "request_too_large",
    "timeout_error",
];

const SIGNATURE: [&str; 6] = [
    "invalid signature in thinking block",
    "must start with a thinking block",
    "expected thinking or redacted_thinking, but found",
    "thinking or redacted_thinking blocks in the latest assistant message cannot be modified",
    "signature: field required",
    "signature: extra inputs are not permitted",
];
const BUDGET: [&str; 5] = [
    "greater than or equal to 1024",
    ">= 1024",
    "at least 1024",
    "max_tokens must be greater than thinking.budget_tokens",
    "must be less than max_tokens",
];
const EMPTY: [&str; 4] = [
    "text content blocks must be non-empty",
    "text content blocks must contain non-whitespace text",
    "must have non-empty content",
    "cache_control cannot be set for empty text blocks",
];
const ORPHAN: [&str; 2] = [
    "unexpected tool_use_id found in tool_result blocks",
    "must have a corresponding tool_use block in the previous message",
];

/// Which mending an upstream's refusal asks for, if any: by status, parsed type and the vendors' fixed phrases.
/// `status` is 200 for an error inside a success.
pub fn asked_for(endpoint: Endpoint, status: u16, error: &UpstreamError) -> Option<Rectifier> {
    if !matches!(status, 200 | 400 | 422) || OTHER_KINDS.contains(&error.kind.as_str()) {
        return None;
    }
    // Vendors and those between quote names in their own ways, and some wrap the vendor's JSON in a text.
    let said: String = error
        .message
        .chars()
        .filter(|c| !matches!(c, '`' | '\'' | '"' | '\\'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| said.contains(phrase));
    match endpoint.dialect() {
        Dialect::Anthropic if says(&SIGNATURE) => Some(Rectifier::ThinkingSignature),
        Dialect::Anthropic if said.contains("budget_tokens") && says(&BUDGET) => {
            Some(Rectifier::ThinkingBudget)
        }
        Dialect::Anthropic if says(&EMPTY) => Some(Rectifier::EmptyText),
        Dialect::Anthropic if says(&ORPHAN) => Some(Rectifier::OrphanToolResults),
        // The vendor itself writes "preceeding".
        Dialect::OpenAiChat if says(&["messages with role tool must be a response to a prece"]) => {
            Some(Rectifier::OrphanToolResults)
        }
        Dialect::OpenAiResponses if said.contains("no tool call found for") && said.contains("output") => {
            Some(Rectifier::OrphanToolResults)
        }
        _ => None,
    }
}

/// The mended body. `None` if there is nothing to change, or if what is left would be no conversation that ends with
/// what its caller asked.
pub fn apply(rectifier: Rectifier, endpoint: Endpoint, body: &[u8]) -> Option<Vec<u8>> {
    let whole = edit::Part::whole(body)?;
    let edits = match (rectifier, endpoint) {
        (Rectifier::ThinkingSignature, Endpoint::Messages | Endpoint::CountTokens) => {
            thinking::without(whole)?
        }
        (Rectifier::ThinkingBudget, Endpoint::Messages | Endpoint::CountTokens) => thinking::in_range(whole)?,
        (Rectifier::EmptyText, Endpoint::Messages | Endpoint::CountTokens) => turns::without_empty(whole)?,
        (Rectifier::OrphanToolResults, Endpoint::Messages | Endpoint::CountTokens) => tools::blocks(whole)?,
        (Rectifier::OrphanToolResults, Endpoint::ChatCompletions) => tools::messages(whole)?,
        (Rectifier::OrphanToolResults, Endpoint::Responses | Endpoint::ResponsesCompact) => {
            tools::items(whole)?
        }
        _ => return None,
    };
    edits.apply(body)
}

#[cfg(test)]
mod tests;
