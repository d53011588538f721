//! What translation takes of the processor, for each pair: a request of 2 KB there, an event of a stream back.
//!
//! Time on the processor where the system tells it, so that a busy machine disturbs little; the best of some rounds.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use protocol::Dialect;
use protocol::translate::{Call, Stream, Target, read_request, write_request};
use serde_json::{Value, json};

use crate::answers::back;
use crate::data::Recorded;
use crate::tally::{Pair, ratio};
use crate::{Result, fail};

/// Most µs that a request of 2 KB may take.
const REQUEST: f64 = 60.0;
/// Most µs that an event of a stream may take.
const EVENT: f64 = 2.0;

const ROUNDS: u32 = 7;

/// Measures every pair and prints what it takes beside what it may take.
pub(crate) fn measure(recorded: &Recorded) -> Result {
    if cfg!(debug_assertions) {
        println!("(this is no optimised build: the figures are of no use)");
    }
    println!(
        "| caller on vendor | 2 KB request, µs of {REQUEST} | text event, µs of {EVENT} | recorded event, µs |"
    );
    println!("|---|---|---|---|");
    let mut over = Vec::new();
    for pair in Pair::all() {
        let request = request(pair)?;
        let event = events(pair, &[stream(pair.vendor)]);
        let bodies: Vec<String> = recorded
            .exchanges
            .iter()
            .filter(|exchange| exchange.dialect == pair.vendor && exchange.streams)
            .map(|exchange| exchange.body.clone())
            .collect();
        let real = events(pair, &bodies);
        println!("| {} | {request:.1} | {event:.2} | {real:.2} |", pair.name());
        if request > REQUEST || event > EVENT {
            over.push(pair.name());
        }
    }
    if over.is_empty() { Ok(()) } else { Err(fail(format!("over the target: {}", over.join(", ")))) }
}

/// µs on the processor that this thread has used, or that have passed.
pub(crate) fn used(since: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split(' ').next()?.parse::<f64>().ok());
    nanos.map_or_else(|| since.elapsed().as_secs_f64() * 1e6, |nanos| nanos / 1e3)
}

/// The best time of one run in µs, each round long enough for the system's clock to tell.
fn best(mut run: impl FnMut()) -> f64 {
    let since = Instant::now();
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let (start, mut runs) = (used(since), 0_u64);
        let whole = loop {
            for _ in 0..16 {
                run();
            }
            runs += 16;
            let whole = used(since) - start;
            if whole > 100_000.0 {
                break whole;
            }
        };
        best = best.min(whole / ratio(runs, 1));
    }
    best
}

fn request(pair: Pair) -> Result<f64> {
    let body = asked(pair.caller)?;
    let path = Call { model: Some("gemini-2.5-flash"), stream: Some(true) };
    let target = Target { dialect: pair.vendor, model: model(pair.vendor), max_output: Some(64_000) };
    let mut broken = None;
    let time = best(|| match read_request(pair.caller, &body, path) {
        Ok(request) => drop(black_box(write_request(&request, target))),
        Err(fault) => broken = Some(fault),
    });
    broken.map_or(Ok(time), |fault| Err(fail(fault.to_string())))
}

fn model(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Anthropic => "claude-sonnet-4-5",
        Dialect::OpenAiChat | Dialect::OpenAiResponses => "gpt-4.1",
        Dialect::Gemini => "gemini-2.5-flash",
    }
}

/// A conversation of 2 KB with a tool, in each dialect.
fn asked(dialect: Dialect) -> Result<Vec<u8>> {
    let long = "The quick brown fox jumps over the lazy dog and asks what the weather is like today. ";
    let schema = json!({
        "type": "object", "required": ["city"],
        "properties": { "city": { "type": "string", "description": "Where" }, "days": { "type": "integer" } },
    });
    let chat = json!({
        "model": "gpt-4.1", "stream": true, "max_tokens": 1024, "temperature": 0.7,
        "messages": [
            { "role": "system", "content": long.repeat(5) },
            { "role": "user", "content": long.repeat(4) },
            { "role": "assistant", "content": "I shall look it up.", "tool_calls": [{
                "id": "call_1", "type": "function",
                "function": { "name": "weather", "arguments": "{\"city\":\"Berlin\",\"days\":3}" },
            }] },
            { "role": "tool", "tool_call_id": "call_1", "content": long.repeat(3) },
            { "role": "assistant", "content": long.repeat(2) },
            { "role": "user", "content": long },
        ],
        "tools": [{ "type": "function", "function": {
            "name": "weather", "description": "The weather of the next days", "parameters": schema,
        } }],
    });
    let body = chat.to_string().into_bytes();
    if dialect == Dialect::OpenAiChat {
        return Ok(body);
    }
    let request = read_request(Dialect::OpenAiChat, &body, Call::default())?;
    Ok(write_request(&request, Target { dialect, model: model(dialect), max_output: None }).body)
}

