//! `tollgate audit` as a program: exit codes, what it says, and that it finds what is wrong.

use std::process::Output;
use std::time::Duration;

use ledger::{Batch, Position};
use serde_json::json;
use store::{ConnectOptions, Store};
use tokio::process::Command;
use types::dialect::Endpoint;
use types::request::{Outcome, RequestRecord};
use types::{Money, RequestId};
use uuid::Uuid;

use crate::harness::Running;

/// The program on the SQLite database of a folder.
async fn audit(dir: &std::path::Path, args: &[&str]) -> (i32, Output) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.arg("audit").args(args).current_dir(dir).env_clear().env("DATA_DIR", dir).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(30), command.output()).await.unwrap().unwrap();
    (output.status.code().unwrap_or(-1), output)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn tollgate_audit_is_content_with_good_books_also_beside_a_running_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let (code, output) = audit(dir.path(), &[]).await;
    assert_eq!(code, 0, "{output:?}");
    assert!(!dir.path().join("tollgate.db").exists(), "it makes no database");

    let url = format!("sqlite://{}", dir.path().join("tollgate.db").display());
    let server =
        Running::start_in(dir.path(), |config| config.database_url = types::Secret::new(url)).await.unwrap();
    let key = server.provision("anthropic", "http://127.0.0.1:9").await;
    let body = json!({ "model": "m", "max_tokens": 5, "messages": [] }).to_string();
    let headers = format!("authorization: Bearer {key}\r\ncontent-type: application/json\r\n");
    let answer = server.raw(crate::harness::post("/v1/messages", &headers, &body)).await;
    assert_eq!(answer.status(), 502, "{answer:?}");
    for args in [&[][..], &["--since", "7d"]] {
        let (code, output) = audit(dir.path(), args).await;
        assert_eq!(code, 0, "{output:?}");
        let said = said(&output);
        assert!(said.contains("every invariant holds") && said.contains("INV-16"), "{said}");
        assert!(said.contains("journal   "), "{said}");
    }
    let (code, _) = audit(dir.path(), &["--since", "yesterday"]).await;
    assert_eq!(code, 2, "the command line refuses it");
    server.stop().await;
}

#[tokio::test]
async fn tollgate_audit_finds_a_request_that_was_refused_and_charged() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("tollgate.db").display());
    let store = Store::connect(&url, ConnectOptions::default()).await.unwrap();
    store.migrate().await.unwrap();
    let now = gateway::clock::system_now();
    let mut record = RequestRecord::blank(RequestId(Uuid::now_v7()), Endpoint::Messages, now);
    record.outcome = Outcome::Refused;
    record.cost_usd = Money::from_nano(1_000).unwrap();
    let batch = Batch::new(vec![record.clone()], Position { segment: 0, offset: 1 });
    store.ledger_apply("test", &batch).await.unwrap();
    store.close().await;

    let (code, output) = audit(dir.path(), &[]).await;
    let said = said(&output);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("FAIL") && said.contains("INV-13"), "{said}");
    assert!(said.contains(&record.request_id.to_string()), "{said}");
    let advice = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(advice.contains("Books"), "{advice}");
}
