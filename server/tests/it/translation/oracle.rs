//! What an answer says, read in each dialect by other means than the product's.

use serde_json::{Value, json};

use crate::rig::client::Got;
use crate::rig::faces::Face;

/// What a caller understands of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) thinking: String,
    /// Id, name, arguments.
    pub(super) calls: Vec<(String, String, Value)>,
    /// `end`, `tools`, `length`, or the dialect's own word.
    pub(super) stop: String,
    /// All classes together.
    pub(super) input: u64,
    pub(super) output: u64,
}

pub(super) fn said(face: Face, got: &Got, streaming: bool) -> Said {
    let values: Vec<Value> = if streaming {
        let text = got.text();
        text.lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter(|data| data.trim() != "[DONE]")
            .map(|data| serde_json::from_str(data.trim()).unwrap_or_else(|error| panic!("{error}: {data}")))
            .collect()
    } else {
        vec![got.json()]
    };
    match (face.name, streaming) {
        ("anthropic", false) => anthropic(&values[0]),
        ("anthropic", true) => anthropic_stream(&values),
        ("openai-chat", false) => chat(&values[0]),
        ("openai-chat", true) => chat_stream(&values),
        ("openai-responses", false) => responses(&values[0]),
        ("openai-responses", true) => responses_stream(&values),
        (_, _) => gemini(&values),
    }
}

fn text(value: &Value, path: &str) -> String {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn count(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or(0)
}

fn parsed(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_else(|error| panic!("{error}: {arguments}"))
}

fn word(stop: &str) -> String {
    match stop {
        "end_turn" | "stop" | "completed" | "STOP" => "end".into(),
        "tool_use" | "tool_calls" => "tools".into(),
        "max_tokens" | "length" | "MAX_TOKENS" => "length".into(),
        other => other.into(),
    }
}

fn anthropic(message: &Value) -> Said {
    let mut said = Said { stop: word(&text(message, "/stop_reason")), ..Said::default() };
    for block in message["content"].as_array().unwrap() {
        match block["type"].as_str().unwrap() {
            "text" => said.text += &text(block, "/text"),
            "thinking" => said.thinking += &text(block, "/thinking"),
            "tool_use" => {
                said.calls.push((text(block, "/id"), text(block, "/name"), block["input"].clone()));
            }
            _ => {}
        }
    }
    said.input = count(message, "/usage/input_tokens")
        + count(message, "/usage/cache_read_input_tokens")
        + count(message, "/usage/cache_creation_input_tokens");
    said.output = count(message, "/usage/output_tokens");
    said
}

fn anthropic_stream(values: &[Value]) -> Said {
    let mut message = values[0]["message"].clone();
    assert_eq!(values[0]["type"], "message_start", "{values:?}");
    let mut blocks: Vec<Value> = Vec::new();
    let mut open = false;
    let mut arguments = String::new();
    for value in &values[1..] {
        match value["type"].as_str().unwrap() {
            "content_block_start" => {
                assert!(!open && value["index"] == blocks.len(), "{values:#?}");
                blocks.push(value["content_block"].clone());
                (open, arguments) = (true, String::new());
            }
            "content_block_delta" => {
                assert!(open && value["index"] == blocks.len() - 1, "{values:#?}");
                let block = blocks.last_mut().unwrap();
                let delta = &value["delta"];
                let (kind, fits) = match delta["type"].as_str().unwrap() {
                    "text_delta" => ("text", "text"),
                    "thinking_delta" => ("thinking", "thinking"),
                    "signature_delta" => ("signature", "thinking"),
                    "input_json_delta" => {
                        arguments += delta["partial_json"].as_str().unwrap();
                        ("", "tool_use")
                    }
                    _ => continue,
                };
                assert_eq!(block["type"], fits, "a delta of its own block: {values:#?}");
                if !kind.is_empty() {
                    let more =
                        format!("{}{}", text(block, &format!("/{kind}")), text(delta, &format!("/{kind}")));
                    block[kind] = json!(more);
                }
            }
            "content_block_stop" => {
                assert!(open, "{values:#?}");
                open = false;
                let block = blocks.last_mut().unwrap();
                if block["type"] == "tool_use" && !arguments.is_empty() {
                    block["input"] = parsed(&arguments);
                }
            }
            "message_delta" => {
                message["stop_reason"] = value["delta"]["stop_reason"].clone();
                for (name, number) in value["usage"].as_object().unwrap() {
                    message["usage"][name] = number.clone();
                }
            }
            _ => {}
        }
    }
    assert_eq!(values.iter().filter(|value| value["type"] == "message_start").count(), 1);
    message["content"] = json!(blocks);
    anthropic(&message)
}

fn chat(value: &Value) -> Said {
    let message = &value["choices"][0]["message"];
    Said {
        text: text(message, "/content"),
        thinking: text(message, "/reasoning_content"),
        calls: message["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|call| {
                (text(call, "/id"), text(call, "/function/name"), parsed(&text(call, "/function/arguments")))
            })
            .collect(),
        stop: word(&text(value, "/choices/0/finish_reason")),
        input: count(value, "/usage/prompt_tokens"),
        output: count(value, "/usage/completion_tokens"),
    }
}

