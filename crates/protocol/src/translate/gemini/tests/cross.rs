//! What callers of this dialect get from vendors of the others.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::super::{Back, Call, Framing, Names, Stream, read_answer, write_answer};
use super::super::read_request;
use super::{chunks, shown};
use crate::neutral::{Answer, Part, Reasoning, Request, Sealed, Stop};
use crate::{Dialect, recorded};

fn from(upstream: Dialect) -> Back {
    Back { upstream, ..shown() }
}

/// Text, thoughts and calls of a `GenerateContentResponse` or its pieces.
fn said(responses: &[Value]) -> (String, String, Vec<(String, String, Value)>, String) {
    let (mut text, mut thoughts, mut calls, mut end) =
        (String::new(), String::new(), Vec::new(), String::new());
    for response in responses {
        let candidate = &response["candidates"][0];
        for part in candidate["content"]["parts"].as_array().unwrap() {
            let words = part["text"].as_str().unwrap_or_default();
            if part["thought"] == true { &mut thoughts } else { &mut text }.push_str(words);
            if let Some(call) = part.get("functionCall") {
                let word = |name: &str| call[name].as_str().unwrap().to_owned();
                calls.push((word("id"), word("name"), call["args"].clone()));
            }
        }
        if let Some(reason) = candidate["finishReason"].as_str() {
            reason.clone_into(&mut end);
        }
    }
    (text, thoughts, calls, end)
}

fn wanted(answer: &Answer) -> (String, String, Vec<(String, String, Value)>, String) {
    let (mut text, mut thoughts, mut calls) = (String::new(), String::new(), Vec::new());
    let choice = &answer.choices[0];
    for part in &choice.parts {
        match part {
            Part::Text { text: more, .. } | Part::Refusal { text: more } => text.push_str(more),
            Part::Thinking { text: more, .. } => thoughts.push_str(more),
            Part::ToolCall { id, name, arguments, .. } => {
                let args = serde_json::from_str::<Value>(arguments).ok().filter(Value::is_object);
                let args = args.unwrap_or_else(|| {
                    if arguments.is_empty() { json!({}) } else { json!({"_raw": arguments}) }
                });
                calls.push((id.clone(), name.clone(), args));
            }
            _ => {}
        }
    }
    let end = match choice.stop {
        Some(Stop::MaxTokens | Stop::ContextFull) => "MAX_TOKENS",
        Some(Stop::Refusal) => "SAFETY",
        _ => "STOP",
    };
    (text, thoughts, calls, end.into())
}

#[test]
fn recorded_answers_of_the_other_vendors_reach_gemini_callers_whole_and_streamed() {
    let (mut whole, mut streamed) = (0, 0);
    for record in recorded::cassettes() {
        let upstream = match record["api"].as_str() {
            Some("messages") => Dialect::Anthropic,
            Some("chat") => Dialect::OpenAiChat,
            Some("responses") => Dialect::OpenAiResponses,
            _ => continue,
        };
        if record["status"] != 200 {
            continue;
        }
        let body = record["body"].as_str().unwrap();
        let (id, back) = (&record["id"], from(upstream));
        if record["sse"] == true {
            let mut all = Vec::new();
            for size in [1, 7, body.len()] {
                let (mut stream, mut out) = (Stream::new(Arc::new(back.clone())), Vec::new());
                for piece in body.as_bytes().chunks(size) {
                    stream.feed(piece, &mut out).unwrap();
                }
                stream.finish(&mut out);
                if !stream.ended() {
                    continue;
                }
                let read = chunks(&out);
                let last = read.last().unwrap();
                assert!(last["candidates"][0]["finishReason"].is_string(), "{id}");
                assert!(
                    read.iter().rev().skip(1).all(|c| c["candidates"][0]["finishReason"].is_null()),
                    "{id}"
                );
                all.push((said(&read), last["usageMetadata"].clone()));
            }
            assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{id}");
            streamed += usize::from(!all.is_empty());
        } else {
            let Ok(answer) = read_answer(&back, body.as_bytes()) else { continue };
            let read: Value = serde_json::from_slice(&write_answer(&answer, &back)).unwrap();
            assert_eq!(said(std::slice::from_ref(&read)), wanted(&answer), "{id}");
            if let Some(usage) = answer.usage {
                let count = |name: &str| read["usageMetadata"][name].as_u64().unwrap_or(0);
                assert_eq!(
                    count("promptTokenCount"),
                    usage.input + usage.cache_read + usage.cache_write,
                    "{id}"
                );
                assert_eq!(count("candidatesTokenCount") + count("thoughtsTokenCount"), usage.output, "{id}");
                assert_eq!(count("cachedContentTokenCount"), usage.cache_read, "{id}");
            }
            // The same answer as a stream says the same.
            let mut out = Vec::new();
            super::super::super::write_events(answer.clone(), &Arc::new(back), Framing::Events, &mut out);
            assert_eq!(said(&chunks(&out)), wanted(&answer), "{id}");
            whole += 1;
        }
    }
    println!("{whole} answers and {streamed} streams of other vendors written for Gemini callers");
}

