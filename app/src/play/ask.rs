//! One prompt as each dialect says it. Always streamed: the first byte is worth seeing.

use serde_json::{Value, json};
use types::dialect::{Dialect, Endpoint};

/// One prompt for one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) dialect: Dialect,
    pub(crate) model: String,
    /// May be empty.
    pub(crate) system: String,
    pub(crate) prompt: String,
    pub(crate) max_tokens: u64,
    /// Whether a tool is offered.
    pub(crate) tool: bool,
    /// Whether thinking is asked for.
    pub(crate) thinking: bool,
}

/// What goes out, but for the key: a `POST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    /// Path and query.
    pub(crate) target: String,
    /// Name and value of each header but the key's.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: String,
}

/// The tool that can be offered, to see calls.
const TOOL: &str = "get_weather";
/// Tokens to think with, where a dialect counts them.
const BUDGET: u64 = 1_024;

impl Ask {
    /// Asked by the header in which every dialect's callers may send a key.
    pub(crate) const KEY_HEADER: &str = "x-api-key";

    /// As a call of the gateway's own surface.
    pub(crate) fn call(&self) -> Call {
        let (endpoint, body) = match self.dialect {
            Dialect::Anthropic => (Endpoint::Messages, self.anthropic()),
            Dialect::OpenAiChat => (Endpoint::ChatCompletions, self.chat()),
            Dialect::OpenAiResponses => (Endpoint::Responses, self.responses()),
            Dialect::Gemini => (Endpoint::GeminiStream, self.gemini()),
        };
        let target = match self.dialect {
            Dialect::Anthropic => "/v1/messages".to_owned(),
            Dialect::OpenAiChat => "/v1/chat/completions".to_owned(),
            Dialect::OpenAiResponses => "/v1/responses".to_owned(),
            Dialect::Gemini => format!(
                "/v1beta/models/{}:streamGenerateContent?alt=sse",
                leptos_router::location::Url::escape(&self.model)
            ),
        };
        let mut headers = vec![("content-type", "application/json"), ("accept", "text/event-stream")];
        if self.dialect == Dialect::Anthropic {
            headers.push(("anthropic-version", "2023-06-01"));
        }
        Call { endpoint, target, headers, body: body.to_string() }
    }

    fn schema() -> Value {
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] })
    }

    fn anthropic(&self) -> Value {
        let mut body = json!({
            "model": self.model, "max_tokens": self.max_tokens, "stream": true,
            "messages": [{ "role": "user", "content": self.prompt }],
        });
        if !self.system.is_empty() {
            put(&mut body, "system", json!(self.system));
        }
        if self.thinking {
            // The budget is part of the longest answer.
            put(&mut body, "max_tokens", json!(self.max_tokens.saturating_add(BUDGET)));
            put(&mut body, "thinking", json!({ "type": "enabled", "budget_tokens": BUDGET }));
        }
        if self.tool {
            let tool = json!([{ "name": TOOL, "description": WHAT, "input_schema": Self::schema() }]);
            put(&mut body, "tools", tool);
        }
        body
    }

    fn chat(&self) -> Value {
        let user = json!({ "role": "user", "content": self.prompt });
        let messages = if self.system.is_empty() {
            vec![user]
        } else {
            vec![json!({ "role": "system", "content": self.system }), user]
        };
        let mut body = json!({
            "model": self.model, "max_completion_tokens": self.max_tokens, "stream": true,
            "stream_options": { "include_usage": true }, "messages": messages,
        });
        if self.thinking {
            put(&mut body, "reasoning_effort", json!("low"));
        }
        if self.tool {
            let function = json!({ "name": TOOL, "description": WHAT, "parameters": Self::schema() });
            put(&mut body, "tools", json!([{ "type": "function", "function": function }]));
        }
        body
    }

    fn responses(&self) -> Value {
        let mut body = json!({
            "model": self.model, "max_output_tokens": self.max_tokens, "stream": true, "input": self.prompt,
            "store": false,
        });
        if !self.system.is_empty() {
            put(&mut body, "instructions", json!(self.system));
        }
        if self.thinking {
            put(&mut body, "reasoning", json!({ "effort": "low", "summary": "auto" }));
        }
        if self.tool {
            let tool = json!({ "type": "function", "name": TOOL, "description": WHAT, "parameters": Self::schema() });
            put(&mut body, "tools", json!([tool]));
        }
        body
    }

    fn gemini(&self) -> Value {
        let mut settings = json!({ "maxOutputTokens": self.max_tokens });
        if self.thinking {
            put(&mut settings, "thinkingConfig", json!({ "includeThoughts": true }));
        }
        let mut body = json!({
            "contents": [{ "role": "user", "parts": [{ "text": self.prompt }] }],
            "generationConfig": settings,
        });
        if !self.system.is_empty() {
            put(&mut body, "systemInstruction", json!({ "parts": [{ "text": self.system }] }));
        }
        if self.tool {
            let function = json!({ "name": TOOL, "description": WHAT, "parameters": Self::schema() });
            put(&mut body, "tools", json!([{ "functionDeclarations": [function] }]));
        }
        body
    }
}

const WHAT: &str = "Tells the present weather of a city.";

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(dialect: Dialect) -> Ask {
        Ask {
            dialect,
            model: "house/m".into(),
            system: "Be brief.".into(),
            prompt: "Hello".into(),
            max_tokens: 64,
            tool: true,
            thinking: true,
        }
    }

    #[test]
    fn each_dialect_asks_its_own_path_and_says_everything() {
        for (dialect, target) in [
            (Dialect::Anthropic, "/v1/messages"),
            (Dialect::OpenAiChat, "/v1/chat/completions"),
            (Dialect::OpenAiResponses, "/v1/responses"),
            (Dialect::Gemini, "/v1beta/models/house%2Fm:streamGenerateContent?alt=sse"),
        ] {
            let call = ask(dialect).call();
            assert_eq!((call.target.as_str(), call.endpoint.dialect()), (target, dialect));
            for part in ["Be brief.", "Hello", TOOL, "64"] {
                assert!(
                    call.body.contains(part) || dialect == Dialect::Anthropic && part == "64",
                    "{dialect}: {part}"
                );
            }
            let plain = Ask { system: String::new(), tool: false, thinking: false, ..ask(dialect) }.call();
            for part in [TOOL, "thinking", "system", "instructions", "reasoning"] {
                assert!(!plain.body.contains(part), "{dialect}: {part}");
            }
        }
    }
}
