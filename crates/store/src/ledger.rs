//! The books' way into the database: one batch, one transaction, exactly once.
//!
//! Rows, sums and the position reached are written together, and only rows that were not there yet are summed,
//! so a batch may be applied again, or overlap another, without changing anything.

mod rows;
pub(crate) mod sums;

use std::borrow::Cow;
use std::collections::HashSet;

use ledger::batch::fold;
use ledger::{Batch, Position};
use types::request::RequestRecord;

use crate::spend::rollup;
use crate::sql::{args, pieces};
use crate::{Store, StoreError, share};

/// What [`Store::ledger_apply`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows that were new.
    pub inserted: u64,
    /// Rows that were there already.
    pub known: u64,
}

/// What is expected of a batch's rows. They are all new but after a crash, and asking the database which are costs
/// as much as writing them.
#[derive(Clone, Copy, Debug)]
enum Expect {
    New,
    Anything,
}

impl Store {
    /// Writes a batch of a node's journal and the position where the next one begins.
    pub async fn ledger_apply(&self, node: &str, batch: &Batch) -> Result<Applied, StoreError> {
        match self.apply(node, batch, Expect::New).await? {
            Some(applied) => Ok(applied),
            None => self.apply(node, batch, Expect::Anything).await.map(Option::unwrap_or_default),
        }
    }

    /// `None`, and no change, if not all rows were new although that was expected.
    async fn apply(&self, node: &str, batch: &Batch, expect: Expect) -> Result<Option<Applied>, StoreError> {
        let rows: Vec<Cow<'_, RequestRecord>> = batch.rows.iter().map(rows::bounded).collect();
        let untouched = rows.iter().all(|row| matches!(row, Cow::Borrowed(_)));
        let mut txn = self.pool.begin_write().await?;
        let numbered =
            || rows.iter().map(AsRef::as_ref).enumerate().map(|(at, row)| (row, batch.decision(at)));
        let (fresh, decisions): (Vec<&RequestRecord>, Vec<Option<&str>>) = match expect {
            Expect::New => {
                for piece in pieces(&rows) {
                    if !rows::insert_new(&mut txn, piece).await? {
                        return txn.rollback().await.map(|()| None);
                    }
                }
                numbered().unzip()
            }
            Expect::Anything => {
                let mut new = HashSet::with_capacity(rows.len());
                for piece in pieces(&rows) {
                    rows::insert_unknown(&mut txn, piece, &mut new).await?;
                }
                // The same request twice in one batch counts once.
                numbered().filter(|(row, _)| new.remove(&row.request_id.to_string())).unzip()
            }
        };
        rows::insert_details(&mut txn, &fresh, &decisions).await?;
        let refolded = (!untouched || fresh.len() < rows.len()).then(|| fold(fresh.iter().copied()));
        let (usage, latency) =
            refolded.as_ref().map_or((&batch.usage, &batch.latency), |(usage, latency)| (usage, latency));
        sums::add_usage(&mut txn, usage).await?;
        sums::add_days(&mut txn, usage).await?;
        sums::add_latency(&mut txn, latency).await?;
        sums::add_key_usage(&mut txn, &fresh).await?;
        share::consume(&mut txn, node, &fresh).await?;
        rollup::add(&mut txn, &fresh).await?;
        // Overwritten even when it goes back: a journal that was removed starts over, and a position ahead of
        // it would lose what it writes.
        txn.execute(
            "INSERT INTO ledger_position (node, segment, byte_offset) VALUES ($1, $2, $3)
             ON CONFLICT (node) DO UPDATE
                SET segment = excluded.segment, byte_offset = excluded.byte_offset",
            args![node, position(batch.end.segment)?, position(batch.end.offset)?],
        )
        .await?;
        txn.commit().await?;
        let known = rows.len() - fresh.len();
        let number = |n| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(Some(Applied { inserted: number(fresh.len()), known: number(known) }))
    }

    /// Where the next batch of a node's journal begins.
    pub async fn ledger_position(&self, node: &str) -> Result<Position, StoreError> {
        let sql = "SELECT segment, byte_offset FROM ledger_position WHERE node = $1";
        match self.pool.row_opt(sql, args![node]).await? {
            None => Ok(Position::default()),
            Some(row) => Ok(Position { segment: row.number("segment")?, offset: row.number("byte_offset")? }),
        }
    }
}

// A position must never be bent: a wrong one would skip records.
fn position(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_range| StoreError::Corrupt(format!("journal position {value}")))
}

#[cfg(test)]
mod tests;
