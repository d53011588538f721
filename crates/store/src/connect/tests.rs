//! Tests of connecting: the pragmas that matter, and every class of failure (ST-06).

use tokio::net::{TcpListener, TcpSocket};

use super::*;
use crate::testing;

async fn failure(url: &str) -> ConnectError {
    match Box::pin(open(url, ConnectOptions::default())).await {
        Ok(_) => panic!("{url} opened"),
        Err(error) => error,
    }
}

// What a person may get to see of an error: the sentence and all causes.
fn whole_text(error: &ConnectError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text} {error} {error:?}");
        cause = error.source();
    }
    text
}

// The address of the test server with one part replaced.
fn variant(url: &str, from: &str, to: &str) -> String {
    assert!(url.contains(from), "no {from} in the address");
    url.replacen(from, to, 1)
}

#[tokio::test]
async fn st_06_a_refused_connection_is_named_with_host_port_database_and_user() {
    // Kept, so that nobody else can get it, and not listened on.
    let kept = TcpSocket::new_v4().unwrap();
    kept.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let port = kept.local_addr().unwrap().port();
    for scheme in ["postgres", "postgresql"] {
        let error = failure(&format!("{scheme}://gate:hunter2secret@127.0.0.1:{port}/books")).await;
        assert_eq!(error.fault, ConnectFault::Refused);
        let text = error.to_string();
        for part in ["127.0.0.1", &port.to_string(), "books", "gate", "refused"] {
            assert!(text.contains(part), "{part} is missing: {text}");
        }
        assert!(!whole_text(&error).contains("hunter2secret"));
        assert!(error.fault.is_transient());
    }
}

#[tokio::test]
async fn st_06_an_unknown_host_is_a_name_problem() {
    let error = failure("postgres://gate:hunter2secret@no-such-host.invalid/books").await;
    assert_eq!(error.fault, ConnectFault::Dns, "{}", whole_text(&error));
    assert!(!whole_text(&error).contains("hunter2secret"));
}

#[tokio::test(start_paused = true)]
async fn st_06_a_server_that_never_answers_is_a_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let error = failure(&format!("postgres://gate:hunter2secret@127.0.0.1:{port}/books")).await;
    assert_eq!(error.fault, ConnectFault::Timeout, "{}", whole_text(&error));
    assert!(!whole_text(&error).contains("hunter2secret"));
}

#[tokio::test]
async fn st_06_an_address_that_is_no_address_is_not_repeated() {
    for url in [
        "mysql://gate:hunter2secret@host/books",
        "postgres://gate:hunter2secret@host:port/books",
        "sqlite::memory:",
        "sqlite://",
        "hunter2secret",
    ] {
        let error = failure(url).await;
        assert_eq!(error.fault, ConnectFault::BadUrl, "{url}");
        assert!(!whole_text(&error).contains("hunter2secret"), "{url}");
        assert!(!error.fault.is_transient());
    }
}

#[tokio::test]
async fn st_06_an_sqlite_file_that_cannot_be_written_or_found_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for (path, expected) in [
        (folder.path().to_owned(), ConnectFault::Readonly),
        (file.join("below.db"), ConnectFault::Readonly),
        (folder.path().join("missing/store.db"), ConnectFault::NoDatabase),
    ] {
        let error = failure(&format!("sqlite://{}", path.display())).await;
        assert_eq!(error.fault, expected, "{}", whole_text(&error));
        assert!(error.to_string().contains(&path.display().to_string()));
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "this is not a database, but long enough to have a header ".repeat(40)).unwrap();
    let error = failure(&format!("sqlite://{}", path.display())).await;
    assert_eq!(error.fault, ConnectFault::Other);
    assert_eq!(std::fs::read(&path).unwrap().len(), 57 * 40);
}

#[tokio::test]
async fn st_06_wrong_password_and_missing_database_are_told_apart() {
    let Some(home) = testing::postgres().await else { return };
    let name = home.url().rsplit_once('/').unwrap().1.to_owned();
    let error = failure(&variant(home.url(), &name, "tollgate_nowhere")).await;
    assert_eq!(error.fault, ConnectFault::NoDatabase, "{}", whole_text(&error));
    let Some((credentials, _)) = home.url().split_once("://").unwrap().1.split_once('@') else { return };
    let error = failure(&variant(home.url(), &format!("{credentials}@"), "nobody:hunter2secret@")).await;
    assert_eq!(error.fault, ConnectFault::Auth, "{}", whole_text(&error));
    assert!(!whole_text(&error).contains("hunter2secret"));
}

