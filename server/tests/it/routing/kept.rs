//! Responses that their vendor keeps: whoever continues one meets the account that made it, or hears why not.

use fakeup::{Behaviour, Rule};
use serde_json::{Value, json};

use super::{chain, eventually};
use crate::rig::Rig;
use crate::rig::client::Ask;

const ACCOUNTS: [&str; 3] = ["up-a", "up-b", "up-c"];

/// The answer of an account that gives its answers ids of its own.
fn answer(account: &str) -> Value {
    let text = json!([{"type": "output_text", "text": "Hello.", "annotations": []}]);
    json!({
        "id": format!("resp_of_{account}"), "object": "response", "status": "completed", "model": "m-1",
        "conversation": {"id": format!("conv_of_{account}")},
        "output": [{"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": text}],
        "usage": {"input_tokens": 25, "output_tokens": 3, "total_tokens": 28},
    })
}

fn stream(account: &str) -> String {
    let whole = answer(account);
    let mut begun = whole.clone();
    (begun["status"], begun["output"]) = (json!("in_progress"), json!([]));
    let delta = json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hello."});
    let events = [
        ("response.created", json!({"type": "response.created", "response": begun})),
        ("response.output_text.delta", delta),
        ("response.completed", json!({"type": "response.completed", "response": whole})),
    ];
    events.map(|(name, data)| format!("event: {name}\ndata: {data}\n\n")).concat()
}

/// Three accounts that are equal in everything and stick to nobody.
async fn three() -> (Rig, i64) {
    let rig = Rig::unbound().await;
    let provider = rig.provider("openai", json!({"api_key": null})).await;
    for account in ACCOUNTS {
        rig.credential(provider, account, json!({})).await;
        let of = |model: &str, behaviour| Rule {
            model: Some(model.into()),
            ..Rule::credential(account, behaviour)
        };
        rig.upstream.script(of("m-whole", Behaviour::body("application/json", answer(account).to_string())));
        rig.upstream.script(of("m-stream", Behaviour::body("text/event-stream", stream(account))));
    }
    (rig, provider)
}

#[expect(clippy::needless_pass_by_value, reason = "callers make it on the spot")]
fn ask(model: &str, more: Value) -> Ask {
    let mut body = json!({"model": model, "stream": model == "m-stream", "input": "Say hello."});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    Ask::post("/v1/responses", body.to_string())
}

async fn met(rig: &Rig, ask: Ask) -> String {
    let mut seen = rig.sent_with(ask, 200).await;
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

#[tokio::test]
async fn fault_u54_ca_07_a_response_is_continued_by_the_account_that_keeps_it() {
    let (rig, _) = three().await;
    let mut makers = Vec::new();
    for model in ["m-whole", "m-stream"] {
        for _ in 0..6 {
            let maker = met(&rig, ask(model, json!({}))).await;
            for _ in 0..4 {
                let next = json!({"previous_response_id": format!("resp_of_{maker}")});
                assert_eq!(met(&rig, ask(model, next)).await, maker, "{model}");
                let next = json!({"conversation": {"id": format!("conv_of_{maker}")}});
                assert_eq!(met(&rig, ask(model, next)).await, maker, "{model}, by its conversation");
            }
            makers.push(maker);
        }
    }
    makers.sort_unstable();
    makers.dedup();
    assert!(makers.len() > 1, "or the above proves nothing: {makers:?}");
    // The record says why nobody else was asked.
    let id = format!("resp_of_{}", makers[0]);
    let (_, row) = rig.asked(ask("m-whole", json!({"previous_response_id": id}))).await;
    assert_eq!(row["decision"]["removed"], json!([{"filter": "kept_elsewhere", "count": 2}]), "{row}");
    // An id that nobody here has made leads nowhere.
    let mut seen = Vec::new();
    for _ in 0..40 {
        seen.push(met(&rig, ask("m-whole", json!({"previous_response_id": "resp_of_yesterday"}))).await);
    }
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 1, "{seen:?}");
}

