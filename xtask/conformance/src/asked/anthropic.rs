//! Anthropic Messages' requests, read naively.

use serde_json::Value;

use super::{Asked, Offered, Role, What, any_object};
use crate::walk::{list, text};

pub(super) fn read(body: &Value) -> Asked {
    let mut asked = Asked {
        max_tokens: body["max_tokens"].as_u64(),
        temperature: body["temperature"].as_f64(),
        top_p: body["top_p"].as_f64(),
        stop: list(body, "/stop_sequences").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        ..Asked::default()
    };
    content(&mut asked, Role::System, &body["system"], "system", "system");
    for (number, message) in list(body, "/messages").iter().enumerate() {
        let role = match text(message, "/role") {
            "assistant" => Role::Model,
            "system" => Role::System,
            _ => Role::User,
        };
        let at = format!("messages[{number}]");
        content(&mut asked, role, &message["content"], &at, &format!("{at}.content"));
    }
    for (number, tool) in list(body, "/tools").iter().enumerate() {
        let schema = &tool["input_schema"];
        let kind = text(tool, "/type");
        asked.tools.push(Offered {
            at: format!("tools[{number}]"),
            name: text(tool, "/name").to_owned(),
            description: text(tool, "/description").to_owned(),
            schema: if schema.is_object() { schema.clone() } else { any_object() },
            native: if kind == "custom" { String::new() } else { kind.to_owned() },
        });
    }
    asked.choice = match text(body, "/tool_choice/type") {
        "" => None,
        "any" => Some("required".into()),
        "tool" => Some(format!("required {}", text(body, "/tool_choice/name"))),
        other => Some(other.to_owned()),
    };
    let format = body.pointer("/output_config/format").or_else(|| body.get("output_format"));
    asked.format = format.and_then(|format| format.get("schema")).cloned();
    asked
}

fn content(asked: &mut Asked, role: Role, content: &Value, whole: &str, each: &str) {
    if let Some(text) = content.as_str() {
        asked.say(role, whole.to_owned(), What::Text(text.to_owned()));
    }
    for (number, block) in content.as_array().into_iter().flatten().enumerate() {
        let what = match text(block, "/type") {
            "text" => What::Text(text(block, "/text").to_owned()),
            "image" | "document" => What::Media,
            "thinking" | "redacted_thinking" => continue,
            "tool_use" => What::Call {
                id: text(block, "/id").to_owned(),
                name: text(block, "/name").to_owned(),
                arguments: block["input"].clone(),
            },
            "tool_result" => {
                let parts = list(block, "/content");
                let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
                What::Result {
                    name: String::new(),
                    id: text(block, "/tool_use_id").to_owned(),
                    text: format!("{}{}", text(block, "/content"), texts.join("\n")),
                    media: parts
                        .iter()
                        .filter(|part| part["type"] == "image" || part["type"] == "document")
                        .count(),
                }
            }
            _ => What::Native,
        };
        asked.say(role, format!("{each}[{number}]"), what);
    }
}
