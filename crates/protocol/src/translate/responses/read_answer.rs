//! A vendor's whole answer.

use serde_json::Value;

use super::super::Fault;
use super::parts::join_seals;
use super::{given, usage};
use crate::neutral::{Answer, Choice, Part};

/// Reads a whole answer.
pub(in crate::translate) fn read_answer(mut body: Value) -> Result<Answer, Fault> {
    if !body.is_object() {
        return Err(Fault::field("body", "must be an object"));
    }
    let Some(Value::Array(items)) = body.get_mut("output").map(Value::take) else {
        return Err(Fault::field("output", "must be an array of items"));
    };
    let (mut parts, mut logprobs) = (Vec::new(), Vec::new());
    for (n, item) in items.into_iter().enumerate() {
        given::parts(item, n, &mut parts, &mut logprobs);
    }
    join_seals(&mut parts, &mut Vec::new());
    let called = parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    let choice = Choice { parts, stop: given::stop(&body, called), logprobs: given::logprobs(logprobs) };
    Ok(Answer {
        id: given::text(&body, "id").to_owned(),
        model: given::text(&body, "model").to_owned(),
        choices: vec![choice],
        usage: usage::read(body.get("usage")),
        service_tier: given::tier(&body),
    })
}
