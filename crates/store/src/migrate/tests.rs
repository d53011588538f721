//! Tests of migrations: from empty, again, tampered, too new, half-way (ST-07, S14, S15).

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::testing::{self, TestStore};

const ONE: Migration = Migration {
    version: 1,
    name: "0001_one",
    sqlite: "CREATE TABLE one (id INTEGER PRIMARY KEY); INSERT INTO one (id) VALUES (7);",
    postgres: "CREATE TABLE one (id BIGINT PRIMARY KEY); INSERT INTO one (id) VALUES (7);",
};
const TWO: Migration = Migration {
    version: 2,
    name: "0002_two",
    sqlite: "CREATE TABLE two (id INTEGER PRIMARY KEY);",
    postgres: "CREATE TABLE two (id BIGINT PRIMARY KEY);",
};
// Fails at its second statement.
const TWO_BROKEN: Migration = Migration {
    version: 2,
    name: "0002_two",
    sqlite: "CREATE TABLE two (id INTEGER PRIMARY KEY); INSERT INTO nowhere (id) VALUES (1);",
    postgres: "CREATE TABLE two (id BIGINT PRIMARY KEY); INSERT INTO nowhere (id) VALUES (1);",
};

async fn empty_stores() -> Vec<TestStore> {
    let mut stores = vec![testing::sqlite_empty().await];
    stores.extend(testing::postgres_empty().await);
    stores
}

async fn has_table(store: &Store, name: &str) -> bool {
    store.pool.row_opt(dialect::table_exists(store), args![name]).await.unwrap().is_some()
}

#[tokio::test]
async fn st_07_tables_are_made_from_nothing_and_a_second_run_does_nothing() {
    for store in empty_stores().await {
        let newest = MIGRATIONS.last().unwrap().version;
        assert_eq!(store.migration_state().await.unwrap(), (0, newest));
        let report = store.migrate().await.unwrap();
        assert_eq!(report.applied, MIGRATIONS.iter().map(|m| m.name).collect::<Vec<_>>());
        assert_eq!(report.version, newest);
        assert_eq!(store.config_revision().await.unwrap(), 0);
        let again = store.migrate().await.unwrap();
        assert_eq!(again, MigrationReport { applied: vec![], version: newest });
        assert_eq!(store.migration_state().await.unwrap(), (newest, newest));
    }
}

#[tokio::test]
async fn st_07_processes_that_migrate_at_once_do_not_meet() {
    for store in empty_stores().await {
        let options = crate::ConnectOptions { max_connections: 2 };
        let other = Store::connect(store.url(), options).await.unwrap();
        let (a, b) = tokio::join!(store.migrate(), other.migrate());
        let applied = a.unwrap().applied.len() + b.unwrap().applied.len();
        assert_eq!(applied, MIGRATIONS.len());
        other.close().await;
    }
}

#[tokio::test]
async fn st_07_a_script_that_was_changed_afterwards_is_named() {
    for store in empty_stores().await {
        store.migrate_with(&[ONE]).await.unwrap();
        let changed = Migration { sqlite: "SELECT 1;", postgres: "SELECT 1;", ..ONE };
        let error = store.migrate_with(&[changed, TWO]).await.unwrap_err();
        assert!(matches!(&error, MigrateError::Tampered { name } if name == "0001_one"));
        assert_eq!(error.migration(), Some("0001_one"));
        assert!(!has_table(&store, "two").await);
    }
}

#[tokio::test]
async fn s14_a_newer_database_is_refused_with_both_versions() {
    for store in empty_stores().await {
        store.migrate_with(&[ONE, TWO]).await.unwrap();
        let error = store.migrate_with(&[ONE]).await.unwrap_err();
        assert!(matches!(error, MigrateError::Newer { db: 2, binary: 1 }));
        assert!(error.to_string().contains("schema 2") && error.to_string().contains("only 1"));
    }
}

#[tokio::test]
async fn s15_a_script_that_fails_half_way_leaves_nothing_and_can_run_again() {
    for store in empty_stores().await {
        let error = store.migrate_with(&[ONE, TWO_BROKEN]).await.unwrap_err();
        assert!(matches!(&error, MigrateError::Failed { name, .. } if name == "0002_two"));
        assert!(has_table(&store, "one").await);
        assert!(!has_table(&store, "two").await);
        let report = store.migrate_with(&[ONE, TWO]).await.unwrap();
        assert_eq!((report.applied, report.version), (vec!["0002_two".to_owned()], 2));
        let rows = store.pool.rows("SELECT id FROM one", args![]).await.unwrap();
        assert_eq!(rows.len(), 1);
    }
}

#[tokio::test]
async fn s15_a_process_that_dies_within_a_script_leaves_nothing() {
    for store in empty_stores().await {
        store.migrate_with(&[ONE]).await.unwrap();
        let mut txn = store.pool.begin_write().await.unwrap();
        dialect::migration_lock(&mut txn).await.unwrap();
        txn.script(store.script(&TWO)).await.unwrap();
        drop(txn);
        let report = store.migrate_with(&[ONE, TWO]).await.unwrap();
        assert_eq!(report.applied, ["0002_two"]);
    }
}

#[test]
fn both_folders_hold_the_scripts_of_the_list_and_nothing_else() {
    let names = |folder: &str| -> BTreeSet<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(folder);
        let files = std::fs::read_dir(path).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    };
    let listed: BTreeSet<String> = MIGRATIONS.iter().map(|m| format!("{}.sql", m.name)).collect();
    assert_eq!(names("sqlite"), listed);
    assert_eq!(names("postgres"), listed);
    for (index, migration) in MIGRATIONS.iter().enumerate() {
        assert_eq!(migration.version, i64::try_from(index).unwrap() + 1);
        assert!(migration.name.starts_with(&format!("{:04}_", migration.version)));
    }
}
