//! Everything that differs between SQLite and PostgreSQL. All other files hold one text for both.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::pool::Txn;
use crate::sql::args;
use crate::{Store, StoreError};

/// Takes the write lock at once: the busy timeout is honoured here, but not for a later upgrade.
pub(crate) const SQLITE_BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// One state of the database for the whole transaction, as SQLite has it anyway.
pub(crate) const POSTGRES_BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Older releases can corrupt a database in WAL mode when several connections write or checkpoint
/// (sqlite.org/wal.html, "WAL-reset" bug, fixed in 3.51.3).
pub(crate) const SQLITE_OLDEST: (u32, u32, u32) = (3, 51, 3);

/// Version of the SQLite library.
pub(crate) const SQLITE_VERSION: &str = "SELECT sqlite_version() AS version";

/// Version of the PostgreSQL server; more words may follow the number.
pub(crate) const POSTGRES_VERSION: &str = "SELECT current_setting('server_version') AS version";

/// The file of the database.
pub(crate) const SQLITE_FILE: &str = "SELECT file FROM pragma_database_list WHERE name = 'main'";

/// Copies the database into the file `$1`.
pub(crate) const SQLITE_COPY: &str = "VACUUM INTO $1";

/// Connections to this database that call themselves what ours do.
pub(crate) const POSTGRES_OTHERS: &str = "SELECT COUNT(*) AS n FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'tollgate' AND pid <> pg_backend_pid()";

/// How long a statement waits for another writer.
const SQLITE_BUSY: Duration = Duration::from_secs(5);

/// Bytes of a page in a new database; one that is there keeps its own. Rows come in at the ends of the tables and their
/// indexes, many at a time: pages of twice the usual size are half as many to log and to write back.
const SQLITE_PAGE: u32 = 8192;

/// Options of every SQLite connection. `FULL` because a row that was acknowledged must survive a power cut.
pub(crate) fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .page_size(SQLITE_PAGE)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(SQLITE_BUSY)
}

/// Options of the SQLite connections that must not write.
pub(crate) fn sqlite_read_options(path: &Path) -> SqliteConnectOptions {
    sqlite_options(path).pragma("query_only", "ON")
}

/// Options of the SQLite connection that writes. A batch of the books touches hundreds of pages: with checkpoints as
/// frequent as usual, the ends of the tables would be copied into the file again and again. The log comes to 16 MB.
pub(crate) fn sqlite_write_options(path: &Path) -> SqliteConnectOptions {
    sqlite_options(path).pragma("wal_autocheckpoint", "2048")
}

/// Options of every PostgreSQL connection.
pub(crate) fn postgres_options(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("tollgate").options([("statement_timeout", "30s")])
}

/// Keeps other processes from migrating until the transaction ends. On SQLite the write lock does that.
pub(crate) async fn migration_lock(txn: &mut Txn) -> Result<(), StoreError> {
    if matches!(txn, Txn::Postgres(_)) {
        // Waiting for another process and rewriting a big table may both take longer than a statement may.
        txn.execute("SET LOCAL statement_timeout = 0", args![]).await?;
        // The number is arbitrary but must never change: it spells "tollgate" in ASCII.
        txn.execute("SELECT pg_advisory_xact_lock(8390043843661231205)", args![]).await?;
    }
    Ok(())
}

/// Keeps everybody else from booking until the transaction ends, so that sums can be compared and changed. On SQLite
/// the write lock does that.
pub(crate) async fn books_lock(txn: &mut Txn) -> Result<(), StoreError> {
    if matches!(txn, Txn::Postgres(_)) {
        txn.execute("SET LOCAL statement_timeout = 0", args![]).await?;
        txn.execute("LOCK TABLE usage_hour, usage_day, key_usage IN EXCLUSIVE MODE", args![]).await?;
    }
    Ok(())
}

/// Keeps everybody else from granting and consuming shares until the transaction ends. On SQLite the write lock does
/// that.
pub(crate) async fn share_lock(txn: &mut Txn) -> Result<(), StoreError> {
    if matches!(txn, Txn::Postgres(_)) {
        txn.execute("LOCK TABLE budget_share IN SHARE ROW EXCLUSIVE MODE", args![]).await?;
    }
    Ok(())
}

/// Milliseconds since 1970 by the clock of the database, the one that all instances share.
pub(crate) fn clock_ms(store: &Store) -> &'static str {
    match store.pool {
        crate::pool::Pool::Sqlite { .. } => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        crate::pool::Pool::Postgres(_) => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    }
}

/// Finds a table by its name, `$1`.
pub(crate) fn table_exists(store: &Store) -> &'static str {
    match store.pool {
        crate::pool::Pool::Sqlite { .. } => {
            "SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = $1"
        }
        crate::pool::Pool::Postgres(_) => "SELECT 1 AS found WHERE to_regclass($1) IS NOT NULL",
    }
}
