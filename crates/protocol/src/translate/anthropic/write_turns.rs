//! The conversation for Anthropic: instructions at the top, then messages of alternating speakers.

use serde_json::{Value, json};

use super::write_parts;
use super::write_request::Writing;
use crate::neutral::{Role, Turn};

/// A message that is being written.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) role: &'static str,
    pub(super) blocks: Vec<Value>,
    /// Where its first turn stood with the caller.
    pub(super) at: String,
    /// Where its results stood, by the ids of their calls as they are sent.
    pub(super) results: Vec<(String, String)>,
}

impl Message {
    pub(super) fn new(role: &'static str, blocks: Vec<Value>, at: impl Into<String>) -> Self {
        Self { role, blocks, at: at.into(), results: Vec::new() }
    }

    /// Where a result stood with the caller.
    pub(super) fn place(&self, id: &str) -> &str {
        self.results.iter().find(|(own, _)| own == id).map_or(&self.at, |(_, place)| place)
    }

    /// As it is sent.
    pub(super) fn into_value(self) -> Value {
        json!({ "role": self.role, "content": self.blocks })
    }
}

/// What becomes of the turns.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub(super) system: Vec<Value>,
    pub(super) messages: Vec<Message>,
}

/// Writes every turn.
pub(super) fn write(writing: &mut Writing<'_>) -> Conversation {
    let turns = &writing.request.turns;
    let is_system = |turn: &Turn| matches!(turn.role, Role::System | Role::Developer);
    let mut leading = turns.iter().take_while(|turn| is_system(turn)).count();
    // Instructions alone are no conversation: the last ones are the question.
    let alone = leading == turns.len() && leading > 0;
    leading -= usize::from(alone);
    let (top, rest) = turns.split_at_checked(leading).unwrap_or((turns, &[]));
    let mut conversation = Conversation::default();
    for turn in top {
        conversation.system.extend(write_parts::instructions(writing, turn));
    }
    for words in std::mem::take(&mut writing.instructions) {
        conversation.system.push(write_parts::text_block(&words));
    }
    // Later instructions stand right behind a turn of the user's, nowhere else.
    let mut later: Vec<Message> = Vec::new();
    for turn in rest {
        if turn.name.is_some() {
            writing.losses.hint(format!("{}.name", turn.at), "has no counterpart in the model's dialect");
        }
        match turn.role {
            Role::System | Role::Developer => {
                let blocks = write_parts::instructions(writing, turn);
                if blocks.is_empty() {
                    continue;
                }
                if alone {
                    as_user(writing, &mut conversation.messages, turn, blocks, false);
                } else if writing.model.system_anywhere() {
                    later.push(Message::new("system", blocks, turn.at.as_str()));
                } else {
                    as_user(writing, &mut conversation.messages, turn, blocks, true);
                }
            }
            Role::User => {
                let blocks = write_parts::blocks(writing, turn);
                push(&mut conversation.messages, "user", blocks, &turn.at);
                if let Some(message) = conversation.messages.last_mut() {
                    message.results.extend(write_parts::results(turn));
                }
            }
            Role::Assistant => {
                settle(writing, &mut conversation.messages, &mut later);
                let blocks = write_parts::blocks(writing, turn);
                push(&mut conversation.messages, "assistant", blocks, &turn.at);
            }
        }
    }
    settle(writing, &mut conversation.messages, &mut later);
    frame(writing, &mut conversation.messages);
    conversation
}

/// Adds blocks, to the last message if the same speaker goes on.
fn push(messages: &mut Vec<Message>, role: &'static str, blocks: Vec<Value>, at: &str) {
    if blocks.is_empty() {
        return;
    }
    match messages.last_mut() {
        Some(last) if last.role == role => last.blocks.extend(blocks),
        _ => messages.push(Message::new(role, blocks, at)),
    }
}

/// Puts later instructions behind the user's turn, if there was one.
fn settle(writing: &mut Writing<'_>, messages: &mut Vec<Message>, later: &mut Vec<Message>) {
    let after_user = messages.last().is_some_and(|last| last.role == "user");
    for message in later.drain(..) {
        if after_user {
            push(messages, "system", message.blocks, &message.at);
        } else {
            writing.losses.meaning(message.at.as_str(), "is sent as a user turn");
            push(messages, "user", wrapped(message.blocks), &message.at);
        }
    }
}

/// Sends instructions as the user's words, because the model takes no others.
fn as_user(
    writing: &mut Writing<'_>,
    messages: &mut Vec<Message>,
    turn: &Turn,
    blocks: Vec<Value>,
    marked: bool,
) {
    writing.losses.meaning(turn.at.as_str(), "is sent as a user turn");
    push(messages, "user", if marked { wrapped(blocks) } else { blocks }, &turn.at);
}

fn wrapped(mut blocks: Vec<Value>) -> Vec<Value> {
    for block in &mut blocks {
        if let Some(text) = block.get("text").and_then(Value::as_str) {
            let text = format!("<system>\n{text}\n</system>");
            if let Some(map) = block.as_object_mut() {
                map.insert("text".to_owned(), text.into());
            }
        }
    }
    blocks
}

/// Sees to what the vendor demands of the first and the last message.
fn frame(writing: &mut Writing<'_>, messages: &mut Vec<Message>) {
    if messages.first().is_none_or(|first| first.role != "user") {
        let at = messages.first().map_or_else(|| "messages".to_owned(), |first| first.at.clone());
        writing
            .losses
            .meaning(at.as_str(), "does not begin with the user: a turn of one dot was put before it");
        messages.insert(0, Message::new("user", vec![write_parts::text_block(".")], at));
    }
    let Some(last) = messages.last_mut().filter(|last| last.role == "assistant") else { return };
    if !writing.model.goes_on()
        && !last.blocks.iter().any(|block| block.get("type") == Some(&"tool_use".into()))
    {
        let at = last.at.clone();
        writing
            .losses
            .meaning(at.as_str(), "is not gone on with by this model: the user asks it to continue");
        messages.push(Message::new("user", vec![write_parts::text_block("Continue.")], at));
    } else if let Some(Value::Object(block)) = last.blocks.last_mut()
        && let Some(Value::String(text)) = block.get_mut("text")
    {
        // A beginning to go on with must not end in space.
        text.truncate(text.trim_end().len());
    }
}
