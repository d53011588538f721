//! Why a model stopped, in both directions.

use crate::neutral::Stop;

/// Reads a `finish_reason`; an empty one says nothing. `calls`: whether the answer holds tool calls.
pub(super) fn read(word: &str, matched: Option<&str>, calls: bool) -> Option<Stop> {
    Some(match word {
        "" => return None,
        // Some servers end calls with `stop`, and agents wait for the word.
        "stop" | "eos" | "eos_token" | "end_turn" | "end" | "completed" | "tool_calls" | "function_call"
        | "tool_use" => {
            let called = !matches!(word, "stop" | "eos" | "eos_token" | "end_turn" | "end" | "completed");
            match (matched, calls || called) {
                (_, true) => Stop::ToolUse,
                (Some(text), false) => Stop::Sequence(Some(text.to_owned())),
                (None, false) => Stop::End,
            }
        }
        "stop_sequence" => Stop::Sequence(matched.map(str::to_owned)),
        "length" | "max_tokens" | "model_length" | "max_output_tokens" => Stop::MaxTokens,
        "content_filter" | "refusal" | "safety" => Stop::Refusal,
        other => Stop::Other(other.to_owned()),
    })
}

/// The `finish_reason`. `legacy`: calls are answered as `function_call`.
pub(super) fn write(stop: &Stop, legacy: bool) -> &'static str {
    match stop {
        Stop::ToolUse if legacy => "function_call",
        Stop::ToolUse => "tool_calls",
        Stop::MaxTokens | Stop::ContextFull => "length",
        Stop::Refusal => "content_filter",
        Stop::End | Stop::Sequence(_) | Stop::Pause | Stop::Other(_) => "stop",
    }
}