#[tokio::test]
async fn fault_u54_it_is_explained_where_the_account_that_keeps_it_cannot_serve() {
    let (rig, _) = three().await;
    let maker = met(&rig, ask("m-whole", json!({}))).await;
    let next = || ask("m-whole", json!({"previous_response_id": format!("resp_of_{maker}")}));
    // Nobody else is asked: he would not know it.
    let busy = Behaviour::status(429).header("retry-after", "50");
    rig.upstream.script(Rule::credential(&maker, busy).times(1));
    rig.upstream.clear_invoice();
    let (got, row) = rig.asked(next()).await;
    assert_eq!(
        (got.status, rig.seen(), chain(&row, "credential_name").len()),
        (429, vec![maker.clone()], 1),
        "{row}"
    );
    let (got, row) = rig.asked(next()).await;
    assert_eq!((got.status, got.code().as_str()), (503, "previous_response_unavailable"), "{}", got.text());
    let wait: u64 = got.header("retry-after").parse().unwrap();
    assert!((1..=50).contains(&wait) && got.text().contains("cooldown"), "{wait}: {}", got.text());
    assert_eq!((rig.seen().len(), &row["error_code"]), (1, &json!("previous_response_unavailable")));
    // Others are served meanwhile.
    assert_ne!(met(&rig, ask("m-whole", json!({}))).await, maker);
    rig.recover().await;
    assert_eq!(met(&rig, next()).await, maker);
    let id = rig.account(&maker).await["id"].clone();
    rig.change(&format!("/credentials/{id}"), json!({"enabled": false})).await;
    let got = rig.ask(rig.keyed(next())).await;
    assert_eq!((got.status, got.code().as_str()), (400, "previous_response_not_found"), "{}", got.text());
    assert!(got.text().contains("(disabled)"), "{}", got.text());
    rig.delete(&format!("/credentials/{id}")).await;
    let got = rig.ask(rig.keyed(next())).await;
    assert_eq!((got.status, got.code().as_str()), (400, "previous_response_not_found"), "{}", got.text());
    assert!(got.text().contains("(gone)"), "{}", got.text());
}

#[tokio::test]
async fn nobody_is_led_by_what_is_not_kept_or_anothers() {
    let (rig, provider) = three().await;
    let maker = met(&rig, ask("m-whole", json!({"store": false}))).await;
    let id = rig.account(&maker).await["id"].clone();
    // It was asked not to be kept, so it leads nowhere; that its account is away is no reason to refuse.
    rig.change(&format!("/credentials/{id}"), json!({"enabled": false})).await;
    let next = || ask("m-whole", json!({"previous_response_id": format!("resp_of_{maker}")}));
    let second = met(&rig, next()).await;
    assert_ne!(second, maker);
    rig.change(&format!("/credentials/{id}"), json!({"enabled": true})).await;
    // Another user's ids are his own.
    let user = rig.server.admin("POST", "/users", &json!({"name": "other"})).await;
    let key = rig.server.admin("POST", &format!("/users/{}/keys", user["id"]), &json!({"name": "k"})).await;
    let key = format!("Bearer {}", key["key"].as_str().unwrap());
    let only = ask("m-whole", json!({})).header("authorization", &key);
    rig.upstream.clear_invoice();
    assert_eq!(rig.ask(only).await.status, 200);
    let his = rig.seen().remove(0);
    let of_his = rig.account(&his).await["id"].clone();
    rig.change(&format!("/credentials/{of_his}"), json!({"enabled": false})).await;
    let asks = ask("m-whole", json!({"previous_response_id": format!("resp_of_{his}")}));
    let got = rig.ask(asks.header("authorization", &key)).await;
    assert_eq!((got.status, got.code().as_str()), (400, "previous_response_not_found"));
    // Unless the first user has a response of that name too.
    if his != maker && his != second {
        let mine = ask("m-whole", json!({"previous_response_id": format!("resp_of_{his}")}));
        assert_eq!(rig.ask(rig.keyed(mine)).await.status, 200, "to the first user it is an id of nobody's");
    }
    let _ = provider;
    eventually("nothing is held", async || {
        rig.items("/credentials").await.iter().all(|account| account["in_flight"] == 0).then_some(())
    })
    .await;
}
