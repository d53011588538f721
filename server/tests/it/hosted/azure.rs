//! OpenAI's models at Azure, by key.

use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, RESPONSES};

#[tokio::test]
async fn azure_takes_its_key_in_its_own_header_for_answers_streams_and_the_list_of_models() {
    let rig = Rig::bare().await;
    let provider = rig.provider("azure-openai", json!({"models": ["m-*"]})).await;
    let carried = || {
        let entry = rig.upstream.invoice().last().unwrap().clone();
        assert_eq!(entry.request.header("api-key"), Some("up-azure-openai"));
        assert_eq!((entry.request.header("authorization"), entry.request.header("x-api-key")), (None, None));
        entry.request.target.clone()
    };
    for face in [CHAT, RESPONSES] {
        for (streaming, ask) in face.both("m-1") {
            let id = ask.id.clone();
            let got = rig.ask(rig.keyed(ask)).await;
            assert_eq!(got.status, 200, "{face:?}: {}", got.text());
            assert!(got.whole && got.text().contains("Hello"), "{face:?}: {}", got.text());
            assert!(!streaming || got.text().contains(face.end), "{face:?}: {}", got.text());
            assert_eq!(carried(), format!("/openai{}", face.target("m-1", streaming)));
            assert_eq!(rig.row(&id).await["outcome"], "ok");
        }
    }
    // Who speaks another dialect is served by translation, and with the same key.
    let got = rig.ask(rig.keyed(ANTHROPIC.ask("m-1", true))).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(carried().starts_with("/openai/v1/"), "{}", carried());
    let listed = rig.server.admin("GET", &format!("/providers/{provider}/models"), &Value::Null).await;
    assert!(listed["items"].as_array().is_some_and(|names| !names.is_empty()), "{listed}");
    assert_eq!(carried(), "/openai/v1/models");
}
