//! Gemini's `GenerateContentResponse`, whole or in pieces, read naively.

use serde_json::Value;

use super::{Called, End, Said};
use crate::walk::{count, list, text};

pub(super) fn read(values: &[Value]) -> Said {
    let mut said = Said::default();
    for value in values {
        for part in list(value, "/candidates/0/content/parts") {
            if let Some(call) = part.get("functionCall") {
                let arguments = call.get("args").filter(|args| !args.is_null());
                said.calls.push(Called {
                    id: text(call, "/id").to_owned(),
                    name: text(call, "/name").to_owned(),
                    arguments: arguments.cloned().unwrap_or_else(|| serde_json::json!({})),
                });
            } else if part["thought"] == true {
                said.thinking += text(part, "/text");
            } else {
                said.text += text(part, "/text");
            }
        }
        match text(value, "/candidates/0/finishReason") {
            "" if text(value, "/promptFeedback/blockReason").is_empty() => {}
            "MAX_TOKENS" => said.end = End::Length,
            "" | "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => {
                said.end = End::Refused;
            }
            _ => said.end = End::Done,
        }
        let usage = &value["usageMetadata"];
        if usage.is_object() {
            said.input = count(usage, "/promptTokenCount") + count(usage, "/toolUsePromptTokenCount");
            said.output = count(usage, "/candidatesTokenCount") + count(usage, "/thoughtsTokenCount");
            said.cached = count(usage, "/cachedContentTokenCount");
        }
        said.failed |= value.get("error").is_some();
    }
    said
}
