//! Conversations that are compacted by a model whose vendor cannot: the item, its way back, and who may open it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fakeup::{Behaviour, Call, Rule};
use serde_json::{Value, json};

use super::broken::events;
use super::call_of;
use crate::rig::Rig;
use crate::rig::client::{Ask, Got};
use crate::rig::faces::{ANTHROPIC, CHAT, FACES, Face, GEMINI, RESPONSES};

/// Those that compact nothing themselves.
const OTHERS: [Face; 3] = [ANTHROPIC, CHAT, GEMINI];
const SUMMARY: &str = "They want a red bridge; it stands, and paint is missing.";
/// How our `encrypted_content` begins.
const MARK: &str = "dG9sbGdhdGU6YzE6";

fn talk() -> Vec<Value> {
    vec![
        json!({"role": "user", "content": "Build a bridge."}),
        json!({"type": "function_call", "call_id": "call_1", "name": "build", "arguments": "{\"what\":\"bridge\"}"}),
        json!({"type": "function_call_output", "call_id": "call_1", "output": "It stands."}),
        json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "The bridge stands.", "annotations": []}]}),
        json!({"type": "message", "id": "msg_9", "role": "user", "content": [{"type": "input_text", "text": "Red, please."}]}),
    ]
}

fn body(model: &str, input: &[Value]) -> Value {
    json!({"model": model, "instructions": "You are a builder.", "input": input,
        "tools": [{"type": "function", "name": "build", "parameters": {"type": "object"}, "strict": false}]})
}

fn compact(model: &str) -> Ask {
    Ask::post("/v1/responses/compact", body(model, &talk()).to_string())
}

/// The same as Codex asks it: an ordinary request whose last item is the wish.
fn triggered(streaming: bool) -> Value {
    let mut body = body("m-1", &[talk(), vec![json!({"type": "compaction_trigger"})]].concat());
    body["stream"] = json!(streaming);
    body
}

fn responses(body: &Value) -> Ask {
    Ask::post("/v1/responses", body.to_string())
}

fn assert_item(item: &Value) {
    assert_eq!(item["type"], "compaction", "{item}");
    assert!(item["id"].as_str().is_some_and(|id| id.starts_with("cmp_")), "{item}");
    let sealed = item["encrypted_content"].as_str().unwrap();
    assert!(sealed.starts_with(MARK), "{item}");
    assert!(!String::from_utf8_lossy(&STANDARD.decode(sealed).unwrap()).contains("bridge"), "it is sealed");
}

/// The next turn: what came back, and something new.
fn next(output: &Value, model: &str) -> Ask {
    let mut items = output.as_array().unwrap().clone();
    items.push(json!({"role": "user", "content": "Now paint it."}));
    responses(&body(model, &items))
}

impl Rig {
    /// One vendor for each dialect; a model's name tells whose it is.
    async fn of_all(says: &str) -> Self {
        let rig = Self::bare().await;
        for face in FACES {
            let spec = json!({"name": face.name, "models": [format!("{}-*", face.name), "shared-*"]});
            rig.upstream_speaking(face, spec).await;
        }
        rig.upstream.script(Rule::always(Behaviour::saying(says)));
        rig
    }

    /// What the vendor was sent last.
    async fn sent(&self, count: usize) -> String {
        String::from_utf8(self.ended(count).await.pop().unwrap().request.body.to_vec()).unwrap()
    }
}

