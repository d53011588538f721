//! Conversations that the gateway continues.

use serde_json::{Value, json};

use super::super::super::{continued, items_of, write_answer_value};
use super::{back, read};
use crate::Dialect;
use crate::neutral::{Answer, Choice, Part, Role, Sealed, Stop};

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

#[test]
fn tr_a_conversation_is_continued_from_its_items() {
    let first = json!({"model": "m", "input": "My name is Ada."}).to_string();
    let thought = Part::Thinking {
        text: "hm".into(),
        seal: Some(Sealed { dialect: Dialect::Anthropic, data: "sig".into() }),
    };
    let choice = Choice {
        parts: vec![thought.clone(), Part::text("Hello Ada.")],
        stop: Some(Stop::End),
        logprobs: None,
    };
    let answer =
        Answer { id: "x".into(), model: "c".into(), choices: vec![choice], usage: None, service_tier: None };
    let told = write_answer_value(&answer, &back(read(&parsed(first.as_bytes())), Dialect::Anthropic));
    let kept = items_of(first.as_bytes(), &told);
    assert_eq!(kept.len(), 3);

    let second = json!({
        "model": "m", "previous_response_id": "resp_t1", "instructions": "Be short.",
        "input": [{"type": "item_reference", "id": "msg_t1_1"}, {"role": "user", "content": "Who am I?"}],
    });
    let whole = continued(&kept, second.to_string().as_bytes()).unwrap();
    let request = read(&parsed(&whole));
    assert_eq!(request.previous, None);
    let told: Vec<(Role, &[Part])> =
        request.turns.iter().map(|turn| (turn.role, turn.parts.as_slice())).collect();
    assert_eq!(
        told,
        [
            (Role::System, &[Part::text("Be short.")][..]),
            (Role::User, &[Part::text("My name is Ada.")][..]),
            (Role::Assistant, &[thought, Part::text("Hello Ada.")][..]),
            (Role::User, &[Part::text("Who am I?")][..]),
        ]
    );
    // The third turn reaches back to the first.
    let all = items_of(
        &whole,
        &json!({"output": [{"type": "message", "role": "assistant", "id": "msg_9", "content": [
        {"type": "output_text", "text": "Ada.", "annotations": [], "logprobs": []}]}]}),
    );
    assert_eq!(all.len(), 5);
    assert_eq!(all[4]["content"][0], json!({"type": "output_text", "text": "Ada.", "annotations": []}));
}

#[test]
fn tr_what_is_continued_keeps_its_order_and_its_odd_letters() {
    let body = br#"{"model":"m","b":1,"previous_response_id":"r","a":2,"input":"x\ud83d"}"#;
    let whole =
        String::from_utf8(continued(&[json!({"role": "user", "content": "y"})], body).unwrap()).unwrap();
    assert_eq!(
        whole,
        r#"{"model":"m","b":1,"a":2,"input":[{"role":"user","content":"y"},{"type":"message","role":"user","content":"x\ud83d"}]}"#
    );
}

#[test]
fn tr_bad_bodies_are_faults_and_add_nothing() {
    assert_eq!(continued(&[], b"[]").unwrap_err().at(), Some("body"));
    assert_eq!(continued(&[], br#"{"input":5}"#).unwrap_err().at(), Some("input"));
    assert!(continued(&[], b"{").is_err());
    assert_eq!(items_of(b"{", &json!({"output": 1})), Vec::<Value>::new());
    assert_eq!(parsed(&continued(&[], br#"{"previous_response_id":"r"}"#).unwrap()), json!({"input": []}));
}
