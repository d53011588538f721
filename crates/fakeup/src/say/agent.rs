//! Answers of a model that thinks and calls tools, in each dialect, whole and streamed.

#![expect(clippy::indexing_slicing, reason = "the objects are made here, and a missing field reads as null")]

use serde_json::{Value, json};

use super::{Said, Words, anthropic, chat, gemini, responses};
use crate::behaviour::{Agent, ToolUse};
use crate::request::{Call, Received};

/// Into how many deltas arguments are cut.
const PIECES: usize = 3;

/// What is to be said beside the words.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    thinking: Option<&'a str>,
    text: Option<String>,
    calls: Vec<ToolUse>,
}

impl<'a> Turn<'a> {
    /// What an agent says to a request: it calls its tools until it has a result, then it speaks.
    pub(super) fn of(agent: &'a Agent, request: &Received, words: &Words) -> Self {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let answered = has_result(&body);
        let offered = first_tool(&body);
        let calls: Vec<ToolUse> = agent
            .calls
            .iter()
            .filter(|_| !answered)
            .filter_map(|call| {
                let name = call.name.clone().or_else(|| offered.clone())?;
                Some(ToolUse { name: Some(name), arguments: call.arguments.clone() })
            })
            .collect();
        let text = (calls.is_empty() || agent.speaks).then(|| words.text());
        Self { thinking: agent.thinking.as_deref(), text, calls }
    }

    pub(super) fn say(&self, words: &Words, streaming: bool) -> Said {
        match words.call {
            Call::Messages => self.anthropic(words, streaming),
            Call::Responses => self.responses(words, streaming),
            Call::GeminiGenerate | Call::GeminiStream => self.gemini(words, streaming),
            _ => self.chat(words, streaming),
        }
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        self.calls
            .iter()
            .enumerate()
            .map(|(at, call)| (at, call.name.as_deref().unwrap_or("tool"), call.arguments.as_str()))
    }

    fn anthropic(&self, words: &Words, streaming: bool) -> Said {
        let mut blocks: Vec<Value> = Vec::new();
        if let Some(thinking) = self.thinking {
            blocks.push(json!({"type": "thinking", "thinking": thinking, "signature": "EqQBfake+/=="}));
        }
        if let Some(text) = &self.text {
            blocks.push(json!({"type": "text", "text": text}));
        }
        for (at, name, arguments) in self.numbered() {
            let input: Value = serde_json::from_str(arguments).unwrap_or_default();
            blocks
                .push(json!({"type": "tool_use", "id": format!("toolu_{at}"), "name": name, "input": input}));
        }
        let stop = if self.calls.is_empty() { "end_turn" } else { "tool_use" };
        let message = |content: &Value, stop: Value, output: u64| {
            json!({
                "id": "msg_01FakeUpstream", "type": "message", "role": "assistant", "model": words.model,
                "content": content, "stop_reason": stop, "stop_sequence": null,
                "usage": anthropic::usage(words, output),
            })
        };
        if !streaming {
            return Said::json(&message(&json!(blocks), json!(stop), words.tokens.output), words.tokens);
        }
        let mut events = Vec::new();
        let mut say = |value: Value| {
            let name = value["type"].as_str().unwrap_or_default();
            events.push(format!("event: {name}\ndata: {value}\n\n"));
        };
        say(json!({"type": "message_start", "message": message(&json!([]), Value::Null, 1)}));
        for (index, block) in blocks.iter().enumerate() {
            let mut start = block.clone();
            let mut deltas = Vec::new();
            match block["type"].as_str() {
                Some("thinking") => {
                    start["thinking"] = json!("");
                    start["signature"] = json!("");
                    deltas.push(json!({"type": "thinking_delta", "thinking": block["thinking"]}));
                    deltas.push(json!({"type": "signature_delta", "signature": block["signature"]}));
                }
                Some("text") => {
                    start["text"] = json!("");
                    deltas
                        .extend(words.deltas.iter().map(|text| json!({"type": "text_delta", "text": text})));
                }
                _ => {
                    start["input"] = json!({});
                    let pieces = pieces(&block["input"].to_string());
                    deltas.extend(
                        pieces.into_iter().map(|p| json!({"type": "input_json_delta", "partial_json": p})),
                    );
                }
            }
            say(json!({"type": "content_block_start", "index": index, "content_block": start}));
            for delta in deltas {
                say(json!({"type": "content_block_delta", "index": index, "delta": delta}));
            }
            say(json!({"type": "content_block_stop", "index": index}));
        }
        let output = json!({"output_tokens": words.count(words.tokens.output)});
        let delta = json!({"stop_reason": stop, "stop_sequence": null});
        say(json!({"type": "message_delta", "delta": delta, "usage": output}));
        say(json!({"type": "message_stop"}));
        Said::events(events, words.tokens)
    }

