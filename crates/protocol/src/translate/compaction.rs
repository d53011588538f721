//! Compacting a conversation with a model whose vendor cannot: the model is asked for a summary, and the summary goes
//! to the caller as OpenAI's `compaction` item, sealed, so that it comes back with the next turn.
//!
//! What seals and opens is passed in. It does not decide whose summary may be opened by whom.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Back, Fault, text, write_answer_value};
use crate::neutral::{Answer, Part, Reasoning, Request, Role, Stop, ToolChoice, Turn};

/// Begins every sealed summary, before base64. Its length is a multiple of three, so that it always encodes alike.
const MARK: &str = "tollgate:c1:";
/// [`MARK`] in base64.
const MARKED: &str = "dG9sbGdhdGU6YzE6";

/// What the model is asked for. The handbook shows it: who changes it changes `docs/handbook/translation.md` too.
pub const PROMPT: &str = include_str!("compaction/prompt.txt");

/// Begins the message that a summary becomes in the next turn.
pub const PREFACE: &str =
    "The conversation up to here was compacted. This is the summary that the model wrote of it:\n\n";

/// What the record says of it.
pub(super) const LOSS: &str = "is compacted by the model, in its own words, and not by its vendor";

/// What is wrong with an answer that should have been one.
pub(super) const NO_SUMMARY: &str = "is missing: the model wrote no summary";

type Seal = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// Seals a summary for its caller.
#[derive(Clone)]
pub struct Sealer(Arc<Seal>);

impl Sealer {
    /// With a cipher that authenticates; `None` of it means that nothing can be sealed now.
    pub fn new(seal: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(seal))
    }

    /// The `encrypted_content` of a summary.
    pub(super) fn seal(&self, summary: &str) -> Option<String> {
        (self.0)(summary).map(|sealed| STANDARD.encode([MARK.as_bytes(), &sealed].concat()))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

/// The request that asks for a summary of what another one holds.
pub(super) fn ask(request: &Request, at: &str) -> Request {
    let mut asked = request.clone();
    // What it may call stays: vendors refuse calls in a history whose tools they are not told.
    asked.tool_choice = (!asked.tools.is_empty()).then_some(ToolChoice::None);
    asked.parallel_tools = None;
    asked.format = None;
    asked.verbosity = None;
    asked.sampling.stop.clear();
    asked.sampling.n = None;
    asked.sampling.logprobs = None;
    asked.sampling.top_logprobs = None;
    asked.reasoning = asked.reasoning.map(|wish| Reasoning { shown: None, summary: None, ..wish });
    asked.turns.push(Turn {
        role: Role::User,
        name: None,
        parts: vec![Part::text(PROMPT.trim_end())],
        at: at.to_owned(),
        places: Vec::new(),
    });
    asked
}

/// Whether an answer holds anything that can be a summary.
pub(super) fn is_summary(answer: &Answer) -> bool {
    let said = answer.choices.first().filter(|choice| choice.stop != Some(Stop::Refusal));
    let parts = said.map_or(&[][..], |choice| choice.parts.as_slice());
    parts.iter().filter_map(Part::as_text).any(|text| !text.trim().is_empty())
}

/// The answer of `/v1/responses/compact`: what stays of the conversation (see [`kept`]), and the sealed summary.
///
/// # Errors
/// [`Fault`] if the summary cannot be sealed.
pub fn write(answer: &Answer, back: &Back, mut kept: Vec<Value>) -> Result<Vec<u8>, Fault> {
    let mut response = write_answer_value(answer, back);
    if response.is_null() {
        return Err(Fault::field("output", "cannot be sealed"));
    }
    let mut take = |name: &str| response.get_mut(name).map(Value::take).unwrap_or_default();
    let made = match take("output") {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    for (n, item) in kept.iter_mut().enumerate() {
        let Some(message) = item.as_object_mut() else { continue };
        if !message.get("id").is_some_and(Value::is_string) {
            message.insert("id".to_owned(), format!("msg_{}_{n}", back.ids).into());
        }
        message.insert("status".to_owned(), "completed".into());
    }
    kept.extend(made);
    let usage = take("usage");
    let whole = json!({
        "id": take("id"), "object": "response.compaction", "created_at": take("created_at"), "output": kept,
        "usage": usage,
    });
    Ok(text::json(&whole))
}

/// What stays of a conversation beside the summary, as with the vendor that has this endpoint: the user's messages.
/// Earlier summaries are in the new one.
pub fn kept(input: &[Value]) -> Vec<Value> {
    input.iter().filter_map(user_message).collect()
}

/// The same of the body of a request. What is not understood keeps nothing; who reads it as a request says so.
pub fn kept_of(body: &[u8]) -> Vec<Value> {
    match text::parse(body).ok().and_then(|mut body| body.get_mut("input").map(Value::take)) {
        Some(Value::String(words)) => kept(&[json!({"role": "user", "content": words})]),
        Some(Value::Array(items)) => kept(&items),
        _ => Vec::new(),
    }
}

fn user_message(item: &Value) -> Option<Value> {
    let kind = item.get("type").and_then(Value::as_str);
    if !matches!(kind, None | Some("message")) || item.get("role").and_then(Value::as_str) != Some("user") {
        return None;
    }
    let content = match item.get("content")? {
        Value::String(words) => json!([{"type": "input_text", "text": words}]),
        content => content.clone(),
    };
    let first = content.get(0).and_then(|part| part.get("text")).and_then(Value::as_str);
    if first.is_some_and(|text| text.starts_with(PREFACE)) {
        return None;
    }
    let mut message: Map<String, Value> = item.as_object()?.clone();
    message.insert("type".to_owned(), "message".into());
    message.insert("content".to_owned(), content);
    Some(Value::Object(message))
}

/// The body of a Responses request with every sealed summary of ours as the message that it stands for, which any
/// upstream can read; `None` if there is none, which a search in the bytes tells.
///
/// # Errors
/// [`Fault`] names a summary that `open` does not open.
pub fn unfold(body: &[u8], open: impl Fn(&[u8]) -> Option<String>) -> Result<Option<Vec<u8>>, Fault> {
    if memchr::memmem::find(body, MARKED.as_bytes()).is_none() {
        return Ok(None);
    }
    // A body that is no JSON is refused by those who read it next.
    let Ok(mut body) = text::parse(body) else { return Ok(None) };
    let Some(items) = body.get_mut("input").and_then(Value::as_array_mut) else { return Ok(None) };
    let mut any = false;
    for (n, item) in items.iter_mut().enumerate() {
        let Some(sealed) = sealed(item) else { continue };
        let opened =
            STANDARD.decode(sealed).ok().and_then(|bytes| open(bytes.strip_prefix(MARK.as_bytes())?));
        let Some(summary) = opened else {
            let field = format!("input[{n}].encrypted_content");
            return Err(Fault::field(field, "cannot be opened here"));
        };
        *item = json!({
            "type": "message", "role": "user",
            "content": [{"type": "input_text", "text": format!("{PREFACE}{summary}")}],
        });
        any = true;
    }
    Ok(any.then(|| text::json(&body)))
}

/// The sealed summary that an item is, if it is one of ours.
fn sealed(item: &Value) -> Option<&str> {
    let kind = item.get("type").and_then(Value::as_str);
    if !matches!(kind, Some("compaction" | "compaction_summary")) {
        return None;
    }
    item.get("encrypted_content").and_then(Value::as_str).filter(|text| text.starts_with(MARKED))
}

#[cfg(test)]
mod tests;
