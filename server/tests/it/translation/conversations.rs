//! Whole conversations with tools, thinking and images across dialects.

use fakeup::{Agent, Behaviour, Rule, ToolUse};
use serde_json::{Value, json};

use super::oracle::{Said, said};
use super::pairs;
use crate::rig::Rig;
use crate::rig::client::Ask;
use crate::rig::faces::{ANTHROPIC, Face, GEMINI, RESPONSES};

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]})
}

fn tools(face: Face) -> Value {
    let (name, what) = ("get_weather", "The weather of a city");
    match face.name {
        "anthropic" => json!([{"name": name, "description": what, "input_schema": schema()}]),
        "openai-chat" => {
            json!([{"type": "function", "function": {"name": name, "description": what, "parameters": schema()}}])
        }
        "openai-responses" => {
            json!([{"type": "function", "name": name, "description": what, "parameters": schema(), "strict": false}])
        }
        _ => {
            json!([{"functionDeclarations": [{"name": name, "description": what, "parametersJsonSchema": schema()}]}])
        }
    }
}

/// A request that offers a tool and has instructions.
pub(super) fn with_tool(face: Face, model: &str, streaming: bool) -> Ask {
    let mut ask = face.ask(model, streaming);
    let mut body: Value = serde_json::from_slice(&ask.body).unwrap();
    body["tools"] = tools(face);
    let rule = "Answer in one sentence.";
    match face.name {
        "anthropic" => body["system"] = json!(rule),
        "openai-chat" => {
            let words = body["messages"][0].clone();
            body["messages"] = json!([{"role": "system", "content": rule}, words]);
        }
        "openai-responses" => body["instructions"] = json!(rule),
        _ => {
            body["systemInstruction"] = json!({"parts": [{"text": rule}]});
            body["generationConfig"] = json!({"thinkingConfig": {"includeThoughts": true}});
        }
    }
    ask.body = body.to_string().into();
    ask
}

/// The next request: what the model said, and what the tools answered.
fn with_results(face: Face, model: &str, streaming: bool, first: &Ask, before: &Said, raw: &Value) -> Ask {
    let mut body: Value = serde_json::from_slice(&first.body).unwrap();
    let sunny = "Sunny, 21 degrees";
    let calls = || before.calls.iter();
    match face.name {
        "anthropic" => {
            let results: Vec<Value> = calls()
                .map(|(id, ..)| json!({"type": "tool_result", "tool_use_id": id, "content": sunny}))
                .collect();
            let messages = body["messages"].as_array_mut().unwrap();
            messages.push(json!({"role": "assistant", "content": raw["content"]}));
            messages.push(json!({"role": "user", "content": results}));
        }
        "openai-chat" => {
            let messages = body["messages"].as_array_mut().unwrap();
            messages.push(raw["choices"][0]["message"].clone());
            messages.extend(
                calls().map(|(id, ..)| json!({"role": "tool", "tool_call_id": id, "content": sunny})),
            );
        }
        "openai-responses" => {
            let items = body["input"].as_array_mut().unwrap();
            items.extend(raw["output"].as_array().unwrap().iter().cloned());
            items.extend(
                calls()
                    .map(|(id, ..)| json!({"type": "function_call_output", "call_id": id, "output": sunny})),
            );
        }
        _ => {
            let contents = body["contents"].as_array_mut().unwrap();
            contents.push(raw["candidates"][0]["content"].clone());
            let results: Vec<Value> = calls()
                .map(|(id, name, _)| {
                    json!({"functionResponse": {"id": id, "name": name, "response": {"result": sunny}}})
                })
                .collect();
            contents.push(json!({"role": "user", "parts": results}));
        }
    }
    if face.name != "gemini" {
        body["stream"] = json!(streaming);
    }
    if face.name == "openai-chat" && streaming {
        body["stream_options"] = json!({"include_usage": true});
    }
    let mut ask = face.ask(model, streaming);
    ask.body = body.to_string().into();
    ask
}

