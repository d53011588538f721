//! Wishes for thinking: adaptive with an effort for newer models, a budget for older ones.

use serde_json::{Map, Value, json};

use super::spelling::Field;
use super::write_request::Writing;
use super::write_tools::forces;
use crate::neutral::{Effort, Part, Reasoning, Role};

/// Smallest budget that the vendor takes.
const MIN_BUDGET: u64 = 1_024;

/// Writes `thinking` and the effort of `output_config`.
pub(super) fn write(writing: &mut Writing<'_>, body: &mut Map<String, Value>) {
    let Some(reasoning) = &writing.request.reasoning else { return };
    let off = reasoning.off
        || (reasoning.effort == Some(Effort::None) && !reasoning.adaptive)
        || (reasoning.budget == Some(0) && reasoning.effort.is_none());
    if off {
        if writing.model.always_thinks() {
            writing.loses(Field::Reasoning, "cannot be switched off on this model");
        } else {
            body.insert("thinking".into(), json!({ "type": "disabled" }));
        }
        // An effort beside it still says how thorough the answer is to be; more than `high` demands thinking.
        if reasoning.off {
            effort(writing, reasoning.effort.map(|level| level.min(Effort::High)), body);
        }
        return;
    }
    let asks = reasoning.adaptive || reasoning.effort.is_some() || reasoning.budget.is_some();
    let adaptive = writing.model.adaptive().unwrap_or(reasoning.budget.is_none() || reasoning.adaptive);
    if !asks && reasoning.shown != Some(true) {
        return;
    }
    if adaptive {
        let level = reasoning.effort.or_else(|| reasoning.budget.map(Effort::of_budget));
        if reasoning.budget.is_some() {
            writing.hints(Field::Reasoning, "has a budget, which became an effort");
        }
        effort(writing, level, body);
        // An effort alone, in Anthropic's own spelling, does not switch thinking on.
        let own = writing.request.dialect == crate::Dialect::Anthropic;
        if own && !reasoning.adaptive && reasoning.budget.is_none() {
            return;
        }
        think(writing, json!({ "type": "adaptive" }), reasoning, body);
    } else {
        if writing.model.effort() && writing.request.dialect == crate::Dialect::Anthropic {
            effort(writing, reasoning.effort, body);
        }
        if let Some(budget) = budget(writing, reasoning) {
            think(writing, json!({ "type": "enabled", "budget_tokens": budget }), reasoning, body);
        }
    }
}

/// Sets `thinking` unless the rest of the request excludes it.
fn think(writing: &mut Writing<'_>, mut wish: Value, reasoning: &Reasoning, body: &mut Map<String, Value>) {
    if forces(body.get("tool_choice")) && !writing.model.can_be_forced_thinking() {
        writing.loses(Field::Reasoning, "cannot go with a forced tool call and was left out");
        return;
    }
    let budgeted = wish.get("budget_tokens").is_some();
    if budgeted && !ready_for_thinking(writing) {
        writing
            .loses(Field::Reasoning, "was left out: the tool calls before it came without signed thoughts");
        return;
    }
    if let (Some(map), Some(shown)) = (wish.as_object_mut(), reasoning.shown) {
        // Anthropic's own words for it are kept, others' (`auto`, `concise`, `detailed`) mean a summary.
        let own = reasoning.summary.as_deref().filter(|word| matches!(*word, "summarized" | "updates"));
        let display = if shown { own.unwrap_or("summarized") } else { "omitted" };
        map.insert("display".into(), display.into());
    }
    body.insert("thinking".into(), wish);
}

/// Models that think by a budget insist on their thoughts before the calls of the turn that goes on.
fn ready_for_thinking(writing: &Writing<'_>) -> bool {
    let turns = writing.request.turns.iter().rev();
    let going_on = turns.take_while(|turn| {
        turn.role != Role::User || turn.parts.iter().all(|part| matches!(part, Part::ToolResult { .. }))
    });
    let mut calls = going_on.filter(|turn| turn.role == Role::Assistant).filter_map(|turn| {
        turn.parts.iter().find(|part| matches!(part, Part::ToolCall { .. } | Part::Thinking { .. }))
    });
    calls.all(|first| match first {
        Part::Thinking { seal, .. } => {
            seal.as_ref().is_some_and(|seal| seal.for_vendor(crate::Dialect::Anthropic).is_some())
        }
        _ => false,
    })
}

fn budget(writing: &mut Writing<'_>, reasoning: &Reasoning) -> Option<u64> {
    let most = writing.max_tokens;
    if most <= MIN_BUDGET {
        writing.loses(Field::Reasoning, "needs more than 1024 tokens and was left out");
        return None;
    }
    if let Some(wanted) = reasoning.budget {
        let budget = wanted.clamp(MIN_BUDGET, most - 1);
        if budget != wanted {
            writing.loses(Field::Reasoning, "was moved between 1024 and the most tokens of the answer");
        }
        return Some(budget);
    }
    let wanted = reasoning.effort.unwrap_or(Effort::Medium).budget();
    // A quarter stays for the answer itself.
    Some(wanted.min(most - most / 4).clamp(MIN_BUDGET, most - 1))
}

fn effort(writing: &mut Writing<'_>, level: Option<Effort>, body: &mut Map<String, Value>) {
    let Some(level) = level else { return };
    let model = writing.model;
    if !model.effort() {
        writing.loses(Field::Reasoning, "has no effort on this model");
        return;
    }
    let word = match level {
        Effort::None => return,
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::XHigh if model.effort_xhigh() => "xhigh",
        Effort::Max if model.effort_max() => "max",
        Effort::XHigh | Effort::Max => {
            writing.loses(Field::Reasoning, "was lowered to 'high', the most of this model");
            "high"
        }
    };
    let config = body.entry("output_config").or_insert_with(|| json!({}));
    if let Some(map) = config.as_object_mut() {
        map.insert("effort".into(), word.into());
    }
}
