use serde_json::{Value, json};

use super::super::{
    Call, Framing, Names, Stream, Target, Written, read_request, write_events, write_request,
};
use super::*;
use crate::Dialect;
use crate::neutral::{Choice, Stop};

/// Seals by turning bytes round, with a mark of whose it is.
fn sealer() -> Sealer {
    Sealer::new(|text| Some([b"A", text.bytes().rev().collect::<Vec<_>>().as_slice()].concat()))
}

fn open(sealed: &[u8]) -> Option<String> {
    String::from_utf8(sealed.strip_prefix(b"A")?.iter().rev().copied().collect()).ok()
}

fn talk() -> Value {
    json!({"model": "m", "instructions": "Be brief.", "stream": false,
        "text": {"format": {"type": "json_object"}},
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false}],
        "tool_choice": "required",
        "input": [
            {"role": "user", "content": "Build it."},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "done"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Built."}]},
            {"type": "message", "id": "msg_7", "role": "user", "content": [{"type": "input_text", "text": "Thanks."}]},
            {"type": "compaction_trigger"}]})
}

fn read(body: &Value) -> Result<Request, Fault> {
    read_request(Dialect::OpenAiResponses, body.to_string().as_bytes(), Call::default())
}

fn back(upstream: Dialect, stream: bool) -> Arc<Back> {
    let mut request = read(&talk()).unwrap();
    request.stream = stream;
    let (names, ids) = (Names::new(), "t1".to_owned());
    Arc::new(Back { request: Arc::new(request), upstream, names, ids, created: 17, sealer: Some(sealer()) })
}

fn said(parts: Vec<Part>, stop: Stop) -> Answer {
    let choice = Choice { parts, stop: Some(stop), logprobs: None };
    Answer { id: String::new(), model: String::new(), choices: vec![choice], usage: None, service_tier: None }
}

/// The words that an item was sealed from.
fn words(item: &Value) -> String {
    let bytes = STANDARD.decode(item["encrypted_content"].as_str().unwrap()).unwrap();
    open(bytes.strip_prefix(MARK.as_bytes()).unwrap()).unwrap()
}

#[test]
fn every_sealed_summary_begins_alike() {
    assert_eq!(STANDARD.encode(MARK), MARKED);
}

#[test]
fn the_handbook_shows_what_the_model_is_asked_for() {
    let page = include_str!("../../../../../docs/handbook/translation.md")
        .replace("\n> ", "\n")
        .replace("\n>\n", "\n\n");
    assert!(page.contains(PROMPT.trim_end()) && page.contains(PREFACE.trim_end()));
}

#[test]
fn the_model_is_told_the_whole_conversation_and_asked_for_a_summary_that_calls_nothing() {
    let request = read(&talk()).unwrap();
    assert_eq!(request.compact.as_deref(), Some("input[5]"));
    for &dialect in Dialect::ALL {
        let Written { body, losses, .. } =
            write_request(&request, Target { dialect, model: "m", max_output: Some(900) });
        let sent: Value = serde_json::from_slice(&body).unwrap();
        let text = sent.to_string();
        let first = PROMPT.lines().next().unwrap();
        for part in ["Be brief.", "Build it.", "done", "Built.", "Thanks.", first] {
            assert!(text.contains(part), "{dialect}: {part} is missing in {text}");
        }
        assert!(!text.contains("compaction_trigger") && !text.contains("json_object"), "{dialect}: {text}");
        let choice = match dialect {
            Dialect::Anthropic => sent["tool_choice"] == json!({"type": "none"}),
            Dialect::Gemini => sent["toolConfig"]["functionCallingConfig"]["mode"] == "NONE",
            Dialect::OpenAiChat | Dialect::OpenAiResponses => sent["tool_choice"] == "none",
        };
        assert!(choice, "{dialect}: {text}");
        let loss = losses.first_meaning().unwrap();
        assert_eq!((loss.field.as_str(), loss.what), ("input[5]", LOSS), "{dialect}: {:?}", losses.kept());
    }
}

