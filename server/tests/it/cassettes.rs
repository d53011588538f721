//! Recorded answers of real vendors, replayed through the gateway in several chunkings: byte for byte the same.
//!
//! The recordings are not part of the repository; without them these tests say so and pass.

use std::path::Path;

use fakeup::{Behaviour, Framing, Rule};
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::client::Ask;

fn recordings() -> Option<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cassettes");
    if !folder.is_dir() {
        println!("SKIP: no recordings at {}", folder.display());
        return None;
    }
    let mut records = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("jsonl") => {
                records.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
            }
            Some("json") => records.extend(serde_json::from_str::<Vec<Value>>(&text).unwrap()),
            _ => {}
        }
    }
    Some(records)
}

/// The path under which Tollgate serves what was recorded.
fn target(record: &Value) -> Option<String> {
    let (api, path) = (record["api"].as_str()?, record["path"].as_str()?);
    Some(match api {
        "messages" => "/v1/messages".to_owned(),
        "messages_count" => "/v1/messages/count_tokens".to_owned(),
        "chat" => "/v1/chat/completions".to_owned(),
        "responses" => "/v1/responses".to_owned(),
        "responses_other" if path.ends_with("compact") => "/v1/responses/compact".to_owned(),
        "embeddings" => "/v1/embeddings".to_owned(),
        "gemini" | "gemini_count" | "gemini_embed" => {
            let (_, call) = path.rsplit_once("/models/")?;
            let query = if record["sse"] == true { "?alt=sse" } else { "" };
            format!("/v1beta/models/{call}{query}")
        }
        _ => return None,
    })
}

/// The recorded request, with what a gateway needs to know put in where the recording left it out.
fn request(record: &Value, target: &str) -> String {
    let mut body = if record["req"].is_object() { record["req"].clone() } else { json!({}) };
    if !target.contains("/v1beta/") {
        if !body["model"].is_string() {
            body["model"] = json!("recorded");
        }
        if record["sse"] == true {
            body["stream"] = json!(true);
        }
    }
    body.to_string()
}

/// The recorded answer, as the fake vendor is to give it.
fn behaviour(record: &Value, piece_bytes: Option<usize>) -> Behaviour {
    let recorded = record["rhdr"]["content-type"].as_str();
    // Gemini's streams without `alt=sse` are arrays, and say so.
    let array = record["body"].as_str().is_some_and(|body| body.starts_with('['));
    let events = record["sse"] == true && !array;
    let kind = if events { "text/event-stream" } else { recorded.unwrap_or("application/json") };
    let status = record["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    Behaviour {
        status,
        piece_bytes,
        framing: Framing::Chunked,
        ..Behaviour::body(kind, record["body"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn recorded_answers_pass_byte_for_byte_in_every_chunking() {
    let Some(records) = recordings() else { return };
    let rig = Rig::start().await;
    let (mut checked, mut streams) = (0, 0);
    for record in &records {
        let (Some(target), Some(200)) = (target(record), record["status"].as_u64()) else { continue };
        let body = record["body"].as_str().unwrap();
        // Some answers are themselves errors or end open; how those are judged is tested elsewhere.
        let broken =
            body.contains("\"error\":{") || body.contains("\"error\": {") || body.contains("event: error");
        let open = body.contains("response.queued") && !body.contains("response.completed");
        if broken || open {
            continue;
        }
        let sizes: &[Option<usize>] =
            if body.len() < 3_000 { &[None, Some(1), Some(97)] } else { &[None, Some(1_021)] };
        for size in sizes {
            rig.upstream.forget();
            rig.upstream.script(Rule::always(behaviour(record, *size)));
            let ask = rig.keyed(Ask::post(&target, request(record, &target)));
            let got = rig.ask(ask).await;
            assert_eq!((got.status, got.whole), (200, true), "{} {target}: {}", record["id"], got.text());
            assert_eq!(got.text(), body, "{} {target} in {size:?}", record["id"]);
        }
        checked += 1;
        streams += usize::from(record["sse"] == true);
    }
    println!("{checked} recorded answers, {streams} of them streams");
    assert!(checked > 100 && streams > 30, "{checked} {streams}");
}

#[tokio::test]
async fn recorded_errors_of_the_request_pass_and_others_are_worded_anew() {
    let Some(records) = recordings() else { return };
    let rig = Rig::start().await;
    let mut checked = 0;
    for record in &records {
        let Some(status @ 400..=599) = record["status"].as_u64() else { continue };
        let Some(target) = target(record) else { continue };
        rig.upstream.forget();
        rig.recover().await;
        rig.upstream.script(Rule::always(behaviour(record, Some(50))));
        let ask = rig.keyed(Ask::post(&target, request(record, &target)));
        let id = ask.id.clone();
        let got = rig.ask(ask).await;
        let body = record["body"].as_str().unwrap();
        // Google says so of a key that is none.
        let is_auth = body.contains("API_KEY_INVALID");
        if is_auth || matches!(status, 401 | 402 | 403 | 429 | 500..) {
            assert_ne!(got.text(), body, "{}", record["id"]);
            assert_ne!(got.status, 401);
            assert!(got.text().contains(&id), "{}: {}", record["id"], got.text());
        } else {
            assert_eq!((u64::from(got.status), got.text().as_str()), (status, body), "{}", record["id"]);
        }
        checked += 1;
    }
    println!("{checked} recorded errors");
    assert!(checked > 10, "{checked}");
}
