//! OpenAI Responses' requests, read naively.

use serde_json::{Value, json};

use super::{Asked, Offered, Role, What, any_object};
use crate::walk::{list, parsed, text};

pub(super) fn read(body: &Value) -> Asked {
    let mut asked = Asked {
        max_tokens: body["max_output_tokens"].as_u64(),
        temperature: body["temperature"].as_f64(),
        top_p: body["top_p"].as_f64(),
        format: match text(body, "/text/format/type") {
            "json_object" => Some(json!(true)),
            "json_schema" => body.pointer("/text/format/schema").cloned(),
            _ => None,
        },
        ..Asked::default()
    };
    asked.say(Role::System, "instructions".into(), What::Text(text(body, "/instructions").to_owned()));
    asked.say(Role::User, "input".into(), What::Text(text(body, "/input").to_owned()));
    for (number, item) in list(body, "/input").iter().enumerate() {
        self::item(&mut asked, item, &format!("input[{number}]"));
    }
    tools(&mut asked, list(body, "/tools"), "tools", "");
    asked.choice = match &body["tool_choice"] {
        Value::String(word) => Some(word.clone()),
        Value::Object(choice) if choice.get("type") == Some(&"allowed_tools".into()) => {
            let names: Vec<&str> =
                list(body, "/tool_choice/tools").iter().map(|tool| text(tool, "/name")).collect();
            let must = if text(body, "/tool_choice/mode") == "required" { "required " } else { "" };
            Some(format!("{must}{}", names.join(" ")))
        }
        Value::Object(_) => Some(format!("required {}", text(body, "/tool_choice/name"))),
        _ => None,
    };
    asked
}

fn tools(asked: &mut Asked, list: &[Value], at: &str, space: &str) {
    for (number, tool) in list.iter().enumerate() {
        let at = format!("{at}[{number}]");
        let kind = text(tool, "/type");
        if kind == "namespace" {
            tools(asked, self::list(tool, "/tools"), &format!("{at}.tools"), text(tool, "/name"));
            continue;
        }
        let schema = &tool["parameters"];
        asked.tools.push(Offered {
            at,
            name: spaced(space, text(tool, "/name")),
            description: text(tool, "/description").to_owned(),
            schema: if schema.is_object() { schema.clone() } else { any_object() },
            native: if ["function", "custom", ""].contains(&kind) { String::new() } else { kind.to_owned() },
        });
    }
}

/// A tool by its namespace and name. OpenAI names a function that its search found as its own namespace.
fn spaced(space: &str, name: &str) -> String {
    if space.is_empty() || space == name { name.to_owned() } else { format!("{space}__{name}") }
}

fn item(asked: &mut Asked, item: &Value, at: &str) {
    let role = match text(item, "/role") {
        "assistant" => Role::Model,
        "system" | "developer" => Role::System,
        _ => Role::User,
    };
    let call = |arguments: Value| What::Call {
        id: text(item, "/call_id").to_owned(),
        name: spaced(text(item, "/namespace"), text(item, "/name")),
        arguments,
    };
    match text(item, "/type") {
        "" | "message" => {
            asked.say(role, at.to_owned(), What::Text(text(item, "/content").to_owned()));
            for (number, part) in list(item, "/content").iter().enumerate() {
                let what = match text(part, "/type") {
                    "input_text" | "output_text" | "text" => What::Text(text(part, "/text").to_owned()),
                    "refusal" => What::Text(text(part, "/refusal").to_owned()),
                    "input_image" | "input_file" | "input_audio" => What::Media,
                    _ => What::Native,
                };
                asked.say(role, format!("{at}.content[{number}]"), what);
            }
        }
        "reasoning" => {}
        "function_call" => asked.say(Role::Model, at.to_owned(), call(parsed(text(item, "/arguments")))),
        "custom_tool_call" => asked.say(Role::Model, at.to_owned(), call(json!({ "input": item["input"] }))),
        "function_call_output" | "custom_tool_call_output" => {
            let parts = list(item, "/output");
            let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            let what = What::Result {
                name: String::new(),
                id: text(item, "/call_id").to_owned(),
                text: format!("{}{}", text(item, "/output"), texts.join("\n")),
                media: parts.iter().filter(|part| part.get("text").is_none()).count(),
            };
            asked.say(Role::User, at.to_owned(), what);
        }
        "additional_tools" => tools(asked, list(item, "/tools"), &format!("{at}.tools"), ""),
        _ => asked.say(Role::Model, at.to_owned(), What::Native),
    }
}