#[test]
fn another_vendors_proof_comes_back_even_if_only_calls_keep_their_signatures() {
    let proof = Sealed { dialect: Dialect::Anthropic, data: "sig==".into() };
    let thought = Part::Thinking { text: "hm".into(), seal: Some(proof.clone()) };
    let call = Part::ToolCall {
        id: "toolu_1".into(),
        name: "f".into(),
        namespace: None,
        arguments: "{}".into(),
        kind: crate::neutral::ToolKind::Function,
        seal: None,
        cache: None,
    };
    let answer = Answer {
        id: String::new(),
        model: String::new(),
        choices: vec![crate::neutral::Choice {
            parts: vec![thought, call],
            stop: Some(Stop::ToolUse),
            logprobs: None,
        }],
        usage: None,
        service_tier: None,
    };
    for show in [true, false] {
        let mut request = Request::new(Dialect::Gemini, "claude", false);
        request.reasoning = Some(Reasoning { shown: Some(show), ..Default::default() });
        let back = Back {
            request: Arc::new(request),
            upstream: Dialect::Anthropic,
            names: Names::new(),
            ids: "t1".into(),
            created: 0,
            sealer: None,
        };
        let told: Value = serde_json::from_slice(&write_answer(&answer, &back)).unwrap();
        assert_eq!(told["candidates"][0]["finishReason"], "STOP");
        let mut parts = told["candidates"][0]["content"]["parts"].as_array().unwrap().clone();
        assert_eq!(parts[0]["text"], if show { "hm" } else { "" });
        for keep_thoughts in [true, false] {
            if !keep_thoughts {
                parts.retain(|part| part["thought"] != true);
            }
            let body = json!({"contents": [
                {"role": "user", "parts": [{"text": "go"}]},
                {"role": "model", "parts": parts}
            ]});
            let call = Call { model: Some("claude"), stream: None };
            let read = read_request(body, call).unwrap();
            let seals: Vec<_> = read.turns[1]
                .parts
                .iter()
                .filter_map(|part| match part {
                    Part::Thinking { seal, .. } => Some(seal.clone()),
                    Part::ToolCall { seal, id, .. } => {
                        assert_eq!((seal, id.as_str()), (&None, "toolu_1"));
                        None
                    }
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(seals, [Some(proof.clone())]);
        }
    }
}

/// The rules of this vendor's conversations.
fn check_contents(id: &str, body: &Value) {
    let contents = body["contents"].as_array().unwrap();
    assert!(!contents.is_empty(), "{id}");
    let mut asked: Vec<(Value, Value)> = Vec::new();
    for (number, content) in contents.iter().enumerate() {
        let role = content["role"].as_str().unwrap();
        assert!(number == 0 || contents[number - 1]["role"] != role, "{id}: turns alternate");
        let parts = content["parts"].as_array().unwrap();
        assert!(!parts.is_empty(), "{id}");
        let pairs = |name: &str| -> Vec<(Value, Value)> {
            let named = parts.iter().filter_map(|part| part.get(name));
            named.map(|call| (call["id"].clone(), call["name"].clone())).collect()
        };
        let answered = pairs("functionResponse");
        assert_eq!(answered, asked, "{id}: each call is answered in the next turn, in order");
        asked = pairs("functionCall");
        assert!(role == "model" || asked.is_empty(), "{id}");
        for part in parts {
            let kinds = ["text", "inlineData", "fileData", "functionCall", "functionResponse"];
            assert_eq!(kinds.iter().filter(|kind| part.get(**kind).is_some()).count(), 1, "{id}: {part}");
            if let Some(call) = part.get("functionCall") {
                assert!(call["args"].is_object(), "{id}");
            }
        }
    }
}

#[test]
fn requests_of_the_other_dialects_become_conversations_that_the_vendor_takes() {
    use super::super::super::{Target, read_request, write_request};
    let mut requests = Vec::new();
    for record in recorded::cassettes() {
        let dialect = match record["api"].as_str() {
            Some("messages") => Dialect::Anthropic,
            Some("chat") => Dialect::OpenAiChat,
            Some("responses") => Dialect::OpenAiResponses,
            _ => continue,
        };
        if record["status"] == 200 {
            requests.push((record["id"].to_string(), dialect, record["req"].clone()));
        }
    }
    for file in recorded::data("captures").map(|folder| recorded::files(&folder, ".json")).unwrap_or_default()
    {
        let capture: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let path =
            capture["url"].as_str().unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
        let dialect = match path.as_str() {
            "/v1/messages" => Dialect::Anthropic,
            "/v1/chat/completions" => Dialect::OpenAiChat,
            "/v1/responses" => Dialect::OpenAiResponses,
            _ => continue,
        };
        if capture["bodyJson"].is_object() {
            requests.push((file.display().to_string(), dialect, capture["bodyJson"].clone()));
        }
    }
    let (mut checked, mut texts) = (0, 0);
    for (id, dialect, body) in requests {
        let Ok(read) = read_request(dialect, body.to_string().as_bytes(), Call::default()) else { continue };
        for model in ["gemini-2.5-flash", "gemini-3-flash-preview"] {
            let target = Target { dialect: Dialect::Gemini, model, max_output: None };
            let written = write_request(&read, target);
            let body: Value = serde_json::from_slice(&written.body).unwrap();
            check_contents(&id, &body);
            // Not a word of the conversation is missing.
            let all = body.to_string();
            for part in read.turns.iter().flat_map(|turn| &turn.parts) {
                if let Part::Text { text, .. } = part {
                    let quoted = json!(text).to_string();
                    assert!(all.contains(quoted.trim_matches('"')), "{id}: {text:.80}");
                    texts += 1;
                }
            }
            for tool in body["tools"][0]["functionDeclarations"].as_array().into_iter().flatten() {
                assert!(tool["name"].as_str().unwrap().len() <= 64, "{id}");
            }
        }
        checked += 1;
    }
    println!(
        "{checked} requests of other dialects written for two lines of models, {texts} texts found again"
    );
}
