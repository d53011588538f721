//! What a stream says, for reading eyes: text, thinking, tool calls, tokens, the reason of its end.
//!
//! It passes over what it does not know and judges nothing: the meter counts, this shows.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::dialect::Dialect;

/// Longest event that is waited for.
const MOST: usize = 8 * 1024 * 1024;

/// A call of a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToolCall {
    /// The stream's own name for it.
    slot: u64,
    pub(crate) name: String,
    /// JSON, as it was written.
    pub(crate) arguments: String,
}

/// Everything that was said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heard {
    pub(crate) text: String,
    pub(crate) thinking: String,
    pub(crate) tools: Vec<ToolCall>,
    /// Why it ended, in the dialect's word.
    pub(crate) stop: Option<String>,
    /// As the stream says them; the books count for themselves.
    pub(crate) input_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
    /// What went wrong.
    pub(crate) error: Option<String>,
}

/// Takes a stream in, in pieces of any size.
#[derive(Debug)]
pub(crate) struct Listener {
    dialect: Dialect,
    /// Whether the answer is an event stream; an error is not.
    streams: bool,
    line: Vec<u8>,
}

impl Listener {
    /// Of an answer with this status.
    pub(crate) fn new(dialect: Dialect, status: u16) -> Self {
        Self { dialect, streams: (200..300).contains(&status), line: Vec::new() }
    }

    /// Takes in the next piece.
    pub(crate) fn feed(&mut self, piece: &[u8], heard: &mut Heard) {
        if !self.streams {
            if self.line.len() < MOST {
                self.line.extend_from_slice(piece);
            }
            return;
        }
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() < MOST {
                self.line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                self.event(heard);
                self.line.clear();
            }
        }
    }

    /// Nothing more comes.
    pub(crate) fn finish(&mut self, heard: &mut Heard) {
        if self.streams {
            self.event(heard);
        } else {
            let body: Option<Value> = serde_json::from_slice(&self.line).ok();
            let said = body
                .as_ref()
                .and_then(|body| text(body, "/error/message").or_else(|| text(body, "/0/error/message")));
            let raw = || String::from_utf8_lossy(&self.line).chars().take(2_000).collect();
            heard.error = Some(said.map_or_else(raw, str::to_owned));
        }
        self.line.clear();
    }

    // Vendors write an event's data into one line.
    fn event(&self, heard: &mut Heard) {
        let Some(data) = self.line.strip_prefix(b"data:") else { return };
        let Ok(event) = serde_json::from_slice::<Value>(data) else { return };
        if let Some(message) =
            text(&event, "/error/message").or_else(|| text(&event, "/response/error/message"))
        {
            heard.error = Some(message.to_owned());
        }
        match self.dialect {
            Dialect::Anthropic => heard.anthropic(&event),
            Dialect::OpenAiChat => heard.chat(&event),
            Dialect::OpenAiResponses => heard.responses(&event),
            Dialect::Gemini => heard.gemini(&event),
        }
    }
}

fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path).and_then(Value::as_str)
}

fn count(value: &Value, path: &str) -> Option<u64> {
    value.pointer(path).and_then(Value::as_u64)
}