#[tokio::test]
async fn a_conversation_with_tools_goes_there_and_back_in_every_pair() {
    for (from, to) in pairs() {
        let rig = Rig::speaking(to).await;
        let call =
            |arguments: &str| ToolUse { name: Some("get_weather".into()), arguments: arguments.into() };
        let agent = Agent {
            thinking: Some("Two cities, two calls.".into()),
            calls: vec![call(r#"{"city":"Paris","days":3}"#), call(r#"{"city":"R\u00f6m \"x\"","days":1}"#)],
            speaks: true,
        };
        rig.upstream.script(Rule::always(Behaviour { agent: Some(agent), ..Behaviour::default() }));
        let first = with_tool(from, "m-1", false);
        let (got, row) = rig.translated(first.clone()).await;
        let what = format!("{} from {}", from.name, to.name);
        assert_eq!(got.status, 200, "{what}: {}", got.text());
        let before = said(from, &got, false);
        let names: Vec<_> = before.calls.iter().map(|(_, name, _)| name.as_str()).collect();
        assert_eq!(names, ["get_weather", "get_weather"], "{what}: {before:?}");
        assert_eq!(before.calls[0].2, json!({"city": "Paris", "days": 3}), "{what}");
        assert_eq!(before.calls[1].2, json!({"city": "Röm \"x\"", "days": 1}), "{what}");
        assert_eq!(before.stop, "tools", "{what}");
        assert_eq!(before.thinking, "Two cities, two calls.", "{what}: {}", got.text());
        assert_eq!(row["attempts"][0]["translation"].get("losses"), None, "{what}: {row}");
        // The stream says the same.
        let (streamed, _) = rig.translated(with_tool(from, "m-1", true)).await;
        assert_eq!(streamed.status, 200, "{what}: {}", streamed.text());
        let heard = said(from, &streamed, true);
        let plain = |said: &Said| (said.text.clone(), said.thinking.clone(), said.stop.clone(), said.output);
        assert_eq!(plain(&heard), plain(&before), "{what}");
        let called = |said: &Said| {
            said.calls.iter().map(|(_, name, args)| (name.clone(), args.clone())).collect::<Vec<_>>()
        };
        assert_eq!(called(&heard), called(&before), "{what}");

        // The results find their calls.
        for streaming in [false, true] {
            rig.upstream.clear_invoice();
            let next = with_results(from, "m-1", streaming, &first, &before, &got.json());
            let (answer, row) = rig.translated(next).await;
            assert_eq!(answer.status, 200, "{what}: {}", answer.text());
            let answer = said(from, &answer, streaming);
            assert_eq!((answer.stop.as_str(), answer.calls.len()), ("end", 0), "{what}: {answer:?}");
            assert!(answer.text.contains("all is well"), "{what}: {answer:?}");
            let entry = rig.ended(1).await.remove(0);
            let sent: Value = serde_json::from_slice(&entry.request.body).unwrap();
            let sent = sent.to_string();
            for words in
                ["Answer in one sentence.", "Say hello.", "Sunny, 21 degrees", "get_weather", "Paris"]
            {
                assert!(sent.contains(words), "{what}: '{words}' in {sent}");
            }
            // Thoughts of another vendor's may stay behind; nothing that matters does.
            let losses = row["attempts"][0]["translation"]["losses"].as_array().cloned().unwrap_or_default();
            assert!(losses.iter().all(|loss| loss["meaning"] == false), "{what}: {row}");
        }
    }
}

#[tokio::test]
async fn a_vendor_never_sees_the_envelopes_of_another() {
    for to in [GEMINI, RESPONSES] {
        let rig = Rig::bare().await;
        rig.upstream_speaking(to, json!({"name": "other", "priority": 0})).await;
        let agent = Agent {
            thinking: Some("Aha.".into()),
            calls: vec![ToolUse {
                name: Some("get_weather".into()),
                arguments: r#"{"city":"Paris"}"#.into(),
            }],
            speaks: true,
        };
        rig.upstream.script(Rule::always(Behaviour { agent: Some(agent), ..Behaviour::default() }));
        let first = with_tool(ANTHROPIC, "m-1", false);
        let (got, _) = rig.translated(first.clone()).await;
        let before = said(ANTHROPIC, &got, false);
        assert!(got.text().contains("dG9sbGdhdGU6MToK"), "the proof travels: {}", got.text());
        // The next turn goes to a vendor that speaks the caller's dialect.
        rig.upstream_speaking(ANTHROPIC, json!({"name": "own", "priority": -1})).await;
        rig.upstream.clear_invoice();
        let next = with_results(ANTHROPIC, "m-1", false, &first, &before, &got.json());
        let (got, row) = rig.translated(next).await;
        assert_eq!((got.status, &row["upstream_dialect"]), (200, &json!("anthropic")), "{}", got.text());
        let sent = String::from_utf8_lossy(&rig.ended(1).await.remove(0).request.body).into_owned();
        assert!(!sent.contains("dG9sbGdhdGU6MToK") && sent.contains("tool_result"), "{sent}");
    }
}
