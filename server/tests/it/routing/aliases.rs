//! Names of models: redirects of a provider, aliases with models to fall back on.

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use super::{chain, fresh};
use crate::rig::Rig;
use crate::rig::faces::{CHAT, FACES};

/// The models that the vendor was asked for, in order.
fn models(rig: &Rig) -> Vec<String> {
    rig.upstream.invoice().iter().map(|entry| entry.request.model().unwrap_or("none").to_owned()).collect()
}

#[tokio::test]
async fn ex_04_redirects_are_exact_glob_or_expression_and_the_exact_one_wins() {
    let rig = Rig::unbound().await;
    let redirects = json!({
        "gpt-x": "m-exact", "gpt-*": "m-glob", "re:^o[134](-mini)?$": "m-expression",
    });
    for kind in ["anthropic", "openai", "gemini"] {
        rig.provider(kind, json!({"model_redirects": redirects})).await;
    }
    for (asked, sent) in
        [("gpt-x", "m-exact"), ("gpt-y", "m-glob"), ("o3-mini", "m-expression"), ("o3-maxi", "o3-maxi")]
    {
        for face in FACES {
            rig.upstream.clear_invoice();
            let (got, row) = rig.asked(fresh(face, asked, true)).await;
            assert_eq!(got.status, 200, "{}", got.text());
            assert_eq!(models(&rig), [sent], "{face:?}");
            assert_eq!((&row["model"], &row["upstream_model"]), (&json!(asked), &json!(sent)));
            if sent != asked {
                assert_eq!(chain(&row, "model"), [sent]);
            }
        }
    }
}

#[tokio::test]
async fn ex_04_the_allow_list_is_tested_on_the_mapped_name() {
    let rig = Rig::unbound().await;
    let spec = json!({"models": ["m-real"], "model_redirects": {"nice-name": "m-real"}});
    rig.provider("openai", spec).await;
    rig.upstream.clear_invoice();
    assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "nice-name", true))).await.status, 200);
    assert_eq!(models(&rig), ["m-real"]);
    assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "other-name", true))).await.status, 503);
}

#[tokio::test]
async fn an_alias_falls_back_to_its_next_model() {
    let rig = Rig::unbound().await;
    rig.pool("openai", json!({}), &["up-a"]).await;
    let alias =
        rig.server.admin("PUT", "/aliases/best", &json!({"targets": ["m-big", "m-mid", "m-small"]})).await;
    assert_eq!(alias["name"], "best", "{alias}");
    let (got, row) = rig.asked(fresh(CHAT, "best", true)).await;
    assert_eq!((got.status, &row["upstream_model"]), (200, &json!("m-big")), "{row}");
    assert_eq!(
        (&row["model"], &row["decision"]["models"]),
        (&json!("best"), &json!(["m-big", "m-mid", "m-small"]))
    );
    rig.on_model("m-big", Behaviour::status(404));
    rig.on_model("m-mid", Behaviour::status(529));
    rig.upstream.clear_invoice();
    let (got, row) = rig.asked(fresh(CHAT, "best", true)).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(models(&rig), ["m-big", "m-mid", "m-small"]);
    assert_eq!(chain(&row, "model"), ["m-big", "m-mid", "m-small"]);
    rig.upstream.clear_invoice();
    assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "best", true))).await.status, 200);
    assert_eq!(models(&rig), ["m-small"], "the others rest");
    // Switched off, it is a name like any other.
    rig.server.admin("PUT", "/aliases/best", &json!({"targets": ["m-big"], "enabled": false})).await;
    rig.upstream.clear_invoice();
    assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "best", true))).await.status, 200);
    assert_eq!(models(&rig), ["best"]);
}

#[tokio::test]
async fn an_alias_leads_to_whoever_has_the_model() {
    let rig = Rig::unbound().await;
    rig.provider("openai", json!({"name": "one", "api_key": "up-one", "models": ["m-one"]})).await;
    rig.provider("openai", json!({"name": "two", "api_key": "up-two", "models": ["m-two"]})).await;
    rig.server.admin("PUT", "/aliases/any-*", &json!({"targets": ["m-one", "m-two"]})).await;
    assert_eq!(rig.sent_with(fresh(CHAT, "any-thing", true), 200).await, ["up-one"]);
    rig.upstream.script(Rule::credential("up-one", Behaviour::status(429).header("retry-after", "60")));
    assert_eq!(rig.sent_with(fresh(CHAT, "any-thing", true), 200).await, ["up-one", "up-two"]);
    assert_eq!(rig.sent_with(fresh(CHAT, "any-thing", true), 200).await, ["up-two"]);
    let shown = rig.get("/aliases").await;
    assert!(shown.to_string().contains("any-*"), "{shown}");
    rig.delete("/aliases/any-*").await;
    assert_eq!(rig.ask(rig.keyed(fresh(CHAT, "any-thing", true))).await.status, 503);
    assert!(rig.server.admin("GET", "/aliases", &Value::Null).await.to_string().find("any-").is_none());
}
