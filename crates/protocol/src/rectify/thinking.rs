//! Thinking in Anthropic's requests: leaving out what cannot be verified, and budgets in range.

use std::ops::Range;

use super::edit::{Edits, Part};
use super::turns;

/// Least budget that the vendor takes, in tokens.
const LEAST: i64 = 1_024;

/// The changes that leave out the history's thinking.
pub(super) fn without(body: Part<'_>) -> Option<Edits> {
    let mut edits = Edits::default();
    let turns = turns::of(body)?;
    turns::leave_out(&mut edits, &turns, |_| false, |turn, block| turn.is_assistant() && is_thinking(block))?;
    for turn in turns.iter().filter(|turn| turn.is_assistant()) {
        for block in turn.blocks().into_iter().filter(|block| !is_thinking(*block)) {
            let members = block.members();
            let spans: Vec<Range<usize>> = members.iter().map(|member| member.span.clone()).collect();
            edits.keep(&spans, |index| members.get(index).is_none_or(|member| member.key != b"signature"));
        }
    }
    // With a fixed budget, a turn that is in the midst of its tool calls must begin with thinking. What consists of
    // thinking alone is gone by now.
    let left = |turn: &&turns::Turn<'_>| {
        let blocks = turn.blocks();
        turn.is_assistant() && (blocks.is_empty() || !blocks.iter().all(|block| is_thinking(*block)))
    };
    let last = turns.iter().rfind(left).map(|turn| turn.blocks()).unwrap_or_default();
    let calls = last.iter().any(|block| block.is("tool_use"));
    if calls && body.member("thinking").is_some_and(|thinking| thinking.is("enabled")) {
        switch_off(&mut edits, body);
    }
    Some(edits)
}

/// The changes that put the budget in range. The caller's `max_tokens` stays: it bounds what the request may cost.
pub(super) fn in_range(body: Part<'_>) -> Option<Edits> {
    let mut edits = Edits::default();
    let written = body.member("thinking")?.member("budget_tokens")?;
    let budget = number(written)?;
    let most = body.member("max_tokens").map_or(Some(i64::MAX), number)?;
    if most <= LEAST {
        switch_off(&mut edits, body);
    } else if budget < LEAST {
        edits.replace(written.span(), LEAST.to_string());
    } else if budget >= most {
        edits.replace(written.span(), LEAST.max(most / 2).to_string());
    }
    Some(edits)
}

/// Leaves out `thinking` and what the vendor refuses without it.
fn switch_off(edits: &mut Edits, body: Part<'_>) {
    let members = body.members();
    let spans: Vec<Range<usize>> = members.iter().map(|member| member.span.clone()).collect();
    let management = body.member("context_management");
    let steps = management.and_then(|m| m.member("edits")).map(Part::elements).unwrap_or_default();
    let clears = |step: &Part<'_>| step.word("type").is_some_and(|kind| kind.starts_with(b"clear_thinking"));
    let all = !steps.is_empty() && steps.iter().all(clears);
    if !all {
        let spans: Vec<Range<usize>> = steps.iter().map(|step| step.span()).collect();
        edits.keep(&spans, |index| !steps.get(index).is_some_and(clears));
    }
    edits.keep(&spans, |index| {
        members
            .get(index)
            .is_none_or(|member| member.key != b"thinking" && !(all && member.key == b"context_management"))
    });
}

fn is_thinking(block: Part<'_>) -> bool {
    block.is("thinking") || block.is("redacted_thinking")
}

fn number(value: Part<'_>) -> Option<i64> {
    std::str::from_utf8(value.text).ok()?.parse().ok()
}
