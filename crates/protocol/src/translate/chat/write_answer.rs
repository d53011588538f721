//! A whole answer for the caller.

use serde_json::{Map, Value, json};

use super::super::Back;
use super::proof::{self, Place, Spot};
use super::{stop, usage};
use crate::Dialect;
use crate::neutral::{Answer, Choice, Media, MediaKind, Part, Source, Stop, ToolKind};

/// Writes a whole answer.
pub(in super::super) fn write_answer(answer: &Answer, back: &Back) -> Value {
    let legacy = back.request.legacy_functions;
    let nothing = Choice { parts: Vec::new(), stop: None, logprobs: None };
    let choices = if answer.choices.is_empty() { std::slice::from_ref(&nothing) } else { &answer.choices };
    let choices: Vec<Value> = (0_usize..)
        .zip(choices)
        .map(|(index, choice)| {
            let calls = choice.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
            let default = if calls { Stop::ToolUse } else { Stop::End };
            json!({
                "index": index,
                "message": message(choice, back),
                "logprobs": choice.logprobs,
                "finish_reason": stop::write(choice.stop.as_ref().unwrap_or(&default), legacy),
            })
        })
        .collect();
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(id(back)));
    body.insert("object".to_owned(), json!("chat.completion"));
    body.insert("created".to_owned(), json!(back.created));
    body.insert("model".to_owned(), json!(back.request.model));
    body.insert("choices".to_owned(), Value::Array(choices));
    if let Some(counts) = &answer.usage {
        body.insert("usage".to_owned(), usage::write(counts));
    }
    if let Some(tier) = &answer.service_tier {
        body.insert("service_tier".to_owned(), json!(tier));
    }
    Value::Object(body)
}

/// The id of an answer.
pub(super) fn id(back: &Back) -> String {
    format!("chatcmpl-{}", back.ids)
}

/// What of an answer's parts goes where in a message.
#[derive(Default)]
struct Said {
    text: String,
    thinking: String,
    refusal: String,
    details: Vec<Value>,
    annotations: Vec<Value>,
    images: Vec<Value>,
    audio: Option<Value>,
    calls: Vec<Value>,
}

fn message(choice: &Choice, back: &Back) -> Value {
    let mut said = Said::default();
    for part in &choice.parts {
        said.add(part, back);
    }
    let mut message = Map::new();
    message.insert("role".to_owned(), json!("assistant"));
    let silent = said.text.is_empty() && (!said.calls.is_empty() || !said.refusal.is_empty());
    message.insert("content".to_owned(), if silent { Value::Null } else { json!(said.text) });
    let refusal = (!said.refusal.is_empty()).then_some(said.refusal);
    message.insert("refusal".to_owned(), json!(refusal));
    if !said.thinking.is_empty() {
        message.insert("reasoning_content".to_owned(), json!(said.thinking));
    }
    if back.request.legacy_functions && !said.calls.is_empty() {
        // The older spelling knows one call only.
        let call = said.calls.swap_remove(0);
        message.insert("function_call".to_owned(), call.get("function").cloned().unwrap_or_default());
        said.calls.clear();
    }
    let lists = [
        ("reasoning_details", said.details),
        ("annotations", said.annotations),
        ("images", said.images),
        ("tool_calls", said.calls),
    ];
    for (name, list) in lists {
        if !list.is_empty() {
            message.insert(name.to_owned(), Value::Array(list));
        }
    }
    if let Some(audio) = said.audio {
        message.insert("audio".to_owned(), audio);
    }
    Value::Object(message)
}

