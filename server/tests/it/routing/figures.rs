//! The pool's figures on every path that callers use: streams, the WebSocket, counts and embeddings too. Exhausted
//! credentials cost each path one walk past them and nothing after it; a revoked one is met once.

use fakeup::Behaviour;
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::client::Ask;

/// One way to ask a provider of a kind for a model.
#[derive(Clone, Debug)]
enum Way {
    Http(&'static str, Value),
    /// A path with the model in it.
    Named(&'static str, Value),
    Socket,
}

/// Every way to ask a kind of provider.
fn ways(kind: &str) -> Vec<Way> {
    let said = json!([{"role": "user", "content": "a"}]);
    let both = |target: &'static str, mut body: Value| {
        let plain = Way::Http(target, body.clone());
        body["stream"] = json!(true);
        [plain, Way::Http(target, body)]
    };
    let parts = json!({"contents": [{"parts": [{"text": "a"}]}]});
    match kind {
        "anthropic" => both("/v1/messages", json!({"max_tokens": 8, "messages": said}))
            .into_iter()
            .chain([Way::Http("/v1/messages/count_tokens", json!({"messages": said}))])
            .collect(),
        "openai" => both("/v1/chat/completions", json!({"messages": said}))
            .into_iter()
            .chain(both("/v1/responses", json!({"input": "a"})))
            .chain(both("/v1/completions", json!({"prompt": "a"})))
            .chain([Way::Http("/v1/embeddings", json!({"input": "a"}))])
            .chain([Way::Http("/v1/moderations", json!({"input": "a"})), Way::Socket])
            .collect(),
        _ => ["generateContent", "streamGenerateContent?alt=sse", "countTokens", "embedContent"]
            .into_iter()
            .map(|call| match call {
                "embedContent" => Way::Named(call, json!({"content": {"parts": [{"text": "a"}]}})),
                _ => Way::Named(call, parts.clone()),
            })
            .collect(),
    }
}

const KINDS: [&str; 3] = ["anthropic", "openai", "gemini"];

/// The credentials that one request went out with, in order; it is served.
async fn served(rig: &Rig, way: &Way, model: &str) -> Vec<String> {
    rig.upstream.clear_invoice();
    let ask = match way {
        Way::Http(target, body) => {
            let mut body = body.clone();
            body["model"] = json!(model);
            Ask::post(target, body.to_string())
        }
        Way::Named(call, body) => Ask::post(&format!("/v1beta/models/{model}:{call}"), body.to_string()),
        Way::Socket => {
            let mut socket = rig.socket().await;
            socket.create(json!({"model": model, "input": "a"})).await;
            let last = socket.last().await;
            assert_eq!(last["type"], "response.completed", "{last}");
            return rig.seen();
        }
    };
    let got = rig.ask(rig.keyed(ask)).await;
    assert_eq!(got.status, 200, "{way:?}: {}", got.text());
    rig.seen()
}

#[tokio::test]
async fn tp_02_tp_16_four_exhausted_of_five_cost_every_path_four_switches_once_and_the_counts_add_up() {
    let names = ["up-1", "up-2", "up-3", "up-4", "up-5"];
    for kind in KINDS {
        let rig = Rig::unbound().await;
        rig.pool(kind, json!({}), &names).await;
        for name in &names[..4] {
            rig.on_credential(name, Behaviour::status(429).header("retry-after", "120"));
        }
        let ways = ways(kind);
        for (n, way) in ways.iter().enumerate() {
            // What is used up is a model of an account, so each way meets all of it anew.
            let model = format!("m-{n}");
            assert_eq!(served(&rig, way, &model).await, names, "{way:?}: the first");
            for _ in 0..3 {
                assert_eq!(served(&rig, way, &model).await, ["up-5"], "{way:?}: none once they rest");
            }
        }
        let (pool, expected) = (rig.get("/pool").await, json!(4 * ways.len()));
        assert_eq!((&pool["switches"], &pool["rate_limited"]), (&expected, &expected), "{kind}: {pool}");
        assert_eq!(pool["exhausted"], 0, "{kind}: {pool}");
        let slots = pool["trend"]["slots"].as_array().unwrap();
        for field in ["switches", "rate_limited"] {
            let sum: u64 = slots.iter().map(|slot| slot[field].as_u64().unwrap()).sum();
            assert_eq!(json!(sum), expected, "{kind}: the trend is made of the same {field}");
        }
    }
}

#[tokio::test]
async fn a_revoked_credential_is_out_of_rotation_within_one_request_on_every_path() {
    for kind in KINDS {
        let rig = Rig::unbound().await;
        let provider = rig.pool(kind, json!({}), &[]).await;
        rig.credential(provider, "up-good", json!({"priority": 90})).await;
        for (n, way) in ways(kind).iter().enumerate() {
            // Those of the ways before are out already.
            let revoked = format!("up-revoked-{n}");
            rig.credential(provider, &revoked, json!({"priority": n})).await;
            rig.on_credential(&revoked, Behaviour::status(401));
            assert_eq!(served(&rig, way, "m-1").await, [revoked, "up-good".to_owned()], "{way:?}: the first");
            for _ in 0..3 {
                assert_eq!(served(&rig, way, "m-1").await, ["up-good"], "{way:?}: never again");
            }
        }
    }
}
