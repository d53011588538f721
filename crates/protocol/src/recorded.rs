//! Recorded answers of vendors and captured requests of clients, where they are at hand.
//!
//! They are not part of the repository; without them these tests say so and pass.

mod beginning;
mod opening;

use std::path::{Path, PathBuf};

use serde_json::Value;
use types::request::TokenUsage;

use crate::meter::{Meter, Metered};
use crate::probe::probe;
use crate::{Dialect, Endpoint, error, gemini, session};

pub(crate) fn data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.is_dir() {
        println!("SKIP: no recorded data at {}", path.display());
        return None;
    }
    Some(path)
}

pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub(crate) fn cassettes() -> Vec<Value> {
    let Some(folder) = data("cassettes") else { return Vec::new() };
    files(&folder, ".jsonl")
        .iter()
        .flat_map(|file| {
            std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

fn endpoint(record: &Value) -> Option<Endpoint> {
    let path = record["path"].as_str()?;
    match record["api"].as_str()? {
        "messages" => Some(Endpoint::Messages),
        "messages_count" => Some(Endpoint::CountTokens),
        "chat" => Some(Endpoint::ChatCompletions),
        "responses" => Some(Endpoint::Responses),
        "responses_other" if path.ends_with("compact") => Some(Endpoint::ResponsesCompact),
        "embeddings" => Some(Endpoint::Embeddings),
        "gemini" | "gemini_count" | "gemini_embed" => {
            gemini::parse_call(path.rsplit_once("/models/")?.1).map(|(_, endpoint)| endpoint)
        }
        _ => None,
    }
}

/// The values of a stream or body, read in one go by other means than the meter's.
pub(crate) fn values(record: &Value) -> Vec<Value> {
    let body = record["body"].as_str().unwrap();
    if body.trim_start().starts_with('[') {
        return serde_json::from_str(body).unwrap();
    }
    if record["sse"] != true {
        return serde_json::from_str(body).into_iter().collect();
    }
    body.lines()
        .filter_map(|l| l.strip_prefix("data:"))
        .filter_map(|d| serde_json::from_str(d.trim()).ok())
        .collect()
}

fn number(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or(0)
}

/// What the last usage object of an exchange says, in the dialect's plain reading.
fn expected(endpoint: Endpoint, values: &[Value]) -> Option<TokenUsage> {
    let last = |path: &str| values.iter().rev().find_map(|v| v.pointer(path).filter(|u| u.is_object()));
    if endpoint.is_count() {
        return None;
    }
    Some(match endpoint.dialect() {
        Dialect::Anthropic => {
            let u = last("/usage").or_else(|| last("/message/usage"))?;
            let start = last("/message/usage").unwrap_or(u);
            // Steps of the vendor's own are not in the totals.
            let steps = u["iterations"].as_array().cloned().unwrap_or_default();
            let more = |path: &str| -> u64 {
                steps.iter().filter(|s| s["type"] != "message").map(|s| number(s, path)).sum()
            };
            TokenUsage {
                input: number(u, "/input_tokens")
                    .max(number(start, "/input_tokens") * u64::from(u.get("input_tokens").is_none()))
                    + more("/input_tokens"),
                output: number(u, "/output_tokens") + more("/output_tokens"),
                cache_read: number(start, "/cache_read_input_tokens")
                    .max(number(u, "/cache_read_input_tokens")),
                cache_write: number(start, "/cache_creation_input_tokens")
                    .max(number(u, "/cache_creation_input_tokens")),
                cache_write_1h: number(start, "/cache_creation/ephemeral_1h_input_tokens"),
                reasoning: number(u, "/output_tokens_details/thinking_tokens"),
                ..TokenUsage::default()
            }
        }
        Dialect::Gemini => {
            let u = last("/usageMetadata")?;
            let read = number(u, "/cachedContentTokenCount");
            let part = |list: &str, modality: &str| -> u64 {
                let entries = u[list].as_array().cloned().unwrap_or_default();
                entries.iter().filter(|e| e["modality"] == modality).map(|e| number(e, "/tokenCount")).sum()
            };
            let fresh = |modality: &str| {
                part("promptTokensDetails", modality) + part("toolUsePromptTokensDetails", modality)
                    - part("cacheTokensDetails", modality)
            };
            TokenUsage {
                audio_input: fresh("AUDIO"),
                image_input: fresh("IMAGE"),
                audio_output: part("candidatesTokensDetails", "AUDIO"),
                image_output: part("candidatesTokensDetails", "IMAGE"),
                input: number(u, "/promptTokenCount") - read + number(u, "/toolUsePromptTokenCount"),
                output: number(u, "/candidatesTokenCount") + number(u, "/thoughtsTokenCount"),
                cache_read: read,
                reasoning: number(u, "/thoughtsTokenCount"),
                ..TokenUsage::default()
            }
        }
        Dialect::OpenAiChat | Dialect::OpenAiResponses => {
            let u = last("/usage").or_else(|| last("/response/usage"))?;
            let either = |a: &str, b: &str| number(u, a).max(number(u, b));
            let read = either("/prompt_tokens_details/cached_tokens", "/input_tokens_details/cached_tokens")
                .max(either("/cached_tokens", "/num_cached_tokens"));
            let write = either(
                "/prompt_tokens_details/cache_write_tokens",
                "/input_tokens_details/cache_write_tokens",
            );
            let input = either("/prompt_tokens", "/input_tokens");
            let input = if endpoint == Endpoint::Embeddings && input == 0 {
                number(u, "/total_tokens")
            } else {
                input
            };
            TokenUsage {
                input: input - read - write,
                output: either("/completion_tokens", "/output_tokens"),
                cache_read: read,
                cache_write: write,
                reasoning: either(
                    "/completion_tokens_details/reasoning_tokens",
                    "/output_tokens_details/reasoning_tokens",
                ),
                ..TokenUsage::default()
            }
        }
    })
}

/// Web searches of an exchange, read in one go by other means than the meter's.
fn searches(endpoint: Endpoint, values: &[Value]) -> u64 {
    let texts = |value: &Value| value.as_array().map_or(0, |a| a.iter().filter(|q| *q != "").count());
    let is_search = |item: &&Value| {
        let action = item["action"]["type"].as_str().unwrap_or("search");
        item["type"] == "web_search_call" && action == "search"
    };
    let found = values.iter().map(|value| match endpoint.dialect() {
        Dialect::Anthropic => {
            usize::try_from(number(value, "/usage/server_tool_use/web_search_requests")).unwrap()
        }
        Dialect::OpenAiResponses => {
            let output = value.pointer("/response/output").or(value.get("output")).and_then(Value::as_array);
            output.map_or(0, |items| items.iter().filter(is_search).count())
        }
        Dialect::OpenAiChat => {
            let counted = number(value, "/usage/server_tool_use/web_search_requests")
                .max(number(value, "/usage/server_tool_use_details/web_search_requests"));
            usize::try_from(counted).unwrap().max(usize::from(value.to_string().contains("\"url_citation\"")))
        }
        Dialect::Gemini => {
            let candidates = value["candidates"].as_array();
            let queries = candidates.map_or(0, |c| {
                c.iter().map(|c| texts(&c["groundingMetadata"]["webSearchQueries"])).sum::<usize>()
            });
            let once = value["modelVersion"].as_str().is_some_and(|m| m.starts_with("gemini-2"));
            if once { queries.min(1) } else { queries }
        }
    });
    u64::try_from(found.max().unwrap_or(0)).unwrap()
}

fn hear<'a>(endpoint: Endpoint, streaming: bool, pieces: impl IntoIterator<Item = &'a [u8]>) -> Metered {
    let mut meter = Meter::new(endpoint, streaming);
    for piece in pieces {
        meter.feed(piece);
    }
    meter.finish()
}

#[test]
fn u43_recorded_answers_are_counted_as_the_vendors_did() {
    let (mut checked, mut searched, mut tiers) = (0, 0, 0);
    for record in cassettes() {
        let (Some(endpoint), Some(200)) = (endpoint(&record), record["status"].as_u64()) else { continue };
        let (id, body) = (&record["id"], record["body"].as_str().unwrap().as_bytes());
        let streaming = record["sse"] == true;
        let values = values(&record);
        let heard = hear(endpoint, streaming, [body]);
        // One vendor claims a token more of reasoning than of output.
        let wanted =
            expected(endpoint, &values).map(|u| TokenUsage { reasoning: u.reasoning.min(u.output), ..u });
        let web_searches = searches(endpoint, &values);
        searched += u64::from(web_searches > 0);
        tiers += u64::from(heard.service_tier.is_some());
        assert_eq!(heard.usage, TokenUsage { web_searches, ..wanted.unwrap_or_default() }, "{id} {endpoint}");
        assert_eq!(heard.usage_seen, wanted.is_some(), "{id} {endpoint}");
        let broken = values.iter().any(|v| v.get("error").is_some_and(|e| !e.is_null()));
        assert_eq!(heard.error.is_some(), broken, "{id} {endpoint}: {:?}", heard.error);
        // Background responses are recorded up to where their client stopped listening.
        let last = values.last().and_then(|v| v["type"].as_str()).unwrap_or_default();
        let open = matches!(last, "response.queued" | "response.in_progress") || broken;
        assert!(heard.completed || open, "{id} {endpoint} is not completed");
        checked += 1;
    }
    println!("{checked} recorded answers checked, {searched} with web searches, {tiers} with a service tier");
}

#[test]
fn u43_u51_recorded_streams_read_the_same_under_any_cut() {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |bound: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % u64::try_from(bound).unwrap()).unwrap()
    };
    let mut bytewise = 0;
    for record in cassettes() {
        let Some(endpoint) = endpoint(&record) else { continue };
        let body = record["body"].as_str().unwrap().as_bytes();
        let streaming = record["sse"] == true;
        let expected = hear(endpoint, streaming, [body]);
        for round in 0..6 {
            let mut cuts: Vec<usize> = (0..=round * 10).map(|_| random(body.len() + 1)).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|w| &body[w[0]..w[1]]);
            assert_eq!(hear(endpoint, streaming, pieces), expected, "{} at {cuts:?}", record["id"]);
        }
        assert_eq!(hear(endpoint, streaming, body.chunks(1)), expected, "{} bytewise", record["id"]);
        if streaming && body.len() < 2_500 && bytewise < 25 {
            bytewise += 1;
            for at in 0..body.len() {
                let (head, tail) = body.split_at(at);
                assert_eq!(hear(endpoint, streaming, [head, tail]), expected, "{} at {at}", record["id"]);
            }
        }
    }
}

