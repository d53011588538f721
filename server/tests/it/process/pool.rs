//! What the program says of its pool: at a start, and to `doctor pool`.

use std::path::Path;

use fakeup::{Behaviour, Fakeup, Rule};
use serde_json::{Value, json};

use super::{STRONG, STRONG_TOO, admin, call, outcome, signal, started, stop, text, tollgate};

const ENV: [(&str, &str); 4] = [
    ("ADMIN_TOKEN", STRONG),
    ("ENCRYPTION_SECRET", STRONG_TOO),
    ("LOG_FORMAT", "json"),
    ("LOG_LEVEL", "debug"),
];

/// Makes a provider with two more credentials over the admin API.
async fn provision(address: &str, upstream: &Fakeup) {
    let post = async |path: &str, body: Value| {
        let (_, made) = admin(address, "POST", path, &body).await;
        assert!(made["id"].is_i64(), "{made}");
        made["id"].clone()
    };
    let id = post("/providers", json!({
        "name": "main", "kind": "anthropic", "base_url": upstream.base_url(), "api_key": "up-good", "tier": "personal",
    }))
    .await;
    post("/credentials", json!({ "provider_id": id, "name": "bad", "api_key": "up-bad" })).await;
    post(
        "/credentials",
        json!({
            "provider_id": id, "name": "off", "api_key": "up-off", "tier": "fallback", "enabled": false,
        }),
    )
    .await;
}

async fn doctor(dir: &Path, port: &str) -> (i32, String) {
    let mut env = ENV.to_vec();
    env.push(("PORT", port));
    let (code, output) = outcome(tollgate(dir, &["doctor", "pool"], &env)).await;
    (code, text(&output.stdout))
}

fn line<'a>(found: &'a str, what: &str) -> &'a str {
    found.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what} is missing in:\n{found}"))
}

#[tokio::test]
async fn tp_08_tp_15_a_start_counts_the_pool_and_doctor_calls_each_entry() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Fakeup::start().await);
    let (child, _, address) = started(tollgate(dir.path(), &[], &ENV)).await;
    provision(&address, &upstream).await;
    let port = address.rsplit(':').next().unwrap();
    let (code, found) = doctor(dir.path(), port).await;
    assert_eq!(code, 0, "{found}");
    for (what, begins) in [("main / key 1", "ok "), ("main / bad", "ok "), ("main / off", "note ")] {
        assert!(line(&found, what).starts_with(begins), "{found}");
    }
    assert!(
        line(&found, "main / key 1").contains("personal") && line(&found, "main / key 1").ends_with(" ms")
    );
    upstream.script(Rule::credential("up-bad", Behaviour::status(401)));
    let (code, found) = doctor(dir.path(), port).await;
    assert_eq!(code, 1, "{found}");
    assert!(
        line(&found, "main / bad").starts_with("FAIL ") && line(&found, "main / bad").contains("401"),
        "{found}"
    );
    assert!(!found.contains("up-bad"), "no secret");
    // Who is limited lives, which is neither a fault nor a proof.
    upstream.forget();
    upstream.script(Rule::credential("up-bad", Behaviour::status(429)));
    let (code, found) = doctor(dir.path(), port).await;
    assert_eq!((code, line(&found, "main / bad").starts_with("note ")), (0, true), "{found}");
    upstream.forget();
    let (code, found) = doctor(dir.path(), port).await;
    assert_eq!(code, 0, "the vendor takes it again: {found}");
    signal(&child, rustix::process::Signal::TERM);
    assert!(child.wait_with_output().await.unwrap().status.success());

    let (code, found) = doctor(dir.path(), port).await;
    assert_eq!(code, 0, "stored states are all well: {found}");
    assert!(line(&found, "nobody was called").starts_with("note "), "{found}");

    // What is stored as refused is told without a gateway too.
    upstream.script(Rule::credential("up-bad", Behaviour::status(401)));
    let (child, _, address) = started(tollgate(dir.path(), &[], &ENV)).await;
    let (code, _) = doctor(dir.path(), address.rsplit(':').next().unwrap()).await;
    assert_eq!(code, 1);
    stop(child).await;
    let (code, found) = doctor(dir.path(), port).await;
    assert_eq!(code, 1, "{found}");
    let bad = line(&found, "main / bad");
    assert!(bad.starts_with("FAIL ") && bad.contains("invalid") && bad.contains("401"), "{found}");
    // Whoever was switched off by the checks is lost all the same, and told with the reason.
    let (child, _, address) = started(tollgate(dir.path(), &[], &ENV)).await;
    let once = json!({ "value": "1" });
    assert_eq!(admin(&address, "PUT", "/settings/account_error_threshold", &once).await.0, 200);
    for _ in 0..2 {
        let (code, found) = doctor(dir.path(), address.rsplit(':').next().unwrap()).await;
        let bad = line(&found, "main / bad");
        assert_eq!(code, 1, "{found}");
        assert!(bad.starts_with("FAIL ") && bad.contains(" disabled ") && bad.contains("401"), "{found}");
    }
    stop(child).await;
    let (code, found) = doctor(dir.path(), port).await;
    let bad = line(&found, "main / bad");
    assert_eq!(code, 1, "{found}");
    assert!(bad.starts_with("FAIL ") && bad.contains("switched off by its checks"), "{found}");
    upstream.forget();
    let (child, _, address) = started(tollgate(dir.path(), &[], &ENV)).await;
    let (code, found) = doctor(dir.path(), address.rsplit(':').next().unwrap()).await;
    let bad = line(&found, "main / bad");
    assert_eq!(code, 0, "it is taken again: {found}");
    assert!(bad.starts_with("ok ") && bad.contains(" valid "), "{found}");
    stop(child).await;

    let (child, _, _) = started(tollgate(dir.path(), &[], &ENV)).await;
    signal(&child, rustix::process::Signal::TERM);
    let output = child.wait_with_output().await.unwrap();
    let stdout = text(&output.stdout);
    let pool = told(&stdout, "the pool").remove(0);
    for (name, count) in
        [("total", 3), ("active", 2), ("failed", 1), ("personal", 1), ("shared", 1), ("fallback", 1)]
    {
        assert_eq!(pool[name], count, "{name}: {pool}");
    }
    let entries = told(&stdout, "in the pool");
    assert_eq!(entries.len(), 3, "{stdout}");
    assert_eq!((&entries[0]["provider.name"], &entries[0]["state"]), (&json!("main"), &json!("valid")));
}