    fn chat(&self, words: &Words, streaming: bool) -> Said {
        let stop = if self.calls.is_empty() { "stop" } else { "tool_calls" };
        let base = |object: &str, choices: Value| {
            json!({
                "id": "chatcmpl-FakeUpstream", "object": object, "created": 1_790_000_000,
                "model": words.model, "choices": choices,
            })
        };
        let call = |at: usize, name: &str, arguments: &str| {
            let function = json!({"name": name, "arguments": arguments});
            json!({"id": format!("call_{at}"), "type": "function", "function": function})
        };
        if !streaming {
            let mut message = json!({"role": "assistant", "content": self.text});
            if let Some(thinking) = self.thinking {
                message["reasoning_content"] = json!(thinking);
            }
            if !self.calls.is_empty() {
                message["tool_calls"] = self.numbered().map(|(at, n, a)| call(at, n, a)).collect();
            }
            let mut value =
                base("chat.completion", json!([{"index": 0, "message": message, "finish_reason": stop}]));
            value["usage"] = chat::usage(words);
            return Said::json(&value, words.tokens);
        }
        let mut events = Vec::new();
        let mut say = |delta: Value, finish: Value| {
            let choice = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
            events.push(format!("data: {}\n\n", base("chat.completion.chunk", choice)));
        };
        say(json!({"role": "assistant", "content": ""}), Value::Null);
        if let Some(thinking) = self.thinking {
            say(json!({"reasoning_content": thinking}), Value::Null);
        }
        if self.text.is_some() {
            for text in &words.deltas {
                say(json!({"content": text}), Value::Null);
            }
        }
        for (at, name, arguments) in self.numbered() {
            let mut start = call(at, name, "");
            start["index"] = json!(at);
            say(json!({"tool_calls": [start]}), Value::Null);
            for piece in pieces(arguments) {
                let part = json!({"index": at, "function": {"arguments": piece}});
                say(json!({"tool_calls": [part]}), Value::Null);
            }
        }
        say(json!({}), json!(stop));
        if words.usage_asked {
            let mut value = base("chat.completion.chunk", json!([]));
            value["usage"] = chat::usage(words);
            events.push(format!("data: {value}\n\n"));
        }
        events.push("data: [DONE]\n\n".to_owned());
        Said::events(events, words.tokens)
    }

