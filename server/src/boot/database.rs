//! Reaches the database with patience (ST-06) and brings its schema up to date (ST-07).

use std::time::Duration;

use store::{ConnectOptions, MigrateError, Store};
use tokio::time::Instant;

use super::error::chain;
use super::{BootError, Exit};
use crate::config::{ServerConfig, masked_url};

/// Connections that the pool may open.
const CONNECTIONS: u32 = 10;

/// Connects; a database that is still starting is waited for.
pub async fn connect(config: &ServerConfig) -> Result<Store, BootError> {
    connect_with(config, CONNECTIONS).await
}

/// Connects with a pool of so many connections.
pub async fn connect_with(config: &ServerConfig, max_connections: u32) -> Result<Store, BootError> {
    let deadline = Instant::now() + config.edge.database_patience;
    let mut pause = Duration::from_millis(200);
    loop {
        let options = ConnectOptions { max_connections };
        let error = match Store::connect(config.database_url.expose(), options).await {
            Ok(store) => return Ok(store),
            Err(error) => error,
        };
        let what = chain(&error);
        if !error.fault.is_transient() || Instant::now() + pause > deadline {
            return Err(BootError::new(
                Exit::Database,
                what,
                format!(
                    "Make the database at {} available ({}), or correct DATABASE_URL.",
                    masked_url(config.database_url.expose()),
                    error.fault
                ),
            ));
        }
        tracing::warn!(error = what, retry_ms = pause.as_millis(), "the database is not reachable yet");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Runs what is missing, or, with `AUTO_MIGRATE=false`, only checks that nothing is.
pub async fn migrate(config: &ServerConfig, store: &Store) -> Result<(), BootError> {
    if config.auto_migrate {
        return run(store).await;
    }
    let (applied, known) =
        store.migration_state().await.map_err(|error| failed(&MigrateError::from(error)))?;
    if applied == known {
        return Ok(());
    }
    if applied > known {
        return Err(failed(&MigrateError::Newer { db: applied, binary: known }));
    }
    Err(BootError::new(
        Exit::Migration,
        format!("the database has schema {applied}, this program needs {known}, and AUTO_MIGRATE is off"),
        "Run `tollgate db migrate` and start again.",
    ))
}

/// Runs every migration that the database does not hold yet.
pub async fn run(store: &Store) -> Result<(), BootError> {
    let report = store.migrate().await.map_err(|error| failed(&error))?;
    tracing::debug!(?report, "schema is up to date");
    Ok(())
}

fn failed(error: &MigrateError) -> BootError {
    let advice = match error {
        MigrateError::Newer { .. } => "Start the newer release of Tollgate that wrote this database.",
        MigrateError::Tampered { .. } => "Start an official release, or restore the database from a backup.",
        MigrateError::Failed { .. } => {
            "Correct the cause above (nothing of the migration was kept) and start again."
        }
        _ => "Check the database with `tollgate doctor db` and start again.",
    };
    BootError::new(Exit::Migration, chain(error), advice)
}
