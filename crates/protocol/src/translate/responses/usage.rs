//! Token counts, in both directions.

use serde_json::{Value, json};
use types::request::TokenUsage;

use super::super::text;
use crate::Endpoint;
use crate::meter::Counted;

/// Reads a `usage` object, as for the books. `None` if it counts nothing.
pub(super) fn read(usage: Option<&Value>) -> Option<TokenUsage> {
    let mut counted = Counted::default();
    counted.read(Endpoint::Responses, &text::json(usage?));
    counted.usage()
}

/// Writes a `usage` object.
pub(super) fn write(usage: &TokenUsage) -> Value {
    let input = usage.input.saturating_add(usage.cache_read).saturating_add(usage.cache_write);
    json!({
        "input_tokens": input,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.output,
        "output_tokens_details": { "reasoning_tokens": usage.reasoning },
        "total_tokens": usage.total(),
    })
}
