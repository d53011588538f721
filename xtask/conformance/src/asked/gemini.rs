//! Gemini's requests in both of their spellings, read naively.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Asked, Offered, Role, What, any_object};
use crate::walk::{list, text};

/// A field in either spelling.
fn field<'a>(value: &'a Value, camel: &str, snake: &str) -> &'a Value {
    value.get(camel).or_else(|| value.get(snake)).unwrap_or(&Value::Null)
}

pub(super) fn read(body: &Value) -> Asked {
    let config = field(body, "generationConfig", "generation_config");
    let json = text(field(config, "responseMimeType", "response_mime_type"), "") == "application/json";
    let schema = [
        field(config, "responseJsonSchema", "response_json_schema"),
        field(config, "responseSchema", "response_schema"),
    ];
    let schema = schema.into_iter().find(|schema| schema.is_object()).cloned();
    let stop = field(config, "stopSequences", "stop_sequences");
    let mut asked = Asked {
        max_tokens: field(config, "maxOutputTokens", "max_output_tokens").as_u64(),
        temperature: config["temperature"].as_f64(),
        top_p: field(config, "topP", "top_p").as_f64(),
        stop: list(stop, "").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        format: schema.filter(|_| json).or_else(|| json.then(|| json!(true))),
        ..Asked::default()
    };
    let system = field(body, "systemInstruction", "system_instruction");
    if let Some(text) = system.as_str() {
        asked.say(Role::System, "systemInstruction".into(), What::Text(text.to_owned()));
    }
    parts(&mut asked, Role::System, system, "systemInstruction");
    for (number, content) in list(body, "/contents").iter().enumerate() {
        let role = if text(content, "/role") == "model" { Role::Model } else { Role::User };
        parts(&mut asked, role, content, &format!("contents[{number}]"));
    }
    let groups = match &body["tools"] {
        Value::Object(_) => std::slice::from_ref(&body["tools"]),
        many => list(many, ""),
    };
    for (number, group) in groups.iter().enumerate() {
        tools(&mut asked, group, &format!("tools[{number}]"));
    }
    let calling =
        field(field(body, "toolConfig", "tool_config"), "functionCallingConfig", "function_calling_config");
    let names: Vec<&str> = list(field(calling, "allowedFunctionNames", "allowed_function_names"), "")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    asked.choice = match text(calling, "/mode") {
        "ANY" if names.is_empty() => Some("required".into()),
        "ANY" => Some(format!("required {}", names.join(" "))),
        "NONE" => Some("none".into()),
        "VALIDATED" if !names.is_empty() => Some(names.join(" ")),
        "AUTO" | "VALIDATED" => Some("auto".into()),
        _ => None,
    };
    number_calls(&mut asked);
    asked
}

/// Older clients give no ids, to results or at all: a tool's results answer its calls in order.
fn number_calls(asked: &mut Asked) {
    let mut calls: HashMap<String, Vec<String>> = HashMap::new();
    let mut results: HashMap<String, usize> = HashMap::new();
    for item in asked.turns.iter_mut().flat_map(|turn| &mut turn.items) {
        match &mut item.what {
            What::Call { id, name, .. } => {
                let ids = calls.entry(name.clone()).or_default();
                if id.is_empty() {
                    *id = format!("{name} {}", ids.len());
                }
                ids.push(id.clone());
            }
            What::Result { id, name, .. } => {
                let number = results.entry(name.clone()).or_default();
                if let Some(of) = calls.get(name).and_then(|ids| ids.get(*number)).filter(|_| id.is_empty()) {
                    of.clone_into(id);
                }
                *number += 1;
            }
            _ => {}
        }
    }
}

fn parts(asked: &mut Asked, role: Role, content: &Value, at: &str) {
    let parts = match &content["parts"] {
        Value::Object(_) => std::slice::from_ref(&content["parts"]),
        many => list(many, ""),
    };
    for (number, part) in parts.iter().enumerate() {
        let (call, answer) = (
            field(part, "functionCall", "function_call"),
            field(part, "functionResponse", "function_response"),
        );
        let media = [field(part, "inlineData", "inline_data"), field(part, "fileData", "file_data")];
        let what = if call.is_object() {
            let arguments = call.get("args").filter(|args| !args.is_null());
            What::Call {
                id: text(call, "/id").to_owned(),
                name: text(call, "/name").to_owned(),
                arguments: arguments.cloned().unwrap_or_else(|| json!({})),
            }
        } else if answer.is_object() {
            What::Result {
                id: text(answer, "/id").to_owned(),
                name: text(answer, "/name").to_owned(),
                text: answer["response"].to_string(),
                media: list(answer, "/parts").len(),
            }
        } else if media.iter().any(|media| media.is_object()) {
            What::Media
        } else if part["thought"] == true {
            continue;
        } else if let Some(text) = part["text"].as_str() {
            What::Text(text.to_owned())
        } else {
            What::Native
        };
        asked.say(role, format!("{at}.parts[{number}]"), what);
    }
}

fn tools(asked: &mut Asked, group: &Value, at: &str) {
    let functions = field(group, "functionDeclarations", "function_declarations");
    for (number, function) in list(functions, "").iter().enumerate() {
        let schema =
            [field(function, "parametersJsonSchema", "parameters_json_schema"), &function["parameters"]];
        let schema = schema.into_iter().find(|schema| schema.is_object());
        asked.tools.push(Offered {
            at: format!("{at}.functionDeclarations[{number}]"),
            name: text(function, "/name").to_owned(),
            description: text(function, "/description").to_owned(),
            schema: schema.cloned().unwrap_or_else(any_object),
            native: String::new(),
        });
    }
    let native =
        |name: &&String| !["functionDeclarations", "function_declarations", "…"].contains(&name.as_str());
    for kind in group.as_object().into_iter().flat_map(serde_json::Map::keys).filter(native) {
        asked.tools.push(Offered { at: format!("{at}.{kind}"), native: kind.clone(), ..Offered::default() });
    }
}