    fn responses(&self, words: &Words, streaming: bool) -> Said {
        let mut items: Vec<Value> = Vec::new();
        if let Some(thinking) = self.thinking {
            items.push(json!({
                "id": "rs_1", "type": "reasoning", "encrypted_content": "gAAAfake",
                "summary": [{"type": "summary_text", "text": thinking}],
            }));
        }
        if let Some(text) = &self.text {
            let part = json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []});
            items.push(json!({
                "id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
                "content": [part],
            }));
        }
        for (at, name, arguments) in self.numbered() {
            items.push(json!({
                "id": format!("fc_{at}"), "type": "function_call", "status": "completed",
                "call_id": format!("call_{at}"), "name": name, "arguments": arguments,
            }));
        }
        let whole = |status: &str, output: &[Value], usage: Value| {
            json!({
                "id": "resp_FakeUpstream", "object": "response", "created_at": 1_790_000_000, "status": status,
                "model": words.model, "output": output, "usage": usage, "error": null,
            })
        };
        let done = whole("completed", &items, responses::usage(words));
        if !streaming {
            return Said::json(&done, words.tokens);
        }
        let mut events: Vec<String> = Vec::new();
        let mut say = |kind: &str, mut value: Value| {
            value["type"] = json!(kind);
            value["sequence_number"] = json!(events.len());
            events.push(format!("event: {kind}\ndata: {value}\n\n"));
        };
        say("response.created", json!({"response": whole("in_progress", &[], Value::Null)}));
        for (index, item) in items.iter().enumerate() {
            let at = |more: Value| {
                let mut place = json!({"item_id": item["id"], "output_index": index});
                for (name, value) in more.as_object().into_iter().flatten() {
                    place[name] = value.clone();
                }
                place
            };
            let mut begun = item.clone();
            match item["type"].as_str() {
                Some("reasoning") => {
                    begun["summary"] = json!([]);
                    say("response.output_item.added", json!({"output_index": index, "item": begun}));
                    let text = &item["summary"][0]["text"];
                    let part = |text: &Value| json!({"type": "summary_text", "text": text});
                    say(
                        "response.reasoning_summary_part.added",
                        at(json!({"summary_index": 0, "part": part(&json!(""))})),
                    );
                    say(
                        "response.reasoning_summary_text.delta",
                        at(json!({"summary_index": 0, "delta": text})),
                    );
                    say(
                        "response.reasoning_summary_text.done",
                        at(json!({"summary_index": 0, "text": text})),
                    );
                    say(
                        "response.reasoning_summary_part.done",
                        at(json!({"summary_index": 0, "part": part(text)})),
                    );
                }
                Some("message") => {
                    begun["content"] = json!([]);
                    say("response.output_item.added", json!({"output_index": index, "item": begun}));
                    let part = |text: &str| json!({"type": "output_text", "text": text, "annotations": []});
                    say("response.content_part.added", at(json!({"content_index": 0, "part": part("")})));
                    for text in &words.deltas {
                        say("response.output_text.delta", at(json!({"content_index": 0, "delta": text})));
                    }
                    let text = words.text();
                    say("response.output_text.done", at(json!({"content_index": 0, "text": text})));
                    say("response.content_part.done", at(json!({"content_index": 0, "part": part(&text)})));
                }
                _ => {
                    begun["arguments"] = json!("");
                    say("response.output_item.added", json!({"output_index": index, "item": begun}));
                    let arguments = item["arguments"].as_str().unwrap_or_default();
                    for piece in pieces(arguments) {
                        say("response.function_call_arguments.delta", at(json!({"delta": piece})));
                    }
                    say("response.function_call_arguments.done", at(json!({"arguments": arguments})));
                }
            }
            say("response.output_item.done", json!({"output_index": index, "item": item}));
        }
        say("response.completed", json!({ "response": done }));
        Said::events(events, words.tokens)
    }

    fn gemini(&self, words: &Words, streaming: bool) -> Said {
        let mut parts: Vec<Value> = Vec::new();
        if let Some(thinking) = self.thinking {
            parts.push(json!({"text": thinking, "thought": true}));
        }
        if let Some(text) = &self.text {
            parts.push(json!({ "text": text }));
        }
        for (at, name, arguments) in self.numbered() {
            let args: Value = serde_json::from_str(arguments).unwrap_or_default();
            let mut part = json!({"functionCall": {"name": name, "args": args}});
            if self.thinking.is_some() && at == 0 {
                part["thoughtSignature"] = json!("CiQBfake");
            }
            parts.push(part);
        }
        let value = |parts: &[Value], ends: bool| {
            let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
            if ends {
                candidate["finishReason"] = json!("STOP");
            }
            json!({
                "candidates": [candidate], "modelVersion": words.model, "responseId": "fakeUpstream",
                "usageMetadata": gemini::usage(words, ends),
            })
        };
        if !streaming {
            return Said::json(&value(&parts, true), words.tokens);
        }
        let last = parts.len().saturating_sub(1);
        let events = parts
            .chunks(1)
            .enumerate()
            .map(|(at, part)| format!("data: {}\r\n\r\n", value(part, at == last)))
            .collect();
        Said::events(events, words.tokens)
    }
}

fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(chars.len().div_ceil(PIECES).max(1)).map(|part| part.iter().collect()).collect()
}

/// The first tool that a request of any dialect offers.
fn first_tool(body: &Value) -> Option<String> {
    let tool = body.pointer("/tools/0")?;
    let name = ["/name", "/function/name", "/functionDeclarations/0/name", "/function_declarations/0/name"]
        .iter()
        .find_map(|path| tool.pointer(path))?;
    name.as_str().map(str::to_owned)
}

/// Whether a request of any dialect holds what a tool answered.
fn has_result(body: &Value) -> bool {
    match body {
        Value::Object(fields) => {
            let word = |name: &str| fields.get(name).and_then(Value::as_str);
            matches!(word("type"), Some("tool_result" | "function_call_output"))
                || word("role") == Some("tool")
                || fields.contains_key("functionResponse")
                || fields.iter().any(|(name, value)| name != "tools" && has_result(value))
        }
        Value::Array(list) => list.iter().any(has_result),
        _ => false,
    }
}
