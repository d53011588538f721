//! Token counts as Anthropic writes them.

use serde_json::{Map, Value, json};
use types::request::TokenUsage;

use crate::Endpoint;
use crate::meter::Counted;
use crate::translate::text;

/// Reads a `usage` object; later ones complete earlier ones.
pub(super) fn read(counted: &mut Counted, usage: Option<&Value>) {
    if let Some(usage) = usage.filter(|usage| usage.is_object()) {
        counted.read(Endpoint::Messages, &text::json(usage));
    }
}

/// The class of service that a `usage` object names.
pub(super) fn tier(usage: Option<&Value>) -> Option<String> {
    usage?.get("service_tier")?.as_str().map(str::to_owned)
}

/// A `usage` object. Counts that nobody gave are zero: clients read them without looking.
pub(super) fn write(usage: Option<TokenUsage>, tier: Option<&str>) -> Value {
    let usage = usage.unwrap_or_default();
    let hour = usage.cache_write_1h.min(usage.cache_write);
    let mut map = Map::new();
    map.insert("input_tokens".into(), usage.input.into());
    map.insert("cache_creation_input_tokens".into(), usage.cache_write.into());
    map.insert("cache_read_input_tokens".into(), usage.cache_read.into());
    map.insert(
        "cache_creation".into(),
        json!({
            "ephemeral_5m_input_tokens": usage.cache_write - hour,
            "ephemeral_1h_input_tokens": hour,
        }),
    );
    map.insert("output_tokens".into(), usage.output.into());
    if usage.reasoning > 0 {
        map.insert("output_tokens_details".into(), json!({ "thinking_tokens": usage.reasoning }));
    }
    if usage.web_searches > 0 {
        map.insert("server_tool_use".into(), json!({ "web_search_requests": usage.web_searches }));
    }
    map.insert("service_tier".into(), tier.map_or(Value::Null, |tier| tier_word(tier).into()));
    Value::Object(map)
}

/// Anthropic's word for a class of service; its clients know three.
fn tier_word(tier: &str) -> &'static str {
    match tier {
        "priority" => "priority",
        "batch" => "batch",
        _ => "standard",
    }
}
