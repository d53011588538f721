//! Tool results whose call is not there: leaving them out, in each dialect that knows calls by id.

use super::edit::{Edits, Part};
use super::turns;

/// Anthropic: blocks whose call is not in the model's last message before them.
pub(super) fn blocks(body: Part<'_>) -> Option<Edits> {
    let mut edits = Edits::default();
    let turns = turns::of(body)?;
    let mut calls: Vec<&[u8]> = Vec::new();
    let mut orphans = Vec::new();
    for turn in &turns {
        if turn.is_assistant() {
            let uses = turn.blocks().into_iter().filter(|block| block.is("tool_use"));
            calls = uses.filter_map(|block| block.word("id")).collect();
            continue;
        }
        // Messages of the user that follow each other count as one.
        for block in turn.blocks().into_iter().filter(|block| block.is("tool_result")) {
            if !block.word("tool_use_id").is_some_and(|id| calls.contains(&id)) {
                orphans.push(block.at);
            }
        }
    }
    turns::leave_out(&mut edits, &turns, |_| false, |_, block| orphans.binary_search(&block.at).is_ok())?;
    Some(edits)
}

/// Chat: messages of tools that do not follow, directly or among others of their kind, the message that called them.
pub(super) fn messages(body: Part<'_>) -> Option<Edits> {
    let mut edits = Edits::default();
    let turns = turns::of(body)?;
    let mut calls: Vec<&[u8]> = Vec::new();
    let mut kept = Vec::with_capacity(turns.len());
    for turn in &turns {
        if turn.role == b"tool" {
            kept.push(turn.part.word("tool_call_id").is_some_and(|id| calls.contains(&id)));
            continue;
        }
        let made = turn.part.member("tool_calls").map(Part::elements).unwrap_or_default();
        calls = made.into_iter().filter_map(|call| call.word("id")).collect();
        kept.push(true);
    }
    turns::leave_out_turns(&mut edits, &turns, &kept)?;
    Some(edits)
}

/// Responses: outputs whose call is not among the items before them. What the vendor keeps cannot be known, so a
/// request that refers to it is left alone.
pub(super) fn items(body: Part<'_>) -> Option<Edits> {
    let refers = |name| body.member(name).is_some_and(|value| value.text != b"null");
    let items = body.member("input")?.elements();
    if refers("previous_response_id")
        || refers("conversation")
        || items.iter().any(|item| item.is("item_reference"))
    {
        return None;
    }
    let mut calls: Vec<&[u8]> = Vec::new();
    let mut kept = Vec::with_capacity(items.len());
    for item in &items {
        let output = item.word("type").is_some_and(|kind| kind.ends_with(b"_output"));
        let id = item.word("call_id");
        if output && id.is_some() {
            kept.push(id.is_some_and(|id| calls.contains(&id)));
        } else {
            calls.extend(id);
            kept.push(true);
        }
    }
    if !kept.contains(&true) {
        return None;
    }
    let mut edits = Edits::default();
    let spans: Vec<_> = items.iter().map(|item| item.span()).collect();
    edits.keep(&spans, |index| kept.get(index) != Some(&false));
    Some(edits)
}