#[test]
fn a_trigger_stands_last_or_is_a_fault() {
    let mut body = talk();
    let items = body["input"].as_array_mut().unwrap();
    items.rotate_right(1);
    assert_eq!(read(&body).unwrap_err().at(), Some("input[0]"));
    assert_eq!(
        read(&json!({"model": "m", "input": [{"type": "compaction_trigger"}]})).unwrap_err().at(),
        Some("input")
    );
}

#[test]
fn an_answer_becomes_one_item_whole_and_in_a_stream() {
    let thought = Part::Thinking { text: "Hm.".into(), seal: None };
    let answer = said(vec![thought, Part::text(" They build "), Part::text("it. ")], Stop::End);
    let whole = write_answer_value(&answer, &back(Dialect::Anthropic, false));
    assert_eq!(
        (&whole["status"], whole["output"].as_array().unwrap().len()),
        (&json!("completed"), 1),
        "{whole}"
    );
    let item = &whole["output"][0];
    assert_eq!((&item["type"], &item["id"]), (&json!("compaction"), &json!("cmp_t1")));
    assert_eq!(words(item), "They build \nit.");

    let mut out = Vec::new();
    write_events(answer, &back(Dialect::Anthropic, true), Framing::Events, &mut out);
    let text = String::from_utf8(out).unwrap();
    let events: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let working = "response.compaction.compacting";
    assert_eq!(
        kinds.iter().filter(|kind| **kind == working).count(),
        3,
        "each piece is told of, none is shown: {text}"
    );
    let kinds: Vec<&str> = kinds.into_iter().filter(|kind| *kind != working).collect();
    let expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(kinds, expected);
    let [.., done, last] = events.as_slice() else { panic!("{text}") };
    assert_eq!((&done["item"], &last["response"]["output"][0]), (item, item));
    assert!(events.iter().enumerate().all(|(n, event)| event["sequence_number"] == n), "{text}");
}

