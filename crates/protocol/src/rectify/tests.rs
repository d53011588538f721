//! What each mending asks for and changes, against a plain reading of the same rules on a tree.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn refused(kind: &str, message: &str) -> UpstreamError {
    UpstreamError { message: message.to_owned(), kind: kind.to_owned(), ..UpstreamError::default() }
}

/// The mended text; whatever happens it must be JSON, and mending it again must change nothing.
fn mended(rectifier: Rectifier, endpoint: Endpoint, body: &str) -> Option<String> {
    let text = String::from_utf8(apply(rectifier, endpoint, body.as_bytes())?).unwrap();
    assert!(serde_json::from_str::<Value>(&text).is_ok_and(|value| value.is_object()), "{text}");
    assert!(apply(rectifier, endpoint, text.as_bytes()).is_none(), "{text}");
    Some(text)
}

#[test]
fn ex_13_a_refusal_asks_for_its_mending_by_the_vendors_words() {
    use Rectifier::{EmptyText, OrphanToolResults, ThinkingBudget, ThinkingSignature};
    for (message, wanted) in [
        ("messages.1.content.0: Invalid `signature` in `thinking` block", ThinkingSignature),
        ("messages.3.content.0.thinking.signature: Field required", ThinkingSignature),
        ("messages.1.content.0.tool_use.signature: Extra inputs are not permitted", ThinkingSignature),
        (
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks).",
            ThinkingSignature,
        ),
        (
            "messages.1.content.2: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.",
            ThinkingSignature,
        ),
        ("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024", ThinkingBudget),
        ("`max_tokens` must be greater than `thinking.budget_tokens`. Please consult", ThinkingBudget),
        ("messages: text content blocks must be non-empty", EmptyText),
        ("messages: text content blocks must contain non-whitespace text", EmptyText),
        (
            "messages.2: all messages must have non-empty content except for the optional final assistant message",
            EmptyText,
        ),
        ("messages.0.content.0.text: cache_control cannot be set for empty text blocks", EmptyText),
        (
            "messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
            OrphanToolResults,
        ),
    ] {
        for text in
            [message.to_owned(), json!({ "type": "error", "error": { "message": message } }).to_string()]
        {
            for (status, kind) in
                [(400, "invalid_request_error"), (400, ""), (422, "x"), (200, "invalid_request_error")]
            {
                assert_eq!(
                    asked_for(Endpoint::Messages, status, &refused(kind, &text)),
                    Some(wanted),
                    "{text}"
                );
            }
        }
        for (endpoint, status, kind) in [
            (Endpoint::Messages, 500, "api_error"),
            (Endpoint::Messages, 429, "rate_limit_error"),
            (Endpoint::Messages, 400, "rate_limit_error"),
            (Endpoint::ChatCompletions, 400, "invalid_request_error"),
            (Endpoint::GeminiGenerate, 400, "INVALID_ARGUMENT"),
        ] {
            assert_eq!(asked_for(endpoint, status, &refused(kind, message)), None, "{message}");
        }
    }
    for (endpoint, message, wanted) in [
        (
            Endpoint::ChatCompletions,
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
            Some(OrphanToolResults),
        ),
        (
            Endpoint::Responses,
            "No tool call found for function call output with call_id call_1.",
            Some(OrphanToolResults),
        ),
        // The reverse is nothing that can be left out.
        (Endpoint::Responses, "No tool output found for tool call call-a.", None),
        (
            Endpoint::Messages,
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.",
            None,
        ),
        (Endpoint::Messages, "max_tokens: 8 > 4, which is the maximum allowed number of output tokens", None),
        (Endpoint::Messages, "prompt is too long: 1024 tokens >= 1024", None),
    ] {
        assert_eq!(asked_for(endpoint, 400, &refused("invalid_request_error", message)), wanted, "{message}");
    }
}

#[test]
fn the_text_forms_are_distinct() {
    let names: std::collections::BTreeSet<_> = Rectifier::ALL.iter().map(|r| r.as_str()).collect();
    assert_eq!(names.len(), Rectifier::ALL.len());
}

