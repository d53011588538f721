//! The database as a whole: how much is in it, a copy of it, and emptying it (AC-12).
//!
//! Only tables that Tollgate's own migrations made are counted and dropped: a database may be shared with others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::migrate::MIGRATIONS;
use crate::pool::Pool;
use crate::sql::{Sql, args};
use crate::{Store, StoreError, dialect};

impl Store {
    /// Tollgate's tables that are there, each after those that it refers to.
    pub async fn tables(&self) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        for name in made_by_migrations() {
            let exists = self.pool.row_opt(dialect::table_exists(self), args![name.clone()]).await?;
            if exists.is_some() {
                found.push(name);
            }
        }
        Ok(found)
    }

    /// Rows of each of these tables.
    pub async fn row_counts(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut counts = BTreeMap::new();
        for table in self.tables().await? {
            let sql = Sql::built(format!("SELECT COUNT(*) AS n FROM {table}"));
            let rows: u64 = self.pool.row(sql, args![]).await?.number("n")?;
            counts.insert(table, rows);
        }
        Ok(counts)
    }

    /// The file of an SQLite database, absolute; `None` on PostgreSQL.
    pub async fn file(&self) -> Result<Option<PathBuf>, StoreError> {
        match self.pool {
            Pool::Sqlite { .. } => {
                let row = self.pool.row(dialect::SQLITE_FILE, args![]).await?;
                row.text("file").map(|file| Some(file.into()))
            }
            Pool::Postgres(_) => Ok(None),
        }
    }

    /// Copies an SQLite database into a file that is absent or empty. It is compact and needs nothing beside it.
    pub async fn copy_into(&self, file: &Path) -> Result<(), StoreError> {
        self.pool.execute(dialect::SQLITE_COPY, args![file.display().to_string()]).await.map(drop)
    }

    /// How many other connections of Tollgate there are to a database on a server, of other processes or of other
    /// stores of this one. 0 on SQLite.
    pub async fn others_connected(&self) -> Result<u64, StoreError> {
        match self.pool {
            Pool::Sqlite { .. } => Ok(0),
            Pool::Postgres(_) => self.pool.row(dialect::POSTGRES_OTHERS, args![]).await?.number("n"),
        }
    }

    /// Drops every one of Tollgate's tables: all or none of them. [`Store::migrate`] makes them anew.
    pub async fn drop_tables(&self) -> Result<(), StoreError> {
        let tables = self.tables().await?;
        let is_file = matches!(self.pool, Pool::Sqlite { .. });
        if is_file {
            // With it, SQLite would delete row by row to see whether anything refers to them.
            self.pool.execute("PRAGMA foreign_keys = OFF", args![]).await?;
        }
        let mut txn = self.pool.begin_write().await?;
        dialect::migration_lock(&mut txn).await?;
        for table in tables.iter().rev() {
            txn.execute(Sql::built(format!("DROP TABLE {table}")), args![]).await?;
        }
        txn.commit().await?;
        if is_file {
            // What was there shall not stay readable in free pages.
            self.pool.execute("VACUUM", args![]).await?;
            self.pool.execute("PRAGMA foreign_keys = ON", args![]).await?;
        }
        Ok(())
    }
}

/// Every table that a script ever made, in order, and the list of scripts that ran.
fn made_by_migrations() -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for migration in MIGRATIONS {
        for piece in migration.sqlite.split("CREATE TABLE ").skip(1) {
            let name: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            // Made anew later: it stands where it was made last.
            names.retain(|known| *known != name);
            names.push(name);
        }
    }
    names.push("schema_migrations".to_owned());
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{credential, provider};
    use crate::testing::{each_backend, sqlite};
    use crate::{ConnectOptions, StoreError};

    #[tokio::test]
    async fn ac_12_every_table_is_dropped_and_nothing_else() {
        each_backend(|store| async move {
            let owner = provider(&store, "one").await;
            credential(&store, owner.id, "key 1").await.unwrap();
            store.pool.execute("CREATE TABLE of_somebody_else (id BIGINT)", args![]).await.unwrap();
            let counts = store.row_counts().await.unwrap();
            assert_eq!((counts["providers"], counts["credentials"], counts["users"]), (1, 1, 0));
            store.drop_tables().await.unwrap();
            assert_eq!(store.tables().await.unwrap(), Vec::<String>::new());
            let all = if store.is_shared() {
                "SELECT CAST(tablename AS TEXT) AS t FROM pg_tables WHERE schemaname = current_schema()"
            } else {
                "SELECT name AS t FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            };
            let left = store.pool.rows(all, args![]).await.unwrap();
            let left: Vec<_> = left.iter().map(|row| row.text("t").unwrap()).collect();
            assert_eq!(left, ["of_somebody_else"], "a table is made that `made_by_migrations` does not see");
            store.migrate().await.unwrap();
            assert_eq!(store.row_counts().await.unwrap()["providers"], 0);
            let missing = credential(&store, owner.id, "key 1").await;
            assert!(matches!(missing, Err(StoreError::NotFound)), "foreign keys hold again");
        })
        .await;
    }

    #[tokio::test]
    async fn ac_12_a_copy_is_whole_and_never_made_over_another() {
        let (store, folder) = (sqlite().await, tempfile::tempdir().unwrap());
        let owner = provider(&store, "one").await;
        credential(&store, owner.id, "key 1").await.unwrap();
        let file = folder.path().join("it's a copy.db");
        store.copy_into(&file).await.unwrap();
        assert!(store.copy_into(&file).await.is_err());
        let counts = store.row_counts().await.unwrap();
        store.drop_tables().await.unwrap();
        let url = format!("sqlite://{}", file.display());
        let copy = Store::connect(&url, ConnectOptions::default()).await.unwrap();
        assert_eq!(copy.row_counts().await.unwrap(), counts);
        assert_eq!(copy.credential_list(false).await.unwrap().len(), 1);
        assert_eq!(copy.file().await.unwrap().as_deref(), Some(file.as_path()));
    }

    #[tokio::test]
    async fn ac_12_another_connection_to_the_same_server_is_seen() {
        let Some(store) = crate::testing::postgres().await else { return };
        let options = ConnectOptions { max_connections: 1 };
        let alone = Store::connect(store.url(), options).await.unwrap();
        store.ping().await.unwrap();
        assert!(alone.others_connected().await.unwrap() > 0);
        store.close().await;
        for _ in 0..100 {
            if alone.others_connected().await.unwrap() == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("it still sees others");
    }
}
