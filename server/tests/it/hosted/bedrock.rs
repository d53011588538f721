//! Claude at Amazon Bedrock: signed requests, binary frames.

use fakeup::{AwsAccount, Behaviour, Then, frame};
use serde_json::{Value, json};

use super::{BILL, outcomes};
use crate::rig::client::{Ask, Got};
use crate::rig::faces::{ANTHROPIC, CHAT, FACES};
use crate::rig::{Rig, tokens};

const MODEL: &str = "anthropic.claude-test";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn account() -> AwsAccount {
    AwsAccount {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: SECRET.into(),
        session_token: None,
        region: "us-east-1".into(),
    }
}

async fn key(rig: &Rig, provider: i64, priority: i32, aws: Value) -> i64 {
    let spec =
        json!({"provider_id": provider, "name": format!("key {priority}"), "priority": priority, "aws": aws});
    let made = rig.server.admin("POST", "/credentials", &spec).await;
    assert_eq!((&made["auth"], &made["secret_hint"]), (&json!("aws"), &json!("AKIDEXAMPLE")), "{made}");
    made["id"].as_i64().unwrap()
}

fn keys(secret: &str) -> Value {
    json!({"access_key_id": "AKIDEXAMPLE", "secret_access_key": secret, "region": "us-east-1"})
}

/// A provider whose only credential signs as the vendor wants it.
async fn signed() -> (Rig, i64) {
    let rig = Rig::bare().await;
    rig.upstream.admit_aws(account());
    let provider = rig.provider("bedrock", json!({"api_key": null, "models": ["anthropic.claude-*"]})).await;
    key(&rig, provider, 1, keys(SECRET)).await;
    (rig, provider)
}

fn is_whole(got: &Got) -> bool {
    got.status == 200 && got.text().contains("message_stop")
}

#[tokio::test]
async fn bedrock_takes_signed_requests_and_its_frames_become_every_dialects_answer() {
    let (rig, _) = signed().await;
    for piece_bytes in [None, Some(1), Some(13)] {
        rig.on_model(MODEL, Behaviour { piece_bytes, ..Behaviour::default().billing(BILL) });
        for face in FACES {
            for (streaming, ask) in face.both(MODEL) {
                let id = ask.id.clone();
                let got = rig.ask(rig.keyed(ask.header("anthropic-beta", "one-beta"))).await;
                assert_eq!(got.status, 200, "{face:?} {streaming}: {}", got.text());
                assert!(got.text().contains("Hello"), "{face:?}: {}", got.text());
                assert!(!streaming || got.text().contains(face.end), "{face:?}: {}", got.text());
                let entry = rig.upstream.invoice().last().unwrap().clone();
                let verb = if streaming { "invoke-with-response-stream" } else { "invoke" };
                assert_eq!(entry.request.path(), format!("/model/{MODEL}/{verb}"));
                let sent: Value = serde_json::from_slice(&entry.request.body).unwrap();
                assert_eq!(sent["anthropic_version"], "bedrock-2023-05-31", "{sent}");
                assert!(sent.get("model").is_none() && sent.get("stream").is_none(), "{sent}");
                assert!(!entry.request.header("authorization").unwrap().contains(SECRET));
                if face == ANTHROPIC {
                    assert_eq!(sent["anthropic_beta"], json!(["one-beta"]));
                }
                let row = rig.row(&id).await;
                assert_eq!(tokens(&row), entry.billed, "{face:?} {streaming} in {piece_bytes:?}: {row}");
                assert_eq!(row["estimated"], false, "{row}");
            }
        }
    }
}

#[tokio::test]
async fn a_stream_of_bedrocks_reaches_anthropics_callers_event_by_event() {
    let (rig, _) = signed().await;
    let own = Rig::start().await;
    let plain = own.ask(own.keyed(ANTHROPIC.ask(MODEL, true))).await;
    let framed = rig.ask(rig.keyed(ANTHROPIC.ask(MODEL, true))).await;
    assert_eq!(framed.header("content-type"), plain.header("content-type"));
    assert_eq!(framed.text(), plain.text(), "as Anthropic itself would have said it");
    let named = "us.anthropic.claude-test-v1:0";
    rig.change("/providers/1", json!({"models": []})).await;
    assert!(is_whole(&rig.ask(rig.keyed(ANTHROPIC.ask(named, true))).await));
    let path = rig.upstream.invoice().last().unwrap().request.path().to_owned();
    assert_eq!(path, "/model/us.anthropic.claude-test-v1%3A0/invoke-with-response-stream");
}

