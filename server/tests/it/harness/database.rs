//! Which database a server under test stands on: SQLite in its folder, or, where `TOLLGATE_TEST_POSTGRES` names a
//! server, a PostgreSQL database of its own that goes away with the test.
//!
//! It opens no connection that stays: those that a test holds are the ones of the servers it starts.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;

use server::ServerConfig;
use store::testing::{TestStore, postgres, postgres_empty};
use types::Secret;

thread_local! {
    /// The databases of folders that outlive their servers. They end with the test, which has a thread of its own.
    static KEPT: RefCell<HashMap<PathBuf, TestStore>> = RefCell::default();
}

/// A migrated database for one server; it is dropped with the answer.
pub(crate) async fn fresh(config: &mut ServerConfig) -> Option<TestStore> {
    let database = postgres().await?;
    database.close().await;
    config.database_url = Secret::new(database.url().to_owned());
    Some(database)
}

/// The database of the data folder: an empty one for the first server in it, the same for those that follow.
pub(crate) async fn of_folder(config: &mut ServerConfig) {
    let known = KEPT.with_borrow(|kept| kept.get(&config.data_dir).map(|database| database.url().to_owned()));
    let url = if let Some(url) = known {
        url
    } else {
        let Some(database) = postgres_empty().await else { return };
        database.close().await;
        let url = database.url().to_owned();
        KEPT.with_borrow_mut(|kept| kept.insert(config.data_dir.clone(), database));
        url
    };
    config.database_url = Secret::new(url);
}
