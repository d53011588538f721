//! Whether a provider itself is up, over the admin REST API and after real requests.

use fakeup::Behaviour;
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::faces::{ANTHROPIC, CHAT, Face};

async fn ask(rig: &Rig, face: Face, model: &str) -> String {
    let ask = rig.keyed(face.ask(model, false));
    let id = ask.id.clone();
    rig.ask(ask).await;
    // The books have it, and with it the time to its first byte.
    rig.row(&id).await;
    id
}

#[tokio::test]
async fn rf_07_a_provider_tells_its_last_success_its_last_failure_and_whether_others_answer() {
    let rig = Rig::bare().await;
    let one = rig.provider("anthropic", json!({})).await;
    let vitals = async || {
        let seen = rig.server.admin("GET", &format!("/providers/{one}/vitals"), &Value::Null).await;
        assert!(seen.get("error").is_none(), "{seen}");
        seen
    };
    let fresh = vitals().await;
    for field in ["last_success_at", "last_failure_at", "last_failure_class", "first_byte_p95_ms"] {
        assert_eq!(fresh[field], Value::Null, "{field}: {fresh}");
    }
    assert_eq!(fresh["others_answer"], false);
    ask(&rig, ANTHROPIC, "m-1").await;
    let well = vitals().await;
    assert!(well["last_success_at"].is_string() && well["last_failure_at"].is_null(), "{well}");
    assert!(well["first_byte_p95_ms"].is_u64(), "{well}");
    rig.on_model("m-2", Behaviour::status(500));
    ask(&rig, ANTHROPIC, "m-2").await;
    let failed = vitals().await;
    assert_eq!(failed["last_failure_class"], "provider", "{failed}");
    assert!(failed["last_failure"].as_str().unwrap().contains("500"), "{failed}");
    assert!(failed["last_failure_at"].as_str() >= failed["last_success_at"].as_str(), "{failed}");
    assert_eq!(failed["others_answer"], false, "its own answers prove nothing about the network");
    rig.provider("openai", json!({})).await;
    ask(&rig, CHAT, "m-1").await;
    assert_eq!(vitals().await["others_answer"], true);
    let none = rig.server.admin("GET", "/providers/4711/vitals", &Value::Null).await;
    assert_eq!(none["error"]["code"], "not_found", "{none}");
}
