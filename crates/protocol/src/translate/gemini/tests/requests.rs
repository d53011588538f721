//! Recorded and captured requests, read and written again in the same dialect.

use serde_json::{Value, json};

use super::super::super::{Call, Names, Target};
use super::super::spelling::camel;
use super::super::{read_request, write_request};
use crate::neutral::Losses;
use crate::{Dialect, recorded};

/// Model and body of every request at hand.
pub(super) fn requests() -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for record in recorded::cassettes() {
        let path = record["path"].as_str().unwrap_or_default();
        if record["api"] == "gemini" && record["status"] == 200 {
            found.push((record["id"].to_string(), model_of(path), record["req"].clone()));
        }
    }
    let Some(folder) = recorded::data("captures") else { return found };
    for file in recorded::files(&folder, ".json") {
        let capture: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let (Some(url), Some(body)) = (capture["url"].as_str(), capture.get("bodyJson")) else { continue };
        if url.to_ascii_lowercase().contains("generatecontent") && body.is_object() {
            found.push((file.display().to_string(), model_of(url), body.clone()));
        }
    }
    found
}

fn model_of(path: &str) -> String {
    path.rsplit_once("/models/").unwrap().1.split(':').next().unwrap().to_owned()
}

/// The same with every field's name in camelCase, but nothing inside of what callers name themselves.
fn camel_all(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| {
                let name = camel(name);
                let own = ["args", "response", "parameters", "parametersJsonSchema", "responseSchema"];
                let value = if own.contains(&name.as_str()) || name.ends_with("JsonSchema") {
                    value.clone()
                } else {
                    camel_all(value)
                };
                (name, value)
            })
            .collect(),
        Value::Array(list) => list.iter().map(camel_all).collect(),
        other => other.clone(),
    }
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list.clone(),
        Value::Object(_) => vec![value.clone()],
        _ => Vec::new(),
    }
}

/// Lines that say what a request means, apart from spelling, order of fields and made-up ids.
fn meaning(body: &Value) -> Vec<String> {
    let body = camel_all(body);
    let mut out = Vec::new();
    let mut say = |what: &str, value: &Value| {
        if !value.is_null() {
            out.push(format!("{what}: {value}"));
        }
    };
    for part in list(&body["systemInstruction"]["parts"]) {
        say("system", &part["text"]);
    }
    for content in list(&body["contents"]) {
        let who = content["role"].as_str().unwrap_or("user").to_owned();
        for part in list(&content["parts"]) {
            if part["text"] == "" && part.get("thoughtSignature").is_none() {
                continue;
            }
            say(&who, &part["text"]);
            say("seal", &part["thoughtSignature"]);
            say("thought", &part["thought"]);
            say("call", &part["functionCall"]["name"]);
            if part.get("functionCall").is_some() {
                let args = part["functionCall"]["args"].as_object().cloned().unwrap_or_default();
                say("args", &Value::Object(args));
            }
            say("result of", &part["functionResponse"]["name"]);
            if let Some(response) = part["functionResponse"]["response"].as_object() {
                let known = |name: &String| ["output", "result", "content", "error"].contains(&name.as_str());
                let only = response.iter().next().filter(|(name, _)| response.len() == 1 && known(name));
                let only = only.map(|(_, value)| value);
                let said = only.cloned().unwrap_or_else(|| Value::Object(response.clone()));
                let said = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
                let is_error = response.len() == 1 && response.contains_key("error");
                say(if is_error { "error" } else { "result" }, &json!(said));
            }
            for medium in std::iter::once(&part).chain(list(&part["functionResponse"]["parts"]).iter()) {
                say("mime", &medium["inlineData"]["mimeType"]);
                let data = medium["inlineData"]["data"].as_str();
                let data = data.map(|data| data.replace('-', "+").replace('_', "/").replace('=', ""));
                say("data", &json!(data));
                say("file", &medium["fileData"]["fileUri"]);
            }
            for native in ["executableCode", "codeExecutionResult", "toolCall", "toolResponse"] {
                say("native", &part[native]);
            }
        }
    }
    for tool in list(&body["tools"]) {
        for (kind, value) in tool.as_object().unwrap() {
            for function in list(value).iter().filter(|_| kind == "functionDeclarations") {
                say("function", &function["name"]);
                say("described", &function["description"]);
                let schema = [&function["parameters"], &function["parametersJsonSchema"]];
                let schema = schema.into_iter().find(|s| !s.is_null()).cloned().unwrap_or_default();
                let text = schema.to_string().to_ascii_lowercase();
                say("schema", &if schema.is_null() { Value::Null } else { json!(text) });
            }
        }
    }
    for tool in list(&body["tools"]) {
        for (kind, _) in tool.as_object().unwrap().iter().filter(|(kind, _)| *kind != "functionDeclarations")
        {
            say("tool", &json!(kind));
        }
    }
    say("choice", &body["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"]);
    let config = &body["generationConfig"];
    for name in ["maxOutputTokens", "topK", "seed", "stopSequences", "candidateCount", "responseMimeType"] {
        say(name, &config[name]);
    }
    for name in ["temperature", "topP", "presencePenalty", "frequencyPenalty"] {
        say(name, &json!(config[name].as_f64()));
    }
    say("logprobs", &config["logprobs"]);
    say("thoughts", &config["thinkingConfig"]["includeThoughts"]);
    for name in ["responseSchema", "responseJsonSchema", "_responseJsonSchema"] {
        if !config[name].is_null() {
            // The vendor's own wish for an order is kept by the order itself.
            let mut schema = config[name].clone();
            schema.as_object_mut().unwrap().shift_remove("property_ordering");
            say("form", &json!(schema.to_string().to_ascii_lowercase()));
        }
    }
    out.retain(|line| !matches!(line.as_str(), "candidateCount: 1" | "described: \"\""));
    out
}

#[test]
fn recorded_and_captured_requests_are_read_and_keep_what_matters() {
    let (mut checked, mut lines) = (0, 0);
    for (id, model, body) in requests() {
        let call = Call { model: Some(&model), stream: Some(true) };
        let request = read_request(body.clone(), call).unwrap_or_else(|fault| panic!("{id}: {fault}"));
        assert_eq!((request.model.as_str(), request.stream), (model.as_str(), true), "{id}");
        let mut losses = Losses::new();
        let target = Target { dialect: Dialect::Gemini, model: &model, max_output: None };
        let written = write_request(&request, target, &mut Names::new(), &mut losses);
        let (wanted, found) = (meaning(&body), meaning(&written));
        for (found, wanted) in found.iter().zip(&wanted) {
            assert!(found == wanted, "{id}: {found:.300} is not {wanted:.300}");
        }
        assert_eq!(found.len(), wanted.len(), "{id}");
        // Nothing is lost on the way but ids that nobody gave.
        let lost: Vec<_> = losses.kept().iter().filter(|l| !l.field.starts_with("tool call")).collect();
        assert!(lost.is_empty(), "{id}: {lost:?}");
        checked += 1;
        lines += wanted.len();
    }
    println!("{checked} requests read and written again, {lines} facts the same");
}
