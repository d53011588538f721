//! Brings the tables up to date, forward only, from scripts that are part of the binary (ST-07).
//!
//! Each script runs in a transaction of its own together with its entry in `schema_migrations`, under a lock
//! that keeps other processes out; a crash leaves either all of a script or nothing.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration as Checksummed, MigrationType};

use crate::pool::Pool;
use crate::sql::{Row, args};
use crate::{Store, StoreError, dialect};

/// A script in its two forms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    pub(crate) version: i64,
    /// File name without `.sql`.
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal),+ $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $name, ".sql")),
        }),+]
    };
}

/// Every script, oldest first.
pub(crate) const MIGRATIONS: &[Migration] = migrations![1 "0001_init", 2 "0002_money", 3 "0003_spend_minute", 4 "0004_routing", 5 "0005_translation",
        6 "0006_credential_proxy", 7 "0007_oauth", 8 "0008_checks", 9 "0009_managed",
        10 "0010_check_remedy"];

/// What [`Store::migrate`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationReport {
    /// Names of the scripts that ran now, in order; empty if there was nothing to do.
    pub applied: Vec<String>,
    /// The newest script that the database holds.
    pub version: i64,
}

/// Why the tables could not be brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// A newer Tollgate has written this database.
    #[error("the database has schema {db}, this program knows only {binary}: use a newer release")]
    Newer {
        /// Newest script in the database.
        db: i64,
        /// Newest script in this program.
        binary: i64,
    },
    /// A script that already ran is not the one in this program.
    #[error("migration {name} was changed after it had run")]
    Tampered {
        /// The script's name.
        name: String,
    },
    /// A script failed; nothing of it was kept.
    #[error("migration {name} failed")]
    Failed {
        /// The script's name.
        name: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The database failed outside the scripts.
    #[error("the schema could not be examined")]
    Store(#[from] StoreError),
}

impl MigrateError {
    /// The script at fault, if it is one.
    pub fn migration(&self) -> Option<&str> {
        match self {
            Self::Tampered { name } | Self::Failed { name, .. } => Some(name),
            Self::Newer { .. } | Self::Store(_) => None,
        }
    }
}

impl Store {
    /// Runs every script that the database does not hold yet.
    pub async fn migrate(&self) -> Result<MigrationReport, MigrateError> {
        self.migrate_with(MIGRATIONS).await
    }

    /// The newest script that the database holds (0: none) and the newest that this program knows.
    pub async fn migration_state(&self) -> Result<(i64, i64), StoreError> {
        let newest = MIGRATIONS.last().map_or(0, |migration| migration.version);
        let found = self.pool.row_opt(dialect::table_exists(self), args!["schema_migrations"]).await?;
        if found.is_none() {
            return Ok((0, newest));
        }
        let row = self
            .pool
            .row("SELECT COALESCE(MAX(version), 0) AS version FROM schema_migrations", args![])
            .await?;
        Ok((row.int("version")?, newest))
    }

    pub(crate) async fn migrate_with(&self, known: &[Migration]) -> Result<MigrationReport, MigrateError> {
        let mut report = MigrationReport { applied: Vec::new(), version: 0 };
        // One script a turn, looking again each time: another process may have been faster.
        loop {
            let mut txn = self.pool.begin_write().await?;
            dialect::migration_lock(&mut txn).await?;
            txn.execute(
                "CREATE TABLE IF NOT EXISTS schema_migrations (
                    version BIGINT PRIMARY KEY,
                    name TEXT NOT NULL,
                    checksum TEXT NOT NULL,
                    applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)",
                args![],
            )
            .await?;
            let rows = txn
                .rows("SELECT version, name, checksum FROM schema_migrations ORDER BY version", args![])
                .await?;
            let next = self.next_migration(&rows, known)?;
            let Some(migration) = next else {
                txn.commit().await?;
                report.version = rows.last().map(|row| row.int("version")).transpose()?.unwrap_or(0);
                return Ok(report);
            };
            let sql = self.script(migration);
            let name = migration.name;
            txn.script(sql).await.map_err(|source| MigrateError::Failed { name: name.to_owned(), source })?;
            txn.execute(
                "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
                args![migration.version, name, checksum(sql)],
            )
            .await?;
            txn.commit().await?;
            tracing::info!(migration.name = name, "applied migration {name}");
            report.applied.push(name.to_owned());
        }
    }

    // Compares what ran with what is known; answers the first script that has not run.
    fn next_migration<'a>(
        &self,
        rows: &[Row],
        known: &'a [Migration],
    ) -> Result<Option<&'a Migration>, MigrateError> {
        let binary = known.last().map_or(0, |migration| migration.version);
        let db = rows.last().map(|row| row.int("version")).transpose()?.unwrap_or(0);
        if db > binary {
            return Err(MigrateError::Newer { db, binary });
        }
        for row in rows {
            let version = row.int("version")?;
            let same = known.iter().find(|migration| migration.version == version);
            if same.map(|migration| checksum(self.script(migration))) != Some(row.text("checksum")?) {
                return Err(MigrateError::Tampered { name: row.text("name")? });
            }
        }
        Ok(known.iter().find(|migration| migration.version > db))
    }

    fn script(&self, migration: &Migration) -> &'static str {
        match self.pool {
            Pool::Sqlite { .. } => migration.sqlite,
            Pool::Postgres(_) => migration.postgres,
        }
    }
}

/// SHA-384 of a script as hex digits.
pub(crate) fn checksum(sql: &'static str) -> String {
    let script = Checksummed::new(0, "".into(), MigrationType::Simple, sql.into_sql_str(), false);
    let digits = script.checksum.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod upgrade;
