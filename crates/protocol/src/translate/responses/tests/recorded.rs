//! Recorded answers and captured requests of real vendors and clients.

use serde_json::{Value, json};

use super::super::super::{read_answer, text};
use super::{asked, back, heard, read, sent};
use crate::Dialect;
use crate::neutral::{Answer, Event, Part, Stop};
use crate::recorded::{cassettes, data, files};

/// The facts of an answer.
#[derive(Debug, Default, PartialEq)]
struct Facts {
    id: String,
    model: String,
    text: String,
    refusals: Vec<String>,
    thoughts: Vec<(String, Option<String>)>,
    calls: Vec<(String, String, String, Option<String>)>,
    notes: Vec<Value>,
    natives: Vec<Value>,
    stop: Option<Stop>,
    usage: Option<(u64, u64, u64, u64)>,
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|entry| entry["text"].as_str()).collect()
}

/// A plain reading of the raw response object.
fn naive(response: &Value) -> Facts {
    let mut facts = Facts {
        id: response["id"].as_str().unwrap().into(),
        model: response["model"].as_str().unwrap().into(),
        ..Facts::default()
    };
    for item in response["output"].as_array().unwrap() {
        match item["type"].as_str().unwrap() {
            "message" => {
                for part in item["content"].as_array().unwrap() {
                    facts.text.push_str(part["text"].as_str().unwrap_or_default());
                    facts.refusals.extend(part["refusal"].as_str().map(str::to_owned));
                    facts.notes.extend(part["annotations"].as_array().cloned().unwrap_or_default());
                }
            }
            "reasoning" => {
                let (summary, content) = (texts(&item["summary"]), texts(&item["content"]));
                let text = if summary.is_empty() { content } else { summary }.join("\n\n");
                let seal = item["encrypted_content"].as_str().filter(|s| !s.is_empty()).map(str::to_owned);
                if !text.is_empty() || seal.is_some() {
                    facts.thoughts.push((text, seal));
                }
            }
            "function_call" => {
                let said = |name: &str| item[name].as_str().unwrap().to_owned();
                let space = item["namespace"].as_str().map(str::to_owned);
                facts.calls.push((said("call_id"), said("name"), said("arguments"), space));
            }
            _ => facts.natives.push(item.clone()),
        }
    }
    let over = !matches!(response["status"].as_str().unwrap(), "queued" | "in_progress");
    facts.natives.sort_by_key(Value::to_string);
    facts.stop = over.then_some(if facts.calls.is_empty() { Stop::End } else { Stop::ToolUse });
    let u = &response["usage"];
    let number = |path: &str| u.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    facts.usage = u.is_object().then(|| {
        let (read, output) = (number("/input_tokens_details/cached_tokens"), number("/output_tokens"));
        let written = number("/input_tokens_details/cache_write_tokens");
        let thought = number("/output_tokens_details/reasoning_tokens").min(output);
        (number("/input_tokens") - read - written, read, output, thought)
    });
    facts
}

fn facts(answer: &Answer) -> Facts {
    let choice = answer.choices.first();
    let mut facts = Facts {
        id: answer.id.clone(),
        model: answer.model.clone(),
        stop: choice.and_then(|choice| choice.stop.clone()),
        usage: answer.usage.map(|u| (u.input, u.cache_read, u.output, u.reasoning)),
        ..Facts::default()
    };
    for part in choice.map(|choice| choice.parts.clone()).unwrap_or_default() {
        match part {
            Part::Text { text, citations, .. } => {
                facts.text.push_str(&text);
                facts.notes.extend(citations.into_iter().map(|(_, note)| note));
            }
            Part::Refusal { text } => facts.refusals.push(text),
            Part::Thinking { text, seal } => facts.thoughts.push((text, seal.map(|seal| seal.data))),
            Part::ToolCall { id, name, arguments, namespace, .. } => {
                facts.calls.push((id, name, arguments, namespace));
            }
            Part::Native { value, .. } => facts.natives.push(value),
            other => panic!("{other:?}"),
        }
    }
    // Some are only told in the last event.
    facts.natives.sort_by_key(Value::to_string);
    facts
}