/// What the log says with a message.
fn told(stdout: &str, message: &str) -> Vec<Value> {
    let lines = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == message).collect()
}

#[tokio::test]
async fn tp_08_a_start_counts_an_empty_pool_and_one_of_one() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Fakeup::start().await);
    let (child, _, address) = started(tollgate(dir.path(), &[], &ENV)).await;
    let provider = json!({
        "name": "main", "kind": "anthropic", "base_url": upstream.base_url(), "api_key": "up-good", "tier": "fallback",
    });
    assert_eq!(admin(&address, "POST", "/providers", &provider).await.0, 201);
    let empty = stop(child).await;
    let (child, _, _) = started(tollgate(dir.path(), &[], &ENV)).await;
    let one = stop(child).await;
    for (log, count) in [(empty, 0), (one, 1)] {
        let pool = told(&log, "the pool").remove(0);
        for (name, expected) in [
            ("total", count),
            ("active", count),
            ("failed", 0),
            ("personal", 0),
            ("shared", 0),
            ("fallback", count),
            ("faults", 0),
        ] {
            assert_eq!(pool[name], expected, "{name}: {pool}");
        }
        let entries = told(&log, "in the pool");
        assert_eq!(entries.len(), count, "{log}");
        for entry in entries {
            assert_eq!((&entry["credential.name"], &entry["tier"]), (&json!("key 1"), &json!("fallback")));
            assert_eq!((&entry["active"], &entry["level"]), (&json!(true), &json!("INFO")), "{entry}");
        }
    }
}

/// The pool with variables of its own.
fn with<'a>(variables: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    ENV.iter().copied().chain(variables.iter().copied()).collect()
}

fn kinds(pool: &Value) -> Vec<(String, String, Option<u64>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let faults = pool["faults"].as_array().unwrap();
    faults.iter().map(|f| (text(&f["kind"]), text(&f["subject"]), f["entry"].as_u64())).collect()
}