fn append(to: &mut String, value: &Value, path: &str) {
    to.push_str(text(value, path).unwrap_or_default());
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

impl Heard {
    fn tool(&mut self, slot: u64) -> &mut ToolCall {
        let at = self.tools.iter().position(|tool| tool.slot == slot).unwrap_or(self.tools.len());
        if at == self.tools.len() {
            self.tools.push(ToolCall { slot, ..ToolCall::default() });
        }
        // It is there: either found or just added.
        self.tools.get_mut(at).unwrap_or_else(|| unreachable!("the slot was added"))
    }

    fn ended(&mut self, reason: Option<&str>) {
        if let Some(reason) = reason {
            self.stop = Some(reason.to_owned());
        }
    }

    fn used(&mut self, input: Option<u64>, output: Option<u64>) {
        self.input_tokens = input.or(self.input_tokens);
        self.output_tokens = output.or(self.output_tokens);
    }

    fn anthropic(&mut self, event: &Value) {
        let slot = count(event, "/index").unwrap_or_default();
        match text(event, "/type") {
            Some("message_start") => {
                let sorts = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
                let input = sorts.iter().filter_map(|name| count(event, &format!("/message/usage/{name}")));
                self.used(input.reduce(u64::saturating_add), None);
            }
            Some("content_block_start") => {
                let kind = text(event, "/content_block/type").unwrap_or_default();
                if kind.ends_with("tool_use") {
                    append(&mut self.tool(slot).name, event, "/content_block/name");
                } else {
                    append(&mut self.text, event, "/content_block/text");
                    append(&mut self.thinking, event, "/content_block/thinking");
                }
            }
            Some("content_block_delta") => {
                append(&mut self.text, event, "/delta/text");
                append(&mut self.thinking, event, "/delta/thinking");
                if text(event, "/delta/type") == Some("input_json_delta") {
                    append(&mut self.tool(slot).arguments, event, "/delta/partial_json");
                }
            }
            Some("message_delta") => {
                self.ended(text(event, "/delta/stop_reason"));
                self.used(None, count(event, "/usage/output_tokens"));
            }
            _ => {}
        }
    }

    fn chat(&mut self, event: &Value) {
        append(&mut self.text, event, "/choices/0/delta/content");
        append(&mut self.text, event, "/choices/0/delta/refusal");
        append(&mut self.thinking, event, "/choices/0/delta/reasoning_content");
        append(&mut self.thinking, event, "/choices/0/delta/reasoning");
        for call in list(event, "/choices/0/delta/tool_calls") {
            let tool = self.tool(count(call, "/index").unwrap_or_default());
            append(&mut tool.name, call, "/function/name");
            append(&mut tool.arguments, call, "/function/arguments");
        }
        self.ended(text(event, "/choices/0/finish_reason"));
        self.used(count(event, "/usage/prompt_tokens"), count(event, "/usage/completion_tokens"));
    }

    fn responses(&mut self, event: &Value) {
        let slot = count(event, "/output_index").unwrap_or_default();
        match text(event, "/type") {
            Some("response.output_text.delta" | "response.refusal.delta") => {
                append(&mut self.text, event, "/delta");
            }
            Some("response.reasoning_summary_text.delta" | "response.reasoning_text.delta") => {
                append(&mut self.thinking, event, "/delta");
            }
            Some("response.output_item.added") if text(event, "/item/type") == Some("function_call") => {
                append(&mut self.tool(slot).name, event, "/item/name");
            }
            Some("response.function_call_arguments.delta") => {
                append(&mut self.tool(slot).arguments, event, "/delta");
            }
            Some("response.completed" | "response.incomplete" | "response.failed") => {
                let why = text(event, "/response/incomplete_details/reason");
                self.ended(why.or_else(|| text(event, "/response/status")));
                let usage = |name: &str| count(event, &format!("/response/usage/{name}"));
                self.used(usage("input_tokens"), usage("output_tokens"));
            }
            Some("error") => self.error = text(event, "/message").map(str::to_owned).or(self.error.take()),
            _ => {}
        }
    }

    fn gemini(&mut self, event: &Value) {
        for part in list(event, "/candidates/0/content/parts") {
            let thought = part.pointer("/thought").and_then(Value::as_bool) == Some(true);
            append(if thought { &mut self.thinking } else { &mut self.text }, part, "/text");
            if let Some(call) = part.pointer("/functionCall") {
                let slot = u64::try_from(self.tools.len()).unwrap_or(u64::MAX);
                let tool = self.tool(slot);
                append(&mut tool.name, call, "/name");
                tool.arguments = call.pointer("/args").map(Value::to_string).unwrap_or_default();
            }
        }
        self.ended(text(event, "/candidates/0/finishReason"));
        let usage = |name: &str| count(event, &format!("/usageMetadata/{name}"));
        let said = [usage("candidatesTokenCount"), usage("thoughtsTokenCount")];
        let output = said.into_iter().flatten().reduce(u64::saturating_add);
        self.used(usage("promptTokenCount"), output);
    }
}

#[cfg(test)]
mod tests;
