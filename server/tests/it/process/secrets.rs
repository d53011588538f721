//! `tollgate secrets`: another encryption secret, with and without a gateway that runs, and killed half way.

use std::path::Path;

use fakeup::Fakeup;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{STRONG, STRONG_TOO, admin, outcome, started, stop, text, tollgate};

const SECRETS: [&str; 3] = [
    STRONG_TOO,
    "b1946ac92492d2347c6235b4d2611184e1d3a1b7f0a94f2f8c5e6d7a8b9c0d1e",
    "591785b794601e212b260e25925636fd2f8e4b1c7a9d3e5f6071829304a5b6c7",
];
const CREDENTIALS: usize = 1_500;

/// The environment with one secret, and with a former one.
fn env<'a>(secret: &'a str, former: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    let mut env = vec![("ADMIN_TOKEN", STRONG), ("ENCRYPTION_SECRET", secret), ("LOG_LEVEL", "error")];
    env.extend(former.map(|former| ("ENCRYPTION_SECRET_PREVIOUS", former)));
    env
}

async fn secrets(dir: &Path, command: &str, env: &[(&str, &str)]) -> (i32, String) {
    let (code, output) = outcome(tollgate(dir, &["secrets", command], env)).await;
    (code, format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

/// Fills an installation with credentials and stops it.
async fn furnish(dir: &Path, upstream: &Fakeup) {
    let (child, _, address) = started(tollgate(dir, &[], &env(SECRETS[0], None))).await;
    let keys: Vec<String> = (0..CREDENTIALS).map(|n| format!("up-{n}")).collect();
    let channel = json!({
        "id": 1, "type": 14, "key": keys.join("\n"), "status": 1, "name": "main", "models": "m", "group": "default",
        "base_url": upstream.base_url(),
    });
    let file = json!({"success": true, "data": {"total": 1, "items": [channel]}}).to_string();
    let (_, did) = admin(&address, "POST", "/credentials/import", &json!({"content": file})).await;
    assert_eq!(did["new_credentials"], CREDENTIALS, "{did}");
    stop(child).await;
}

/// Begins a rotation and kills it as soon as it has said how far it is.
async fn kill_half_way(dir: &Path, env: &[(&str, &str)]) {
    let mut child = tollgate(dir, &["secrets", "rotate"], env).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap_or_default();
    child.kill().await.unwrap();
    assert!(first.contains(" looked at, "), "{first}");
}

#[tokio::test]
async fn cr_04_a_rotation_that_is_killed_goes_on_where_it_was_and_loses_nothing() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Fakeup::start().await);
    let dir = dir.path();
    furnish(dir, &upstream).await;
    let (code, said) = secrets(dir, "rotate", &env(SECRETS[1], Some(SECRETS[2]))).await;
    assert_eq!(code, 15, "{said}");
    assert!(said.contains("Decryption failed") && said.contains("(key id "), "{said}");
    assert!(said.contains("ENCRYPTION_SECRET_PREVIOUS"), "the way out: {said}");

    let (mut old, mut new) = (SECRETS[0], SECRETS[1]);
    let mut killed = false;
    for _ in 0..8 {
        kill_half_way(dir, &env(new, Some(old))).await;
        let (code, said) = secrets(dir, "status", &env(new, Some(old))).await;
        if code != 0 {
            assert_eq!(code, 1, "{said}");
            assert!(said.contains("with a former key") && said.contains("secrets rotate"), "{said}");
            killed = true;
            break;
        }
        // It was quicker than the kill: once more, the other way round.
        (old, new) = (new, old);
    }
    assert!(killed, "eight rotations were all quicker than the kill");
    let (code, output) = outcome(tollgate(dir, &[], &env(new, None))).await;
    assert_eq!(code, 15, "half way, both secrets are needed: {}", text(&output.stderr));

    let (code, said) = secrets(dir, "rotate", &env(new, Some(old))).await;
    assert_eq!(code, 0, "{said}");
    let last = said.lines().rev().find(|line| line.contains("sealed anew")).unwrap();
    let resealed: usize = last.rsplit(", ").next().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(resealed > 0 && resealed < CREDENTIALS, "it went on with what was left: {last}");
    let (code, said) = secrets(dir, "status", &env(new, None)).await;
    assert_eq!(code, 0, "{said}");

    let (child, _, address) = started(tollgate(dir, &[], &env(new, None))).await;
    let (_, pool) = admin(&address, "GET", "/pool", &Value::Null).await;
    assert_eq!((&pool["total"], &pool["active"]), (&json!(CREDENTIALS), &json!(CREDENTIALS)), "{pool}");
    stop(child).await;
    let (code, _) = outcome(tollgate(dir, &[], &env(old, None))).await;
    assert_eq!(code, 15, "the old secret is out");
}

#[tokio::test]
async fn cr_04_a_gateway_that_runs_is_asked_and_a_start_with_both_secrets_needs_no_command() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Fakeup::start().await);
    let dir = dir.path();
    furnish(dir, &upstream).await;
    let both = env(SECRETS[1], Some(SECRETS[0]));
    let (child, _, address) = started(tollgate(dir, &[], &both)).await;
    let port = address.rsplit(':').next().unwrap();
    let with_port = |mut env: Vec<(&'static str, &'static str)>, port| {
        env.push(("PORT", port));
        env
    };
    let port: &'static str = port.to_owned().leak();
    let other = with_port(env(SECRETS[2], Some(SECRETS[0])), port);
    let (code, said) = secrets(dir, "rotate", &other).await;
    assert_eq!(code, 15, "{said}");
    assert!(said.contains("the running gateway (process ") && said.contains("Restart it"), "{said}");
    let (code, said) = secrets(dir, "rotate", &with_port(both, port)).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("everything is sealed with key"), "{said}");
    assert!(!said.contains("up-1"), "no secret is shown");
    let (_, view) = admin(&address, "GET", "/secrets", &Value::Null).await;
    assert_eq!((&view["all_current"], &view["rotation"]["phase"]), (&json!(true), &json!("done")), "{view}");
    let lines = view["lines"].as_array().unwrap();
    assert_eq!((&lines[0]["kind"], &lines[0]["current"]), (&json!("credential_secret"), &json!(CREDENTIALS)));
    stop(child).await;
}