#[test]
fn ex_13_unverifiable_thinking_goes_and_nothing_else_changes() {
    let text = r#"{ "model" : "m", "thinking":{"type":"adaptive"}, "max_tokens":1.0e3,"messages": [ {"role":"user","content":"h\ud83di"},
  {"role":"assistant","content":[ {"type":"thinking","thinking":"t","signature":"s"} , {"type":"redacted_thinking","data":"d"},{"type":"text","text":"a"}, {"type":"tool_use","id":"t1","signature":"x" ,"name":"f","input":{"signature":"mine","type":"thinking"}} ]},
  {"role":"user","content":[{"type":"thinking","thinking":"said by the user"},{"type":"tool_result","tool_use_id":"t1"}]} ], "x":[1,] }"#;
    // That was no JSON; the same without the trailing comma is.
    assert_eq!(apply(Rectifier::ThinkingSignature, Endpoint::Messages, text.as_bytes()), None);
    let text = text.replace("[1,]", "[1]");
    let found = apply(Rectifier::ThinkingSignature, Endpoint::Messages, text.as_bytes()).unwrap();
    let wanted = text
        .replace(r#"{"type":"thinking","thinking":"t","signature":"s"} , {"type":"redacted_thinking","data":"d"},"#, "")
        .replace(r#","signature":"x" "#, " ");
    assert_eq!(String::from_utf8(found).unwrap(), wanted);
}

#[test]
fn a_fixed_budget_goes_with_the_thinking_of_an_open_tool_call() {
    let body = |thinking: Value, edits: Value, text: &str| {
        json!({
            "context_management": { "edits": edits },
            "messages": [
                { "role": "user", "content": "q" },
                { "role": "assistant", "content": [{ "type": "thinking", "thinking": "t", "signature": "s" }, { "type": text, "id": "t1" }] },
                { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t1" }] },
            ],
            "thinking": thinking,
        })
        .to_string()
    };
    let mend = |text: &str| {
        serde_json::from_str::<Value>(
            &mended(Rectifier::ThinkingSignature, Endpoint::Messages, text).unwrap(),
        )
        .unwrap()
    };
    let fixed = json!({ "type": "enabled", "budget_tokens": 2000 });
    let clear = json!({ "type": "clear_thinking_20251015", "keep": "all" });
    let other = json!({ "type": "clear_tool_uses_20250919" });
    let found = mend(&body(fixed.clone(), json!([clear]), "tool_use"));
    assert!(found.get("thinking").is_none() && found.get("context_management").is_none(), "{found}");
    assert_eq!(found["messages"][1]["content"], json!([{ "type": "tool_use", "id": "t1" }]));
    let found = mend(&body(fixed.clone(), json!([clear, other]), "tool_use"));
    assert_eq!(found["context_management"], json!({ "edits": [other] }));
    // Adaptive thinking does not mind, nor does a turn that is over.
    for (thinking, text) in [(json!({ "type": "adaptive" }), "tool_use"), (fixed, "text")] {
        let found = mend(&body(thinking.clone(), json!([clear]), text));
        assert_eq!((&found["thinking"], &found["context_management"]["edits"]), (&thinking, &json!([clear])));
    }
}

#[test]
fn a_message_of_thinking_alone_goes_as_a_whole() {
    let text = r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"t"}]},{"role":"user","content":"b"}]}"#;
    assert_eq!(
        mended(Rectifier::ThinkingSignature, Endpoint::CountTokens, text).unwrap(),
        r#"{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}"#
    );
}