#[test]
fn recorded_errors_are_read() {
    let Some(folder) = data("cassettes") else { return };
    let text = std::fs::read_to_string(folder.join("errors.json")).unwrap();
    for record in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
        let dialect = match record["api"].as_str().unwrap_or_default() {
            "messages" | "messages_count" => Dialect::Anthropic,
            "responses" => Dialect::OpenAiResponses,
            api if api.starts_with("gemini") => Dialect::Gemini,
            _ => Dialect::OpenAiChat,
        };
        let body = record["body"].as_str().unwrap();
        let found = error::parse_upstream(dialect, body.as_bytes()).unwrap_or_else(|| panic!("{body}"));
        let value: Value = serde_json::from_str(body).unwrap();
        let message =
            value["error"]["message"].as_str().or(value["error"].as_str()).or(value["detail"].as_str());
        assert!(message.unwrap().starts_with(&found.message), "{body}");
    }
}

fn called(method: &str, url: &str) -> Option<(Endpoint, Option<String>)> {
    let path = url.split('?').next()?;
    if method != "POST" {
        return None;
    }
    if let Some((_, tail)) = path.split_once("/models/") {
        return gemini::parse_call(tail).map(|(model, endpoint)| (endpoint, Some(model)));
    }
    Some((
        match path {
            "/v1/messages" => Endpoint::Messages,
            "/v1/messages/count_tokens" => Endpoint::CountTokens,
            "/v1/chat/completions" => Endpoint::ChatCompletions,
            "/v1/responses" => Endpoint::Responses,
            "/v1/embeddings" => Endpoint::Embeddings,
            _ => return None,
        },
        None,
    ))
}

