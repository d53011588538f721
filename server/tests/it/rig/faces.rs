//! The four dialects as a table, so that what holds for one is tested for all.

use serde_json::{Value, json};

use super::client::Ask;

/// One dialect's main endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Face {
    /// As in `dialect`.
    pub(crate) name: &'static str,
    /// The kind of provider that serves it.
    pub(crate) kind: &'static str,
    /// What ends a good stream.
    pub(crate) end: &'static str,
    /// What Tollgate ends a broken stream with.
    pub(crate) error_event: &'static str,
}

pub(crate) const ANTHROPIC: Face =
    Face { name: "anthropic", kind: "anthropic", end: "message_stop", error_event: "event: error\ndata: {" };
pub(crate) const CHAT: Face =
    Face { name: "openai-chat", kind: "openai", end: "[DONE]", error_event: "data: {\"error\":{" };
pub(crate) const RESPONSES: Face = Face {
    name: "openai-responses",
    kind: "openai",
    end: "response.completed",
    error_event: "event: response.failed\ndata: {",
};
pub(crate) const GEMINI: Face = Face {
    name: "gemini",
    kind: "gemini",
    end: "\"finishReason\":\"STOP\"",
    error_event: "data: {\"error\":{",
};

pub(crate) const FACES: [Face; 4] = [ANTHROPIC, CHAT, RESPONSES, GEMINI];

impl Face {
    /// A usual request, without a key.
    pub(crate) fn ask(self, model: &str, streaming: bool) -> Ask {
        Ask::post(&self.target(model, streaming), self.body(model, streaming).to_string())
    }

    pub(crate) fn target(self, model: &str, streaming: bool) -> String {
        match self.name {
            "anthropic" => "/v1/messages".to_owned(),
            "openai-chat" => "/v1/chat/completions".to_owned(),
            "openai-responses" => "/v1/responses".to_owned(),
            _ if streaming => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
            _ => format!("/v1beta/models/{model}:generateContent"),
        }
    }

    pub(crate) fn body(self, model: &str, streaming: bool) -> Value {
        let words = json!([{"role": "user", "content": "Say hello."}]);
        match self.name {
            "anthropic" => json!({"model": model, "max_tokens": 64, "stream": streaming, "messages": words}),
            "openai-chat" => json!({
                "model": model, "stream": streaming, "messages": words,
                "stream_options": if streaming { json!({"include_usage": true}) } else { Value::Null },
            }),
            "openai-responses" => json!({"model": model, "stream": streaming, "input": words}),
            _ => json!({"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}),
        }
    }

    /// Bytes of a stream with a short model name that end in its second content event: the first one is out.
    pub(crate) fn beyond_content(self) -> usize {
        match self.name {
            "anthropic" => 790,
            "openai-chat" => 560,
            "openai-responses" => 1_450,
            _ => 300,
        }
    }

    /// Both ways of asking.
    pub(crate) fn both(self, model: &str) -> [(bool, Ask); 2] {
        [false, true].map(|streaming| (streaming, self.ask(model, streaming)))
    }

    /// Asserts that an error body is what this dialect's SDK expects.
    pub(crate) fn assert_error(self, body: &Value, status: u16, code: &str, id: &str) {
        let error = &body["error"];
        match self.name {
            "anthropic" => {
                assert_eq!(body["type"], "error", "{body}");
                assert!(error["type"].is_string(), "{body}");
                assert_eq!(error["code"], code, "{body}");
                assert_eq!(body["request_id"], id, "{body}");
            }
            "gemini" => {
                assert_eq!(error["code"], status, "{body}");
                assert!(error["status"].is_string(), "{body}");
                assert_eq!(error["details"][0]["reason"], code, "{body}");
                assert_eq!(error["details"][0]["metadata"]["request_id"], id, "{body}");
            }
            _ => {
                assert!(error["type"].is_string() && error.get("param").is_some(), "{body}");
                assert_eq!(error["code"], code, "{body}");
                assert_eq!(error["request_id"], id, "{body}");
            }
        }
        assert!(error["message"].as_str().is_some_and(|text| text.len() > 10), "{body}");
    }
}
