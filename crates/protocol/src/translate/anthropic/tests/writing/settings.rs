//! Limits, sampling, thinking and formats.

use serde_json::{Value, json};

use super::{NEW, OLD, asks, call, result, turn, write, write_noting};
use crate::Dialect;
use crate::neutral::{
    Effort, Format, Part, Reasoning, Role, Sampling, Sealed, Tool, ToolChoice, ToolKind, WebSearch,
};

#[test]
fn the_limit_is_the_callers_else_the_models_else_a_default() {
    let mut request = asks();
    let limit = |request: &_, most| {
        let (body, losses) = write_noting(request, NEW, most);
        (body["max_tokens"].as_u64().unwrap(), losses.kept().len())
    };
    assert_eq!(limit(&request, None), (32_000, 0));
    assert_eq!(limit(&request, Some(64_000)), (64_000, 0));
    request.max_tokens = Some(100);
    assert_eq!(limit(&request, Some(64_000)), (100, 0));
    request.max_tokens = Some(100_000);
    assert_eq!(limit(&request, Some(64_000)), (64_000, 1));
}

fn thinking(model: &str, reasoning: Reasoning, max_tokens: u64) -> (Value, Value, usize) {
    let mut request = asks();
    request.reasoning = Some(reasoning);
    request.max_tokens = Some(max_tokens);
    let (body, lost) = write(&request, model);
    (body["thinking"].clone(), body["output_config"]["effort"].clone(), lost.len())
}

#[test]
fn each_model_is_told_to_think_in_its_own_way() {
    let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    let budget = |budget| Reasoning { budget: Some(budget), ..Reasoning::default() };
    let off = Reasoning { off: true, ..Reasoning::default() };
    let adaptive = Reasoning { adaptive: true, ..Reasoning::default() };
    let shown = Reasoning { summary: Some("auto".into()), shown: Some(true), ..effort(Effort::High) };
    let enabled = |budget: u64| json!({ "type": "enabled", "budget_tokens": budget });
    let decides = || json!({ "type": "adaptive" });
    let none = Value::Null;
    for (model, reasoning, wanted) in [
        (NEW, effort(Effort::Minimal), (decides(), json!("low"), 0)),
        (NEW, effort(Effort::XHigh), (decides(), json!("xhigh"), 0)),
        ("claude-opus-4-6", effort(Effort::XHigh), (decides(), json!("high"), 1)),
        ("claude-opus-4-6", effort(Effort::Max), (decides(), json!("max"), 0)),
        (NEW, effort(Effort::None), (json!({ "type": "disabled" }), none.clone(), 0)),
        (NEW, off.clone(), (json!({ "type": "disabled" }), none.clone(), 0)),
        ("claude-fable-5", off, (none.clone(), none.clone(), 1)),
        (NEW, budget(8_192), (decides(), json!("medium"), 1)),
        (NEW, adaptive.clone(), (decides(), none.clone(), 0)),
        (NEW, shown, (json!({ "type": "adaptive", "display": "summarized" }), json!("high"), 0)),
        (OLD, effort(Effort::Low), (enabled(1_024), none.clone(), 0)),
        (OLD, effort(Effort::Max), (enabled(15_000), none.clone(), 0)),
        (OLD, budget(5_000), (enabled(5_000), none.clone(), 0)),
        (OLD, budget(50), (enabled(1_024), none.clone(), 1)),
        (OLD, budget(50_000), (enabled(19_999), none.clone(), 1)),
        (OLD, adaptive, (enabled(8_192), none.clone(), 0)),
        (OLD, budget(0), (json!({ "type": "disabled" }), none.clone(), 0)),
        ("some-model", effort(Effort::High), (decides(), json!("high"), 0)),
        ("some-model", budget(2_000), (enabled(2_000), none.clone(), 0)),
        (NEW, Reasoning::default(), (none.clone(), none, 0)),
    ] {
        assert_eq!(thinking(model, reasoning.clone(), 20_000), wanted, "{model} {reasoning:?}");
    }
    // No budget fits below so low a limit.
    assert_eq!(thinking(OLD, effort(Effort::Low), 1_000), (Value::Null, Value::Null, 1));
}

#[test]
fn thinking_steps_back_where_the_vendor_would_refuse() {
    let mut request = asks();
    request.reasoning = Some(Reasoning { effort: Some(Effort::Low), ..Reasoning::default() });
    request.tools = vec![Tool::WebSearch(WebSearch::default())];
    request.tool_choice = Some(ToolChoice::Required);
    let (body, lost) = write(&request, OLD);
    assert_eq!((&body["thinking"], &body["tool_choice"]["type"]), (&Value::Null, &json!("any")));
    assert_eq!(lost, ["reasoning_effort"]);
    let (body, _) = write(&request, "claude-opus-4-8");
    assert_eq!(
        (&body["thinking"]["type"], &body["tool_choice"]["type"]),
        (&json!("adaptive"), &json!("any"))
    );
    let (body, lost) = write(&request, "claude-fable-5-1");
    assert_eq!(body["tool_choice"]["type"], "auto");
    assert_eq!(lost, ["tool_choice"]);
    // A tool's turn that goes on must begin with the model's signed thoughts.
    request.tool_choice = None;
    request.turns.push(turn(Role::Assistant, vec![call("a", "{}")]));
    request.turns.push(turn(Role::User, vec![result("a", vec![])]));
    assert_eq!(write(&request, OLD).0["thinking"], Value::Null);
    assert_eq!(write(&request, NEW).0["thinking"]["type"], "adaptive");
    let seal = Some(Sealed { dialect: Dialect::Anthropic, data: "sig".into() });
    request.turns[1].parts.insert(0, Part::Thinking { text: "hm".into(), seal });
    assert_eq!(write(&request, OLD).0["thinking"]["type"], "enabled");
}

