//! Starting and stopping in this process (`ST`, `CR-01`).

use std::time::Duration;

use server::boot::Exit;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use types::Secret;

use crate::harness::{Running, read_to_close};

#[tokio::test]
async fn st_06_a_refused_database_is_named_without_its_password() {
    let nobody = fakeup::refused_url().unwrap();
    let (_, free) = nobody.split_once("//").unwrap();
    let (_, port) = free.split_once(':').unwrap();
    let dir = tempfile::tempdir().unwrap();
    let url = format!("postgres://tg:hunter2hunter2@{free}/tollgate");
    let started = Running::start_in(dir.path(), |config| config.database_url = Secret::new(url)).await;
    let error = started.err().unwrap();
    assert_eq!(error.exit, Exit::Database);
    let text = error.to_string();
    for part in ["refused", "127.0.0.1", port, "tollgate", "tg"] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn st_07_tables_are_made_at_first_and_kept_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let off = Running::start_in(dir.path(), |config| config.auto_migrate = false).await;
    assert_eq!(off.err().unwrap().exit, Exit::Migration, "AUTO_MIGRATE=false refuses an empty database");
    for _ in 0..2 {
        Running::start_in(dir.path(), |_| {}).await.unwrap().stop().await;
    }
    Running::start_in(dir.path(), |config| config.auto_migrate = false).await.unwrap().stop().await;
}

#[tokio::test]
async fn cr_01_another_encryption_secret_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    Running::start_in(dir.path(), |_| {}).await.unwrap().stop().await;
    let other = Secret::new("quite-another-secret-of-some-length".to_owned());
    let started = Running::start_in(dir.path(), |config| config.encryption_secret = Some(other)).await;
    let error = started.err().unwrap();
    assert_eq!(error.exit, Exit::Encryption);
    let text = error.to_string();
    assert!(text.contains("Decryption failed") && text.contains("first encryption (key id "), "{text}");
    Running::start_in(dir.path(), |_| {}).await.unwrap().stop().await;
}

#[tokio::test]
async fn fault_s06_a_second_process_on_the_same_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = Running::start_in(dir.path(), |_| {}).await.unwrap();
    let error = Running::start_in(dir.path(), |_| {}).await.err().unwrap();
    assert_eq!(error.exit, Exit::DataDir);
    assert!(error.to_string().contains("in use"), "{error}");
    first.stop().await;
}

/// An upstream that sends the head and one event, and the rest when told to.
async fn slow_upstream() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (format!("http://{}", listener.local_addr().unwrap()), listener)
}

const FIRST: &str = "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\
                     \"delta\":{\"content\":\"first\"},\"finish_reason\":null}]}\n\n";
const LAST: &str = "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\
                    \"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// Opens a stream through the server and stops the server in the middle of it.
async fn stopped_in_mid_stream(finish: bool) -> (String, serde_json::Value) {
    let dir = tempfile::tempdir().unwrap();
    let server =
        Running::start_in(dir.path(), |config| config.edge.drain = Duration::from_millis(600)).await.unwrap();
    let (url, upstream) = slow_upstream().await;
    let key = server.provision("openai", &url).await;
    let body = "{\"model\":\"m\",\"stream\":true,\"messages\":[]}";
    let mut client = server.connect().await;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut answering, _) = upstream.accept().await.unwrap();
    let mut request = [0_u8; 4096];
    assert!(answering.read(&mut request).await.unwrap() > 0);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    answering.write_all(format!("{head}{FIRST}").as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("first") {
        assert!(client.read_buf(&mut seen).await.unwrap() > 0, "the stream broke too early");
    }

    server.begin_stop();
    server.gateway.draining().cancelled().await;
    if finish {
        answering.write_all(LAST.as_bytes()).await.unwrap();
        drop(answering);
    }
    let rest = read_to_close(&mut client).await.0;
    server.stop().await;

    let again = Running::start_in(dir.path(), |_| {}).await.unwrap();
    let rows = again.admin("GET", "/requests", &serde_json::Value::Null).await;
    again.stop().await;
    (rest, rows)
}

#[tokio::test]
async fn st_16_a_running_stream_finishes_and_is_in_the_books_after_a_restart() {
    let (rest, rows) = stopped_in_mid_stream(true).await;
    assert!(rest.contains("[DONE]"), "{rest}");
    assert_eq!(rows["items"].as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(rows["items"][0]["outcome"], "ok", "{rows}");
}

#[tokio::test]
async fn fault_s24_a_stream_longer_than_the_drain_ends_with_an_error_event_and_is_booked() {
    let (rest, rows) = stopped_in_mid_stream(false).await;
    assert!(rest.contains("\"error\"") && !rest.contains("[DONE]"), "{rest}");
    assert_eq!(rows["items"].as_array().unwrap().len(), 1, "{rows}");
    assert_ne!(rows["items"][0]["outcome"], "ok", "{rows}");
}

#[tokio::test]
async fn fault_s23_an_idle_connection_does_not_hold_up_the_stop() {
    let server = Running::start_with(|config| {
        (config.edge.keep_alive_idle, config.edge.drain) = (Duration::from_mins(1), Duration::from_mins(1));
    })
    .await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut buffer = [0_u8; 1024];
    assert!(idle.read(&mut buffer).await.unwrap() > 0);
    let stopped = tokio::time::timeout(Duration::from_secs(30), server.stop()).await;
    assert!(stopped.is_ok(), "an idle keep-alive connection kept the server alive");
}

#[tokio::test]
async fn a_changed_admin_token_ends_the_sessions_of_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start_in(dir.path(), |_| {}).await.unwrap();
    let form = format!("secret={}", crate::harness::ADMIN_TOKEN);
    let answer = server
        .raw(format!(
            "POST /auth/login HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ))
        .await;
    // A second cookie, which remembers the device, comes with it.
    let (_, session) = answer.0.split_once("tg_sid=").unwrap();
    let cookie = format!("tg_sid={}", session.split(';').next().unwrap());
    let page = format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    assert_eq!(server.raw(&page).await.status(), 200);
    server.stop().await;

    let same = Running::start_in(dir.path(), |_| {}).await.unwrap();
    assert_eq!(same.raw(&page).await.status(), 200, "a restart alone ends nothing");
    same.stop().await;

    let other = Secret::new("another-admin-token-0123456789abcdef".to_owned());
    let changed = Running::start_in(dir.path(), |config| config.admin_token = Some(other)).await.unwrap();
    assert_eq!(changed.raw(&page).await.status(), 303);
}