#[tokio::test]
async fn tp_09_tp_11_variables_fill_the_pool_and_what_is_wrong_with_them_stops_nobody() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Fakeup::start().await);
    let variables = [
        ("POOL_KEYS_MAIN", "up-CANARY-1, 'up-CANARY-2' ,changeme-CANARY, up-CANARY-1"),
        ("POOL_PERSONAL_KEY_MAIN", "up-CANARY-9"),
        ("POOL_KEYS_GHOST", "up-CANARY-8"),
    ];
    let (code, output) = outcome(tollgate(dir.path(), &["config", "validate"], &with(&variables))).await;
    let said = text(&output.stdout);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("POOL_KEYS_MAIN (environment): entry 3 is a placeholder"), "{said}");
    assert!(said.contains("entry 4 is the same as entry 1") && !said.contains("CANARY"), "{said}");
    let (_, output) = outcome(tollgate(dir.path(), &["config", "show"], &with(&variables))).await;
    let said = text(&output.stdout);
    assert!(line(&said, "POOL_KEYS_MAIN").contains("(2 set, 1 left out)"), "{said}");
    assert!(!said.contains("CANARY"), "{said}");

    // Nothing that the variables name can be set up yet, and the service runs.
    let (child, _, address) = started(tollgate(dir.path(), &[], &with(&variables))).await;
    let (status, health) = call(&address, "GET", "/health", ("Accept", "*/*"), &Value::Null).await;
    assert_eq!((status, &health["status"]), (200, &json!("degraded")), "{health}");
    assert_eq!(health["checks"]["pool"], "degraded", "{health}");
    let (_, pool) = admin(&address, "GET", "/pool", &Value::Null).await;
    let owned = |kind: &str, subject: &str, entry| (kind.to_owned(), subject.to_owned(), entry);
    let placeholder = owned("placeholder", "POOL_KEYS_MAIN", Some(3));
    let ghost = owned("no_provider", "POOL_KEYS_GHOST", None);
    let main = ["POOL_KEYS_MAIN", "POOL_PERSONAL_KEY_MAIN"].map(|name| owned("no_provider", name, None));
    let mut expected = vec![placeholder.clone(), ghost.clone()];
    expected.extend(main);
    assert_eq!(kinds(&pool), expected, "{pool}");
    let (_, overview) = admin(&address, "GET", "/overview", &Value::Null).await;
    assert!(overview["attention"].to_string().contains("pool_fault"), "{overview}");

    // With the provider they appear, and serve.
    let provider = json!({"name": "Main", "kind": "anthropic", "base_url": upstream.base_url()});
    let (status, provider) = admin(&address, "POST", "/providers", &provider).await;
    assert_eq!(status, 201, "{provider}");
    let (_, pool) = admin(&address, "GET", "/pool", &Value::Null).await;
    assert_eq!(kinds(&pool), [placeholder, ghost], "{pool}");
    assert_eq!((&pool["total"], &pool["active"]), (&json!(3), &json!(3)), "{pool}");
    let tiers: Vec<_> = pool["tiers"].as_array().unwrap().iter().map(|tier| &tier["total"]).collect();
    assert_eq!(tiers, [1, 2, 0], "personal, shared, fallback");
    let (_, user) = admin(&address, "POST", "/users", &json!({"name": "u"})).await;
    let keys = format!("/users/{}/keys", user["id"]);
    let (_, key) = admin(&address, "POST", &keys, &json!({"name": "k"})).await;
    let ask = json!({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]});
    let auth = ("x-api-key", key["key"].as_str().unwrap());
    assert_eq!(call(&address, "POST", "/v1/messages", auth, &ask).await.0, 200);
    assert_eq!(upstream.invoice().remove(0).credential(), Some("up-CANARY-9"), "the personal tier first");

    // They can be switched off by hand, and nothing else.
    let (_, list) = admin(&address, "GET", "/credentials", &Value::Null).await;
    let second = list["items"].as_array().unwrap().iter().find(|c| c["name"] == "env 2").unwrap().clone();
    assert_eq!(second["managed_by"], "POOL_KEYS_MAIN", "{second}");
    let path = format!("/credentials/{}", second["id"]);
    for (method, body) in [("PATCH", json!({"priority": 3})), ("DELETE", Value::Null)] {
        let (status, refused) = admin(&address, method, &path, &body).await;
        assert_eq!((status, &refused["error"]["code"]), (409, &json!("managed_by_environment")), "{refused}");
    }
    for enabled in [false, true] {
        assert_eq!(admin(&address, "PATCH", &path, &json!({"enabled": enabled})).await.0, 200);
    }
    let log = stop(child).await;
    assert_eq!(told(&log, "the pool").remove(0)["faults"], 4, "{log}");
    assert!(!log.contains("CANARY"), "a value in the log");

    // What is named no more goes; what stays keeps its name; what is named again is the same as before.
    // Quotes around a whole list are no part of its keys: files for containers keep them.
    let fewer = with(&[("POOL_FALLBACK_KEYS_MAIN", "'up-CANARY-2, up-CANARY-2'")]);
    let (child, _, address) = started(tollgate(dir.path(), &[], &fewer)).await;
    let (_, list) = admin(&address, "GET", "/credentials", &Value::Null).await;
    let left = list["items"].as_array().unwrap();
    assert_eq!(left.len(), 1, "{list}");
    assert_eq!((&left[0]["id"], &left[0]["name"]), (&second["id"], &second["name"]), "{list}");
    assert_eq!(
        (&left[0]["tier"], &left[0]["managed_by"]),
        (&json!("fallback"), &json!("POOL_FALLBACK_KEYS_MAIN"))
    );
    stop(child).await;
    let (child, _, address) = started(tollgate(dir.path(), &[], &ENV)).await;
    let (_, list) = admin(&address, "GET", "/credentials", &Value::Null).await;
    assert_eq!(list["items"], json!([]));
    let (_, health) = call(&address, "GET", "/health", ("Accept", "*/*"), &Value::Null).await;
    assert_eq!(health["checks"]["pool"], "ok", "{health}");
    stop(child).await;
    let (child, _, address) = started(tollgate(dir.path(), &[], &fewer)).await;
    let (_, list) = admin(&address, "GET", "/credentials", &Value::Null).await;
    assert_eq!(list["items"][0]["id"], second["id"], "{list}");
    let (_, audit) = admin(&address, "GET", "/audit?limit=100", &Value::Null).await;
    assert!(audit.to_string().contains("\"environment\"") && !audit.to_string().contains("CANARY"));
    stop(child).await;
}

