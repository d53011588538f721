//! Reasons to finish.

use crate::neutral::Stop;

/// What a `finishReason` means; `None` for one that says nothing.
pub(super) fn read(reason: &str) -> Option<Stop> {
    Some(match reason {
        "" | "FINISH_REASON_UNSPECIFIED" => return None,
        "STOP" => Stop::End,
        "MAX_TOKENS" => Stop::MaxTokens,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Stop::Refusal,
        other => Stop::Other(other.to_owned()),
    })
}

/// The reason for a caller. Agents of this dialect take every word but `STOP` for a failed turn, tool calls included.
pub(super) fn write(stop: &Stop) -> &'static str {
    match stop {
        Stop::MaxTokens | Stop::ContextFull => "MAX_TOKENS",
        Stop::Refusal => "SAFETY",
        Stop::End | Stop::Sequence(_) | Stop::ToolUse | Stop::Pause | Stop::Other(_) => "STOP",
    }
}
