//! What a request asks for, read from the body by other means than the product's readers.

mod anthropic;
mod chat;
mod gemini;
mod responses;
mod schema;

use protocol::Dialect;
use serde_json::Value;

pub(crate) use schema::same as same_schema;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    System,
    User,
    Model,
}

/// One thing that is said, with its path in the body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) at: String,
    pub(crate) what: What,
}

/// What can be said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Text(String),
    /// A picture, sound, film or document.
    Media,
    Call {
        id: String,
        name: String,
        arguments: Value,
    },
    Result {
        id: String,
        /// The tool, where the dialect says it.
        name: String,
        text: String,
        media: usize,
    },
    /// What no other dialect has.
    Native,
}

/// What one speaker says at once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    pub(crate) role: Role,
    pub(crate) items: Vec<Item>,
}

/// A tool that is offered; without a name it is one of the vendor's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Offered {
    pub(crate) at: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) schema: Value,
    /// Of a vendor's own tool, its kind.
    pub(crate) native: String,
}

/// What a request asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Asked {
    /// Instructions before everything else.
    pub(crate) system: Vec<Item>,
    pub(crate) turns: Vec<Turn>,
    pub(crate) tools: Vec<Offered>,
    /// `auto`, `none`, `required`, or names of tools, with `required ` before them if one must be used.
    pub(crate) choice: Option<String>,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) stop: Vec<String>,
    /// The schema of the answer, `true` for any object.
    pub(crate) format: Option<Value>,
}

impl Asked {
    /// Reads a request.
    pub(crate) fn read(dialect: Dialect, body: &Value) -> Self {
        let mut asked = match dialect {
            Dialect::Anthropic => anthropic::read(body),
            Dialect::OpenAiChat => chat::read(body),
            Dialect::OpenAiResponses => responses::read(body),
            Dialect::Gemini => gemini::read(body),
        };
        // A choice among nothing, and one that says nothing, are none.
        if asked.tools.is_empty() || asked.choice.as_deref() == Some("auto") {
            asked.choice = None;
        }
        asked
    }

    /// Adds what somebody says. The same speaker goes on; leading instructions stand apart.
    fn say(&mut self, role: Role, at: String, what: What) {
        // Vendors refuse empty texts and Tollgate leaves them out.
        if matches!(&what, What::Text(text) if text.trim().is_empty()) {
            return;
        }
        let item = Item { at, what };
        if role == Role::System && self.turns.is_empty() {
            self.system.push(item);
            return;
        }
        match self.turns.last_mut() {
            Some(last) if last.role == role => last.items.push(item),
            _ => self.turns.push(Turn { role, items: vec![item] }),
        }
    }
}

/// The turns with neighbours of one role made one.
pub(crate) fn merged(turns: impl IntoIterator<Item = Turn>) -> Vec<Turn> {
    let mut merged: Vec<Turn> = Vec::new();
    for turn in turns {
        match merged.last_mut() {
            Some(last) if last.role == turn.role => last.items.extend(turn.items),
            _ => merged.push(turn),
        }
    }
    merged
}

/// Empty and filled schemas of "any object" are the same.
fn any_object() -> Value {
    serde_json::json!({ "type": "object" })
}