#[tokio::test]
async fn tp_07_each_decision_of_the_pool_is_logged_by_name_and_never_with_a_secret() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Fakeup::start().await);
    let (child, _, address) = started(tollgate(dir.path(), &[], &ENV)).await;
    let provider = json!({
        "name": "main", "kind": "anthropic", "base_url": upstream.base_url(), "api_key": "up-CANARY-1", "tier": "personal",
    });
    let (_, provider) = admin(&address, "POST", "/providers", &provider).await;
    let second = json!({"provider_id": provider["id"], "name": "spare", "api_key": "up-CANARY-2"});
    assert_eq!(admin(&address, "POST", "/credentials", &second).await.0, 201);
    let (_, user) = admin(&address, "POST", "/users", &json!({"name": "u"})).await;
    let (_, key) =
        admin(&address, "POST", &format!("/users/{}/keys", user["id"]), &json!({"name": "k"})).await;
    let ask = json!({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]});
    let auth = ("x-api-key", key["key"].as_str().unwrap());
    upstream.script(Rule::credential("up-CANARY-1", Behaviour::status(429)));
    assert_eq!(call(&address, "POST", "/v1/messages", auth, &ask).await.0, 200);
    upstream.script(Rule::credential("up-CANARY-2", Behaviour::status(429)));
    assert_eq!(call(&address, "POST", "/v1/messages", auth, &ask).await.0, 429);
    let log = stop(child).await;
    let select = told(&log, "pool.select: trying the first credential").remove(0);
    assert_eq!((&select["credential.name"], &select["tier"]), (&json!("key 1"), &json!("personal")));
    let switch = told(&log, "pool.switch: trying another credential").remove(0);
    for (field, expected) in [
        ("provider.name", json!("main")),
        ("credential.name", json!("spare")),
        ("tier", json!("shared")),
        ("after", json!("rate_limit")),
        ("attempt", json!(2)),
    ] {
        assert_eq!(switch[field], expected, "{field}: {switch}");
    }
    assert_eq!(select["request.id"], switch["request.id"], "one request");
    let exhausted = told(&log, "pool.exhausted: no credential is left for a request");
    assert_eq!(exhausted.len(), 1, "{log}");
    assert!(exhausted[0]["reason"].is_string() && exhausted[0]["request.id"].is_string(), "{exhausted:?}");
    assert!(!log.contains("CANARY"), "no secret is logged");
}
