//! A request's tokens: its texts, the frames of its messages, its tools, its pictures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::Dialect;
use protocol::neutral::{
    Format, Media, MediaKind, Part, Request, Role, Sealed, Source, Tool, ToolKind, Turn,
};
use serde_json::Value;

use crate::text::Texts;
use crate::{Vocabulary, image, picture, tools};

/// Tokens around each message: where it begins, whose it is, where its text begins, where it ends.
const MESSAGE: u64 = 4;
/// The beginning of the answer.
const ANSWER: u64 = 3;
/// Around a call or a result, beyond a message.
const CALL: u64 = 4;
/// What a vendor tells the model of its web search; what that finds is read later and is not known.
const WEB_SEARCH: u64 = 300;
/// The same of another tool of its own.
const OWN_TOOL: u64 = 120;
/// Deepest nesting of a vendor's own parts that is read.
const DEEPEST: usize = 64;
/// Bytes of sound for a token: ten a second at the usual 128 kbit/s.
const SOUND: u64 = 1_600;
/// Bytes of a PDF for a token: some hundred kilobytes are some thousand tokens.
const DOCUMENT: u64 = 60;
/// Characters of encrypted reasoning that are there whatever it says.
const SEAL: u64 = 960;

/// The error of the count in percent, of a request in texts and tools for a model whose vocabulary is known. Nine in ten
/// recorded requests are within it.
pub const WITHIN_PERCENT: u8 = 10;
/// Of a small request, the error may be so many tokens instead.
pub const LEAST_TOKENS: u64 = 24;

/// How many tokens a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The number.
    pub tokens: u64,
    /// What was counted with.
    pub vocabulary: Vocabulary,
    /// How far it may be off, in percent or [`LEAST_TOKENS`], whichever is more. `None` where nobody can say: the model's
    /// vocabulary or its own instructions are not published, or the request has more than texts and the caller's tools.
    pub within_percent: Option<u8>,
}

/// Counts what a model is given to read, by a vendor that is spoken to in a dialect.
pub fn count(request: &Request, model: &str, dialect: Dialect) -> Count {
    let (vocabulary, known) = Vocabulary::of(model);
    let frame = Frame::of(model, dialect);
    let mut counting =
        Counting { texts: Texts::new(vocabulary), model, frame, answering: false, guessed: false };
    counting.texts.frame(frame.always);
    // What a model thought in earlier turns is left out by the vendor; what it thought since it was asked is not.
    let asked = request.turns.iter().rposition(|turn| {
        turn.role == Role::User && turn.parts.iter().any(|part| !matches!(part, Part::ToolResult { .. }))
    });
    for (number, turn) in request.turns.iter().enumerate() {
        counting.answering = asked.is_some_and(|asked| number > asked);
        counting.turn(turn);
    }
    counting.tools(&request.tools);
    if let Some(Format::JsonSchema { name, description, schema, .. }) = &request.format {
        counting.texts.add(name.as_deref().unwrap_or_default());
        counting.texts.add(description.as_deref().unwrap_or_default());
        counting.json(schema);
    }
    counting.texts.frame(frame.answer);
    let (tokens, whole) = counting.texts.sum();
    let within_percent = (known && whole && !counting.guessed).then_some(WITHIN_PERCENT);
    Count { tokens, vocabulary, within_percent }
}

/// What a family of models is given besides what was asked.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// In any case.
    always: u64,
    /// Around the list of tools.
    tools: u64,
    /// Around each call.
    call: u64,
    /// The beginning of the answer.
    answer: u64,
}

impl Frame {
    fn of(model: &str, dialect: Dialect) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        let name = name.strip_prefix("openai.").unwrap_or(name);
        let plain = Self { always: 0, tools: 9, call: CALL, answer: ANSWER };
        if name.starts_with("gpt-oss") {
            // The model's own instructions: its name, the date, what channels there are.
            return Self { always: 64, ..plain };
        }
        if ["gpt-5", "gpt-6", "o1", "o3", "o4"].iter().any(|start| name.starts_with(start)) {
            let chat = name.starts_with("gpt-5") && dialect == Dialect::OpenAiChat;
            return Self { tools: if chat { 92 } else { 13 }, call: CALL + 1, answer: ANSWER - 1, ..plain };
        }
        plain
    }
}

struct Counting<'a> {
    texts: Texts,
    model: &'a str,
    frame: Frame,
    /// Behind the last thing that the model was asked.
    answering: bool,
    /// Whether something was only reckoned.
    guessed: bool,
}

