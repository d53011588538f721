//! Recorded answers, compared with a plain reading of their JSON.

use serde_json::{Value, json};

use super::super::{read_answer, write_answer};
use super::{back, chunks, hear, heard, shown, tell};
use crate::neutral::{Answer, Event, Part, Request, Stop};
use crate::{Dialect, recorded};

/// What is compared of an answer.
#[derive(Debug, Default, PartialEq)]
struct Facts {
    id: String,
    model: String,
    text: String,
    thoughts: String,
    calls: Vec<(Option<String>, String, Value)>,
    natives: Vec<Value>,
    /// Signatures, in order.
    seals: Vec<String>,
    cited: usize,
    logprobs: usize,
    stop: String,
    /// Input with cached, cached, output, thinking.
    counts: [u64; 4],
}

impl Facts {
    const NAMES: [&'static str; 11] = [
        "id", "model", "text", "thinking", "calls", "natives", "seals", "cited", "logprobs", "stop", "counts",
    ];

    fn same(&self, other: &Self) -> [bool; 11] {
        [
            self.id == other.id,
            self.model == other.model,
            self.text == other.text,
            self.thoughts == other.thoughts,
            self.calls == other.calls,
            self.natives == other.natives,
            self.seals == other.seals,
            self.cited == other.cited,
            self.logprobs == other.logprobs,
            self.stop == other.stop,
            self.counts == other.counts,
        ]
    }
}

/// A plain reading of the responses of an exchange.
fn naive(responses: &[Value]) -> Facts {
    let mut facts = Facts::default();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    facts.id = word(&responses[0]["responseId"]);
    facts.model = word(&responses[0]["modelVersion"]);
    for response in responses {
        let candidate = &response["candidates"][0];
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            let native = ["executableCode", "codeExecutionResult", "toolCall", "toolResponse"];
            if native.iter().any(|name| part.get(name).is_some()) {
                facts.natives.push(part.clone());
                continue;
            }
            if let Some(call) = part.get("functionCall") {
                let id = call["id"].as_str().map(str::to_owned);
                facts.calls.push((id, word(&call["name"]), call["args"].clone()));
            } else if part["thought"] == true {
                facts.thoughts.push_str(part["text"].as_str().unwrap());
            } else {
                facts.text.push_str(part["text"].as_str().unwrap_or_default());
            }
            if let Some(seal) = part["thoughtSignature"].as_str() {
                facts.seals.push(seal.to_owned());
            }
        }
        if let Some(supports) = candidate["groundingMetadata"]["groundingSupports"].as_array() {
            facts.cited +=
                supports.iter().map(|s| s["groundingChunkIndices"].as_array().unwrap().len()).sum::<usize>();
        }
        let chosen = candidate["logprobsResult"]["chosenCandidates"].as_array();
        facts.logprobs += chosen.map_or(0, Vec::len);
        if let Some(reason) = candidate["finishReason"].as_str() {
            facts.stop = reason.to_owned();
        }
        let usage = &response["usageMetadata"];
        if usage.is_object() {
            let count = |name: &str| usage[name].as_u64().unwrap_or(0);
            facts.counts = [
                count("promptTokenCount") + count("toolUsePromptTokenCount"),
                count("cachedContentTokenCount"),
                count("candidatesTokenCount") + count("thoughtsTokenCount"),
                count("thoughtsTokenCount"),
            ];
        }
    }
    facts
}

fn facts(answer: &Answer) -> Facts {
    let choice = &answer.choices[0];
    let mut facts = Facts { id: answer.id.clone(), model: answer.model.clone(), ..Facts::default() };
    let mut called = false;
    for part in &choice.parts {
        let seal = match part {
            Part::Text { text, citations, seal, .. } => {
                facts.text.push_str(text);
                facts.cited += citations.len();
                seal.clone()
            }
            Part::Thinking { text, seal } => {
                facts.thoughts.push_str(text);
                seal.clone()
            }
            Part::ToolCall { id, name, arguments, seal, .. } => {
                called = true;
                let given = Some(id.clone()).filter(|id| !id.starts_with("call_t1_"));
                facts.calls.push((given, name.clone(), serde_json::from_str(arguments).unwrap()));
                seal.clone()
            }
            Part::Native { value, .. } => {
                facts.natives.push(value.clone());
                None
            }
            other => panic!("{other:?}"),
        };
        facts.seals.extend(seal.map(|seal| {
            assert_eq!(seal.dialect, Dialect::Gemini);
            seal.data
        }));
    }
    facts.logprobs = choice.logprobs.as_ref().map_or(0, |l| l["content"].as_array().unwrap().len());
    facts.stop = match choice.stop.as_ref().unwrap() {
        Stop::End => "STOP".into(),
        Stop::ToolUse => {
            assert!(called);
            "STOP".into()
        }
        Stop::MaxTokens => "MAX_TOKENS".into(),
        Stop::Refusal => "SAFETY".into(),
        other => panic!("{other:?}"),
    };
    assert_eq!(called, choice.stop == Some(Stop::ToolUse));
    if let Some(usage) = answer.usage {
        facts.counts = [usage.input + usage.cache_read, usage.cache_read, usage.output, usage.reasoning];
    }
    facts
}