#[tokio::test]
async fn a_model_of_any_dialect_compacts_and_any_carries_on() {
    let rig = Rig::of_all(SUMMARY).await;
    for to in OTHERS {
        rig.upstream.clear_invoice();
        let (got, row) = rig.translated(compact(&format!("{}-1", to.name))).await;
        let what = format!("{}: {}", to.name, got.text());
        assert_eq!((got.status, got.whole), (200, true), "{what}");
        let whole = got.json();
        assert_eq!(whole["object"], "response.compaction", "{what}");
        assert!(whole["id"].as_str().is_some_and(|id| id.starts_with("resp_")), "{what}");
        assert!(whole["created_at"].as_i64().is_some_and(|at| at > 1_700_000_000), "{what}");
        let output = whole["output"].as_array().unwrap();
        assert_eq!(output.len(), 3, "{what}");
        for (message, words) in output.iter().zip(["Build a bridge.", "Red, please."]) {
            assert_eq!((&message["type"], &message["role"]), (&json!("message"), &json!("user")), "{what}");
            assert_eq!(message["content"], json!([{"type": "input_text", "text": words}]), "{what}");
            assert!(message["id"].as_str().is_some_and(|id| id.starts_with("msg_")), "{what}");
        }
        assert_item(&output[2]);

        let entry = rig.ended(1).await.remove(0);
        assert_eq!(entry.request.call(), call_of(to, false), "{what}");
        let billed = entry.billed;
        let told = |name: &str| whole["usage"][name].as_u64();
        assert_eq!(
            (told("input_tokens"), told("output_tokens")),
            (Some(billed.input), Some(billed.output)),
            "{what}"
        );
        assert_eq!(crate::rig::tokens(&row), billed, "{what}: {row}");
        let sent = rig.sent(1).await;
        for part in [
            "You are a builder.",
            "Build a bridge.",
            "It stands.",
            "The bridge stands.",
            "Red, please.",
            "about to be compacted",
        ] {
            assert!(sent.contains(part), "{what}: '{part}' in {sent}");
        }

        // It is said loudly.
        assert_eq!(got.header("x-tollgate-compacted"), "by-the-model", "{what}");
        assert_eq!(got.header("x-tollgate-upstream-dialect"), to.name, "{what}");
        assert!(got.header("x-tollgate-dropped").split(", ").any(|field| field == "input"), "{what}");
        let losses = row["attempts"][0]["translation"]["losses"].as_array().unwrap().clone();
        let loss = losses.iter().find(|loss| loss["field"] == "input").unwrap_or_else(|| panic!("{row}"));
        assert!(
            loss["what"].as_str().unwrap().contains("compacted by the model") && loss["meaning"] == true,
            "{row}"
        );
        assert_eq!((&row["outcome"], &row["endpoint"]), (&json!("ok"), &json!("responses_compact")), "{row}");

        // Whoever answers next reads the summary, one that speaks the caller's dialect too.
        for then in FACES {
            rig.upstream.clear_invoice();
            let (answer, _) = rig.translated(next(&whole["output"], &format!("{}-2", then.name))).await;
            assert_eq!(answer.status, 200, "{what} then {}: {}", then.name, answer.text());
            let sent = rig.sent(1).await;
            for part in [SUMMARY, "was compacted", "Build a bridge.", "Red, please.", "Now paint it."] {
                assert!(sent.contains(part), "{what} then {}: '{part}' in {sent}", then.name);
            }
            assert!(!sent.contains(MARK) && !sent.contains("The bridge stands."), "{}: {sent}", then.name);
            assert_eq!(answer.header("x-tollgate-compacted"), "", "an answer is none");
        }
    }
}

#[tokio::test]
async fn a_conversation_that_is_compacted_again_keeps_one_summary() {
    let rig = Rig::of_all(SUMMARY).await;
    let (first, _) = rig.translated(compact("anthropic-1")).await;
    let mut ask = next(&first.json()["output"], "gemini-1");
    ask.target = "/v1/responses/compact".into();
    rig.upstream.clear_invoice();
    let (second, _) = rig.translated(ask).await;
    assert!(rig.sent(1).await.contains(SUMMARY));
    let output = second.json()["output"].as_array().unwrap().clone();
    let words: Vec<_> =
        output.iter().map(|item| item["content"][0]["text"].as_str().unwrap_or("sealed")).collect();
    assert_eq!(words, ["Build a bridge.", "Red, please.", "Now paint it.", "sealed"], "{}", second.text());
}

