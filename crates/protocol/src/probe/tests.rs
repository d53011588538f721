//! What the probe reads and refuses.

use proptest::prelude::*;
use serde_json::json;

use super::*;

mod reach;

fn chat(body: &str) -> Result<Probe, DecodeError> {
    probe(Endpoint::ChatCompletions, Some("application/json"), body.as_bytes())
}

fn field_of(result: Result<Probe, DecodeError>) -> Option<String> {
    result.unwrap_err().field().map(str::to_owned)
}

#[test]
fn model_stream_bound_and_session_are_found_wherever_they_stand() {
    let body = r#" {"messages":[{"model":"no","stream":false,"content":"\"model\":\"no\""}],"max_tokens":128000,
        "metadata":{"user_id":"u"} , "stream" : true,"model":"claude-opus-5-5","n":1}"#;
    let found = probe(Endpoint::Messages, None, body.as_bytes()).unwrap();
    let model = found.model.unwrap();
    assert_eq!(model.name, "claude-opus-5-5");
    assert_eq!(&body[model.span], "\"claude-opus-5-5\"");
    assert!(found.stream);
    assert_eq!(found.max_tokens, Some(128_000));
    assert_eq!(found.session_hint.as_deref(), Some("u"));

    let found =
        probe(Endpoint::Responses, None, br#"{"model":"m","prompt_cache_key":"s","max_output_tokens":5}"#);
    let found = found.unwrap();
    assert_eq!((found.session_hint.as_deref(), found.max_tokens, found.stream), (Some("s"), Some(5), false));
}

#[test]
fn c10_broken_bodies_name_the_byte() {
    for (body, offset) in [
        (&b"{\"model\":\"m\"} x"[..], 14),
        (b"{\"model\":\"m\",}", 13),
        (b"{\"model\":NaN}", 9),
        (b"{\"model\":\"m", 11),
        (b"[1]", 0),
        (b"\"model\"", 0),
        (b"  ", 2),
        (b"{\"a\":1}{\"b\":2}", 7),
        (b"{\"a\":\"\xff\"}", 6),
        (b"{\"a\":\"\xe6\xa8", 6),
        (b"\xEF\xBB\xBF{}", 0),
    ] {
        let error = probe(Endpoint::ChatCompletions, None, body).unwrap_err();
        assert!(error.to_string().contains(&format!("at byte {offset}")), "{error} for {body:?}");
        assert_eq!(error.field(), None);
    }
    assert_eq!(probe(Endpoint::Messages, None, b"").unwrap_err(), DecodeError::Empty);
}

