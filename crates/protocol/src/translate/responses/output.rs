//! Output items while they are written: their events in order, and the item as it is when it is complete.

use serde_json::{Map, Value, json};

use super::annotation;
use super::parts::mark_text;
use super::said::{Said, Voice};
use crate::Dialect;
use crate::neutral::{Delta, Media, MediaKind, Opening, Sealed, Source, ToolKind};

const OWN: Dialect = Dialect::OpenAiResponses;

/// An item that is being written.
#[derive(Debug)]
pub(super) enum Item {
    /// Texts and refusals.
    Message { id: String, content: Vec<Value>, open: Option<Text>, seal: Option<Sealed> },
    /// A thought.
    Reasoning { id: String, text: String, seal: Option<Sealed> },
    /// A call of the caller's tools.
    Call(Call),
    /// Something that is whole at once.
    Whole(Value),
}

/// A content part that is being written.
#[derive(Debug)]
pub(super) struct Text {
    refusal: bool,
    words: String,
    notes: Vec<Value>,
    /// What other vendors cite for it.
    cited: Vec<(Dialect, Value)>,
}

/// A call that is being written.
#[derive(Debug)]
pub(super) struct Call {
    id: String,
    /// Ties the result to it.
    tie: String,
    name: String,
    namespace: Option<String>,
    kind: ToolKind,
    arguments: String,
    seal: Option<Sealed>,
    /// Nothing of it was said yet.
    held: bool,
}

impl Item {
    /// Begins the item of a part, as number `n` of the output. `None` for what Responses cannot say at all.
    pub(super) fn begin(
        opening: Opening,
        ids: &str,
        n: usize,
        held: bool,
        voice: &mut Voice,
        out: &mut Vec<u8>,
    ) -> Option<Self> {
        Some(match opening {
            Opening::Text | Opening::Refusal => {
                let id = format!("msg_{ids}_{n}");
                added(&message(&id, "in_progress", &[]), n, voice, out);
                let mut item = Self::Message { id, content: Vec::new(), open: None, seal: None };
                item.open_text(opening == Opening::Refusal, voice, n, out);
                item
            }
            Opening::Thinking => {
                let id = format!("rs_{ids}_{n}");
                added(&reasoning(&id, "", None), n, voice, out);
                Self::Reasoning { id, text: String::new(), seal: None }
            }
            Opening::ToolCall { id: call_id, name, namespace, kind } => {
                let prefix = if kind == ToolKind::Custom { "ctc" } else { "fc" };
                let id = format!("{prefix}_{ids}_{n}");
                let arguments = String::new();
                let call = Call { id, tie: call_id, name, namespace, kind, arguments, seal: None, held };
                if !held {
                    added(&call.item("in_progress"), n, voice, out);
                }
                Self::Call(call)
            }
            Opening::Media(media) => return shown(&media, ids, n, voice, out),
            Opening::Native { dialect: OWN, value } => Self::Whole(value),
            Opening::Native { value, .. } => Self::Whole(search(&value, ids, n)?),
        })
    }

    /// Whether a text can be part of it.
    pub(super) fn takes_text(&self) -> bool {
        matches!(self, Self::Message { .. })
    }

    /// Whether a proof has to follow it.
    pub(super) fn seals(&self) -> bool {
        matches!(self, Self::Message { seal: Some(_), .. })
    }

    /// Begins a content part of a message.
    pub(super) fn open_text(&mut self, refusal: bool, voice: &mut Voice, n: usize, out: &mut Vec<u8>) {
        self.close_text(voice, n, out);
        if let Self::Message { id, content, open, .. } = self {
            let text = Text { refusal, words: String::new(), notes: Vec::new(), cited: Vec::new() };
            let part = text.part();
            let place = Said { item_id: Some(id), content_index: Some(content.len()), ..Said::default() };
            let kind = "response.content_part.added";
            voice.say(&Said { kind, output_index: Some(n), part: Some(&part), ..place }, out);
            *open = Some(text);
        }
    }