#[tokio::test]
async fn who_speaks_the_dialect_compacts_himself_and_his_bytes_are_untouched() {
    let rig = Rig::of_all(SUMMARY).await;
    let ask = compact("shared-1");
    let bytes = ask.body.clone();
    let (got, row) = rig.translated(ask).await;
    assert_eq!((got.status, &got.json()["object"]), (200, &json!("response.compaction")), "{}", got.text());
    assert_eq!(got.header("x-tollgate-compacted"), "");
    let entry = rig.ended(1).await.remove(0);
    assert_eq!((entry.request.call(), entry.request.body.clone()), (Call::Compact, bytes));
    assert_eq!(row["attempts"][0].get("translation"), None, "{row}");
    // Its own item goes back to it as it came.
    rig.upstream.clear_invoice();
    rig.translated(next(&got.json()["output"], "openai-responses-1")).await;
    assert!(rig.sent(1).await.contains(r#""encrypted_content":"gAAA""#));
}

#[tokio::test]
async fn codexs_own_way_of_asking_gives_one_item_whole_streamed_and_on_a_socket() {
    for to in OTHERS {
        let rig = Rig::speaking(to).await;
        rig.upstream.script(Rule::always(Behaviour::saying(SUMMARY)));
        let (got, _) = rig.translated(responses(&triggered(false))).await;
        let whole = got.json();
        assert_eq!((got.status, &whole["status"]), (200, &json!("completed")), "{}", got.text());
        let (streamed, row) = rig.translated(responses(&triggered(true))).await;
        let said = events(&streamed);
        let working = |event: &&Value| event["type"] == "response.compaction.compacting";
        assert!(said.iter().any(|event| working(&event)), "{}", streamed.text());
        let kinds: Vec<_> = said
            .iter()
            .filter(|event| !working(event))
            .map(|event| event["type"].as_str().unwrap())
            .collect();
        let expected = [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.output_item.done",
            "response.completed",
        ];
        assert_eq!(kinds, expected, "{}", streamed.text());
        assert_eq!((&row["outcome"], &row["streaming"]), (&json!("ok"), &json!(true)), "{row}");
        assert_eq!(streamed.header("x-tollgate-compacted"), "by-the-model");
        let mut socket = rig.socket().await;
        socket.create(triggered(true)).await;
        let last = socket.last().await;
        for response in [&whole, &said.last().unwrap()["response"], &last["response"]] {
            let output = response["output"].as_array().unwrap_or_else(|| panic!("{response}"));
            assert_eq!(output.len(), 1, "{response}");
            assert_item(&output[0]);
            rig.upstream.clear_invoice();
            let (answer, _) = rig.translated(next(&response["output"], "m-1")).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let sent = rig.sent(1).await;
            assert!(sent.contains(SUMMARY) && sent.contains("Now paint it."), "{sent}");
        }
        // What was compacted is continued by its summary, by POST and on the socket.
        for id in [&whole["id"], &last["response"]["id"]] {
            rig.upstream.clear_invoice();
            let more = json!({"input": "Now paint it.", "previous_response_id": id});
            if id == &whole["id"] {
                let mut more = more;
                more["model"] = json!("m-1");
                let (answer, _) = rig.translated(responses(&more)).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
            } else {
                socket.create(more).await;
                assert_eq!(socket.last().await["type"], "response.completed");
            }
            let sent = rig.sent(1).await;
            assert!(sent.contains(SUMMARY) && sent.contains("Red, please."), "{sent}");
            assert!(!sent.contains("The bridge stands."), "{sent}");
        }
    }
}

#[tokio::test]
async fn an_answer_by_its_id_is_compacted_too() {
    let rig = Rig::speaking(ANTHROPIC).await;
    let (first, _) = rig.translated(responses(&body("m-1", &talk()))).await;
    let ask = |id: &Value| {
        Ask::post(
            "/v1/responses/compact",
            json!({"model": "m-1", "input": [], "previous_response_id": id}).to_string(),
        )
    };
    rig.upstream.clear_invoice();
    let (got, _) = rig.translated(ask(&first.json()["id"])).await;
    assert_eq!((got.status, got.json()["output"].as_array().unwrap().len()), (200, 3), "{}", got.text());
    assert!(rig.sent(1).await.contains("Build a bridge."));
    let (got, _) = rig.translated(ask(&json!("resp_gone"))).await;
    assert_eq!((got.status, got.code().as_str()), (400, "previous_response_not_found"), "{}", got.text());
}

fn assert_unreadable(got: &Got, ask: &Ask, field: &str) {
    assert_eq!(got.status, 400, "{}", got.text());
    RESPONSES.assert_error(&got.json(), 400, "compaction_unreadable", &ask.id);
    assert_eq!(got.json()["error"]["param"], field, "{}", got.text());
}

#[tokio::test]
async fn a_summary_is_opened_for_its_own_user_as_it_was_and_for_nobody_else() {
    let rig = Rig::of_all(SUMMARY).await;
    let (got, _) = rig.translated(compact("gemini-1")).await;
    let output = got.json()["output"].clone();
    let bearer = |key: &str| format!("Bearer {key}");
    // Another key of the same user, whoever answers.
    let (_, second) = rig.new_key(json!({"name": "desk"})).await;
    let got = rig.ask(next(&output, "anthropic-1").header("authorization", &bearer(&second))).await;
    assert_eq!(got.status, 200, "{}", got.text());
    rig.ended(2).await;
    rig.upstream.clear_invoice();

    // A key of another user.
    let user = rig.server.admin("POST", "/users", &json!({"name": "other"})).await;
    let key = rig.server.admin("POST", &format!("/users/{}/keys", user["id"]), &json!({"name": "k"})).await;
    for model in ["anthropic-1", "openai-responses-1"] {
        let ask = next(&output, model).header("authorization", &bearer(key["key"].as_str().unwrap()));
        assert_unreadable(&rig.ask(ask.clone()).await, &ask, "input[2].encrypted_content");
    }
    // One bit, one letter, half of it, another thing behind the mark.
    let sealed = output[2]["encrypted_content"].as_str().unwrap();
    let mut bytes = STANDARD.decode(sealed).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let (head, tail) = sealed.split_at(60);
    let letter = format!("{head}{}{}", if tail.starts_with('A') { 'B' } else { 'A' }, &tail[1..]);
    let half = sealed[..sealed.len() / 8 * 4].to_owned();
    let own = format!("{MARK}{}", STANDARD.encode("anything that somebody made up"));
    for wrong in [STANDARD.encode(bytes), letter, half, own, format!("{MARK}%"), MARK.to_owned()] {
        for (target, model) in [
            ("/v1/responses", "gemini-1"),
            ("/v1/responses", "openai-responses-1"),
            ("/v1/responses/compact", "gemini-1"),
        ] {
            let mut output = output.clone();
            output[2]["encrypted_content"] = json!(wrong);
            let mut ask = next(&output, model);
            ask.target = target.into();
            let (got, row) = rig.translated(ask.clone()).await;
            assert_unreadable(&got, &ask, "input[2].encrypted_content");
            assert_eq!(
                (&row["outcome"], &row["error_code"]),
                (&json!("refused"), &json!("compaction_unreadable"))
            );
        }
    }
    assert!(rig.upstream.invoice().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn strict_callers_get_no_summary_for_a_compaction() {
    for to in OTHERS {
        let rig = Rig::speaking(to).await;
        let ways: [fn() -> Ask; 3] =
            [|| compact("m-1"), || responses(&triggered(false)), || responses(&triggered(true))];
        for way in ways {
            let ask = way().header("x-tollgate-translation", "strict");
            let (got, row) = rig.translated(ask.clone()).await;
            assert_eq!(got.status, 400, "{}", got.text());
            RESPONSES.assert_error(&got.json(), 400, "translation_would_lose", &ask.id);
            assert!(got.text().contains("compacted by the model"), "{}", got.text());
            assert_eq!(row["error_code"], "translation_would_lose", "{row}");
            let (got, _) = rig.translated(way().header("x-tollgate-translation", "off")).await;
            assert_eq!((got.status, got.code().as_str()), (503, "no_available_account"), "{}", got.text());
        }
        assert!(rig.upstream.invoice().is_empty(), "nothing was sent");
    }
}

#[tokio::test]
async fn a_model_that_writes_no_summary_has_failed_and_another_is_asked() {
    for to in OTHERS {
        let rig = Rig::bare().await;
        let provider = rig.upstream_speaking(to, json!({"api_key": "up-a"})).await;
        rig.credential(provider, "up-b", json!({"priority": 1})).await;
        rig.upstream.script(Rule::credential("up-a", Behaviour::saying(" \n")));
        rig.upstream.script(Rule::credential("up-b", Behaviour::saying(SUMMARY)));
        let (got, row) = rig.translated(compact("m-1")).await;
        assert_eq!(
            (got.status, row["attempts"].as_array().unwrap().len()),
            (200, 2),
            "{}: {row}",
            got.text()
        );
        assert!(row["attempts"][0].to_string().contains("no summary"), "{row}");
        assert_item(&got.json()["output"][2]);
        // A stream cannot be taken back; it fails, and never looks finished.
        rig.upstream.forget();
        rig.recover().await;
        rig.upstream.script(Rule::always(Behaviour::saying(" \n")));
        let (got, row) = rig.translated(responses(&triggered(true))).await;
        let last = events(&got).pop().unwrap();
        assert_eq!(last["type"], "response.failed", "{}", got.text());
        assert_eq!(last["response"]["error"]["code"], "upstream_stream_error", "{last}");
        assert_eq!(row["outcome"], "broken", "{row}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_wish_to_compact_is_named() {
    let rig = Rig::speaking(GEMINI).await;
    let mut early = triggered(false);
    early["input"].as_array_mut().unwrap().rotate_right(1);
    let mut stream = body("m-1", &talk());
    stream["stream"] = json!(true);
    let compact = |body: &Value| Ask::post("/v1/responses/compact", body.to_string());
    for (ask, field) in [
        (responses(&early), "input[0]"),
        (compact(&stream), "stream"),
        (compact(&json!({"model": "m-1"})), "input"),
        (compact(&json!({"model": "m-1", "input": []})), "input"),
        (compact(&json!({"model": "m-1", "input": [{"role": "robot", "content": "x"}]})), "input[0].role"),
    ] {
        let (got, _) = rig.translated(ask.clone()).await;
        assert_eq!(got.status, 400, "{field}: {}", got.text());
        RESPONSES.assert_error(&got.json(), 400, "invalid_request", &ask.id);
        assert_eq!(got.json()["error"]["param"], field, "{}", got.text());
    }
    assert!(rig.upstream.invoice().is_empty(), "nothing was sent");
}