impl Counting<'_> {
    fn turn(&mut self, turn: &Turn) {
        // Each result is a message of its own.
        let results = turn.parts.iter().filter(|part| matches!(part, Part::ToolResult { .. })).count();
        if results < turn.parts.len() || turn.parts.is_empty() {
            self.texts.frame(MESSAGE);
        }
        if let Some(name) = &turn.name {
            self.texts.frame(1);
            self.texts.add(name);
        }
        for part in &turn.parts {
            self.part(part);
        }
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Text { text, .. } | Part::Refusal { text } => self.texts.add(text),
            Part::Media(media) => self.media(media),
            Part::Thinking { text, seal } => {
                if self.answering {
                    self.thought(text, seal.as_ref());
                }
            }
            Part::ToolCall { name, namespace, arguments, .. } => {
                self.texts.frame(self.frame.call);
                self.texts.add(namespace.as_deref().unwrap_or_default());
                self.texts.add(name);
                self.texts.add(arguments);
            }
            Part::ToolResult { parts, .. } => {
                self.texts.frame(MESSAGE + self.frame.call);
                for part in parts {
                    self.part(part);
                }
            }
            Part::Native { value, .. } => {
                self.guessed = true;
                self.native(value, 0);
            }
        }
    }

    /// Encrypted reasoning is about as long as its tokens.
    fn thought(&mut self, text: &str, seal: Option<&Sealed>) {
        match seal.and_then(|seal| seal.for_vendor(Dialect::OpenAiResponses)) {
            Some(data) => self.sealed(data),
            None => self.texts.add(text),
        }
    }

    fn tools(&mut self, tools: &[Tool]) {
        if tools.is_empty() {
            return;
        }
        self.texts.frame(self.frame.tools);
        for tool in tools {
            match tool {
                Tool::Caller { name, description, schema, kind, .. } => {
                    let schema = schema.as_ref().filter(|_| *kind == ToolKind::Function);
                    self.texts.add(&tools::declaration(name, description.as_deref(), schema));
                }
                Tool::WebSearch(_) => {
                    self.guessed = true;
                    self.texts.frame(WEB_SEARCH);
                }
                Tool::Native { .. } => {
                    self.guessed = true;
                    self.texts.frame(OWN_TOOL);
                }
            }
        }
    }

    fn media(&mut self, media: &Media) {
        let inline = match &media.source {
            Source::Base64 { data, .. } => Some(data.as_str()),
            Source::Text(text) => return self.texts.add(text),
            Source::Url { .. } | Source::File { .. } => None,
        };
        self.guessed = true;
        match media.kind {
            MediaKind::Image => {
                let size = inline.and_then(picture::size);
                self.texts.frame(image::tokens(self.model, size, media.detail.as_deref()));
            }
            MediaKind::Document if media.source.mime().is_some_and(|mime| mime.starts_with("text/")) => {
                let text = inline.and_then(|data| STANDARD.decode(data).ok());
                self.texts.add(&String::from_utf8_lossy(&text.unwrap_or_default()));
            }
            MediaKind::Audio => self.texts.frame(decoded(inline) / SOUND),
            MediaKind::Document | MediaKind::Video => self.texts.frame(decoded(inline) / DOCUMENT),
        }
    }

    fn sealed(&mut self, data: &str) {
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.texts.frame(length.saturating_sub(SEAL).saturating_mul(17) / 100);
    }

    /// A part that only its vendor understands: the texts in it.
    fn native(&mut self, value: &Value, depth: usize) {
        match value {
            _ if depth > DEEPEST => {}
            Value::String(text) => self.texts.add(text),
            Value::Array(list) => list.iter().for_each(|inner| self.native(inner, depth + 1)),
            Value::Object(map) => {
                for (name, inner) in map {
                    match inner.as_str() {
                        Some(data) if name == "encrypted_content" => self.sealed(data),
                        Some(_) if matches!(name.as_str(), "id" | "type" | "data" | "image_url") => {}
                        _ => self.native(inner, depth + 1),
                    }
                }
            }
            _ => {}
        }
    }

    fn json(&mut self, value: &Value) {
        self.texts.add(&value.to_string());
    }
}

/// Bytes that base64 stands for.
fn decoded(inline: Option<&str>) -> u64 {
    u64::try_from(inline.map_or(0, str::len) / 4 * 3).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
