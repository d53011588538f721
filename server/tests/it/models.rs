//! `GET /v1/models` and its siblings: three shapes, and only what the key may use (KE-05).

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::client::Ask;

const ANTHROPIC: (&str, &str) = ("anthropic-version", "2023-06-01");

fn ids(body: &Value) -> Vec<String> {
    let (list, name) =
        if body["models"].is_array() { (&body["models"], "name") } else { (&body["data"], "id") };
    let items = list.as_array().unwrap_or_else(|| panic!("{body}"));
    items.iter().map(|item| item[name].as_str().unwrap().trim_start_matches("models/").to_owned()).collect()
}

/// The three ways of asking, with the key where each SDK puts it.
fn asks(key: &str, tail: &str) -> [Ask; 5] {
    [
        Ask::get(&format!("/v1/models{tail}")).header("authorization", &format!("Bearer {key}")),
        Ask::get(&format!("/v1/models{tail}"))
            .header("authorization", &format!("Bearer {key}"))
            .header(ANTHROPIC.0, ANTHROPIC.1),
        Ask::get(&format!("/v1/models{tail}")).header("x-goog-api-key", key),
        Ask::get(&format!("/v1/models{tail}?key={key}")),
        Ask::get(&format!("/v1beta/models{tail}")).header("x-goog-api-key", key),
    ]
}

#[tokio::test]
async fn the_list_has_the_shape_that_its_caller_reads() {
    let rig = Rig::start().await;
    for ask in asks(&rig.key, "") {
        let target = ask.target.clone();
        let anthropic = ask.headers.iter().any(|(name, _)| name == ANTHROPIC.0);
        let gemini = target.contains("beta")
            || target.contains("key=")
            || ask.headers.iter().any(|(n, _)| n.contains("goog"));
        let got = rig.ask(ask).await;
        assert_eq!(got.status, 200, "{target}: {}", got.text());
        let body = got.json();
        assert!(ids(&body).contains(&"gpt-5-mini".to_owned()) || anthropic || gemini, "{body}");
        if anthropic {
            let first = &body["data"][0];
            assert_eq!((&first["type"], &body["has_more"]), (&json!("model"), &json!(false)), "{body}");
            assert!(first["display_name"].is_string() && first["created_at"].is_string(), "{body}");
            assert_eq!((&body["first_id"], &first["id"]), (&first["id"], &first["id"]), "{body}");
        } else if gemini {
            assert!(body["models"][0]["name"].as_str().unwrap().starts_with("models/"), "{body}");
            assert!(body["models"][0]["supportedGenerationMethods"].is_array(), "{body}");
        } else {
            assert_eq!(
                (&body["object"], &body["data"][0]["object"]),
                (&json!("list"), &json!("model")),
                "{body}"
            );
            assert!(body["data"][0]["created"].is_i64() && body["data"][0]["owned_by"].is_string(), "{body}");
        }
    }
}

