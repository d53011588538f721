//! Streams of the four dialects, in pieces of every size.

use super::*;

const ANTHROPIC: &str = r#"event: message_start
data: {"type":"message_start","message":{"usage":{"input_tokens":20,"cache_read_input_tokens":5,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}

data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}

data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Grüße"}}

data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t","name":"get_weather","input":{}}}

data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}}

data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"Rom\"}"}}

data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":12}}

data: {"type":"message_stop"}

"#;

const CHAT: &str = r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"Hm."}}]}

data: {"choices":[{"index":0,"delta":{"content":"Grüße"}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"get_weather","arguments":""}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":\"Rom\"}"}}]}}]}

data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":25,"completion_tokens":12}}

data: [DONE]

"#;

const RESPONSES: &str = r#"event: response.reasoning_summary_text.delta
data: {"type":"response.reasoning_summary_text.delta","output_index":0,"delta":"Hm."}

data: {"type":"response.output_text.delta","output_index":1,"delta":"Grüße"}

data: {"type":"response.output_item.added","output_index":2,"item":{"type":"function_call","name":"get_weather","arguments":""}}

data: {"type":"response.function_call_arguments.delta","output_index":2,"delta":"{\"city\":\"Rom\"}"}

data: {"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":25,"output_tokens":12}}}

"#;

const GEMINI: &str = r#"data: {"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true},{"text":"Grüße"}]}}]}

data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"get_weather","args":{"city":"Rom"}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":25,"candidatesTokenCount":10,"thoughtsTokenCount":2}}

"#;

fn hear(dialect: Dialect, stream: &str, size: usize) -> Heard {
    let (mut listener, mut heard) = (Listener::new(dialect, 200), Heard::default());
    for piece in stream.as_bytes().chunks(size) {
        listener.feed(piece, &mut heard);
    }
    listener.finish(&mut heard);
    heard
}

#[test]
fn each_dialect_is_heard_whole_whatever_the_pieces() {
    for (dialect, stream, stop) in [
        (Dialect::Anthropic, ANTHROPIC, "tool_use"),
        (Dialect::OpenAiChat, CHAT, "tool_calls"),
        (Dialect::OpenAiResponses, RESPONSES, "completed"),
        (Dialect::Gemini, GEMINI, "STOP"),
    ] {
        for size in [1, 7, 100_000] {
            let heard = hear(dialect, stream, size);
            assert_eq!((heard.text.as_str(), heard.thinking.as_str()), ("Grüße", "Hm."), "{dialect} {size}");
            let tools: Vec<_> = heard.tools.iter().map(|t| (t.name.as_str(), t.arguments.as_str())).collect();
            assert_eq!(tools, [("get_weather", r#"{"city":"Rom"}"#)], "{dialect} {size}");
            assert_eq!((heard.input_tokens, heard.output_tokens), (Some(25), Some(12)), "{dialect} {size}");
            assert_eq!(
                (heard.stop.as_deref(), heard.error.as_deref()),
                (Some(stop), None),
                "{dialect} {size}"
            );
        }
    }
}

#[test]
fn a_refusal_and_a_broken_stream_say_why() {
    for (status, body) in [
        (401, r#"{"type":"error","error":{"code":"key_invalid","message":"invalid API key"}}"#),
        (200, "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"invalid API key\"}}\n\n"),
        (
            200,
            "data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"message\":\"invalid API key\"}}}\n\n",
        ),
    ] {
        let (mut listener, mut heard) = (Listener::new(Dialect::OpenAiResponses, status), Heard::default());
        listener.feed(body.as_bytes(), &mut heard);
        listener.finish(&mut heard);
        assert_eq!(heard.error.as_deref(), Some("invalid API key"), "{body}");
    }
    let (mut listener, mut heard) = (Listener::new(Dialect::Gemini, 502), Heard::default());
    listener.feed(b"<html>bad gateway", &mut heard);
    listener.finish(&mut heard);
    assert_eq!(heard.error.as_deref(), Some("<html>bad gateway"));
}