#[test]
fn sampling_is_cut_to_what_the_model_takes() {
    let mut request = asks();
    request.sampling = Sampling {
        temperature: Some(1.5),
        top_p: Some(0.5),
        top_k: Some(3),
        stop: vec!["END".into(), " ".into()],
        seed: Some(1),
        presence_penalty: Some(0.0),
        frequency_penalty: Some(0.1),
        n: Some(2),
        logprobs: Some(true),
        top_logprobs: None,
    };
    let (body, lost) = write(&request, "claude-sonnet-4");
    assert_eq!((&body["temperature"], &body["top_p"], &body["top_k"]), (&json!(1.0), &json!(0.5), &json!(3)));
    assert_eq!(body["stop_sequences"], json!(["END"]));
    assert_eq!(lost, ["temperature", "stop", "seed", "frequency_penalty", "n", "logprobs"]);
    let (body, lost) = write(&request, OLD);
    assert_eq!((&body["temperature"], &body["top_p"]), (&json!(1.0), &Value::Null));
    assert!(lost.contains(&"top_p".to_owned()));
    let (body, lost) = write(&request, NEW);
    assert!(body.get("temperature").is_none() && body.get("top_p").is_none() && body.get("top_k").is_none());
    assert_eq!(&lost[..3], ["temperature", "top_p", "top_k"]);
    // Defaults say nothing and are nobody's loss.
    request.sampling = Sampling { temperature: Some(1.0), top_p: Some(1.0), ..Sampling::default() };
    assert!(write(&request, NEW).1.is_empty());
    // A Gemini caller reads of its own field.
    request.dialect = Dialect::Gemini;
    request.sampling.seed = Some(3);
    assert_eq!(write(&request, NEW).1, ["generationConfig.seed"]);
}

#[test]
fn a_format_is_enforced_where_it_can_be() {
    let mut request = asks();
    request.format = Some(Format::JsonObject);
    assert_eq!(write(&request, NEW).1, ["response_format"]);
    let schema = json!({
        "$schema": "x",
        "type": "object",
        "properties": {
            "n": { "type": "integer", "minimum": 3, "description": "a count" },
            "m": { "oneOf": [{ "type": "object", "properties": {} }, { "type": "null" }] },
        },
    });
    request.format = Some(Format::JsonSchema { name: None, description: None, schema, strict: Some(true) });
    let (body, lost) = write(&request, NEW);
    assert_eq!(
        body["output_config"]["format"],
        json!({ "type": "json_schema", "schema": {
            "type": "object",
            "properties": {
                "n": { "type": "integer", "description": "a count\n\n{\"minimum\":3}" },
                "m": { "anyOf": [
                    { "type": "object", "properties": {}, "additionalProperties": false },
                    { "type": "null" },
                ] },
            },
            "additionalProperties": false,
        } })
    );
    assert_eq!(lost, ["response_format"]);
    let (body, lost) = write(&request, "claude-3-5-haiku");
    assert!(body.get("output_config").is_none());
    assert!(body["system"][0]["text"].as_str().unwrap().contains("\"minimum\":3"));
    assert_eq!(lost, ["response_format"]);
}

#[test]
fn labels_and_tiers_find_their_place_or_are_hints() {
    let mut request = asks();
    request.user = Some("me".into());
    request.metadata = Some(json!({ "a": "b" }));
    request.cache_key = Some("k".into());
    for (tier, wanted, hints) in [
        ("auto", json!("auto"), 2),
        ("default", json!("standard_only"), 2),
        ("priority", json!("auto"), 3),
        ("flex", Value::Null, 3),
    ] {
        request.service_tier = Some(tier.into());
        let (body, losses) = write_noting(&request, NEW, None);
        assert_eq!((&body["service_tier"], losses.kept().len()), (&wanted, hints), "{tier}");
        assert_eq!(body["metadata"], json!({ "user_id": "me" }));
        assert!(losses.first_meaning().is_none());
    }
    request.tools = vec![Tool::Caller {
        name: "f".into(),
        namespace: None,
        description: None,
        schema: None,
        kind: ToolKind::Function,
        strict: None,
        cache: None,
    }];
    request.parallel_tools = Some(false);
    let choice = &write(&request, NEW).0["tool_choice"];
    assert_eq!(*choice, json!({ "type": "auto", "disable_parallel_tool_use": true }));
}