#[tokio::test]
async fn ke_05_the_list_holds_what_the_key_may_use_and_nothing_else() {
    let rig = Rig::bare().await;
    rig.provider(
        "openai",
        json!({"models": ["gpt-a", "gpt-b", "secret-c"], "model_redirects": {"alias": "gpt-a"}}),
    )
    .await;
    rig.provider("openai-compatible", json!({"name": "other", "models": ["local-d"], "groups": ["lab"]}))
        .await;
    rig.provider("openai-compatible", json!({"name": "off", "models": ["off-e"], "enabled": false})).await;
    let (_, narrow) = rig.new_key(json!({"name": "narrow", "models": ["gpt-*"]})).await;
    let (_, lab) = rig.new_key(json!({"name": "lab", "groups": ["lab"]})).await;
    let list = async |key: &str| {
        let got = rig.ask(Ask::get("/v1/models").header("x-api-key", key)).await;
        assert_eq!(got.status, 200, "{}", got.text());
        ids(&got.json())
    };
    assert_eq!(list(&rig.key).await, ["alias", "gpt-a", "gpt-b", "local-d", "secret-c"]);
    assert_eq!(list(&narrow).await, ["gpt-a", "gpt-b"]);
    assert_eq!(list(&lab).await, ["local-d"]);
    // One model is found as in the list, and every caller is served with it by translation.
    for ask in asks(&narrow, "/gpt-a") {
        let target = ask.target.clone();
        let got = rig.ask(ask).await;
        assert_eq!(got.status, 200, "{target}: {}", got.text());
        assert!(got.text().contains("gpt-a"), "{target}: {}", got.text());
    }
    // A key that does not want that finds no such model of Anthropic's or Google's.
    let (_, own) = rig.new_key(json!({"name": "own", "models": ["gpt-*"], "translation": "off"})).await;
    for (ask, status) in asks(&own, "/gpt-a").into_iter().zip([200, 404, 404, 404, 404]) {
        let target = ask.target.clone();
        let got = rig.ask(ask).await;
        assert_eq!(got.status, status, "{target}: {}", got.text());
    }
    for hidden in ["secret-c", "local-d", "nothing"] {
        let got = rig.ask(Ask::get(&format!("/v1/models/{hidden}")).header("x-api-key", &narrow)).await;
        assert_eq!((got.status, got.code().as_str()), (404, "model_not_found"), "{hidden}");
    }
    assert!(rig.upstream.invoice().is_empty(), "configured names need no upstream");
}

#[tokio::test]
async fn a_list_that_is_left_open_comes_from_the_upstream_and_is_kept() {
    let rig = Rig::start().await;
    for _ in 0..5 {
        let got = rig.ask(rig.keyed(Ask::get("/v1/models"))).await;
        assert_eq!(
            ids(&got.json()),
            ["claude-sonnet-4-5", "gemini-2.5-flash", "gpt-5-mini", "text-embedding-3-small"]
        );
    }
    let asked = rig.upstream.invoice();
    assert_eq!(asked.len(), 3, "each provider once: {asked:?}");
    for entry in &asked {
        assert!(!entry.request.target.contains("key="), "{}", entry.request.target);
        assert!(entry.credential().unwrap().starts_with("up-"));
    }
    assert!(rig.server.admin("GET", "/requests", &Value::Null).await["items"].as_array().unwrap().is_empty());
}

/// Answers the next question for a list with this page.
fn page(rig: &Rig, path: &str, body: &Value) {
    let behaviour = Behaviour::body("application/json", body.to_string());
    rig.upstream.script(Rule { path: Some(path.into()), ..Rule::always(behaviour).times(1) });
}

#[tokio::test]
async fn a_list_that_comes_in_pages_is_read_to_its_end() {
    let rig = Rig::bare().await;
    let of = |names: &[&str]| -> Value { names.iter().map(|name| json!({"name": name})).collect() };
    let vertex = rig.provider("vertex", json!({})).await;
    let gemini = rig.provider("gemini", json!({})).await;
    let anthropic = rig.provider("anthropic", json!({})).await;
    let path = "/v1beta1/publishers/google/models";
    page(
        &rig,
        path,
        &json!({"publisherModels": of(&["publishers/google/models/v-1"]), "nextPageToken": "a/b="}),
    );
    page(&rig, path, &json!({"publisherModels": of(&["publishers/google/models/v-2"])}));
    let path = "/v1beta/models";
    page(&rig, path, &json!({"models": of(&["models/g-2", "models/g-1"]), "nextPageToken": "t-2"}));
    page(&rig, path, &json!({"models": of(&["models/g-3"]), "nextPageToken": "t-3"}));
    page(&rig, path, &json!({"models": [], "nextPageToken": ""}));
    let path = "/v1/models";
    page(&rig, path, &json!({"data": [{"id": "c-1"}], "has_more": true, "last_id": "c-1"}));
    page(&rig, path, &json!({"data": [{"id": "c-2"}], "has_more": false, "last_id": "c-2"}));
    for (provider, names, targets) in [
        (
            vertex,
            json!(["v-1", "v-2"]),
            vec![
                "/v1beta1/publishers/google/models?pageSize=300",
                "/v1beta1/publishers/google/models?pageSize=300&pageToken=a%2Fb%3D",
            ],
        ),
        (
            gemini,
            json!(["g-1", "g-2", "g-3"]),
            vec!["/v1beta/models", "/v1beta/models?pageToken=t-2", "/v1beta/models?pageToken=t-3"],
        ),
        (anthropic, json!(["c-1", "c-2"]), vec!["/v1/models", "/v1/models?after_id=c-1"]),
    ] {
        rig.upstream.clear_invoice();
        let listed = rig.server.admin("GET", &format!("/providers/{provider}/models"), &Value::Null).await;
        assert_eq!(listed["items"], names, "{listed}");
        let asked: Vec<_> = rig.upstream.invoice().iter().map(|e| e.request.target.clone()).collect();
        assert_eq!(asked, targets);
    }
}

