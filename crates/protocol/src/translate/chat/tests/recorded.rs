//! Recorded exchanges, read by other means than the reader's.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use types::request::TokenUsage;

use super::super::super::{Call, Target, read_request, write_request};
use super::super::{read_answer, stop};
use super::read;
use crate::Dialect;
use crate::neutral::{Answer, Event, Part};
use crate::recorded::{cassettes, data, files};

/// What an answer says, field by field.
#[derive(Debug, Default, PartialEq)]
struct Facts {
    text: String,
    thinking: String,
    refusal: String,
    /// Id, name, arguments.
    calls: Vec<(String, String, String)>,
    citations: usize,
    stop: String,
    usage: (u64, u64, u64, u64),
    model: String,
}

impl Facts {
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let fields = [
            ("text", self.text == other.text),
            ("thinking", self.thinking == other.thinking),
            ("refusal", self.refusal == other.refusal),
            ("calls", self.calls == other.calls),
            ("citations", self.citations == other.citations),
            ("stop", self.stop == other.stop),
            ("usage", self.usage == other.usage),
            ("model", self.model == other.model),
        ];
        fields.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect()
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn said(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A plain reading of chunks or of a whole answer: fields are joined by path.
fn naive(values: &[Value]) -> Facts {
    let mut facts = Facts::default();
    let mut calls: BTreeMap<u64, (String, String, String)> = BTreeMap::new();
    let mut cited: Vec<Value> = Vec::new();
    for value in values {
        let usage = [&value["usage"], &value["x_groq"]["usage"]].into_iter().find(|u| u.is_object());
        if let Some(u) = usage {
            let count = |path: &str| u.pointer(path).and_then(Value::as_u64).unwrap_or(0);
            let read = count("/prompt_tokens_details/cached_tokens")
                .max(count("/cached_tokens"))
                .max(count("/num_cached_tokens"))
                .max(count("/prompt_cache_hit_tokens"));
            let write = count("/prompt_tokens_details/cache_write_tokens");
            facts.usage = (count("/prompt_tokens") - read - write, count("/completion_tokens"), read, write);
        }
        let Some(choice) = value["choices"].get(0) else { continue };
        if facts.model.is_empty() {
            facts.model = said(&value["model"]).to_owned();
        }
        let delta = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
        facts.text.push_str(said(&delta["content"]));
        for part in list(&delta["content"]) {
            facts.text.push_str(said(&part["text"]));
            for piece in list(&part["thinking"]) {
                facts.thinking.push_str(said(&piece["text"]));
            }
        }
        let thought = [&delta["reasoning_content"], &delta["reasoning"]];
        let thought = thought.into_iter().find(|t| !said(t).is_empty());
        if let Some(text) = thought {
            facts.thinking.push_str(said(text));
        } else {
            for detail in list(&delta["reasoning_details"]) {
                facts.thinking.push_str(said(&detail["text"]));
            }
        }
        facts.refusal.push_str(said(&delta["refusal"]));
        for (place, call) in (0_u64..).zip(list(&delta["tool_calls"])) {
            let entry = calls.entry(call["index"].as_u64().unwrap_or(place)).or_default();
            for (into, path) in [(&mut entry.0, "/id"), (&mut entry.1, "/function/name")] {
                if into.is_empty() {
                    into.push_str(call.pointer(path).map(said).unwrap_or_default());
                }
            }
            entry.2.push_str(call.pointer("/function/arguments").map(said).unwrap_or_default());
        }
        for annotation in list(&delta["annotations"]) {
            if !cited.contains(&annotation) {
                cited.push(annotation);
            }
        }
        if !said(&choice["finish_reason"]).is_empty() {
            said(&choice["finish_reason"]).clone_into(&mut facts.stop);
        }
    }
    facts.citations = cited.len();
    if facts.stop.is_empty() && !calls.is_empty() {
        // Two streams end in good order and do not say why.
        facts.stop = "tool_calls".into();
    }
    facts.calls = calls.into_values().collect();
    facts
}

fn facts(answer: &Answer) -> Facts {
    let mut facts = Facts { model: answer.model.clone(), ..Facts::default() };
    if let Some(TokenUsage { input, output, cache_read, cache_write, .. }) = answer.usage {
        facts.usage = (input, output, cache_read, cache_write);
    }
    let Some(choice) = answer.choices.first() else { return facts };
    for part in &choice.parts {
        match part {
            Part::Text { text, citations, .. } => {
                facts.text.push_str(text);
                facts.citations += citations.len();
            }
            Part::Thinking { text, .. } => facts.thinking.push_str(text),
            Part::Refusal { text } => facts.refusal.push_str(text),
            Part::ToolCall { id, name, arguments, .. } => {
                facts.calls.push((id.clone(), name.clone(), arguments.clone()));
            }
            other => panic!("not expected: {other:?}"),
        }
    }
    facts.stop = choice.stop.as_ref().map(|stop| stop::write(stop, false).to_owned()).unwrap_or_default();
    facts
}

fn values(body: &str) -> Vec<Value> {
    body.lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .filter_map(|data| serde_json::from_str(data.trim()).ok())
        .collect()
}

#[test]
fn every_recorded_answer_and_stream_is_read_right() {
    let (mut answers, mut streams, mut failed, mut fields, mut wrong) = (0, 0, 0, 0, Vec::new());
    for record in cassettes() {
        if record["api"] != "chat" || record["status"] != 200 {
            continue;
        }
        let (id, body) = (&record["id"], record["body"].as_str().unwrap());
        let mut check = |answer: &Answer, expected: &Facts, how: &str| {
            fields += 8;
            for field in facts(answer).differences(expected) {
                wrong.push(format!("{id} {how}: {field}: {:?} {expected:?}", facts(answer)));
            }
        };
        if record["sse"] == true {
            let values = values(body);
            let expected = naive(&values);
            let errors = values.iter().any(|value| value["error"].is_object());
            for size in [1, 7, body.len()] {
                let events = read(body.as_bytes(), size);
                if errors {
                    assert!(events.iter().any(|e| matches!(e, Event::Error(_))), "{id}");
                    assert!(!events.contains(&Event::End), "{id}");
                    continue;
                }
                assert_eq!(events.last(), Some(&Event::End), "{id}");
                check(&Answer::from_events(events), &expected, &format!("in pieces of {size}"));
            }
            streams += 1;
            failed += usize::from(errors);
        } else {
            let value: Value = serde_json::from_str(body).unwrap();
            let answer = read_answer(value.clone(), "t1").unwrap_or_else(|error| panic!("{id}: {error}"));
            check(&answer, &naive(&[value]), "whole");
            answers += 1;
        }
    }
    println!(
        "{answers} answers and {streams} streams ({failed} of them end in an error) read; {} of {fields} fields right",
        fields - wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Requests of recorded exchanges and of captured clients.
fn requests() -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = cassettes()
        .into_iter()
        .filter(|record| record["api"] == "chat" && record["req"].is_object() && record["status"] == 200)
        .map(|record| (record["id"].to_string(), record["req"].clone()))
        .collect();
    let Some(folder) = data("captures") else { return found };
    for file in files(&folder, ".json") {
        let capture: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let chat = capture["url"].as_str().is_some_and(|url| url.contains("/chat/completions"));
        if chat && capture["bodyJson"].is_object() {
            found.push((file.display().to_string(), capture["bodyJson"].clone()));
        }
    }
    found
}

/// Brings spellings that mean the same to one, so that what matters can be compared.
fn plain(request: &Value) -> BTreeMap<String, Value> {
    let mut plain = BTreeMap::new();
    let mut messages = list(&request["messages"]);
    // One client sends an empty message before the one with the calls.
    messages.retain(|message| {
        message["role"] != "assistant" || *message != json!({"role": "assistant", "content": ""})
    });
    for (number, message) in messages.iter().enumerate() {
        let mut put = |name: &str, value: Value| {
            let empty = value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                plain.insert(format!("messages[{number}].{name}"), value);
            }
        };
        put("role", message["role"].clone());
        let parts = list(&message["content"]);
        let between = if message["role"] == "assistant" { "" } else { "\n\n" };
        let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
        put("text", json!(format!("{}{}", said(&message["content"]), texts.join(between))));
        for mut part in parts.into_iter().filter(|part| part["text"].is_null()) {
            if let Some(address) = part.get("document_url") {
                // Mistral's spelling.
                part = json!({"type": "file", "file": {"filename": "file", "file_data": address}});
            }
            put(&format!("{}", part["type"]), part);
        }
        for name in ["tool_call_id", "name", "reasoning_details"] {
            put(name, message[name].clone());
        }
        let thought = [&message["reasoning_content"], &message["reasoning"]].map(said).concat();
        put("thinking", json!(thought));
        for (place, call) in list(&message["tool_calls"]).iter().enumerate() {
            put(&format!("calls[{place}].id"), call["id"].clone());
            put(&format!("calls[{place}].function"), call["function"].clone());
        }
    }
    for (number, tool) in list(&request["tools"]).iter().enumerate() {
        let mut tool = tool["function"].clone();
        if let Some(fields) = tool.as_object_mut() {
            fields.entry("parameters").or_insert(json!({"type": "object", "properties": {}}));
        }
        plain.insert(format!("tools[{number}]"), tool);
    }
    let kept = [
        "model",
        "temperature",
        "top_p",
        "stop",
        "seed",
        "stream",
        "reasoning_effort",
        "max_tokens",
        "response_format",
        "tool_choice",
    ];
    for name in kept {
        let value = &request[name];
        let silent = value.is_null() || *value == false || *value == json!({"type": "text"});
        if !silent {
            plain.insert(name.to_owned(), value.clone());
        }
    }
    for name in ["temperature", "top_p"] {
        if let Some(value) = plain.get_mut(name) {
            *value = json!(value.as_f64());
        }
    }
    if let Some(Value::String(stop)) = plain.get("stop").cloned() {
        plain.insert("stop".into(), json!([stop]));
    }
    if let Some(most) = request.get("max_completion_tokens") {
        plain.insert("max_tokens".into(), most.clone());
    }
    if request["tool_choice"] == "auto" && list(&request["tools"]).is_empty() {
        plain.remove("tool_choice");
    }
    plain
}

#[test]
fn every_recorded_and_captured_request_survives_reading_and_writing() {
    let (mut read, mut fields, mut wrong) = (0, 0, Vec::new());
    for (id, body) in requests() {
        let request = read_request(Dialect::OpenAiChat, body.to_string().as_bytes(), Call::default())
            .unwrap_or_else(|error| panic!("{id}: {error}"));
        let target =
            Target { dialect: Dialect::OpenAiChat, model: body["model"].as_str().unwrap(), max_output: None };
        let written = write_request(&request, target);
        let found = plain(&serde_json::from_slice(&written.body).unwrap());
        for (field, value) in plain(&body) {
            fields += 1;
            // What is listed as lost was not lost silently.
            let listed = written.losses.kept().iter().any(|loss| loss.field == field);
            if found.get(&field) != Some(&value) && !listed {
                wrong.push(format!("{id} {field}: {value} {:?}", found.get(&field)));
            }
        }
        read += 1;
    }
    println!("{read} requests read; {} of {fields} fields right", fields - wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