#[test]
fn a_budget_is_put_in_range_and_never_costs_more_than_was_allowed() {
    for (most, budget, wanted) in [
        ("4000", "100", Some("1024")),
        ("4000", "0", Some("1024")),
        ("4000", "-1", Some("1024")),
        ("4000", "4000", Some("2000")),
        ("1500", "9999", Some("1024")),
        ("1025", "5000", Some("1024")),
        ("4000", "1024", None),
        ("4000", "3999", None),
        ("4000", "\"x\"", None),
    ] {
        let text = format!(
            "{{\"max_tokens\": {most} ,\"thinking\":{{\"budget_tokens\" : {budget},\"type\":\"enabled\"}},\"messages\":[]}}"
        );
        let found = mended(Rectifier::ThinkingBudget, Endpoint::Messages, &text);
        let changed = wanted.map(|wanted| text.replace(&format!(": {budget},"), &format!(": {wanted},")));
        assert_eq!(found, changed, "{text}");
    }
    for (text, wanted) in [
        (
            r#"{"max_tokens":1024,"thinking":{"type":"enabled","budget_tokens":512},"messages":[]}"#,
            Some(r#"{"max_tokens":1024,"messages":[]}"#),
        ),
        (
            r#"{"thinking":{"type":"enabled","budget_tokens":512}}"#,
            Some(r#"{"thinking":{"type":"enabled","budget_tokens":1024}}"#),
        ),
        (r#"{"thinking":{"type":"adaptive"},"max_tokens":10}"#, None),
        (r#"{"max_tokens":10}"#, None),
    ] {
        assert_eq!(mended(Rectifier::ThinkingBudget, Endpoint::Messages, text).as_deref(), wanted, "{text}");
    }
}

#[test]
fn empty_texts_go_wherever_they_stand() {
    for (text, wanted) in [
        (
            r#"{"system":[{"type":"text","text":""},{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"text","text":" \n\u0020"},{"type":"text","text":"q"}]}]}"#,
            Some(
                r#"{"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"text","text":"q"}]}]}"#,
            ),
        ),
        (
            r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":""},{"role":"assistant","content":[]},{"role":"user","content":[{"type":"text","text":""}]},{"role":"user","content":"r"}]}"#,
            Some(r#"{"messages":[{"role":"user","content":"q"},{"role":"user","content":"r"}]}"#),
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":""}]}]}]}"#,
            Some(
                r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[]}]}]}"#,
            ),
        ),
        // Settings beside an empty content stay.
        (
            r#"{"messages":[{"role":"user","content":"q"},{"role":"system","content":[],"output_config":{}}]}"#,
            None,
        ),
        // Nothing, no question at the start, no question at the end: no conversation.
        (r#"{"messages":[{"role":"user","content":""}]}"#, None),
        (
            r#"{"messages":[{"role":"user","content":""},{"role":"assistant","content":"a"},{"role":"user","content":"q"}]}"#,
            None,
        ),
        (
            r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":" "}]}"#,
            None,
        ),
        (r#"{"messages":[{"role":"user","content":"q"}]}"#, None),
        (r#"{"model":"m"}"#, None),
    ] {
        assert_eq!(mended(Rectifier::EmptyText, Endpoint::Messages, text).as_deref(), wanted, "{text}");
    }
}

#[test]
fn results_without_their_call_go() {
    for (endpoint, text, wanted) in [
        (
            Endpoint::Messages,
            r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"t1"},{"type":"tool_use","id":"t2"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t9"},{"type":"tool_result","tool_use_id":"t1"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t2"},{"type":"text","text":"x"}]},{"role":"assistant","content":"a"},{"role":"user","content":[{"type":"text","text":"y"} , {"type":"tool_result","tool_use_id":"t1"}]}]}"#,
            Some(
                r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"t1"},{"type":"tool_use","id":"t2"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t2"},{"type":"text","text":"x"}]},{"role":"assistant","content":"a"},{"role":"user","content":[{"type":"text","text":"y"}]}]}"#,
            ),
        ),
        (
            Endpoint::Messages,
            r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"}]}]}"#,
            None,
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"messages":[{"role":"tool","tool_call_id":"c0"}, {"role":"user"},{"role":"assistant","tool_calls":[{"id":"c1"},{"id":"c2"}]},{"role":"tool","tool_call_id":"c1"},{"role":"tool","tool_call_id":"c9"},{"role":"tool","tool_call_id":"c2"},{"role":"user"},{"role":"tool","tool_call_id":"c1"}]}"#,
            Some(
                r#"{"messages":[{"role":"user"},{"role":"assistant","tool_calls":[{"id":"c1"},{"id":"c2"}]},{"role":"tool","tool_call_id":"c1"},{"role":"tool","tool_call_id":"c2"},{"role":"user"}]}"#,
            ),
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"messages":[{"role":"user"},{"role":"assistant"},{"role":"tool","tool_call_id":"c1"}]}"#,
            None,
        ),
        (
            Endpoint::Responses,
            r#"{"input":[{"role":"user","content":"q"},{"type":"function_call_output","call_id":"a","output":""},{"type":"custom_tool_call","call_id":"b"},{"type":"custom_tool_call_output","call_id":"b"}]}"#,
            Some(
                r#"{"input":[{"role":"user","content":"q"},{"type":"custom_tool_call","call_id":"b"},{"type":"custom_tool_call_output","call_id":"b"}]}"#,
            ),
        ),
        (Endpoint::Responses, r#"{"input":[{"type":"function_call_output","call_id":"a"}]}"#, None),
        (
            Endpoint::Responses,
            r#"{"previous_response_id":"r","input":[{"role":"user"},{"type":"function_call_output","call_id":"a"}]}"#,
            None,
        ),
        (
            Endpoint::Responses,
            r#"{"input":[{"type":"item_reference","id":"i"},{"type":"function_call_output","call_id":"a"}]}"#,
            None,
        ),
        (Endpoint::Responses, r#"{"input":"text"}"#, None),
        (Endpoint::GeminiGenerate, r#"{"contents":[]}"#, None),
    ] {
        assert_eq!(mended(Rectifier::OrphanToolResults, endpoint, text).as_deref(), wanted, "{text}");
    }
}

fn block() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({ "type": "text", "text": "a" })),
        Just(json!({ "type": "text", "text": "" })),
        Just(json!({ "signature": "s", "thinking": "t", "type": "thinking" })),
        Just(json!({ "type": "redacted_thinking", "data": "d" })),
        (0_u32..3).prop_map(|n| json!({ "type": "tool_use", "id": n.to_string(), "input": { "signature": "x" }, "signature": "y" })),
        (0_u32..3).prop_map(|n| json!({ "type": "tool_result", "tool_use_id": n.to_string(), "content": [{ "type": "text", "text": "" }] })),
    ]
}

