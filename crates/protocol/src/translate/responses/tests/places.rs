//! Where what is lost stood in the caller's body.

use serde_json::json;

use super::super::super::{Target, write_request};
use super::read;
use crate::Dialect;

#[test]
fn tr_a_loss_names_the_item_that_is_lost_though_many_items_are_one_turn() {
    let body = json!({"model": "gpt-5", "input": [
        {"role": "user", "content": "go"},
        {"type": "reasoning", "summary": [], "encrypted_content": "x"},
        {"type": "tool_search_call", "arguments": {}, "execution": "server"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "1"}]},
        {"type": "function_call_output", "call_id": "z", "output": "nobody asked"},
    ], "tools": [{"type": "tool_search"}]});
    let request = read(&body);
    for dialect in [Dialect::Anthropic, Dialect::OpenAiChat, Dialect::Gemini] {
        let target = Target { dialect, model: "m", max_output: None };
        let written = write_request(&request, target);
        let fields: Vec<&str> = written.losses.kept().iter().map(|loss| loss.field.as_str()).collect();
        for field in ["input[1]", "input[2]", "input[5]", "tools[0]"] {
            assert!(fields.contains(&field), "{dialect}: {field} is not in {fields:?}");
        }
    }
}
