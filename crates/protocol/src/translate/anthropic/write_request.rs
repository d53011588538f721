//! A request for Anthropic, written for the model that is asked.

use serde_json::{Map, Value};

use super::model::Model;
use super::spelling::{self, Field};
use super::{pairs, write_settings, write_thinking, write_tools, write_turns};
use crate::neutral::{Losses, Request};
use crate::translate::{Names, Target};

/// The limit of an answer where neither the caller nor the model's entry says one.
const MAX_TOKENS: u64 = 32_000;

/// What all parts of a request are written with.
#[derive(Debug)]
pub(super) struct Writing<'a> {
    pub(super) request: &'a Request,
    pub(super) model: Model,
    /// The limit that is sent.
    pub(super) max_tokens: u64,
    pub(super) names: &'a mut Names,
    pub(super) losses: &'a mut Losses,
    /// Cache breakpoints so far.
    pub(super) breakpoints: usize,
    /// Instructions in words, for what older models cannot be told otherwise.
    pub(super) instructions: Vec<String>,
}

impl Writing<'_> {
    /// Notes a loss of one of the caller's fields that may change the answer.
    pub(super) fn loses(&mut self, field: Field, what: &'static str) {
        self.losses.meaning(spelling::field(self.request, field), what);
    }

    /// The same for one that cannot.
    pub(super) fn hints(&mut self, field: Field, what: &'static str) {
        self.losses.hint(spelling::field(self.request, field), what);
    }

    /// Sets a cache breakpoint, as long as there are some left.
    pub(super) fn cache(&mut self, block: &mut Value, cache: Option<&Value>) {
        /// Most breakpoints of one request.
        const MAX: usize = 4;
        let (Some(cache), Some(map)) = (cache.filter(|c| c.is_object()), block.as_object_mut()) else {
            return;
        };
        if self.breakpoints < MAX {
            self.breakpoints += 1;
            map.insert("cache_control".to_owned(), cache.clone());
        }
    }
}

/// Writes a request.
pub(in crate::translate) fn write_request(
    request: &Request,
    target: Target<'_>,
    names: &mut Names,
    losses: &mut Losses,
) -> Value {
    let wanted = request.max_tokens.or(target.max_output).unwrap_or(MAX_TOKENS).max(1);
    let max_tokens = target.max_output.map_or(wanted, |most| wanted.min(most.max(1)));
    let model = Model::of(target.model);
    let mut writing =
        Writing { request, model, max_tokens, names, losses, breakpoints: 0, instructions: Vec::new() };
    if max_tokens < wanted {
        writing.loses(Field::MaxTokens, "is more than the model can write and was cut");
    }
    let mut body = Map::new();
    body.insert("model".into(), target.model.into());
    body.insert("max_tokens".into(), max_tokens.into());
    if request.stream {
        body.insert("stream".into(), true.into());
    }
    // Tools first: the names that they are sent under are needed in the conversation.
    let mut after = Map::new();
    write_tools::write(&mut writing, &mut after);
    write_thinking::write(&mut writing, &mut after);
    write_settings::write(&mut writing, &mut after);
    let mut conversation = write_turns::write(&mut writing);
    pairs::mend(&mut conversation.messages, writing.losses);
    write_tools::declare_called(&conversation.messages, &mut after);
    if !conversation.system.is_empty() {
        body.insert("system".into(), conversation.system.into());
    }
    let messages = conversation.messages.into_iter().map(write_turns::Message::into_value);
    body.insert("messages".into(), messages.collect());
    body.extend(after);
    Value::Object(body)
}