fn responses() -> Vec<Value> {
    let mine = |record: &Value| record["api"] == "responses" && record["status"] == 200;
    cassettes().into_iter().filter(mine).collect()
}

#[test]
fn tr_every_recorded_answer_reads_as_it_stands() {
    let mut checked = 0;
    for record in responses().iter().filter(|record| record["sse"] != true) {
        let body = record["body"].as_str().unwrap();
        let answer = read_answer(&back(asked(), Dialect::OpenAiResponses), body.as_bytes())
            .unwrap_or_else(|fault| panic!("{}: {fault}", record["id"]));
        let wanted = naive(&serde_json::from_str(body).unwrap());
        assert_eq!(facts(&answer), wanted, "{}", record["id"]);
        checked += 1;
    }
    println!("{checked} recorded answers checked, 10 fields each");
}

#[test]
fn tr_u51_every_recorded_stream_reads_as_it_stands_under_any_cut() {
    let mut checked = 0;
    for record in responses().iter().filter(|record| record["sse"] == true) {
        let body = record["body"].as_str().unwrap();
        let events: Vec<Value> = body
            .lines()
            .filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?.trim()).ok())
            .collect();
        let last = events.last().unwrap();
        let whole = heard(body.as_bytes(), body.len());
        for size in [1, 7] {
            assert_eq!(heard(body.as_bytes(), size), whole, "{} by {size}", record["id"]);
        }
        assert_eq!(whole.iter().filter(|event| matches!(event, Event::Start { .. })).count(), 1);
        if !last["response"]["output"].is_array() {
            println!("{} ends with {}", record["id"], last["type"]);
            continue;
        }
        let over = matches!(last["type"].as_str().unwrap(), "response.completed");
        assert_eq!(whole.last() == Some(&Event::End), over, "{}", record["id"]);
        if !over {
            println!("{} ends with {}", record["id"], last["type"]);
            continue;
        }
        // The vendor seals its thoughts anew in the last event, so the items count as they were told one by one.
        let mut response = last["response"].clone();
        for told in events.iter().filter(|event| event["type"] == "response.output_item.done") {
            let n = usize::try_from(told["output_index"].as_u64().unwrap()).unwrap();
            response["output"][n] = told["item"].clone();
        }
        let wanted = naive(&response);
        assert_eq!(facts(&Answer::from_events(whole)), wanted, "{}", record["id"]);
        checked += 1;
    }
    println!("{checked} recorded streams checked, 10 fields each");
}

/// All requests of clients and of the recorded exchanges. Tools whose text was cut away in the captures are left out.
pub(super) fn all_requests() -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = cassettes()
        .into_iter()
        .filter(|record| record["api"] == "responses" && record["req"].is_object())
        .map(|record| (record["id"].to_string(), record["req"].clone()))
        .collect();
    for file in data("captures").map(|folder| files(&folder, ".json")).unwrap_or_default() {
        let capture: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let url = capture["url"].as_str().unwrap_or_default();
        if url.split('?').next() == Some("/v1/responses") && capture["bodyJson"].is_object() {
            let mut body = capture["bodyJson"].clone();
            if let Some(tools) = body["tools"].as_array_mut() {
                tools.retain(|tool| tool.get("…").is_none());
            }
            found.push((file.display().to_string(), body));
        }
    }
    found
}

