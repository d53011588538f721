//! Connections and transactions of either database behind one face.
//!
//! SQLite has one writer connection and a pool of readers: a second writer could only wait for the first, and
//! an upgrade from reading to writing fails at once with `SQLITE_BUSY_SNAPSHOT`, whatever the busy timeout.

use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use crate::sql::{Args, Placeholders, Row, Sql, Value};
use crate::{StoreError, dialect};

/// The connections.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Sqlite { read: SqlitePool, write: SqlitePool },
    Postgres(PgPool),
}

/// An open transaction; dropping it rolls back.
pub(crate) enum Txn {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

// Runs one body for whichever database is behind `$side`; `$wrap` is the row variant of that side.
macro_rules! on_side {
    ($side:expr, $enum:ident, |$executor:ident| $body:expr) => {
        match $side {
            $enum::Sqlite($executor) => $body,
            $enum::Postgres($executor) => $body,
        }
    };
    ($side:expr, $enum:ident, |$executor:ident, $wrap:ident| $body:expr) => {
        match $side {
            $enum::Sqlite($executor) => {
                let $wrap = Row::Sqlite;
                $body
            }
            $enum::Postgres($executor) => {
                let $wrap = Row::Postgres;
                $body
            }
        }
    };
}

macro_rules! bound {
    ($sql:expr, $args:expr) => {{
        let Sql { text, keep } = $sql;
        let mut query = sqlx::query(text).persistent(keep);
        for value in $args {
            query = match value {
                Value::Int(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
                Value::Bool(value) => query.bind(value),
            };
        }
        query
    }};
}

// The side of a pool that a single statement runs on.
enum Side<'a> {
    Sqlite(&'a SqlitePool),
    Postgres(&'a PgPool),
}

impl Pool {
    fn reader(&self) -> Side<'_> {
        match self {
            Self::Sqlite { read, .. } => Side::Sqlite(read),
            Self::Postgres(pool) => Side::Postgres(pool),
        }
    }

    fn writer(&self) -> Side<'_> {
        match self {
            Self::Sqlite { write, .. } => Side::Sqlite(write),
            Self::Postgres(pool) => Side::Postgres(pool),
        }
    }

    /// Begins a transaction that may write.
    pub(crate) async fn begin_write(&self) -> Result<Txn, StoreError> {
        match self.writer() {
            Side::Sqlite(pool) => pool.begin_with(dialect::SQLITE_BEGIN_WRITE).await.map(Txn::Sqlite),
            Side::Postgres(pool) => pool.begin().await.map(Txn::Postgres),
        }
        .map_err(|error| self.explain(error))
    }

    /// Begins a transaction that reads one state of the whole database.
    pub(crate) async fn begin_read(&self) -> Result<Txn, StoreError> {
        match self.reader() {
            Side::Sqlite(pool) => pool.begin().await.map(Txn::Sqlite),
            Side::Postgres(pool) => pool.begin_with(dialect::POSTGRES_BEGIN_READ).await.map(Txn::Postgres),
        }
        .map_err(|error| self.explain(error))
    }

    /// Runs one statement that changes something; answers how many rows it touched.
    pub(crate) async fn execute(&self, sql: impl Into<Sql>, args: Args) -> Result<u64, StoreError> {
        let sql = sql.into();
        let done = on_side!(self.writer(), Side, |pool| {
            bound!(sql, args).execute(pool).await.map(|done| done.rows_affected())
        });
        done.map_err(|error| self.explain(error))
    }

    /// Reads all rows.
    pub(crate) async fn rows(&self, sql: impl Into<Sql>, args: Args) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into();
        let rows = on_side!(self.reader(), Side, |pool, wrap| {
            let rows = bound!(sql, args).fetch_all(pool).await;
            rows.map(|rows| rows.into_iter().map(wrap).collect())
        });
        rows.map_err(|error| self.explain(error))
    }

    /// Reads one row or none.
    pub(crate) async fn row_opt(&self, sql: impl Into<Sql>, args: Args) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Reads one row; [`StoreError::NotFound`] if there is none.
    pub(crate) async fn row(&self, sql: impl Into<Sql>, args: Args) -> Result<Row, StoreError> {
        self.row_opt(sql, args).await?.ok_or(StoreError::NotFound)
    }

    /// Connections in use and the most there may be.
    pub(crate) fn state(&self) -> (u32, u32) {
        let used = |size: u32, idle: usize| size.saturating_sub(u32::try_from(idle).unwrap_or(u32::MAX));
        match self {
            Self::Sqlite { read, write } => (
                used(read.size(), read.num_idle()) + used(write.size(), write.num_idle()),
                read.options().get_max_connections() + write.options().get_max_connections(),
            ),
            Self::Postgres(pool) => {
                (used(pool.size(), pool.num_idle()), pool.options().get_max_connections())
            }
        }
    }

    /// Closes all connections; the writer last, so that it can fold the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    // A pool that is not full and still has nothing to give is one whose server does not answer: sqlx tries
    // again until the acquire timeout and then reports only that.
    fn explain(&self, error: sqlx::Error) -> StoreError {
        match (self, error) {
            (Self::Postgres(pool), error @ sqlx::Error::PoolTimedOut)
                if pool.size() < pool.options().get_max_connections() =>
            {
                StoreError::Unavailable(error.into())
            }
            (_, error) => error.into(),
        }
    }
}

impl Txn {
    /// How long statements count their placeholders.
    pub(crate) fn placeholders(&self) -> Placeholders {
        match self {
            Self::Sqlite(_) => Placeholders::Anonymous,
            Self::Postgres(_) => Placeholders::Numbered,
        }
    }

    /// Runs one statement that changes something; answers how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: impl Into<Sql>, args: Args) -> Result<u64, StoreError> {
        #[cfg(test)]
        crate::failpoint::statement()?;
        let sql = sql.into();
        Ok(on_side!(self, Self, |txn| { bound!(sql, args).execute(&mut **txn).await?.rows_affected() }))
    }

    /// Reads all rows.
    pub(crate) async fn rows(&mut self, sql: impl Into<Sql>, args: Args) -> Result<Vec<Row>, StoreError> {
        #[cfg(test)]
        crate::failpoint::statement()?;
        let sql = sql.into();
        Ok(on_side!(self, Self, |txn, wrap| {
            bound!(sql, args).fetch_all(&mut **txn).await?.into_iter().map(wrap).collect()
        }))
    }

    /// Reads one row or none.
    pub(crate) async fn row_opt(
        &mut self,
        sql: impl Into<Sql>,
        args: Args,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Reads one row; [`StoreError::NotFound`] if there is none.
    pub(crate) async fn row(&mut self, sql: impl Into<Sql>, args: Args) -> Result<Row, StoreError> {
        self.row_opt(sql, args).await?.ok_or(StoreError::NotFound)
    }

    /// Runs a script of several statements without values.
    pub(crate) async fn script(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        on_side!(self, Self, |txn| sqlx::raw_sql(sql).execute(&mut **txn).await.map(drop))
    }

    /// Takes it all back.
    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        on_side!(self, Self, |txn| txn.rollback().await?);
        Ok(())
    }

    /// Makes it last.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        #[cfg(test)]
        let heard = crate::failpoint::commit()?;
        on_side!(self, Self, |txn| txn.commit().await?);
        #[cfg(test)]
        heard?;
        Ok(())
    }
}