fn chat_stream(values: &[Value]) -> Said {
    let mut said = Said::default();
    let mut calls: Vec<(String, String, String)> = Vec::new();
    assert_eq!(values[0]["choices"][0]["delta"]["role"], "assistant", "{values:?}");
    for value in values {
        let Some(choice) = value["choices"].get(0) else {
            said.input = count(value, "/usage/prompt_tokens");
            said.output = count(value, "/usage/completion_tokens");
            continue;
        };
        said.text += &text(choice, "/delta/content");
        said.thinking += &text(choice, "/delta/reasoning_content");
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if at == calls.len() {
                calls.push((text(call, "/id"), text(call, "/function/name"), String::new()));
            }
            calls[at].2 += &text(call, "/function/arguments");
        }
        if let Some(stop) = choice["finish_reason"].as_str() {
            said.stop = word(stop);
        }
    }
    said.calls = calls.into_iter().map(|(id, name, arguments)| (id, name, parsed(&arguments))).collect();
    said
}

fn responses(value: &Value) -> Said {
    let mut said = Said { stop: word(&text(value, "/status")), ..Said::default() };
    for item in value["output"].as_array().unwrap_or_else(|| panic!("{value}")) {
        match item["type"].as_str().unwrap() {
            "message" => {
                for part in item["content"].as_array().unwrap() {
                    said.text += &text(part, "/text");
                }
            }
            "reasoning" => {
                for part in item["summary"].as_array().unwrap() {
                    said.thinking += &text(part, "/text");
                }
            }
            "function_call" => {
                said.stop = "tools".into();
                let arguments = parsed(&text(item, "/arguments"));
                said.calls.push((text(item, "/call_id"), text(item, "/name"), arguments));
            }
            _ => {}
        }
    }
    said.input = count(value, "/usage/input_tokens");
    said.output = count(value, "/usage/output_tokens");
    said
}

fn responses_stream(values: &[Value]) -> Said {
    for (number, value) in values.iter().enumerate() {
        assert_eq!(value["sequence_number"], number, "{values:#?}");
    }
    let last = values.last().unwrap();
    assert_eq!(last["type"], "response.completed", "{last}");
    let whole = responses(&last["response"]);
    let deltas: String = values
        .iter()
        .filter(|value| value["type"] == "response.output_text.delta")
        .map(|value| text(value, "/delta"))
        .collect();
    assert_eq!(deltas, whole.text, "the deltas add up to the whole");
    let arguments: String = values
        .iter()
        .filter(|value| value["type"] == "response.function_call_arguments.delta")
        .map(|value| text(value, "/delta"))
        .collect();
    if whole.calls.len() == 1 {
        assert_eq!(parsed(&arguments), whole.calls[0].2, "the deltas add up to the arguments");
    }
    whole
}

fn gemini(values: &[Value]) -> Said {
    let mut said = Said::default();
    for value in values {
        let candidate = &value["candidates"][0];
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            if let Some(call) = part.get("functionCall") {
                said.calls.push((text(call, "/id"), text(call, "/name"), call["args"].clone()));
            } else if part["thought"] == true {
                said.thinking += &text(part, "/text");
            } else {
                said.text += &text(part, "/text");
            }
        }
        if let Some(stop) = candidate["finishReason"].as_str() {
            said.stop = word(stop);
        }
        if value["usageMetadata"]["candidatesTokenCount"].is_u64() {
            said.input = count(value, "/usageMetadata/promptTokenCount");
            said.output = count(value, "/usageMetadata/candidatesTokenCount")
                + count(value, "/usageMetadata/thoughtsTokenCount");
        }
    }
    // Real Gemini ends with STOP whether tools are called or not.
    if !said.calls.is_empty() && said.stop == "end" {
        said.stop = "tools".into();
    }
    said
}