#[test]
fn captured_requests_of_real_clients_are_probed_right() {
    let Some(folder) = data("captures") else { return };
    let mut checked = 0;
    for file in files(&folder, ".json") {
        let capture: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let (Some(method), Some(url)) = (capture["method"].as_str(), capture["url"].as_str()) else {
            continue;
        };
        let (Some((endpoint, path_model)), Some(body)) = (called(method, url), capture.get("bodyJson"))
        else {
            continue;
        };
        let name = file.display();
        for text in [body.to_string(), serde_json::to_string_pretty(body).unwrap()] {
            let found = probe(endpoint, Some("application/json"), text.as_bytes())
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            if path_model.is_none() {
                let model = found.model.as_ref().unwrap();
                assert_eq!(body["model"], model.name, "{name}");
                assert_eq!(serde_json::from_str::<Value>(&text[model.span.clone()]).unwrap(), body["model"]);
            }
            let streams = endpoint == Endpoint::GeminiStream || body["stream"] == true;
            assert_eq!(found.stream, streams, "{name}");
            let header = |wanted: &str| {
                capture["rawHeaders"].as_array()?.iter().find_map(|pair| {
                    let (name, value) = (pair[0].as_str()?, pair[1].as_str()?);
                    name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
                })
            };
            let hint = session::hint(endpoint, &header, &found);
            let from_body = session::hint(endpoint, &|_| None, &found);
            let file_name = file.file_name().unwrap().to_string_lossy().into_owned();
            if file_name.starts_with("claude_") && endpoint == Endpoint::Messages {
                assert_eq!(hint, header("x-claude-code-session-id"), "{name}");
                assert_eq!(from_body, hint, "{name}");
            } else if file_name.starts_with("codex_") {
                assert_eq!(hint, header("session-id"), "{name}");
                assert_eq!(from_body, hint, "{name}");
            }
        }
        checked += 1;
    }
    println!("{checked} captured requests checked");
}