#[tokio::test]
async fn up_10_a_wrong_signature_is_the_accounts_fault_and_the_next_one_serves() {
    let rig = Rig::bare().await;
    rig.upstream.admit_aws(account());
    let provider = rig.provider("bedrock", json!({"api_key": null})).await;
    let wrong = key(&rig, provider, 0, keys("another-secret-access-key")).await;
    let ask = ANTHROPIC.ask(MODEL, false);
    let id = ask.id.clone();
    let got = rig.ask(rig.keyed(ask)).await;
    assert_eq!((got.status, got.code().as_str()), (502, "upstream_auth_failed"), "{}", got.text());
    assert!(!got.text().contains("another-secret"));
    assert_eq!(outcomes(&rig.row(&id).await).len(), 1);
    key(&rig, provider, 1, keys(SECRET)).await;
    rig.recover().await;
    let ask = ANTHROPIC.ask(MODEL, true);
    let id = ask.id.clone();
    assert!(is_whole(&rig.ask(rig.keyed(ask)).await));
    let row = rig.row(&id).await;
    assert_eq!(outcomes(&row).len(), 2, "{row}");
    let shown = rig.server.admin("GET", &format!("/credentials/{wrong}"), &Value::Null).await;
    assert_eq!(shown["state"], "invalid", "{shown}");
    // Mended in place: the new secret is in force at once.
    let change = json!({"aws": keys(SECRET)});
    rig.change(&format!("/credentials/{wrong}"), change).await;
    let got = rig.ask(rig.keyed(ANTHROPIC.ask(MODEL, true))).await;
    assert!(is_whole(&got), "{}", got.text());
}

#[tokio::test]
async fn up_10_a_machine_whose_clock_is_wrong_signs_by_amazons_and_loses_no_key() {
    let minutes_20 = 1_200_000;
    for off_ms in [-minutes_20, minutes_20] {
        let clock = gateway::Clock::manual(gateway::Clock::system().now().plus_ms(off_ms));
        let rig = Rig::bare_with(move |config| config.clock = clock).await;
        rig.upstream.admit_aws(account());
        let provider = rig.provider("bedrock", json!({"api_key": null})).await;
        let id = key(&rig, provider, 0, keys(SECRET)).await;
        for (streaming, mended) in [(true, json!(["clock_corrected"])), (true, json!([]))] {
            let ask = ANTHROPIC.ask(MODEL, streaming);
            let request = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert!(is_whole(&got), "{off_ms}: {}", got.text());
            let row = rig.row(&request).await;
            assert_eq!(row["attempts"].as_array().unwrap().len(), 1, "{row}");
            let told = &row["attempts"][0]["rectified"];
            assert_eq!(told.as_array().map_or(0, Vec::len), mended.as_array().unwrap().len(), "{row}");
            assert!(mended == json!([]) || *told == mended, "{row}");
        }
        let shown = rig.server.admin("GET", &format!("/credentials/{id}"), &Value::Null).await;
        assert_eq!(shown["state"], "valid", "{shown}");
        // A new key, of which nothing is known yet, is tried by the right clock too.
        let new = json!({"provider_id": provider, "name": "new", "aws": keys(SECRET), "probe": true});
        let made = rig.server.admin("POST", "/credentials", &new).await;
        assert_eq!(made["name"], "new", "{made}");
        let wrong =
            json!({"provider_id": provider, "name": "wrong", "aws": keys("another-secret"), "probe": true});
        let refused = rig.server.admin("POST", "/credentials", &wrong).await;
        assert_eq!(refused["error"]["code"], "probe_failed", "{refused}");
    }
}

#[tokio::test]
async fn temporary_keys_send_and_sign_their_session_token() {
    let rig = Rig::bare().await;
    let token = "session-token-of-a-role";
    rig.upstream.admit_aws(AwsAccount { session_token: Some(token.into()), ..account() });
    let provider = rig.provider("bedrock", json!({"api_key": null})).await;
    let mut aws = keys(SECRET);
    aws["session_token"] = json!(token);
    key(&rig, provider, 0, aws).await;
    assert!(is_whole(&rig.ask(rig.keyed(ANTHROPIC.ask(MODEL, true))).await));
}

#[tokio::test]
async fn a_bedrock_api_key_goes_as_a_bearer() {
    let rig = Rig::bare().await;
    rig.provider("bedrock", json!({"api_key": "bedrock-api-key-0001"})).await;
    assert!(is_whole(&rig.ask(rig.keyed(ANTHROPIC.ask(MODEL, true))).await));
    let entry = rig.upstream.invoice().last().unwrap().clone();
    assert_eq!(entry.request.header("authorization"), Some("Bearer bedrock-api-key-0001"));
}

#[tokio::test]
async fn tokens_are_counted_by_bedrock() {
    let (rig, _) = signed().await;
    let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]});
    let got = rig.ask(rig.keyed(Ask::post("/v1/messages/count_tokens", body.to_string()))).await;
    assert_eq!((got.status, got.json()), (200, json!({"input_tokens": 42})));
    let entry = rig.upstream.invoice().last().unwrap().clone();
    assert_eq!(entry.request.path(), format!("/model/{MODEL}/count-tokens"));
}