#[test]
fn c11_duplicates_that_decide_routing_or_cost_are_refused_by_name() {
    for field in ["model", "stream", "max_tokens", "max_completion_tokens", "max_output_tokens", "n"] {
        let value = match field {
            "model" => "\"m\"",
            "stream" => "true",
            _ => "1",
        };
        let error = chat(&format!("{{\"{field}\":{value},\"x\":[],\"{field}\":{value}}}")).unwrap_err();
        assert!(matches!(error, DecodeError::Duplicate { .. }), "{error}");
        assert_eq!(error.field(), Some(field));
    }
    // An escaped name is the same name.
    assert_eq!(field_of(chat(r#"{"model":"a","mod\u0065l":"b"}"#)).as_deref(), Some("model"));
    assert_eq!(chat(r#"{"mod\u0065l":"b"}"#).unwrap().model.unwrap().name, "b");
    let gemini = |body: &str| probe(Endpoint::GeminiGenerate, None, body.as_bytes());
    assert!(gemini(r#"{"generationConfig":{"maxOutputTokens":1,"max_output_tokens":2}}"#).is_err());
    assert!(gemini(r#"{"generationConfig":{},"generation_config":{}}"#).is_err());
}

#[test]
fn c11_what_only_the_upstream_can_judge_passes() {
    for body in [
        r#"{"a":1,"a":2,"model":"m"}"#,
        r#"{"model":"m","x":1e400,"y":"\ud83d","z":{"model":1,"model":2}}"#,
        r#"{"model":"m","stream":null,"n":null,"max_tokens":null,"temperature":null}"#,
        r#"{"model":"m","temperature":-1}"#,
        r#"{"model":"m","max_tokens":1024.0}"#,
        r#"{"messages":[]}"#,
        "{}",
    ] {
        chat(body).unwrap();
    }
    assert_eq!(chat("{}").unwrap().model, None);
}

#[test]
fn c11_depth_is_bounded() {
    let nested = |n: usize| format!("{{\"model\":\"m\",\"x\":{}{}}}", "[".repeat(n), "]".repeat(n));
    chat(&nested(127)).unwrap();
    assert!(matches!(chat(&nested(128)).unwrap_err(), DecodeError::TooDeep { .. }));
    assert!(matches!(chat(&nested(100_000)).unwrap_err(), DecodeError::TooDeep { .. }));
}

#[test]
fn c20_numbers_out_of_range_are_refused_by_name() {
    for (body, field) in [
        (r#"{"n":-1}"#, "n"),
        (r#"{"n":0}"#, "n"),
        (r#"{"n":129}"#, "n"),
        (r#"{"n":"2"}"#, "n"),
        (r#"{"n":18446744073686646784}"#, "n"),
        (r#"{"n":99999999999999999999999}"#, "n"),
        (r#"{"n":1.5}"#, "n"),
        (r#"{"max_tokens":9223372036854775808}"#, "max_tokens"),
        (r#"{"max_tokens":-5}"#, "max_tokens"),
        (r#"{"max_tokens":2147483649}"#, "max_tokens"),
        (r#"{"max_completion_tokens":1e9}"#, "max_completion_tokens"),
        (r#"{"max_output_tokens":[]}"#, "max_output_tokens"),
        (r#"{"temperature":1e308}"#, "temperature"),
        (r#"{"temperature":-1e999}"#, "temperature"),
        (r#"{"stream":"true"}"#, "stream"),
        (r#"{"stream":1}"#, "stream"),
    ] {
        assert_eq!(field_of(chat(body)).as_deref(), Some(field), "{body}");
    }
    for body in [r#"{"n":1}"#, r#"{"n":128}"#, r#"{"max_tokens":0}"#, r#"{"max_tokens":2147483648}"#] {
        chat(body).unwrap();
    }
}

#[test]
fn x21_a_model_name_is_short_text_without_control_characters() {
    for value in [
        "\"\"".to_owned(),
        "\"  \"".into(),
        "null".into(),
        "7".into(),
        "[\"m\"]".into(),
        r#""a\r\nx: y""#.into(),
        r#""a\u0000""#.into(),
        r#""\ud83d""#.into(),
        format!("\"{}\"", "模".repeat(201)),
    ] {
        assert_eq!(field_of(chat(&format!("{{\"model\":{value}}}"))).as_deref(), Some("model"), "{value}");
    }
    let longest = "模".repeat(200);
    assert_eq!(chat(&format!("{{\"model\":\"{longest}\"}}")).unwrap().model.unwrap().name, longest);
}

#[test]
fn wire_04_gemini_bounds_are_read_in_both_cases_and_the_model_is_left_to_the_path() {
    for config in
        [r#""generationConfig":{"maxOutputTokens":77}"#, r#""generation_config":{"max_output_tokens":"77"}"#]
    {
        let body = format!("{{\"contents\":[],{config},\"model\":7,\"stream\":\"x\"}}");
        let found = probe(Endpoint::GeminiStream, None, body.as_bytes()).unwrap();
        assert_eq!((found.max_tokens, found.model, found.stream), (Some(77), None, true));
        assert!(!probe(Endpoint::GeminiGenerate, None, body.as_bytes()).unwrap().stream);
    }
    let body = br#"{"generationConfig":{"maxOutputTokens":-1}}"#;
    assert_eq!(field_of(probe(Endpoint::GeminiGenerate, None, body)).as_deref(), Some("maxOutputTokens"));
}

#[test]
fn counting_never_streams() {
    assert!(!probe(Endpoint::CountTokens, None, br#"{"model":"m","stream":true}"#).unwrap().stream);
}

#[test]
fn only_images_and_audio_come_as_multipart() {
    let kind = Some("Multipart/Form-Data; boundary=x");
    assert!(is_multipart(Endpoint::ImageEdits, kind));
    assert!(is_multipart(Endpoint::AudioTranscriptions, kind));
    assert!(!is_multipart(Endpoint::ChatCompletions, kind));
    assert!(!is_multipart(Endpoint::ImageEdits, Some("application/json")));
    assert!(!is_multipart(Endpoint::ImageEdits, None));
}

proptest! {
    #[test]
    fn c10_no_body_makes_the_probe_panic(body in prop::collection::vec(any::<u8>(), 0..200), at in 0..Endpoint::ALL.len()) {
        let _ = probe(Endpoint::ALL[at], Some("multipart/form-data; boundary=b"), &body);
    }

    #[test]
    fn the_span_is_exactly_the_name(name in "\\PC{1,40}", before in "\\PC{0,20}", stream in any::<bool>()) {
        prop_assume!(!name.trim().is_empty());
        let body = json!({ "a": before, "model": name, "stream": stream, "z": [before] }).to_string();
        let found = chat(&body).unwrap();
        let model = found.model.unwrap();
        prop_assert_eq!(serde_json::from_str::<String>(&body[model.span.clone()]).unwrap(), name.clone());
        prop_assert_eq!(&model.name, &name);
        prop_assert_eq!(found.stream, stream);
        let back = crate::splice::replace_model(body.as_bytes(), &model, &model.name, false);
        let back: serde_json::Value = serde_json::from_slice(&back).unwrap();
        prop_assert_eq!(&back["model"], &name);
    }
}