/// µs for each event of some streams.
fn events(pair: Pair, bodies: &[String]) -> f64 {
    let back = Arc::new(back(pair.vendor, None, pair.caller, true));
    let count = bodies.iter().flat_map(|body| body.lines()).filter(|line| line.starts_with("data:")).count();
    let mut out = Vec::with_capacity(1 << 20);
    let time = best(|| {
        for body in bodies {
            let mut stream = Stream::new(back.clone());
            // As they come over a network: an event at a time.
            for piece in body.split_inclusive("\n\n") {
                out.clear();
                drop(black_box(stream.feed(piece.as_bytes(), &mut out)));
            }
            stream.finish(&mut out);
        }
    });
    time / ratio(u64::try_from(count).unwrap_or(1).max(1), 1)
}

/// A long stream of text in the vendor's usual words.
fn stream(dialect: Dialect) -> String {
    const EVENTS: usize = 500;
    let (begin, more, end) = match dialect {
        Dialect::Anthropic => (
            vec![
                json!({ "type": "message_start", "message": {
                    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
                    "content": [], "stop_reason": null, "stop_sequence": null,
                    "usage": { "input_tokens": 10, "output_tokens": 1 },
                } }),
                json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
            ],
            json!({ "type": "content_block_delta", "index": 0,
                "delta": { "type": "text_delta", "text": " a few more words" } }),
            vec![
                json!({ "type": "content_block_stop", "index": 0 }),
                json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null },
                    "usage": { "output_tokens": 500 } }),
                json!({ "type": "message_stop" }),
            ],
        ),
        Dialect::OpenAiChat => {
            let chunk = |delta: Value, stop: Value| {
                json!({
                    "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
                    "model": "gpt-4.1-2025-04-14", "service_tier": "default", "system_fingerprint": "fp_1",
                    "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": stop }],
                    "usage": null, "obfuscation": "abcdefgh",
                })
            };
            (
                vec![chunk(json!({ "role": "assistant", "content": "", "refusal": null }), Value::Null)],
                chunk(json!({ "content": " a few more words" }), Value::Null),
                vec![chunk(json!({}), "stop".into())],
            )
        }
        Dialect::OpenAiResponses => {
            let response = json!({ "id": "resp_1", "object": "response", "status": "in_progress",
                "model": "gpt-4.1", "output": [] });
            let item = json!({ "id": "msg_1", "type": "message", "role": "assistant",
                "status": "in_progress", "content": [] });
            (
                vec![
                    json!({ "type": "response.created", "sequence_number": 0, "response": response }),
                    json!({ "type": "response.output_item.added", "sequence_number": 1, "output_index": 0,
                        "item": item }),
                ],
                json!({ "type": "response.output_text.delta", "sequence_number": 9, "item_id": "msg_1",
                    "output_index": 0, "content_index": 0, "delta": " a few more words", "logprobs": [],
                    "obfuscation": "abcdefgh" }),
                vec![json!({ "type": "response.completed", "sequence_number": 10, "response": {
                    "id": "resp_1", "object": "response", "status": "completed", "model": "gpt-4.1", "output": [],
                    "usage": { "input_tokens": 10, "output_tokens": 500, "total_tokens": 510 },
                } })],
            )
        }
        Dialect::Gemini => {
            let chunk = |stop: Value| {
                json!({
                    "candidates": [{ "content": { "parts": [{ "text": " a few more words" }], "role": "model" },
                        "finishReason": stop, "index": 0 }],
                    "usageMetadata": { "promptTokenCount": 10, "candidatesTokenCount": 500,
                        "totalTokenCount": 510,
                        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": 10 }] },
                    "modelVersion": "gemini-2.5-flash", "responseId": "abc",
                })
            };
            (vec![], chunk(Value::Null), vec![chunk("STOP".into())])
        }
    };
    let all = begin.iter().chain(std::iter::repeat_n(&more, EVENTS)).chain(&end);
    all.map(ToString::to_string)
        .collect::<Vec<_>>()
        .iter()
        .fold(String::new(), |body, event| body + "data: " + event + "\n\n")
}