    /// Takes more of it.
    pub(super) fn delta(&mut self, delta: Delta, voice: &mut Voice, n: usize, out: &mut Vec<u8>) {
        let output_index = Some(n);
        match (self, delta) {
            (Self::Message { id, content, open: Some(open), .. }, Delta::Text(more)) => {
                open.words.push_str(&more);
                let said = Said {
                    kind: if open.refusal { "response.refusal.delta" } else { "response.output_text.delta" },
                    item_id: Some(id),
                    output_index,
                    content_index: Some(content.len()),
                    delta: Some(&more),
                    logprobs: (!open.refusal).then_some([]),
                    ..Said::default()
                };
                voice.say(&said, out);
            }
            (Self::Message { id, content, open: Some(open), .. }, Delta::Citation(from, cited)) => {
                if from == OWN {
                    open.note(cited, &place(id, n, content.len()), voice, out);
                } else {
                    // It may stand before the words that it is about.
                    open.cited.push((from, cited));
                }
            }
            (Self::Message { seal, .. } | Self::Reasoning { seal, .. }, Delta::Seal(proof)) => {
                *seal = Some(proof);
            }
            (Self::Reasoning { id, text, .. }, Delta::Text(more)) => {
                let place =
                    Said { item_id: Some(id), output_index, summary_index: Some(0), ..Said::default() };
                if text.is_empty() {
                    let part = json!({"type": "summary_text", "text": ""});
                    let kind = "response.reasoning_summary_part.added";
                    voice.say(&Said { kind, part: Some(&part), ..place }, out);
                }
                text.push_str(&more);
                let place =
                    Said { item_id: Some(id), output_index, summary_index: Some(0), ..Said::default() };
                let kind = "response.reasoning_summary_text.delta";
                voice.say(&Said { kind, delta: Some(&more), ..place }, out);
            }
            (Self::Call(call), Delta::Text(more)) => {
                call.arguments.push_str(&more);
                if !call.held {
                    call.say_delta(&more, voice, n, out);
                }
            }
            (Self::Call(call), Delta::Seal(proof)) => call.seal = Some(proof),
            _ => {}
        }
    }

    /// Ends the content part that is open.
    pub(super) fn close_text(&mut self, voice: &mut Voice, n: usize, out: &mut Vec<u8>) {
        let Self::Message { id, content, open, .. } = self else { return };
        let Some(mut text) = open.take() else { return };
        let place = place(id, n, content.len());
        let end = text.words.chars().count();
        for (from, cited) in std::mem::take(&mut text.cited) {
            if let Some(note) = annotation::write(from, &cited, end) {
                text.note(note, &place, voice, out);
            }
        }
        let whole = Some(text.words.as_str());
        if text.refusal {
            voice.say(&Said { kind: "response.refusal.done", refusal: whole, ..place }, out);
        } else {
            let kind = "response.output_text.done";
            voice.say(&Said { kind, text: whole, logprobs: Some([]), ..place }, out);
        }
        let part = text.part();
        voice.say(&Said { kind: "response.content_part.done", part: Some(&part), ..place }, out);
        content.push(part);
    }

    /// Ends it and puts it with the others.
    pub(super) fn finish(mut self, ids: &str, output: &mut Vec<Value>, voice: &mut Voice, out: &mut Vec<u8>) {
        self.close_text(voice, output.len(), out);
        match self {
            Self::Message { id, content, seal, .. } => {
                done(message(&id, "completed", &content), output, voice, out);
                if let Some(seal) = seal {
                    proof(&mark_text(&seal), ids, output, voice, out);
                }
            }
            Self::Reasoning { id, text, seal } => {
                if !text.is_empty() {
                    let place = || Said {
                        item_id: Some(&id),
                        output_index: Some(output.len()),
                        summary_index: Some(0),
                        ..Said::default()
                    };
                    let kind = "response.reasoning_summary_text.done";
                    voice.say(&Said { kind, text: Some(&text), ..place() }, out);
                    let part = json!({"type": "summary_text", "text": text});
                    let kind = "response.reasoning_summary_part.done";
                    voice.say(&Said { kind, part: Some(&part), ..place() }, out);
                }
                done(reasoning(&id, &text, seal.as_ref()), output, voice, out);
            }
            Self::Call(mut call) => {
                if call.held {
                    if let Some(seal) = &call.seal {
                        proof(seal, ids, output, voice, out);
                        // The proof took its number.
                        let prefix = if call.kind == ToolKind::Custom { "ctc" } else { "fc" };
                        call.id = format!("{prefix}_{ids}_{}", output.len());
                    }
                    added(&call.item("in_progress"), output.len(), voice, out);
                    call.say_delta(&call.arguments, voice, output.len(), out);
                }
                call.say_done(voice, output.len(), out);
                done(call.item("completed"), output, voice, out);
            }
            Self::Whole(item) => {
                added(&item, output.len(), voice, out);
                done(item, output, voice, out);
            }
        }
    }
}

/// Names a part of a message.
fn place(id: &str, output_index: usize, content_index: usize) -> Said<'_> {
    Said {
        item_id: Some(id),
        output_index: Some(output_index),
        content_index: Some(content_index),
        ..Said::default()
    }
}

impl Text {
    fn note(&mut self, note: Value, place: &Said<'_>, voice: &mut Voice, out: &mut Vec<u8>) {
        if self.refusal {
            return;
        }
        let kind = "response.output_text.annotation.added";
        let annotation_index = Some(self.notes.len());
        voice.say(&Said { kind, annotation_index, annotation: Some(&note), ..*place }, out);
        self.notes.push(note);
    }

