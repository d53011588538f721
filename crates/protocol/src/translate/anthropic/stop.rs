//! Why an answer ended, in Anthropic's words.

use crate::neutral::{Part, Stop};

/// Reads `stop_reason` and `stop_sequence`.
pub(super) fn read(reason: &str, sequence: Option<&str>) -> Stop {
    match reason {
        "end_turn" => Stop::End,
        "max_tokens" => Stop::MaxTokens,
        "stop_sequence" => Stop::Sequence(sequence.map(str::to_owned)),
        "tool_use" => Stop::ToolUse,
        "refusal" => Stop::Refusal,
        "pause_turn" => Stop::Pause,
        "model_context_window_exceeded" => Stop::ContextFull,
        other => Stop::Other(other.to_owned()),
    }
}

/// What an answer contained, as far as its end depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    /// It calls tools of the caller's.
    pub(super) calls: bool,
    /// It declines in words.
    pub(super) refuses: bool,
}

impl Held {
    /// Of whole parts.
    pub(super) fn of(parts: &[Part]) -> Self {
        Self {
            calls: parts.iter().any(|part| matches!(part, Part::ToolCall { .. })),
            refuses: parts.iter().any(|part| matches!(part, Part::Refusal { .. })),
        }
    }
}

/// `stop_reason` and `stop_sequence`. Agents go on by `tool_use` alone, so calls count for more than a bare end.
pub(super) fn write(stop: Option<&Stop>, held: Held) -> (&'static str, Option<&str>) {
    match stop {
        Some(Stop::MaxTokens) => ("max_tokens", None),
        Some(Stop::Sequence(text)) => ("stop_sequence", text.as_deref()),
        Some(Stop::ToolUse) => ("tool_use", None),
        Some(Stop::Refusal) => ("refusal", None),
        Some(Stop::Pause) => ("pause_turn", None),
        Some(Stop::ContextFull) => ("model_context_window_exceeded", None),
        Some(Stop::End | Stop::Other(_)) | None if held.calls => ("tool_use", None),
        Some(Stop::End | Stop::Other(_)) | None if held.refuses => ("refusal", None),
        Some(Stop::End | Stop::Other(_)) | None => ("end_turn", None),
    }
}