impl Said {
    fn add(&mut self, part: &Part, back: &Back) {
        match part {
            Part::Text { text, citations, seal, .. } => {
                let start = self.text.len();
                let first = chars(&self.text);
                self.text.push_str(text);
                let last = chars(&self.text);
                self.annotations.extend(
                    citations.iter().filter_map(|(dialect, value)| annotation(*dialect, value, first, last)),
                );
                if let Some(seal) = seal {
                    let place = Place { spot: Spot::Text, start, length: text.len() };
                    self.details.push(proof::detail(seal, self.details.len(), place));
                }
            }
            Part::Thinking { text, seal } => {
                let start = self.thinking.len();
                self.thinking.push_str(text);
                if let Some(seal) = seal {
                    let place = Place { spot: Spot::Thinking, start, length: text.len() };
                    self.details.push(proof::detail(seal, self.details.len(), place));
                }
            }
            Part::Refusal { text } => self.refusal.push_str(text),
            Part::ToolCall { id, name, arguments, kind, seal, .. } => {
                let mut call = match kind {
                    ToolKind::Function => json!({
                        "id": id,
                        "type": "function",
                        "function": {"name": name, "arguments": filled(arguments)},
                    }),
                    ToolKind::Custom => {
                        json!({"id": id, "type": "custom", "custom": {"name": name, "input": arguments}})
                    }
                };
                if let (Some(seal), Some(fields)) = (seal, call.as_object_mut()) {
                    let data = seal.write(Dialect::OpenAiChat);
                    fields.insert("extra_content".to_owned(), proof::extra(&data));
                }
                self.calls.push(call);
            }
            Part::Media(media) => match sound(media, back) {
                Some(sound) => self.audio = Some(sound),
                None => self.images.extend(image(media, self.images.len())),
            },
            // Server tools of other vendors: what came of them is in the text.
            Part::ToolResult { .. } | Part::Native { .. } => {}
        }
    }
}

/// Arguments of a call: an object even where the vendor wrote nothing.
fn filled(arguments: &str) -> &str {
    if arguments.is_empty() { "{}" } else { arguments }
}

/// Length in characters, in which OpenAI counts the places of citations.
pub(super) fn chars(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or_default()
}

/// A picture that the model made, as `OpenRouter` answers with it.
pub(super) fn image(media: &Media, index: usize) -> Option<Value> {
    if media.kind != MediaKind::Image {
        return None;
    }
    let url = media.source.to_url()?;
    let mut image = json!({"type": "image_url", "image_url": {"url": url}, "index": index});
    if let (Some(seal), Some(fields)) = (&media.seal, image.as_object_mut()) {
        fields.insert("extra_content".to_owned(), proof::extra(&seal.write(Dialect::OpenAiChat)));
    }
    Some(image)
}

/// A sound that the model made.
pub(super) fn sound(media: &Media, back: &Back) -> Option<Value> {
    /// How long it is said to be kept, in seconds. It is not kept at all.
    const KEPT: i64 = 3600;
    match (&media.kind, &media.source) {
        (MediaKind::Audio, Source::Base64 { data, .. }) => Some(json!({
            "id": format!("audio_{}", back.ids),
            "data": data,
            "expires_at": back.created.saturating_add(KEPT),
            "transcript": "",
        })),
        _ => None,
    }
}

/// Something that a text refers to, in Chat's shape; `None` if it names no address.
pub(super) fn annotation(dialect: Dialect, value: &Value, start: u64, end: u64) -> Option<Value> {
    if dialect == Dialect::OpenAiChat {
        return Some(value.clone());
    }
    let text = |names: &[&str]| names.iter().find_map(|name| value.pointer(name).and_then(Value::as_str));
    let url = text(&["/url", "/web/uri", "/uri", "/source"]).filter(|url| url.starts_with("http"))?;
    let place = |names: &[&str], default: u64| {
        names.iter().find_map(|name| value.get(*name).and_then(Value::as_u64)).unwrap_or(default)
    };
    let mut cited = json!({
        "url": url,
        "title": text(&["/title", "/web/title"]).unwrap_or_default(),
        "start_index": place(&["start_index"], start),
        "end_index": place(&["end_index"], end),
    });
    if let (Some(content), Some(fields)) = (text(&["/cited_text"]), cited.as_object_mut()) {
        fields.insert("content".to_owned(), json!(content));
    }
    Some(json!({"type": "url_citation", "url_citation": cited}))
}