    fn part(&self) -> Value {
        if self.refusal {
            json!({"type": "refusal", "refusal": self.words})
        } else {
            json!({"type": "output_text", "text": self.words, "annotations": self.notes, "logprobs": []})
        }
    }
}

impl Call {
    fn item(&self, status: &str) -> Value {
        let mut item = Map::new();
        let custom = self.kind == ToolKind::Custom;
        item.insert("id".into(), self.id.as_str().into());
        item.insert("type".into(), if custom { "custom_tool_call" } else { "function_call" }.into());
        item.insert("status".into(), status.into());
        item.insert("call_id".into(), self.tie.as_str().into());
        item.insert("name".into(), self.name.as_str().into());
        let said = if status == "completed" { self.arguments.as_str() } else { "" };
        item.insert(if custom { "input" } else { "arguments" }.into(), said.into());
        if let Some(space) = &self.namespace {
            item.insert("namespace".into(), space.as_str().into());
        }
        Value::Object(item)
    }

    fn say_delta(&self, more: &str, voice: &mut Voice, n: usize, out: &mut Vec<u8>) {
        if more.is_empty() {
            return;
        }
        let custom = self.kind == ToolKind::Custom;
        let kind = if custom {
            "response.custom_tool_call_input.delta"
        } else {
            "response.function_call_arguments.delta"
        };
        let said = Said { kind, item_id: Some(&self.id), output_index: Some(n), ..Said::default() };
        voice.say(&Said { delta: Some(more), ..said }, out);
    }

    fn say_done(&self, voice: &mut Voice, n: usize, out: &mut Vec<u8>) {
        let place = Said { item_id: Some(&self.id), output_index: Some(n), ..Said::default() };
        let whole = Some(self.arguments.as_str());
        let said = if self.kind == ToolKind::Custom {
            Said { kind: "response.custom_tool_call_input.done", input: whole, ..place }
        } else {
            let kind = "response.function_call_arguments.done";
            Said { kind, arguments: whole, name: Some(&self.name), ..place }
        };
        voice.say(&said, out);
    }
}

fn added(item: &Value, n: usize, voice: &mut Voice, out: &mut Vec<u8>) {
    let kind = "response.output_item.added";
    voice.say(&Said { kind, output_index: Some(n), item: Some(item), ..Said::default() }, out);
}

fn done(item: Value, output: &mut Vec<Value>, voice: &mut Voice, out: &mut Vec<u8>) {
    let kind = "response.output_item.done";
    voice.say(&Said { kind, output_index: Some(output.len()), item: Some(&item), ..Said::default() }, out);
    output.push(item);
}

/// A proof as an item of its own.
fn proof(seal: &Sealed, ids: &str, output: &mut Vec<Value>, voice: &mut Voice, out: &mut Vec<u8>) {
    let id = format!("rs_{ids}_{}", output.len());
    added(&reasoning(&id, "", None), output.len(), voice, out);
    done(reasoning(&id, "", Some(seal)), output, voice, out);
}

fn message(id: &str, status: &str, content: &[Value]) -> Value {
    json!({"id": id, "type": "message", "status": status, "role": "assistant", "content": content})
}

fn reasoning(id: &str, text: &str, seal: Option<&Sealed>) -> Value {
    let summary = if text.is_empty() { json!([]) } else { json!([{"type": "summary_text", "text": text}]) };
    let sealed = seal.map(|seal| seal.write(OWN));
    json!({"id": id, "type": "reasoning", "summary": summary, "encrypted_content": sealed})
}

/// A medium that the model made. Pictures have an item of their own; links go as text.
fn shown(media: &Media, ids: &str, n: usize, voice: &mut Voice, out: &mut Vec<u8>) -> Option<Item> {
    match &media.source {
        Source::Base64 { data, .. } if media.kind == MediaKind::Image => Some(Item::Whole(json!({
            "id": format!("ig_{ids}_{n}"),
            "type": "image_generation_call",
            "status": "completed",
            "result": data,
        }))),
        Source::Url { url, .. } => {
            let mut item = Item::begin(Opening::Text, ids, n, false, voice, out)?;
            let text = if media.kind == MediaKind::Image { format!("![image]({url})") } else { url.clone() };
            item.delta(Delta::Text(text), voice, n, out);
            Some(item)
        }
        _ => None,
    }
}

/// A web search that another vendor ran, as Responses tells of its own.
fn search(value: &Value, ids: &str, n: usize) -> Option<Value> {
    let name = value.get("name").and_then(Value::as_str);
    let kind = value.get("type").and_then(Value::as_str);
    if (kind, name) != (Some("server_tool_use"), Some("web_search")) {
        return None;
    }
    let query = value.get("input").and_then(|input| input.get("query")).and_then(Value::as_str)?;
    Some(json!({
        "id": format!("ws_{ids}_{n}"),
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": query},
    }))
}
