//! `tollgate reset`: everything that is stored goes, after a copy of it was made and looked at (AC-12).
//!
//! It works only while no gateway does, and keeps what is not in database or journal: configuration, environment, the
//! secrets that a first start made and this instance's name, without which the copy could not be used.

mod backup;

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::time::Duration;

use clap::Args;
use ledger::{Closed, JournalError};
use store::Store;

use super::doctor::db::is_absent;
use super::{block_on, print};
use crate::boot::{BootError, Exit, data_dir, database};
use crate::config::ServerConfig;
use backup::Backup;

/// A connection that has just ended is still listed for a moment.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// What people ask after, by its table.
const TOLD: [&str; 6] = ["providers", "credentials", "users", "api_keys", "requests", "audit_log"];

#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Reset {
    /// Really do it.
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(command: Reset, config: &ServerConfig) -> Result<(), BootError> {
    let journal = config.data_dir.join("journal");
    if is_absent(config) && !journal.exists() {
        print("there is nothing to reset: no database and no journal");
        return Ok(());
    }
    data_dir::prepare(&config.data_dir)?;
    // An absent one is made, so that no gateway can start meanwhile.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&journal);
    let closed = made.map_err(JournalError::from).and_then(|()| ledger::keep_closed(&journal));
    let closed = closed.map_err(|error| match error {
        JournalError::Locked { pid } => BootError::new(
            Exit::Other,
            format!("a gateway runs on this data folder (process {pid}); nothing was changed"),
            "Stop it and run this again.",
        ),
        error => BootError::new(
            Exit::DataDir,
            format!("{error} ({})", journal.display()),
            "Run this as the user that the gateway runs as.",
        ),
    })?;
    block_on(Box::pin(reset(command, config, &closed)))?
}

async fn reset(command: Reset, config: &ServerConfig, closed: &Closed) -> Result<(), BootError> {
    // One connection, so that every other one is somebody else's.
    let store = database::connect_with(config, 1).await?;
    let (applied, known) = store.migration_state().await.map_err(|error| unread(&error))?;
    if applied > known {
        return Err(BootError::new(
            Exit::Migration,
            format!(
                "the database has schema {applied}, this program knows only {known}; nothing was changed"
            ),
            "Use the newer release of Tollgate that wrote this database.",
        ));
    }
    alone(&store).await?;
    let counts = store.row_counts().await.map_err(|error| unread(&error))?;
    if !command.yes {
        return Err(BootError::new(
            Exit::Other,
            format!("this empties the database ({}) and the journal; nothing was changed", told(&counts)),
            "Run `tollgate reset --yes` if you mean it; it makes a backup first.",
        ));
    }
    let backup = Backup::make(config, &store, &counts, closed).await?;
    print(&backup.summary());
    emptied(&store, closed, &backup).await.map_err(|why| {
        BootError::new(
            Exit::Other,
            format!("{why}; the backup in {} is whole", backup.folder.display()),
            "Correct the cause above and run this again.",
        )
    })?;
    store.close().await;
    print(&format!(
        "emptied    {}\nkept       {}, the configuration and the environment\nnext       `tollgate serve` begins \
         anew; credentials that the environment names come back by themselves\n\n{}",
        told(&counts),
        config.data_dir.join("secrets").display(),
        backup.way_back()
    ));
    Ok(())
}

/// The database first: if the rest fails, the journal still holds what the database had, and not the other way round.
async fn emptied(store: &Store, closed: &Closed, backup: &Backup) -> Result<(), String> {
    store.drop_tables().await.map_err(|error| format!("the database could not be emptied: {error}"))?;
    database::run(store).await.map_err(|error| error.what)?;
    closed.clear().map_err(|error| format!("the journal could not be emptied: {error}"))?;
    backup.clear_tokens().map_err(|error| format!("the tokens that wait could not be removed: {error}"))?;
    Ok(())
}

/// The lock of the journal speaks for this data folder only; a database on a server may have other users.
async fn alone(store: &Store) -> Result<(), BootError> {
    let mut others = 0;
    for _ in 0..LOOKS {
        others = store.others_connected().await.map_err(|error| unread(&error))?;
        if others == 0 {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(BootError::new(
        Exit::Other,
        format!("other instances of Tollgate use this database ({others} connections); nothing was changed"),
        "Stop all of them and run this again.",
    ))
}

fn unread(error: &store::StoreError) -> BootError {
    BootError::new(
        Exit::Database,
        format!("the database cannot be read: {error}; nothing was changed"),
        "Check it with `tollgate doctor db` and run this again.",
    )
}

fn told(counts: &BTreeMap<String, u64>) -> String {
    let line = |table: &&str| format!("{} {}", counts.get(*table).unwrap_or(&0), table.replace('_', " "));
    TOLD.iter().map(line).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_12_what_is_told_is_counted() {
        let counts = BTreeMap::from([("providers".to_owned(), 2), ("api_keys".to_owned(), 3)]);
        let words = "2 providers, 0 credentials, 0 users, 3 api keys, 0 requests, 0 audit log";
        assert_eq!(told(&counts), words);
    }
}
