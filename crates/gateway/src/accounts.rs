//! The books at run time: brings the journal's records into the database, and onto the disk.
//!
//! The writer tails the journal's files instead of a queue in memory, so a slow or absent database costs disk
//! space, never memory and never a record, and replay after a crash is the very same code.

pub(crate) mod audit;
pub(crate) mod share;

use std::sync::Arc;
use std::time::Duration;

use ledger::JournalError;
use store::StoreError;
use tokio::sync::Notify;

use crate::core::{Core, StartError};

/// Records per transaction; a request has three. Each transaction waits for the disk once and costs about a millisecond
/// whatever is in it, so few large ones are cheap; twice as large would take twice the memory and save a fortieth.
const BATCH: usize = 3 * 1024;
/// How long a record may wait for company.
const GATHER: Duration = Duration::from_millis(100);
/// How often the journal is synced to the disk while records arrive.
const SYNC: Duration = Duration::from_millis(20);
/// Pause after a failure.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Applies everything that the journal holds; called before the listener opens.
pub(crate) async fn catch_up(core: &Arc<Core>) -> Result<(), StartError> {
    let applied = core.store.ledger_position(&core.config.node).await?;
    let ledger = core.ledger.clone();
    // Tells the journal what the database holds, so that the backlog counts only what it does not.
    blocking(move || ledger.mark_applied(applied)).await?;
    while write_batch(core).await? != Wrote::Nothing {}
    Ok(())
}

/// Batches that a request for the books' latest state writes at most; the writer has the rest.
const AT_ONCE: usize = 16;

/// Brings the books up to date beside the writer, for somebody who waits for them.
pub(crate) async fn write_now(core: &Arc<Core>) {
    for _ in 0..AT_ONCE {
        match write_batch(core).await {
            Ok(Wrote::Full) => {}
            Ok(Wrote::All | Wrote::Nothing) => return,
            Err(error) => {
                tracing::warn!(%error, "the books could not be brought up to date at once; the writer tries again");
                return;
            }
        }
    }
}

impl From<WriteError> for StartError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Journal(error) => Self::Journal(error),
            WriteError::Store(error) => Self::Store(error),
        }
    }
}

/// Starts the writer and the syncer on the tracker.
pub(crate) fn start(core: &Arc<Core>) {
    let arrived = Arc::new(Notify::new());
    let waker = arrived.clone();
    core.ledger.set_waker(move || waker.notify_one());
    core.tracker.spawn(write(core.clone(), arrived));
    core.tracker.spawn(sync(core.clone()));
    share::start(core);
}

/// Writes until the engine has drained, then writes what is left.
async fn write(core: Arc<Core>, arrived: Arc<Notify>) {
    loop {
        tokio::select! {
            () = core.cut.cancelled() => break,
            () = arrived.notified() => {}
        }
        tokio::time::sleep(GATHER).await;
        loop {
            match write_batch(&core).await {
                Ok(Wrote::Full) => {}
                // What came meanwhile waits for company again: under load the next few records are always there, and
                // a transaction for them would cost the disk as much as one for thousands.
                Ok(Wrote::All | Wrote::Nothing) => break,
                Err(error) => {
                    tracing::error!(%error, backlog = core.ledger.backlog(), "the books could not be written; trying again");
                    core.metrics.writer_failed();
                    tokio::select! {
                        () = core.cut.cancelled() => return,
                        () = tokio::time::sleep(RETRY) => {}
                    }
                }
            }
        }
    }
}

/// What a transaction had to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrote {
    Nothing,
    /// Everything that there was.
    All,
    /// As much as a transaction takes; more may be waiting.
    Full,
}

/// One transaction.
async fn write_batch(core: &Arc<Core>) -> Result<Wrote, WriteError> {
    let _the_books = core.books.lock().await;
    let after = core.store.ledger_position(&core.config.node).await?;
    let ledger = core.ledger.clone();
    let Some(batch) = blocking(move || ledger.read_batch(after, BATCH)).await? else {
        return Ok(Wrote::Nothing);
    };
    core.store.ledger_apply(&core.config.node, &batch).await?;
    let ids: Vec<_> = batch.rows.iter().map(|row| row.request_id).collect();
    core.quotas.budgets.applied(&ids);
    let anchors = core.quotas.budgets.take_anchors();
    if !anchors.is_empty() {
        let anchors = anchors.into_iter().map(|(scope, since)| (scope.kind, scope.id, since)).collect();
        core.store.anchor_put(anchors).await?;
    }
    let ledger = core.ledger.clone();
    let full = batch.is_full;
    blocking(move || ledger.mark_applied(batch.end)).await?;
    Ok(if full { Wrote::Full } else { Wrote::All })
}

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, JournalError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(stopped) => Err(JournalError::Io(std::io::Error::other(stopped))),
    }
}

/// Runs an append to the journal; in strict mode it waits for the disk.
pub(crate) fn append<T>(core: &Core, work: impl FnOnce() -> T) -> T {
    crate::disk::on_disk(core.ledger.is_strict(), work)
}

async fn sync(core: Arc<Core>) {
    loop {
        let ends = core.cut.is_cancelled();
        if !core.ledger.is_synced() {
            let ledger = core.ledger.clone();
            if let Err(error) = blocking(move || ledger.sync().map_err(JournalError::Io)).await {
                tracing::error!(%error, "the journal could not be synced to the disk");
                core.metrics.writer_failed();
            }
        }
        if ends {
            return;
        }
        tokio::select! {
            () = core.cut.cancelled() => {}
            () = tokio::time::sleep(SYNC) => {}
        }
    }
}

/// The last act: everything that was booked goes into the database. Called after all streams have ended.
pub(crate) async fn finish(core: &Arc<Core>) {
    loop {
        match write_batch(core).await {
            Ok(Wrote::Full | Wrote::All) => {}
            Ok(Wrote::Nothing) => return,
            Err(error) => {
                tracing::error!(%error, "the journal keeps what the database could not take; it is applied at the next start");
                return;
            }
        }
    }
}