#[tokio::test]
async fn up_09_throttling_is_a_limit_whether_it_comes_as_a_status_or_as_a_first_frame() {
    let rig = Rig::bare().await;
    rig.provider("bedrock", json!({"api_key": "bedrock-api-key-0001"})).await;
    let headers = [(":exception-type", "throttlingException"), (":message-type", "exception")];
    let frames = frame(&headers, br#"{"message":"Too many requests, please wait"}"#);
    let first = Behaviour::body("application/vnd.amazon.eventstream", frames);
    for (behaviour, streaming) in
        [(Behaviour::status(429), false), (Behaviour::status(429), true), (first, true)]
    {
        rig.on_model(MODEL, behaviour);
        for face in [ANTHROPIC, CHAT] {
            rig.change("/providers/1", json!({"models": ["anthropic.*"]})).await;
            rig.recover().await;
            let ask = face.ask(MODEL, streaming);
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!(got.status, 429, "{}", got.text());
            face.assert_error(&got.json(), 429, "upstream_rate_limited", &id);
        }
    }
}

#[tokio::test]
async fn up_11_a_refused_request_is_told_in_the_words_of_the_dialect() {
    let rig = Rig::bare().await;
    rig.provider("bedrock", json!({"api_key": "bedrock-api-key-0001"})).await;
    rig.on_model(MODEL, Behaviour::status(400));
    let got = rig.ask(rig.keyed(ANTHROPIC.ask(MODEL, false))).await;
    assert_eq!(got.status, 400);
    let body = got.json();
    assert_eq!(
        (&body["type"], &body["error"]["type"]),
        (&json!("error"), &json!("invalid_request_error")),
        "{body}"
    );
}

#[tokio::test]
async fn fault_u16_an_exception_in_mid_stream_ends_it_with_an_error_event() {
    let (rig, _) = signed().await;
    rig.on_model(MODEL, Behaviour { error_after: Some(2), ..Behaviour::default().billing(BILL) });
    for face in [ANTHROPIC, CHAT] {
        rig.recover().await;
        let ask = face.ask(MODEL, true);
        let id = ask.id.clone();
        let got = rig.ask(rig.keyed(ask)).await;
        assert_eq!(got.status, 200);
        let text = got.text();
        assert!(text.contains("Hello") && text.contains("Overloaded"), "{text}");
        assert!(!text.contains(face.end), "{text}");
        let row = rig.row(&id).await;
        assert_ne!(row["outcome"], "ok", "{row}");
    }
}

#[tokio::test]
async fn fault_u15_frames_that_are_cut_or_damaged_anywhere_never_look_like_an_end() {
    let (rig, _) = signed().await;
    let broken = |got: &Got, what: String| {
        if got.status == 200 {
            let text = got.text();
            assert!(text.contains("event: error\ndata: {") && text.ends_with("\n\n"), "{what}: {text}");
            assert!(!text.contains("message_stop"), "{what}: {text}");
        } else {
            assert_eq!(got.status, 502, "{what}: {}", got.text());
        }
    };
    let (mut at, mut streams) = (3, 0);
    loop {
        rig.recover().await;
        rig.on_model(MODEL, Behaviour { flip: Some(at), ..Behaviour::default() });
        let got = rig.ask(rig.keyed(ANTHROPIC.ask(MODEL, true))).await;
        if is_whole(&got) {
            break;
        }
        broken(&got, format!("a bit at {at}"));
        streams += u32::from(got.status == 200);
        for then in [Then::Close, Then::Finish] {
            rig.recover().await;
            rig.on_model(MODEL, Behaviour::cut(at, then));
            let got = rig.ask(rig.keyed(ANTHROPIC.ask(MODEL, true))).await;
            broken(&got, format!("{then:?} at {at}"));
        }
        at += 127;
    }
    assert!(at > 1_500 && streams > 5, "the damage went through the whole stream: {at}, {streams}");
}

#[tokio::test]
async fn ac_05_the_test_button_signs_too_and_lists_models() {
    let (rig, provider) = signed().await;
    let test = format!("/providers/{provider}/test");
    let listed = rig.server.admin("POST", &test, &json!({})).await;
    assert_eq!(listed["ok"], true, "{listed}");
    let entry = rig.upstream.invoice().last().unwrap().clone();
    assert_eq!(entry.request.target, "/foundation-models?byProvider=anthropic");
    let asked = rig.server.admin("POST", &test, &json!({"model": MODEL})).await;
    assert_eq!((&asked["ok"], &asked["status"]), (&json!(true), &json!(200)), "{asked}");
    rig.upstream.admit_aws(AwsAccount { access_key_id: "ANOTHER".into(), ..account() });
    let credentials = rig.server.admin("GET", "/credentials", &Value::Null).await;
    let id = credentials["items"][0]["id"].as_i64().unwrap();
    rig.change(&format!("/credentials/{id}"), json!({"aws": keys("wrong-secret")})).await;
    let refused = rig.server.admin("POST", &test, &json!({})).await;
    assert_eq!((&refused["ok"], &refused["status"]), (&json!(false), &json!(401)), "{refused}");
    assert!(refused["error"].as_str().unwrap().contains("signature"), "{refused}");
}
