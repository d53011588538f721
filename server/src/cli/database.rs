//! `tollgate db migrate|check`.

use clap::Subcommand;

use super::{block_on, print};
use crate::boot::{BootError, Exit, data_dir, database};
use crate::config::ServerConfig;

/// Work on the database while the gateway is stopped.
#[derive(Debug, Subcommand)]
pub(super) enum Db {
    /// Run the migrations that the database does not hold yet.
    Migrate,
    /// Say whether database and program fit together.
    Check,
}

pub(super) fn run(command: &Db, config: &ServerConfig) -> Result<(), BootError> {
    block_on(Box::pin(async {
        data_dir::prepare(&config.data_dir)?;
        let store = database::connect(config).await?;
        if matches!(command, Db::Migrate) {
            database::run(&store).await?;
        }
        let (applied, known) = store.migration_state().await.map_err(|error| {
            BootError::new(
                Exit::Database,
                format!("the schema cannot be read: {error}"),
                "Check the database with `tollgate doctor db`.",
            )
        })?;
        let backend = store.backend();
        store.close().await;
        print(&format!("database  {backend}\nschema    {applied} (this program: {known})"));
        match applied.cmp(&known) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => Err(BootError::new(
                Exit::Migration,
                format!("{} migrations are missing", known - applied),
                "Run `tollgate db migrate`.",
            )),
            std::cmp::Ordering::Greater => Err(BootError::new(
                Exit::Migration,
                format!("the database has schema {applied}, this program knows only {known}"),
                "Use the newer release of Tollgate that wrote this database.",
            )),
        }
    }))?
}
