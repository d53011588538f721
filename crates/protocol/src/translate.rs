//! Any dialect to any other: requests towards the vendor, answers and streams back to the caller.
//!
//! Through one neutral form ([`crate::neutral`]) rather than pair by pair: four readers and four writers
//! instead of twelve of each, and what one pair learns, all know. Pure: no clock and no randomness, ids and
//! times come from [`Back`]. It never decides who is asked, and it is not used where both sides speak alike.
//!
//! What the target cannot say is in [`Written::losses`]; nothing is dropped without being listed.

mod anthropic;
mod array;
mod chat;
pub mod compaction;
pub mod count;
pub mod embeddings;
mod envelopes;
mod fault;
mod fields;
mod gemini;
mod names;
mod responses;
mod restore;
mod stream;
mod text;

use std::sync::Arc;

use serde_json::Value;

pub use envelopes::without_envelopes;
pub use fault::Fault;
pub use names::Names;
pub use responses::{continued, items_of};
pub use stream::{Framing, Stream};

use crate::Dialect;
use crate::neutral::{Answer, Losses, Request};

/// Most tools of a request that is translated, several times what any vendor takes.
const MOST_TOOLS: usize = 4_096;

/// What a call's path says. Gemini's body names neither.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call<'a> {
    /// The model in the path.
    pub model: Option<&'a str>,
    /// Whether the verb streams.
    pub stream: Option<bool>,
}

/// Where a request is to go.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// What the vendor speaks.
    pub dialect: Dialect,
    /// The vendor's name of the model.
    pub model: &'a str,
    /// The model's largest answer in tokens, where it is known: Anthropic must be told a limit.
    pub max_output: Option<u64>,
}

/// A request in the vendor's dialect.
#[derive(Debug)]
pub struct Written {
    /// The body.
    pub body: Vec<u8>,
    /// What it could not say.
    pub losses: Losses,
    /// The tools' names as they were sent.
    pub names: Names,
}

/// What the way back needs to know of the way there.
#[derive(Clone, Debug)]
pub struct Back {
    /// The request as it was read.
    pub request: Arc<Request>,
    /// What the vendor speaks.
    pub upstream: Dialect,
    /// The tools' names as they were sent.
    pub names: Names,
    /// Begins every id that has to be made up: letters, digits and `_`; different for every request.
    pub ids: String,
    /// When the answer began, Unix seconds.
    pub created: i64,
    /// Seals the summary of a conversation that is to be compacted; without it none is given out.
    pub sealer: Option<compaction::Sealer>,
}

/// Reads a request, with what the neutral form cannot hold.
///
/// # Errors
/// [`Fault`] names the field that is wrong.
pub fn read_request(dialect: Dialect, body: &[u8], call: Call<'_>) -> Result<Request, Fault> {
    let body = text::parse(body)?;
    let request = match dialect {
        Dialect::Anthropic => anthropic::read_request(body),
        Dialect::OpenAiChat => chat::read_request(body),
        Dialect::OpenAiResponses => responses::read_request(body),
        Dialect::Gemini => gemini::read_request(body, call),
    }?;
    if request.tools.len() > MOST_TOOLS {
        return Err(Fault::field("tools", format!("must hold at most {MOST_TOOLS} tools")));
    }
    Ok(request)
}

/// Writes a request for a vendor.
pub fn write_request(request: &Request, target: Target<'_>) -> Written {
    let mut losses = Losses::new();
    let mut names = Names::new();
    let asks;
    let request = match &request.compact {
        None => request,
        Some(at) => {
            losses.meaning(at.clone(), compaction::LOSS);
            asks = compaction::ask(request, at);
            &asks
        }
    };
    if request.dialect != target.dialect {
        for rest in &request.rest {
            losses.note(rest.field.clone(), "has no counterpart in the model's dialect", rest.weight);
        }
    }
    let body = match target.dialect {
        Dialect::Anthropic => anthropic::write_request(request, target, &mut names, &mut losses),
        Dialect::OpenAiChat => chat::write_request(request, target, &mut names, &mut losses),
        Dialect::OpenAiResponses => responses::write_request(request, target, &mut names, &mut losses),
        Dialect::Gemini => gemini::write_request(request, target, &mut names, &mut losses),
    };
    Written { body: text::json(&body), losses, names }
}

/// Reads a whole answer of a vendor, with the tools' names as the caller knows them.
///
/// # Errors
/// [`Fault`] if it is no answer in that dialect, or no summary where one was asked for.
pub fn read_answer(back: &Back, body: &[u8]) -> Result<Answer, Fault> {
    let body = text::parse(body)?;
    let mut answer = match back.upstream {
        Dialect::Anthropic => anthropic::read_answer(body),
        Dialect::OpenAiChat => chat::read_answer(body, &back.ids),
        Dialect::OpenAiResponses => responses::read_answer(body),
        Dialect::Gemini => gemini::read_answer(body, &back.ids),
    }?;
    restore::answer(&mut answer, &back.names);
    if back.request.compact.is_some() && !compaction::is_summary(&answer) {
        return Err(Fault::field("text", compaction::NO_SUMMARY));
    }
    Ok(answer)
}

/// Writes a whole answer for the caller.
pub fn write_answer(answer: &Answer, back: &Back) -> Vec<u8> {
    text::json(&write_answer_value(answer, back))
}

/// The same as a tree: Responses keeps its output for later.
pub fn write_answer_value(answer: &Answer, back: &Back) -> Value {
    match back.request.dialect {
        Dialect::Anthropic => anthropic::write_answer(answer, back),
        Dialect::OpenAiChat => chat::write_answer(answer, back),
        Dialect::OpenAiResponses => responses::write_answer(answer, back),
        Dialect::Gemini => gemini::write_answer(answer, back),
    }
}

/// Writes a whole answer as the stream that the caller asked for, behind what is there.
pub fn write_events(answer: Answer, back: &Arc<Back>, framing: Framing, out: &mut Vec<u8>) {
    stream::write(answer, back, framing, out);
}
