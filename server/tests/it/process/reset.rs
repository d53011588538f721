//! `tollgate reset`, the program: what it refuses, what it keeps, and the way back that it prints.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fakeup::Fakeup;
use serde_json::{Value, json};

use super::{STRONG, admin, call, outcome, started, stop, text, tollgate};

/// A folder whose name would break a command that is not quoted.
fn folder(home: &Path) -> PathBuf {
    let dir = home.join("it's a gateway");
    std::fs::create_dir(&dir).unwrap();
    dir
}

/// The exit code and what was said. `PATH` is only for what it starts itself.
async fn reset(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> (i32, String, String) {
    let args: Vec<_> = [&["reset"], args].concat();
    let (code, output) = outcome(tollgate(dir, &args, env)).await;
    (code, text(&output.stdout), text(&output.stderr))
}

/// A gateway with a provider, a key and one request that was answered; answers the key.
async fn furnish(dir: &Path, upstream: &Fakeup, env: &[(&str, &str)]) -> String {
    let (child, _, address) = started(tollgate(dir, &[], env)).await;
    let provider = json!({
        "name": "main", "kind": "anthropic", "base_url": upstream.base_url(), "api_key": "up-one",
    });
    let (status, made) = admin(&address, "POST", "/providers", &provider).await;
    assert_eq!(status, 201, "{made}");
    let (_, user) = admin(&address, "POST", "/users", &json!({ "name": "ann" })).await;
    let path = format!("/users/{}/keys", user["id"]);
    let (status, key) = admin(&address, "POST", &path, &json!({ "name": "laptop" })).await;
    assert_eq!(status, 201, "{key}");
    let key = key["key"].as_str().unwrap().to_owned();
    assert_eq!(ask(&address, &key).await, 200);
    stop(child).await;
    key
}

async fn ask(address: &str, key: &str) -> u16 {
    let body = json!({ "model": "m", "max_tokens": 5, "messages": [{ "role": "user", "content": "hi" }] });
    call(address, "POST", "/v1/messages", ("x-api-key", key), &body).await.0
}

/// Runs the indented lines of the way back as a shell would.
fn go_back(said: &str, env: &[(&str, &str)]) {
    let (_, way) = said.split_once("to go back, while no gateway runs:\n").unwrap();
    let lines: Vec<_> = way.lines().take_while(|line| line.starts_with("  ")).collect();
    let script = lines.join("\n");
    assert!(script.lines().count() >= 3, "{said}");
    let shell = std::process::Command::new("sh").args(["-euc", &script]).envs(env.iter().copied()).output();
    let shell = shell.unwrap();
    assert!(shell.status.success(), "{script}\n{}", text(&shell.stderr));
}

async fn holds(address: &str, key: &str, providers: usize, requests: bool) {
    let count = |value: &Value| value["items"].as_array().unwrap().len();
    let (_, list) = admin(address, "GET", "/providers", &Value::Null).await;
    assert_eq!(count(&list), providers, "{list}");
    let (_, list) = admin(address, "GET", "/requests", &Value::Null).await;
    assert_eq!(count(&list) > 0, requests, "{list}");
    assert_eq!(ask(address, key).await, if providers > 0 { 200 } else { 401 });
}

async fn there_and_back(dir: &Path, env: &[(&str, &str)]) {
    let upstream = Fakeup::start().await;
    let key = furnish(dir, &upstream, env).await;

    let (code, _, said) = reset(dir, &[], env).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("1 providers, 1 credentials, 1 users, 1 api keys, 1 requests"), "{said}");
    assert!(said.contains("nothing was changed") && said.lines().last().unwrap().contains("--yes"), "{said}");
    assert!(!dir.join("data/backups").exists(), "nothing was made either");

    let (child, _, address) = started(tollgate(dir, &[], env)).await;
    let (code, _, said) = reset(dir, &["--yes"], env).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&format!("(process {})", child.id().unwrap())), "{said}");
    assert!(said.lines().last().unwrap().contains("Stop it"), "{said}");
    holds(&address, &key, 1, true).await;
    stop(child).await;

    let waiting = dir.join("data/tokens/1-0.sealed");
    std::fs::create_dir_all(waiting.parent().unwrap()).unwrap();
    std::fs::write(&waiting, "a fresh token that the database does not have").unwrap();
    let (code, done, said) = reset(dir, &["--yes"], env).await;
    assert_eq!(code, 0, "{said}");
    assert!(!waiting.exists());
    for part in
        ["backup     ", "/data/backups/reset-2", "emptied    1 providers", "kept       ", "data/secrets"]
    {
        assert!(done.contains(part), "{part} is missing in {done}");
    }
    let backup = PathBuf::from(done.lines().next().unwrap().strip_prefix("backup     ").unwrap());
    let mode = std::fs::metadata(&backup).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "nobody else reads it");
    let kept = std::fs::read_to_string(backup.join("RESTORE.txt")).unwrap();
    assert!(done.contains(&kept), "the way back is told and kept");
    let left: Vec<_> =
        std::fs::read_dir(dir.join("data/journal")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"], "the journal is empty");
    if let Ok(database) = std::fs::read(dir.join("data/tollgate.db")) {
        assert!(!database.windows(6).any(|bytes| bytes == b"laptop"), "no free page holds what was there");
    }

    let (child, _, address) = started(tollgate(dir, &[], env)).await;
    holds(&address, &key, 0, false).await;
    stop(child).await;

    go_back(&done, env);
    assert!(waiting.exists());
    let (child, _, address) = started(tollgate(dir, &[], env)).await;
    holds(&address, &key, 1, true).await;
    stop(child).await;
}

#[tokio::test]
async fn ac_12_a_reset_needs_a_yes_and_a_stopped_gateway_makes_a_backup_and_tells_the_way_back() {
    let home = tempfile::tempdir().unwrap();
    // The encryption secret is one that a first start makes: it must outlive the reset.
    there_and_back(&folder(home.path()), &[("ADMIN_TOKEN", STRONG)]).await;
}

#[tokio::test]
async fn ac_12_a_database_on_a_server_is_dumped_first() {
    let Some(database) = store::testing::postgres_empty().await else { return };
    database.close().await;
    let home = tempfile::tempdir().unwrap();
    let dir = folder(home.path());
    let env = [("ADMIN_TOKEN", STRONG), ("DATABASE_URL", database.url()), ("PATH", "/usr/bin:/bin")];
    there_and_back(&dir, &env).await;

    let bare = [env[0], env[1], ("PATH", "/nowhere")];
    let (code, _, said) = reset(&dir, &["--yes"], &bare).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("pg_dump is not installed") && said.contains("nothing was changed"), "{said}");
    assert!(said.lines().last().unwrap().contains("postgresql-client"), "{said}");

    let other = store::Store::connect(database.url(), store::ConnectOptions::default()).await.unwrap();
    other.ping().await.unwrap();
    let (code, _, said) = reset(&dir, &["--yes"], &env).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("other instances of Tollgate use this database"), "{said}");
    other.close().await;
}

#[tokio::test]
async fn ac_12_where_nothing_is_there_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let (code, said, _) = reset(dir.path(), &["--yes"], &[]).await;
    assert_eq!((code, said.contains("nothing to reset")), (0, true), "{said}");
    assert!(!dir.path().join("data").exists());
}
