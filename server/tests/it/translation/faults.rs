//! What becomes of a translated answer when its upstream fails, and of a request that makes no sense.

use fakeup::{Behaviour, Rule, Then};
use serde_json::{Value, json};

use super::pairs;
use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, GEMINI};

#[tokio::test]
async fn fault_u15_u19_a_stream_that_breaks_ends_in_the_callers_error_event() {
    for (from, to) in pairs() {
        let rig = Rig::speaking(to).await;
        let cut = Behaviour::cut(to.beyond_content(), Then::Close);
        let late = Behaviour { error_after: Some(2), ..Behaviour::default() };
        let whole = rig.ask(rig.keyed(to.ask("m-1", true))).await.body;
        let mut broken = whole.to_vec();
        // The event that holds the last words is closed by the wrong bracket.
        let words = String::from_utf8_lossy(&whole).find("is well.").unwrap();
        let at = words + whole[words..].iter().position(|byte| *byte == b'}').unwrap();
        broken[at] = b']';
        let nonsense = Behaviour::body("text/event-stream", broken);
        for (name, behaviour) in [("cut", cut), ("error", late), ("nonsense", nonsense)] {
            rig.upstream.forget();
            rig.recover().await;
            rig.upstream.script(Rule::always(behaviour));
            let what = format!("{} from {} ({name})", from.name, to.name);
            let (got, row) = rig.translated(from.ask("m-1", true)).await;
            let text = got.text();
            assert_eq!(got.status, 200, "{what}: {text}");
            assert!(text.contains(from.error_event), "{what}: {text}");
            assert!(!text.contains(from.end), "no fabricated end: {what}: {text}");
            assert_eq!(row["outcome"], "broken", "{what}: {row}");
        }
    }
}

#[tokio::test]
async fn fault_u39_an_error_as_the_first_event_is_another_accounts_answer_in_any_dialect() {
    for (from, to) in pairs() {
        let rig = Rig::bare().await;
        let provider = rig.upstream_speaking(to, json!({"api_key": "up-a"})).await;
        rig.credential(provider, "up-b", json!({"priority": 1})).await;
        let first = Behaviour { error_after: Some(0), ..Behaviour::default() };
        rig.upstream.script(Rule::credential("up-a", first));
        let (got, row) = rig.translated(from.ask("m-1", true)).await;
        assert_eq!((got.status, got.whole), (200, true), "{from:?} {to:?}: {}", got.text());
        assert!(got.text().contains(from.end), "{from:?} {to:?}: {}", got.text());
        assert_eq!(row["attempts"].as_array().unwrap().len(), 2, "{row}");
    }
}

#[tokio::test]
async fn an_upstreams_refusal_of_the_request_is_worded_in_the_callers_dialect() {
    for (from, to) in pairs() {
        let rig = Rig::speaking(to).await;
        for streaming in [false, true] {
            let ask = from.ask("fake-400", streaming);
            let id = ask.id.clone();
            let (got, row) = rig.translated(ask).await;
            assert_eq!(got.status, 400, "{from:?} {to:?}: {}", got.text());
            from.assert_error(&got.json(), 400, "upstream_rejected", &id);
            assert!(got.text().contains("the fake upstream was told to answer 400"), "{}", got.text());
            assert_eq!(row["error_code"], "upstream_rejected");
        }
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_translated_names_its_field_and_reaches_nobody() {
    let rig = Rig::speaking(GEMINI).await;
    let bad = |face: crate::rig::faces::Face, pointer: &str, value: Value| {
        let mut ask = face.ask("m-1", false);
        let mut body: Value = serde_json::from_slice(&ask.body).unwrap();
        *body.pointer_mut(pointer).unwrap() = value;
        ask.body = body.to_string().into();
        ask
    };
    for (face, pointer, value, field) in [
        (ANTHROPIC, "/messages/0/role", json!("robot"), "messages[0].role"),
        (ANTHROPIC, "/messages", json!("hello"), "messages"),
        (CHAT, "/messages/0", json!({"role": "tool", "content": "x"}), "messages[0].tool_call_id"),
        (CHAT, "/messages/0/content", json!(17), "messages[0].content"),
    ] {
        rig.upstream.clear_invoice();
        let ask = bad(face, pointer, value);
        let id = ask.id.clone();
        let (got, row) = rig.translated(ask).await;
        assert_eq!(got.status, 400, "{field}: {}", got.text());
        face.assert_error(&got.json(), 400, "invalid_request", &id);
        assert!(got.text().contains(field), "{field}: {}", got.text());
        assert_eq!(row["error_code"], "invalid_request", "{row}");
        assert!(rig.upstream.invoice().is_empty(), "{field}");
    }
}
