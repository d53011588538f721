//! OpenAI Chat's requests, read naively.

use serde_json::{Value, json};

use super::{Asked, Offered, Role, What, any_object};
use crate::walk::{first, list, parsed, text};

pub(super) fn read(body: &Value) -> Asked {
    let mut asked = Asked {
        max_tokens: first(body, &["/max_completion_tokens", "/max_tokens"]).and_then(Value::as_u64),
        temperature: body["temperature"].as_f64(),
        top_p: body["top_p"].as_f64(),
        stop: match &body["stop"] {
            Value::String(one) => vec![one.clone()],
            many => list(many, "").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        },
        format: match text(body, "/response_format/type") {
            "json_object" => Some(json!(true)),
            "json_schema" => body.pointer("/response_format/json_schema/schema").cloned(),
            _ => None,
        },
        ..Asked::default()
    };
    for (number, message) in list(body, "/messages").iter().enumerate() {
        self::message(&mut asked, message, &format!("messages[{number}]"));
    }
    for (number, tool) in list(body, "/tools").iter().enumerate() {
        let kind = text(tool, "/type");
        let function = tool.get("function").or_else(|| tool.get("custom")).unwrap_or(tool);
        let schema = &function["parameters"];
        asked.tools.push(Offered {
            at: format!("tools[{number}]"),
            name: text(function, "/name").to_owned(),
            description: text(function, "/description").to_owned(),
            schema: if schema.is_object() { schema.clone() } else { any_object() },
            native: if ["function", "custom", ""].contains(&kind) { String::new() } else { kind.to_owned() },
        });
    }
    asked.choice = match &body["tool_choice"] {
        Value::String(word) => Some(word.clone()),
        Value::Object(_) => Some(match body.pointer("/tool_choice/allowed_tools") {
            Some(allowed) => {
                let names: Vec<&str> =
                    list(allowed, "/tools").iter().map(|tool| text(tool, "/function/name")).collect();
                let must = if text(allowed, "/mode") == "required" { "required " } else { "" };
                format!("{must}{}", names.join(" "))
            }
            None => format!("required {}", text(body, "/tool_choice/function/name")),
        }),
        _ => None,
    };
    asked
}

fn message(asked: &mut Asked, message: &Value, at: &str) {
    let role = match text(message, "/role") {
        "assistant" => Role::Model,
        "system" | "developer" => Role::System,
        _ => Role::User,
    };
    let parts = list(message, "/content");
    if ["tool", "function"].contains(&text(message, "/role")) {
        let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
        let what = What::Result {
            name: String::new(),
            id: text(message, "/tool_call_id").to_owned(),
            text: format!("{}{}", text(message, "/content"), texts.join("\n")),
            media: parts.iter().filter(|part| part.get("text").is_none()).count(),
        };
        asked.say(role, at.to_owned(), what);
        return;
    }
    asked.say(role, at.to_owned(), What::Text(text(message, "/content").to_owned()));
    for (number, part) in parts.iter().enumerate() {
        let what = match text(part, "/type") {
            "text" => What::Text(text(part, "/text").to_owned()),
            "refusal" => What::Text(text(part, "/refusal").to_owned()),
            "image_url" | "input_audio" | "file" | "video_url" | "document_url" => What::Media,
            _ => What::Native,
        };
        asked.say(role, format!("{at}.content[{number}]"), what);
    }
    for (number, call) in list(message, "/tool_calls").iter().enumerate() {
        let custom = call.get("custom");
        let function = custom.unwrap_or(&call["function"]);
        let arguments = match custom {
            Some(custom) => json!({ "input": custom["input"] }),
            None => parsed(text(function, "/arguments")),
        };
        asked.say(
            role,
            format!("{at}.tool_calls[{number}]"),
            What::Call {
                id: text(call, "/id").to_owned(),
                name: text(function, "/name").to_owned(),
                arguments,
            },
        );
    }
}