fn talk() -> impl Strategy<Value = Value> {
    let content = prop_oneof![
        4 => prop::collection::vec(block(), 0..5).prop_map(Value::from),
        1 => Just(json!("text")),
        1 => Just(json!("")),
    ];
    let turn = (prop::sample::select(vec!["user", "assistant", "system"]), content)
        .prop_map(|(role, content)| json!({ "role": role, "content": content }));
    prop::collection::vec(turn, 0..6).prop_map(|turns| {
        json!({ "max_tokens": 4000, "messages": turns, "model": "m", "thinking": { "type": "enabled", "budget_tokens": 7 } })
    })
}

/// The same on a tree: blocks left out, and messages that are empty then.
fn on_tree(mut body: Value, gone: impl Fn(&str, &Value) -> bool) -> Value {
    let turns = body["messages"].as_array_mut().unwrap();
    turns.retain_mut(|turn| {
        let role = turn["role"].as_str().unwrap().to_owned();
        let Some(blocks) = turn["content"].as_array_mut() else { return true };
        let before = blocks.len();
        blocks.retain(|block| !gone(&role, block));
        !blocks.is_empty() || before == 0
    });
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_stays_is_the_same_bytes_in_the_same_order(body in talk(), pretty in any::<bool>(), which in 0_usize..4) {
        let text = if pretty { serde_json::to_string_pretty(&body).unwrap() } else { body.to_string() };
        let rectifier = Rectifier::ALL[which];
        if let Some(found) = mended(rectifier, Endpoint::Messages, &text) {
            if rectifier != Rectifier::ThinkingBudget {
                // Only cuts: what is left is a subsequence.
                let mut rest = text.bytes();
                prop_assert!(found.bytes().all(|byte| rest.any(|other| other == byte)), "{}", found);
            }
            let found: Value = serde_json::from_str(&found).unwrap();
            prop_assert_eq!(&found["model"], "m");
            prop_assert_eq!(&found["max_tokens"], 4000);
        }
    }

    #[test]
    fn ex_13_thinking_goes_as_on_a_tree(body in talk()) {
        let Some(found) = mended(Rectifier::ThinkingSignature, Endpoint::Messages, &body.to_string()) else {
            return Ok(());
        };
        let thinks = |block: &Value| matches!(block["type"].as_str(), Some("thinking" | "redacted_thinking"));
        let mut wanted = on_tree(body, |role, block| role == "assistant" && thinks(block));
        let turns = wanted["messages"].as_array_mut().unwrap();
        for turn in turns.iter_mut().filter(|turn| turn["role"] == "assistant") {
            for block in turn["content"].as_array_mut().into_iter().flatten() {
                block.as_object_mut().unwrap().remove("signature");
            }
        }
        let mut found: Value = serde_json::from_str(&found).unwrap();
        found["thinking"].take();
        wanted["thinking"].take();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn u19_nothing_makes_mending_panic(body in talk(), spot in any::<prop::sample::Index>(), byte in any::<u8>(), which in 0_usize..4, at in 0..Endpoint::ALL.len()) {
        let mut bytes = body.to_string().into_bytes();
        let spot = spot.index(bytes.len());
        bytes[spot] = byte;
        if let Some(found) = apply(Rectifier::ALL[which], Endpoint::ALL[at], &bytes) {
            prop_assert!(crate::json::is_whole(&found));
        }
    }
}
