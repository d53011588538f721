//! Embeddings in both directions, with what vendors really answered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::recorded;

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    match value {
        Value::String(text) => {
            let bytes = STANDARD.decode(text).unwrap();
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
        }
        value => serde_json::from_value(value.clone()).unwrap(),
    }
}

#[test]
fn texts_become_one_batch_with_size_and_form() {
    for (input, texts) in [(json!("a\u{2028}b"), vec!["a\u{2028}b"]), (json!(["a", "b"]), vec!["a", "b"])] {
        let body = json!({"model": "m", "input": input, "dimensions": 768, "encoding_format": "base64",
            "user": "u", "extra": 1});
        let asked = to_gemini(body.to_string().as_bytes(), "gemini-embedding-001").unwrap();
        let requests = parsed(&asked.body);
        let said: Vec<_> = requests["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|request| {
                assert_eq!(request["model"], "models/gemini-embedding-001");
                assert_eq!(request["outputDimensionality"], 768);
                request["content"]["parts"][0]["text"].as_str().unwrap()
            })
            .collect();
        assert_eq!(said, texts);
        assert_eq!(asked.form, Form::Base64);
        let lost: Vec<_> = asked.losses.kept().iter().map(|l| (l.field.as_str(), l.weight)).collect();
        assert_eq!(lost.len(), 2);
        assert!(lost.contains(&("user", Weight::Hint)) && lost.contains(&("extra", Weight::Meaning)));
    }
}

#[test]
fn what_is_no_text_is_refused_by_name() {
    for (body, field) in [
        (json!({"model": "m"}), "input"),
        (json!({"input": []}), "input"),
        (json!({"input": [1, 2]}), "input"),
        (json!({"input": [[1, 2]]}), "input[0]"),
        (json!({"input": ["a", {}]}), "input[1]"),
        (json!({"input": {}}), "input"),
        (json!({"input": "a", "encoding_format": "int8"}), "encoding_format"),
        (json!({"input": "a", "dimensions": -1}), "dimensions"),
    ] {
        let fault = to_gemini(body.to_string().as_bytes(), "m").unwrap_err();
        assert_eq!(fault.at(), Some(field), "{body}");
    }
    for (batch, body, field) in [
        (false, json!({}), "content"),
        (false, json!({"content": {"parts": []}}), "content.parts"),
        (false, json!({"content": {"parts": [{"inlineData": {}}]}}), "content.parts[0].text"),
        (true, json!({"content": {"parts": [{"text": "a"}]}}), "requests"),
        (
            true,
            json!({"requests": [
                {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 1},
                {"content": {"parts": [{"text": "b"}]}, "output_dimensionality": 2}
            ]}),
            "requests[1].outputDimensionality",
        ),
    ] {
        let fault = to_openai(body.to_string().as_bytes(), batch, "m").unwrap_err();
        assert_eq!(fault.at(), Some(field), "{body}");
    }
}

#[test]
fn gemini_callers_reach_openai_and_hear_of_their_task() {
    let body = json!({"requests": [
        {"model": "models/x", "content": {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
         "task_type": "RETRIEVAL_QUERY", "output_dimensionality": "256"},
        {"content": {"parts": {"text": "c"}}, "outputDimensionality": 256}
    ]});
    let asked = to_openai(body.to_string().as_bytes(), true, "text-embedding-3-small").unwrap();
    let wanted = json!({"model": "text-embedding-3-small", "input": ["a\nb", "c"],
        "encoding_format": "float", "dimensions": 256});
    assert_eq!(parsed(&asked.body), wanted);
    assert_eq!(asked.losses.first_meaning().unwrap().field, "requests[0].taskType");
    let one = json!({"content": {"parts": [{"text": "a"}]}});
    let asked = to_openai(one.to_string().as_bytes(), false, "m").unwrap();
    assert_eq!((parsed(&asked.body)["input"].clone(), asked.form), (json!("a"), Form::One));
}

#[test]
fn recorded_vectors_are_the_same_in_every_form() {
    let mut checked = 0;
    for record in recorded::cassettes() {
        let api = record["api"].as_str().unwrap_or_default();
        if !matches!(api, "gemini_embed" | "embeddings") || record["status"] != 200 {
            continue;
        }
        let body = record["body"].as_str().unwrap().as_bytes();
        let value = parsed(body);
        let wanted: Vec<Vec<f32>> = match (value.get("data"), value.get("embeddings")) {
            (Some(data), _) => data.as_array().unwrap().iter().map(|d| floats(&d["embedding"])).collect(),
            (_, Some(many)) => many.as_array().unwrap().iter().map(|d| floats(&d["values"])).collect(),
            _ => vec![floats(&value["embedding"]["values"])],
        };
        for form in [Form::Floats, Form::Base64, Form::One, Form::Many] {
            let read = parsed(&answer(body, form, "asked").unwrap());
            let found: Vec<Vec<f32>> = match form {
                Form::Floats | Form::Base64 => {
                    assert_eq!((&read["object"], &read["model"]), (&json!("list"), &json!("asked")));
                    let data = read["data"].as_array().unwrap();
                    assert!(data.iter().enumerate().all(|(n, d)| d["index"] == n));
                    assert!(data.iter().all(|d| d["embedding"].is_string() == (form == Form::Base64)));
                    data.iter().map(|d| floats(&d["embedding"])).collect()
                }
                Form::One => vec![floats(&read["embedding"]["values"])],
                Form::Many => {
                    read["embeddings"].as_array().unwrap().iter().map(|d| floats(&d["values"])).collect()
                }
            };
            let wanted = if form == Form::One { &wanted[..1] } else { &wanted[..] };
            assert!(found == wanted, "{} {form:?}", record["id"]);
            let count = value.pointer("/usage/prompt_tokens").or(value.pointer("/usage/total_tokens"));
            if let Some(count) = count.or(value.pointer("/usageMetadata/promptTokenCount")) {
                let told = ["/usage/prompt_tokens", "/usageMetadata/promptTokenCount"];
                assert_eq!(told.iter().find_map(|path| read.pointer(path)), Some(count), "{}", record["id"]);
            }
        }
        checked += 1;
    }
    println!("{checked} recorded embeddings turned into all four forms");
}

#[test]
fn vectors_come_in_the_order_of_their_numbers_and_rubbish_is_a_fault() {
    let mixed = br#"{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1e-5]}]}"#;
    let read = parsed(&answer(mixed, Form::Many, "m").unwrap());
    assert_eq!(read["embeddings"], json!([{"values": [1e-5]}, {"values": [2]}]));
    for body in [
        &br#"{"error":{"message":"no"}}"#[..],
        br#"{"data":[{"embedding":{}}]}"#,
        br#"{"data":[{"embedding":"AAA="}]}"#,
        br#"{"data":[{"embedding":"not base64"}]}"#,
        br"[]",
        b"",
    ] {
        assert!(answer(body, Form::Floats, "m").is_err(), "{}", String::from_utf8_lossy(body));
    }
    assert!(answer(br#"{"data":[]}"#, Form::One, "m").is_err());
}
