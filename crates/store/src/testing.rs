//! A fresh database for each test, on both backends. Not part of the product.
//!
//! PostgreSQL is used where the environment variable `TOLLGATE_TEST_POSTGRES` names a server on which databases
//! may be created; each test gets a copy of one migrated template.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot have its database must stop right there"
)]

use std::io::Write as _;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

use crate::migrate::{MIGRATIONS, checksum};
use crate::{ConnectOptions, Store};

/// Names the environment variable with the address of the PostgreSQL server for tests.
pub const POSTGRES_VARIABLE: &str = "TOLLGATE_TEST_POSTGRES";

/// A store with a database of its own, which goes away with it.
#[derive(Debug)]
pub struct TestStore {
    store: Store,
    url: String,
    // The folder is removed, or the database dropped, when this is dropped.
    home: Home,
}

impl TestStore {
    /// The address of its database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The store itself.
    pub fn store(&self) -> Store {
        self.store.clone()
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

#[derive(Debug)]
enum Home {
    Folder { _folder: tempfile::TempDir },
    Database { server: String, name: String },
}

impl Drop for Home {
    fn drop(&mut self) {
        let Self::Database { server, name } = self else { return };
        let (server, name) = (server.clone(), name.clone());
        // A thread of its own, because `drop` cannot wait inside the runtime of the test.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime starts").block_on(async {
                let mut admin = PgConnection::connect(&server).await.expect("the server answers");
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                admin.execute(AssertSqlSafe(sql)).await.expect("the test's database is dropped");
            });
        });
        drop(dropping.join());
    }
}

/// The right to write to a SQLite database, held as by another process until this is dropped: whoever else writes waits
/// for as long as the product is patient, and fails then.
#[derive(Debug)]
pub struct WritesHeld(#[expect(dead_code, reason = "held, not used")] SqliteConnection);

/// Takes the right to write to the SQLite database in a file.
pub async fn hold_writes(file: &Path) -> WritesHeld {
    let url = format!("sqlite://{}", file.display());
    let mut connection = SqliteConnection::connect(&url).await.expect("the database opens");
    connection.execute("BEGIN IMMEDIATE").await.expect("nobody else writes for long");
    WritesHeld(connection)
}

/// A migrated SQLite database in a folder of its own.
pub async fn sqlite() -> TestStore {
    let store = sqlite_empty().await;
    store.migrate().await.expect("the migrations run");
    store
}

/// An SQLite database without tables.
pub async fn sqlite_empty() -> TestStore {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let store = Store::connect(&url, options()).await.expect("SQLite opens");
    TestStore { store, url, home: Home::Folder { _folder: folder } }
}

/// A migrated PostgreSQL database; `None`, with a note, where no server is named.
pub async fn postgres() -> Option<TestStore> {
    let server = server()?;
    let mut admin = lock_server(&server).await;
    let template = template(&server, &mut admin).await;
    let store = create(&server, &mut admin, &format!("TEMPLATE {template}")).await;
    drop(admin.close().await);
    Some(store)
}

/// A PostgreSQL database without tables; `None`, with a note, where no server is named.
pub async fn postgres_empty() -> Option<TestStore> {
    let server = server()?;
    let mut admin = lock_server(&server).await;
    let store = create(&server, &mut admin, "").await;
    drop(admin.close().await);
    Some(store)
}

/// Runs a test on a fresh migrated database of each backend.
pub async fn each_backend<F, T>(test: F)
where
    F: Fn(Store) -> T,
    T: Future<Output = ()>,
{
    let home = sqlite().await;
    test(home.store()).await;
    drop(home);
    if let Some(home) = postgres().await {
        test(home.store()).await;
    }
}

fn options() -> ConnectOptions {
    ConnectOptions { max_connections: 4 }
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration but the environment")]
fn server() -> Option<String> {
    let named = std::env::var(POSTGRES_VARIABLE).ok().filter(|url| !url.is_empty());
    if named.is_none() {
        drop(writeln!(std::io::stdout(), "SKIP postgres: {POSTGRES_VARIABLE} is not set"));
    }
    named
}

// Tests run in many processes; the lock makes one of them build the template while the others wait, and keeps
// them from copying it at once, which the server refuses. It ends with the connection.
async fn lock_server(server: &str) -> PgConnection {
    let mut admin = PgConnection::connect(server).await.expect("the test server answers");
    admin.execute("SELECT pg_advisory_lock(7310601)").await.expect("the lock is free in the end");
    admin
}

async fn template(server: &str, admin: &mut PgConnection) -> String {
    let digest: String = MIGRATIONS.iter().map(|m| checksum(m.postgres)).collect();
    // Enough of each digest to tell one set of scripts from another.
    let mark: String = digest.chars().step_by(digest.len() / 12).take(12).collect();
    let name = format!("tollgate_template_{mark}");
    let found: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_optional(&mut *admin)
        .await
        .expect("databases can be listed");
    if found.is_none() {
        let draft = create(server, admin, "").await;
        draft.migrate().await.expect("the migrations run");
        draft.close().await;
        let Home::Database { name: draft_name, .. } = &draft.home else { return name };
        let copy = format!("CREATE DATABASE {name} TEMPLATE {draft_name}");
        admin.execute(AssertSqlSafe(copy)).await.expect("the template is made");
    }
    name
}

async fn create(server: &str, admin: &mut PgConnection, how: &str) -> TestStore {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("tollgate_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    for sql in
        [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name} {how}")]
    {
        admin.execute(AssertSqlSafe(sql)).await.expect("databases can be created");
    }
    let url = with_database(server, &name);
    let home = Home::Database { server: server.to_owned(), name };
    let store = Store::connect(&url, options()).await.expect("the new database opens");
    TestStore { store, url, home }
}

// `postgres://user@host:1/old?x=y` with another name in place of `old`.
fn with_database(server: &str, name: &str) -> String {
    let (base, query) = server.split_once('?').map_or((server, None), |(base, query)| (base, Some(query)));
    let start = base.find("://").map_or(0, |at| at + 3);
    let end = base.get(start..).and_then(|rest| rest.find('/')).map_or(base.len(), |at| start + at);
    let base = base.get(..end).unwrap_or(base);
    query.map_or_else(|| format!("{base}/{name}"), |query| format!("{base}/{name}?{query}"))
}