fn exchanges() -> Vec<(Value, Vec<Value>)> {
    let answered = |record: &Value| record["api"] == "gemini" && record["status"] == 200;
    recorded::cassettes()
        .into_iter()
        .filter(answered)
        .map(|record| {
            let values = recorded::values(&record);
            (record, values)
        })
        .collect()
}

#[test]
fn recorded_answers_and_streams_are_read_field_by_field() {
    let (mut answers, mut streams, mut right, mut all) = (0, 0, 0, 0);
    for (record, values) in exchanges() {
        let body = record["body"].as_str().unwrap();
        let wanted = naive(&values);
        let whole = serde_json::from_str::<Value>(body).ok();
        let mut found = Vec::new();
        if let Some(whole) = whole {
            answers += 1;
            found.push(read_answer(whole, "t1").unwrap());
        } else {
            streams += 1;
            found.extend([1, 7, body.len()].map(|size| heard(body.as_bytes(), size)));
            assert!(hear(body.as_bytes(), 7).ends_with(&[Event::End]), "{}", record["id"]);
        }
        for answer in &found {
            let facts = facts(answer);
            let same = facts.same(&wanted);
            for (name, same) in Facts::NAMES.iter().zip(same) {
                assert!(same, "{} {name}", record["id"]);
                right += u32::from(same);
                all += 1;
            }
        }
    }
    println!("{answers} answers and {streams} streams (3 cuts each) read, {right} of {all} fields right");
}

#[test]
fn recorded_answers_come_back_as_they_were_for_callers_of_the_same_dialect() {
    let mut checked = 0;
    for (record, values) in exchanges() {
        let body = record["body"].as_str().unwrap();
        let answer = match serde_json::from_str::<Value>(body) {
            Ok(whole) => read_answer(whole, "t1").unwrap(),
            Err(_) => heard(body.as_bytes(), 7),
        };
        let id = &record["id"];
        let again = read_answer(write_answer(&answer, &shown()), "t1").unwrap();
        let model = |mut facts: Facts| {
            facts.model.clear();
            // One vendor gives none: it is made up.
            facts.id = Some(facts.id).filter(|id| id != "t1").unwrap_or_default();
            facts
        };
        assert_eq!(model(facts(&again)), model(facts(&answer)), "{id}");
        let told = tell(answer.clone().into_events(), shown());
        assert_eq!(model(facts(&heard(&told, 7))), model(facts(&answer)), "{id}");
        assert!(chunks(&told).iter().all(|chunk| chunk["modelVersion"] == "gemini-2.5-flash"));
        // Who did not ask for thoughts sees none.
        let hidden = back(Request::new(Dialect::Gemini, "m", false));
        assert_eq!(naive(&[write_answer(&answer, &hidden)]).thoughts, "", "{id}");
        assert!(!values.is_empty());
        checked += 1;
    }
    println!("{checked} recorded answers written and read again");
}

#[test]
fn citations_of_recorded_answers_stand_where_their_passage_stands() {
    let mut checked = 0;
    for (record, _) in exchanges() {
        let body = record["body"].as_str().unwrap();
        let answer = match serde_json::from_str::<Value>(body) {
            Ok(whole) => read_answer(whole, "t1").unwrap(),
            Err(_) => heard(body.as_bytes(), 7),
        };
        for part in &answer.choices[0].parts {
            let Part::Text { text, citations, .. } = part else { continue };
            for (dialect, citation) in citations {
                assert_eq!(*dialect, Dialect::Gemini);
                let place = |name: &str| usize::try_from(citation[name].as_u64().unwrap()).unwrap();
                let (start, end) = (place("start_index"), place("end_index"));
                let there: String = text.chars().skip(start).take(end - start).collect();
                assert_eq!(json!(there), citation["cited_text"], "{}", record["id"]);
                assert!(citation["url"].is_string() || citation["title"].is_string());
                checked += 1;
            }
        }
    }
    println!("{checked} citations checked");
}