#[tokio::test]
async fn a_list_without_an_end_is_left_after_twenty_pages_and_one_that_breaks_is_none() {
    let rig = Rig::bare().await;
    let gemini = rig.provider("gemini", json!({})).await;
    let path = "/v1beta/models";
    let list = async || rig.server.admin("GET", &format!("/providers/{gemini}/models"), &Value::Null).await;
    for n in 0..25 {
        let body =
            json!({"models": [{"name": format!("models/g-{n:02}")}], "nextPageToken": format!("t-{n}")});
        page(&rig, path, &body);
    }
    let listed = list().await;
    let names = listed["items"].as_array().unwrap_or_else(|| panic!("{listed}"));
    assert_eq!((names.len(), rig.upstream.invoice().len()), (20, 20), "{listed}");
    // Who knows no pages answers the same one for ever.
    rig.upstream.forget();
    let same = json!({"models": [{"name": "models/g-1"}], "nextPageToken": "same"});
    let same = Behaviour::body("application/json", same.to_string());
    rig.upstream.script(Rule { path: Some(path.into()), ..Rule::always(same) });
    rig.upstream.clear_invoice();
    assert_eq!(list().await["items"], json!(["g-1"]));
    assert_eq!(rig.upstream.invoice().len(), 2);
    rig.upstream.forget();
    page(&rig, path, &json!({"models": [{"name": "models/g-1"}], "nextPageToken": "t-2"}));
    rig.upstream.script(Rule { path: Some(path.into()), ..Rule::always(Behaviour::status(500)) });
    let broken = list().await;
    let said = broken["error"]["message"].as_str().unwrap_or_else(|| panic!("{broken}"));
    assert!(said.contains("page 2 of the list"), "half a list is none: {said}");
}

#[tokio::test]
async fn an_upstream_without_a_list_is_left_out() {
    let rig = Rig::start().await;
    rig.upstream.script(Rule { path: Some("/v1beta/models".into()), ..Rule::always(Behaviour::status(500)) });
    rig.upstream.script(Rule {
        path: Some("/v1/models".into()),
        credential: Some("up-anthropic".into()),
        ..Rule::always(Behaviour::body("text/html", "<html>"))
    });
    let got = rig.ask(rig.keyed(Ask::get("/v1/models"))).await;
    assert_eq!((got.status, ids(&got.json()).len()), (200, 4), "{}", got.text());
}

#[tokio::test]
async fn a_list_needs_a_key_and_says_so_in_the_callers_shape() {
    let rig = Rig::start().await;
    for ask in asks("sk-tg-unknown", "") {
        let (target, id) = (ask.target.clone(), ask.id.clone());
        let anthropic = ask.headers.iter().any(|(name, _)| name == ANTHROPIC.0);
        let got = rig.ask(ask).await;
        assert_eq!((got.status, got.code().as_str()), (401, "key_invalid"), "{target}: {}", got.text());
        assert_eq!(got.json()["type"] == "error", anthropic, "{}", got.text());
        assert_eq!(got.header("x-request-id"), id);
        assert!(got.text().contains(&id), "the id that the caller knows: {}", got.text());
    }
}