#[tokio::test]
async fn st_06_a_server_without_free_connections_says_so() {
    let Some(home) = testing::postgres().await else { return };
    let name = home.url().rsplit_once('/').unwrap().1.to_owned();
    let Some((credentials, _)) = home.url().split_once("://").unwrap().1.split_once('@') else { return };
    let Pool::Postgres(pool) = &home.store().pool else { panic!("not PostgreSQL") };
    let run = async |sql: String| sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await.unwrap();
    run(format!("CREATE ROLE {name} LOGIN PASSWORD 'hunter2secret' CONNECTION LIMIT 0")).await;
    let error =
        failure(&variant(home.url(), &format!("{credentials}@"), &format!("{name}:hunter2secret@"))).await;
    run(format!("DROP ROLE {name}")).await;
    assert_eq!(error.fault, ConnectFault::TooMany, "{}", whole_text(&error));
    assert!(error.fault.is_transient());
}

#[tokio::test]
async fn d3_sqlite_is_durable_and_checks_references() {
    let home = testing::sqlite().await;
    let pragma = async |pool: &Pool, name: &'static str, sql: &'static str| {
        pool.row(sql, args![]).await.unwrap().text_or_int(name)
    };
    let pool = home.store().pool;
    assert_eq!(pragma(&pool, "journal_mode", "PRAGMA journal_mode").await, "wal");
    assert_eq!(pragma(&pool, "synchronous", "PRAGMA synchronous").await, "2");
    assert_eq!(pragma(&pool, "foreign_keys", "PRAGMA foreign_keys").await, "1");
    assert_eq!(pragma(&pool, "timeout", "PRAGMA busy_timeout").await, "5000");
    assert_eq!(pragma(&pool, "page_size", "PRAGMA page_size").await, "8192");
    let written = pool.rows("INSERT INTO meta (name, value) VALUES ('a', 'b') RETURNING name", args![]).await;
    assert!(written.is_err(), "readers must not write");
}

#[tokio::test]
async fn an_sqlite_database_keeps_the_pages_that_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    let mut old = dialect::sqlite_options(&path).page_size(4096).connect().await.unwrap();
    sqlx::query("CREATE TABLE kept (a INTEGER)").execute(&mut old).await.unwrap();
    old.close().await.unwrap();
    let (pool, _) = open(&format!("sqlite://{}", path.display()), ConnectOptions::default()).await.unwrap();
    let size = pool.row("PRAGMA page_size", args![]).await.unwrap().int("page_size").unwrap();
    assert_eq!(size, 4096);
    assert_eq!(pool.execute("INSERT INTO kept VALUES (1)", args![]).await.unwrap(), 1);
    pool.close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_sqlite_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = testing::sqlite().await;
    home.meta_put_if_absent("a", "b").await.unwrap();
    let path = home.url().strip_prefix("sqlite://").unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(format!("{path}{suffix}")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[tokio::test]
async fn s1_a_foreign_writer_makes_the_store_busy_and_nothing_worse() {
    let home = testing::sqlite().await;
    let path = home.url().strip_prefix("sqlite://").unwrap();
    let mut other = dialect::sqlite_options(Path::new(path)).connect().await.unwrap();
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let Pool::Sqlite { write, .. } = &home.store().pool else { panic!("not SQLite") };
    // Not the five seconds of the product: the test is about the class of the error.
    sqlx::query("PRAGMA busy_timeout = 10").execute(write).await.unwrap();
    let blocked = home.meta_put_if_absent("a", "b").await;
    assert!(matches!(blocked, Err(crate::StoreError::Busy)), "{blocked:?}");
    assert_eq!(home.meta_get("a").await.unwrap(), None);
    held.rollback().await.unwrap();
    assert_eq!(home.meta_put_if_absent("a", "b").await.unwrap(), "b");
}

#[test]
fn d4_versions_compare_as_numbers() {
    assert!(parse_version("3.51.2") < dialect::SQLITE_OLDEST);
    assert!(parse_version("3.9.99") < dialect::SQLITE_OLDEST);
    assert!(parse_version("3.51.3") >= dialect::SQLITE_OLDEST);
    assert!(parse_version("3.100.0") >= dialect::SQLITE_OLDEST);
}

impl Row {
    fn text_or_int(&self, column: &str) -> String {
        self.text(column).unwrap_or_else(|_| self.int(column).unwrap().to_string())
    }
}
