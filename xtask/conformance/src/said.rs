//! What an answer says, read from the bytes by other means than the product's readers.

mod anthropic;
mod chat;
mod gemini;
mod responses;

use protocol::Dialect;
use serde_json::Value;

use crate::walk;

/// Why an answer ended, as far as a caller acts upon it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing was said.
    #[default]
    Silent,
    Done,
    Length,
    Sequence,
    Tools,
    Refused,
    Paused,
    Full,
}

/// A call of one of the caller's tools.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Called {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

/// What a caller understands of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) thinking: String,
    pub(crate) calls: Vec<Called>,
    pub(crate) end: End,
    /// Every class of input together.
    pub(crate) input: u64,
    /// Of the input, what came from the vendor's cache.
    pub(crate) cached: u64,
    pub(crate) output: u64,
    /// Whether the dialect's own mark of a good end was there.
    pub(crate) over: bool,
    /// Whether the answer is an error instead.
    pub(crate) failed: bool,
    /// Rules of the dialect that were broken.
    pub(crate) broken: Vec<String>,
}

impl Said {
    /// Reads a whole answer.
    pub(crate) fn whole(dialect: Dialect, body: &str) -> Self {
        let value: Value = match serde_json::from_str(body) {
            Ok(value) => value,
            Err(error) => return Self { broken: vec![format!("no JSON: {error}")], ..Self::default() },
        };
        let mut said = match dialect {
            Dialect::Anthropic => anthropic::whole(&value),
            Dialect::OpenAiChat => chat::whole(&value),
            Dialect::OpenAiResponses => responses::whole(&value),
            Dialect::Gemini => gemini::read(std::slice::from_ref(&value)),
        };
        said.over = true;
        said.act()
    }

    /// Reads a stream of events. The rules of order are held against what Tollgate writes only: vendors break them.
    pub(crate) fn stream(dialect: Dialect, body: &str) -> Self {
        let values = match walk::events(body) {
            Ok(values) => values,
            Err(error) => return Self { broken: vec![error], ..Self::default() },
        };
        let mut said = match dialect {
            Dialect::Anthropic => anthropic::stream(&values),
            Dialect::OpenAiChat => {
                let mut said = chat::stream(&values);
                said.over = body.trim_end().ends_with("data: [DONE]") || said.end != End::Silent;
                said
            }
            Dialect::OpenAiResponses => responses::stream(&values),
            Dialect::Gemini => {
                let mut said = gemini::read(&values);
                said.over = said.end != End::Silent;
                said
            }
        };
        said.failed |= values.iter().any(|value| {
            value.get("error").is_some_and(|error| !error.is_null())
                || ["error", "response.failed"].contains(&walk::text(value, "/type"))
        });
        said.act()
    }

    /// Whoever calls tools is to be answered, whatever word the vendor ends with.
    fn act(mut self) -> Self {
        if matches!(self.end, End::Silent | End::Done) {
            self.end = if self.calls.is_empty() { End::Done } else { End::Tools };
        }
        self
    }

    /// The same in the words of a dialect that has fewer.
    pub(crate) fn for_caller(mut self, dialect: Dialect) -> Self {
        if dialect != Dialect::Anthropic {
            self.end = match self.end {
                End::Sequence | End::Paused if self.calls.is_empty() => End::Done,
                End::Sequence | End::Paused => End::Tools,
                End::Full => End::Length,
                other => other,
            };
        }
        // These two take objects only; what is none is wrapped.
        if matches!(dialect, Dialect::Anthropic | Dialect::Gemini) {
            for call in &mut self.calls {
                if !call.arguments.is_object() {
                    let text =
                        call.arguments.as_str().map_or_else(|| call.arguments.to_string(), str::to_owned);
                    call.arguments = serde_json::json!({ "_raw": text });
                }
            }
        }
        self
    }
}