#[test]
fn the_endpoint_gives_the_users_messages_and_the_item() {
    let body = talk().to_string();
    let answer = said(vec![Part::text("S.")], Stop::MaxTokens);
    let bytes = write(&answer, &back(Dialect::Gemini, false), kept_of(body.as_bytes())).unwrap();
    let whole: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        (&whole["object"], &whole["id"], &whole["created_at"]),
        (&json!("response.compaction"), &json!("resp_t1"), &json!(17))
    );
    let output = whole["output"].as_array().unwrap();
    assert_eq!(output.len(), 3, "{whole}");
    let text = |n: usize| {
        (output[n]["role"].clone(), output[n]["content"][0]["text"].clone(), output[n]["id"].clone())
    };
    assert_eq!(text(0), (json!("user"), json!("Build it."), json!("msg_t1_0")));
    assert_eq!(text(1), (json!("user"), json!("Thanks."), json!("msg_7")));
    assert!(words(&output[2]).starts_with("S.") && words(&output[2]).contains("length limit"), "{whole}");
    // What is only a text is a user's message.
    assert_eq!(kept_of(br#"{"input":"Hi."}"#)[0]["content"][0]["text"], "Hi.");
    assert!(kept_of(b"[").is_empty());
}

#[test]
fn who_writes_no_summary_has_failed() {
    let call = r#"{"choices":[{"message":{"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#;
    let blank = r#"{"choices":[{"message":{"content":" \n"},"finish_reason":"stop"}]}"#;
    let refused = r#"{"choices":[{"message":{"content":"I"},"finish_reason":"content_filter"}]}"#;
    for answer in [call, blank, refused] {
        let read = super::super::read_answer(&back(Dialect::OpenAiChat, false), answer.as_bytes());
        assert!(read.unwrap_err().to_string().contains("no summary"), "{answer}");
    }
    let good = r#"{"choices":[{"message":{"content":"S."},"finish_reason":"stop"}]}"#;
    assert!(super::super::read_answer(&back(Dialect::OpenAiChat, false), good.as_bytes()).is_ok());
    for (delta, why, fails) in [
        (r#"{"content":"I"}"#, "content_filter", true),
        (r#"{"content":" "}"#, "stop", true),
        (r#"{"content":"S."}"#, "stop", false),
    ] {
        let mut stream = Stream::new(back(Dialect::OpenAiChat, true));
        let mut out = Vec::new();
        let text = format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n\
             data: {{\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"{why}\"}}]}}\n\ndata: [DONE]\n\n"
        );
        stream.feed(text.as_bytes(), &mut out).unwrap();
        stream.finish(&mut out);
        assert_eq!((stream.failed().is_some(), stream.ended()), (fails, !fails), "{text}");
        assert_eq!(String::from_utf8(out).unwrap().contains("response.completed"), !fails, "{text}");
    }
}

#[test]
fn a_sealed_summary_comes_back_as_words_and_the_vendors_own_stays() {
    let sealed = sealer().seal("Lone \u{10d83d} and done.").unwrap();
    let own = json!({"type": "compaction", "encrypted_content": "gAAAAAB"});
    let body = |content: &str| {
        json!({"model": "m", "n\u{2028}": 1.0, "input": [own.clone(), {"type": "compaction_summary", "encrypted_content": content}, {"role": "user", "content": content}]})
            .to_string()
    };
    let bytes = unfold(body(&sealed).as_bytes(), open).unwrap().unwrap();
    let value: Value =
        serde_json::from_str(&String::from_utf8(bytes).unwrap().replace("\\ud83d", "?")).unwrap();
    assert_eq!(value["input"][0], own);
    let message = &value["input"][1];
    assert_eq!((&message["type"], &message["role"]), (&json!("message"), &json!("user")));
    assert_eq!(message["content"][0]["text"], format!("{PREFACE}Lone ? and done."));
    assert_eq!(value["input"][2]["content"], sealed.as_str(), "words are not touched");
    // It is no message of the user's when the conversation is compacted again.
    assert_eq!(kept(value["input"].as_array().unwrap()).len(), 1);
    // Whatever does not open is a fault that names its place.
    let strange = STANDARD.encode([MARK.as_bytes(), b"B..."].concat());
    for wrong in [strange.as_str(), &format!("{MARKED}!!"), MARKED] {
        let fault = unfold(body(wrong).as_bytes(), open).unwrap_err();
        assert_eq!(fault.at(), Some("input[1].encrypted_content"), "{wrong}");
    }
    for other in [json!({"input": sealed}).to_string(), "[".to_owned() + &sealed, body("gAAA")] {
        assert_eq!(unfold(other.as_bytes(), open), Ok(None), "{other}");
    }
}

#[test]
fn what_was_compacted_is_continued_by_its_summary() {
    let answer = write_answer_value(&said(vec![Part::text("S.")], Stop::End), &back(Dialect::Gemini, false));
    let items = super::super::items_of(talk().to_string().as_bytes(), &answer);
    let kinds: Vec<_> = items.iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "message", "compaction"]);
}

#[test]
fn any_split_of_the_vendors_bytes_gives_the_same_summary() {
    for (upstream, text) in [
        (Dialect::Anthropic, include_str!("../../../fixtures/messages.sse")),
        (Dialect::OpenAiChat, include_str!("../../../fixtures/chat.sse")),
        (Dialect::Gemini, include_str!("../../../fixtures/gemini.sse")),
    ] {
        let told = |size: usize| {
            let mut stream = Stream::new(back(upstream, true));
            let mut out = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                stream.feed(piece, &mut out).unwrap();
            }
            stream.finish(&mut out);
            (String::from_utf8(out).unwrap(), stream.ended(), stream.failed().is_some())
        };
        let whole = told(text.len());
        assert!(whole.0.contains("response.created"), "{upstream}: {}", whole.0);
        for size in [1, 7, 100] {
            assert_eq!(told(size), whole, "{upstream} in pieces of {size}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn whatever_a_client_sends_back_is_opened_left_alone_or_a_fault(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
        at in 0_usize..200, byte in proptest::prelude::any::<u8>(),
    ) {
        let sealed = sealer().seal(&String::from_utf8_lossy(&bytes)).unwrap();
        let mut body = json!({"input": [{"type": "compaction", "encrypted_content": sealed}]}).to_string().into_bytes();
        proptest::prop_assert!(unfold(&body, open).unwrap().is_some());
        if let Some(place) = body.get_mut(at) {
            *place = byte;
        }
        let _ = (unfold(&body, open), kept_of(&body), unfold(&bytes, open), kept_of(&bytes));
    }
}