/// An item as it matters: without ids, states and what only clients know, messages in their long form.
fn plain(item: &Value) -> Value {
    let mut item = item.clone();
    let map = item.as_object_mut().unwrap();
    let server = !matches!(
        map.get("type").and_then(Value::as_str).unwrap_or("message"),
        "message" | "reasoning" | "function_call" | "function_call_output"
    );
    if server {
        return item;
    }
    for name in ["id", "status", "phase", "internal_chat_message_metadata_passthrough"] {
        map.shift_remove(name);
    }
    if map.get("type").is_some_and(|kind| kind == "reasoning") {
        let (summary, content) = (map["summary"].clone(), map.shift_remove("content").unwrap_or_default());
        let shown = if texts(&summary).is_empty() { texts(&content) } else { texts(&summary) };
        map.insert("summary".into(), shown.join("\n\n").into());
    }
    if map.contains_key("role") {
        map.insert("type".into(), "message".into());
        let kind = if map["role"] == "assistant" { "output_text" } else { "input_text" };
        if let Some(text) = map["content"].as_str() {
            let text = text.to_owned();
            map.insert("content".into(), json!([{"type": kind, "text": text}]));
        }
        for part in map["content"].as_array_mut().unwrap() {
            let part = part.as_object_mut().unwrap();
            part.retain(|name, value| name != "logprobs" && !(name == "annotations" && value == &json!([])));
            if part["type"] == "input_image" {
                part.entry("detail").or_insert("auto".into());
            }
        }
    }
    map.retain(|_, value| !value.is_null());
    map.sort_keys();
    item
}

#[test]
fn tr_every_recorded_and_captured_request_keeps_what_matters() {
    let (mut checked, mut fields) = (0, 0);
    for (name, body) in all_requests() {
        let request = read(&body);
        let (written, losses) = sent(&request, body["model"].as_str().unwrap());
        assert!(losses.is_empty() || losses == ["reasoning.effort"], "{name}: {losses:?}");
        let mut wanted: Vec<Value> = match &body["input"] {
            Value::String(text) => vec![json!({"role": "user", "content": text})],
            Value::Array(items) => items.clone(),
            _ => Vec::new(),
        };
        wanted.retain(|item| item["type"] != "additional_tools");
        if written["instructions"].is_null()
            && body["instructions"].as_str().is_some_and(|text| !text.is_empty())
        {
            wanted.insert(0, json!({"role": "system", "content": body["instructions"]}));
        }
        let given: Vec<Value> = written["input"].as_array().unwrap().iter().map(plain).collect();
        let wanted: Vec<Value> = wanted.iter().map(plain).collect();
        for (given, wanted) in given.iter().zip(&wanted) {
            assert_eq!(given, wanted, "{name}");
        }
        assert_eq!(given.len(), wanted.len(), "{name}");
        fields += wanted.len();
        for (field, value) in body.as_object().unwrap() {
            let same = match field.as_str() {
                "input" | "store" | "background" | "previous_response_id"
                    if value.is_null() || value == false =>
                {
                    true
                }
                "input" | "instructions" | "include" | "store" | "tools" => true,
                "reasoning" => {
                    let mut kept = value.as_object().unwrap().clone();
                    kept.retain(|name, value| name != "context" && !value.is_null());
                    kept.is_empty() || written["reasoning"] == Value::Object(kept) || !losses.is_empty()
                }
                "text" => value == &json!({"format": {"type": "text"}}) || same_form(&written["text"], value),
                "tool_choice" | "parallel_tool_calls"
                    if body["tools"].as_array().is_none_or(Vec::is_empty) =>
                {
                    true
                }
                _ => written[field] == *value || value.is_null(),
            };
            assert!(same, "{name}: {field} was {value}, is {}", written[field]);
            fields += 1;
        }
        for tool in body["tools"].as_array().into_iter().flatten() {
            let mut tool = tool.clone();
            let map = tool.as_object_mut().unwrap();
            map.retain(|name, value| name != "defer_loading" && !value.is_null());
            let found = written["tools"].as_array().unwrap().iter().any(|own| same_form(own, &tool));
            assert!(found, "{name}: {tool} is not in {}", written["tools"]);
            fields += 1;
        }
        let text = written.to_string();
        assert!(text::parse(text.as_bytes()).is_ok());
        assert_eq!(
            (&written["store"], &written["include"][0]),
            (&json!(false), &json!("reasoning.encrypted_content"))
        );
        checked += 1;
    }
    println!("{checked} recorded and captured requests checked, {fields} fields and items right");
}

/// Equal whatever the order of the fields, as far as `wanted` goes.
fn same_form(given: &Value, wanted: &Value) -> bool {
    wanted.as_object().unwrap().iter().all(|(name, value)| given[name] == *value)
}
