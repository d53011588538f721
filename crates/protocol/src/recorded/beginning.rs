//! Whether captured conversations are recognised by how they began.

use serde_json::Value;

use super::data;
use crate::{Endpoint, session};

#[test]
fn turns_of_captured_conversations_share_their_prefix_and_others_do_not() {
    let Some(folder) = data("captures") else { return };
    let prefix = |endpoint: Endpoint, name: &str| {
        let text = std::fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
        let capture: Value = serde_json::from_str(&text).unwrap();
        session::prefix(endpoint, capture["bodyJson"].to_string().as_bytes()).unwrap()
    };
    for (endpoint, same, other) in [
        (
            Endpoint::Messages,
            &[
                "claude_02_tool_turn1_xapikey_partial",
                "claude_03_tool_result_turn2",
                "claude_04_resume_same_session",
            ][..],
            "claude_01_first_turn_bearer",
        ),
        (
            Endpoint::Messages,
            &["claude_20_interactive_first", "claude_21_interactive_tool_result"],
            "claude_01_first_turn_bearer",
        ),
        (Endpoint::Responses, &["codex_02_tool_turn1", "codex_04_resume"], "codex_01_first_turn"),
        (Endpoint::GeminiStream, &["gemini_02_tool_turn1", "gemini_03_tool_turn2"], "gemini_01_first_turn"),
    ] {
        let first = prefix(endpoint, same[0]);
        for name in same {
            assert_eq!(prefix(endpoint, name), first, "{name}");
        }
        assert_ne!(prefix(endpoint, other), first, "{other}");
    }
}
