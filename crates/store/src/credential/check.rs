//! What checks of credentials found: the standing of each, the history, and what they lead to. It does not decide.
//!
//! Counters are moved by the database itself, and only while the credential is in the state that was checked: a check
//! of an old secret, or one from before a reset by hand, counts for nothing (AC-13).

use types::allowance::Allowance;
use types::check::{CheckCounts, CheckLine, CheckResult, CheckStanding, DisabledBy};
use types::credential::{CredentialEvent, CredentialState};
use types::{CredentialId, Timestamp};

use crate::audit::audit_append_in_txn;
use crate::column::json;
use crate::event::credential_event_in_txn;
use crate::pool::Txn;
use crate::revision::{bump_in_txn, commit_change};
use crate::sql::{Row, args};
use crate::{Change, Store, StoreError};

/// What a check does to the count of failures in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// Nothing.
    Keep,
    /// One more.
    More,
    /// It begins anew.
    Anew,
}

/// A check to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckNote {
    /// The credential.
    pub credential_id: CredentialId,
    /// The version of the state that was checked.
    pub seen_version: i64,
    /// What was found.
    pub line: CheckLine,
    /// What that does to the count.
    pub counting: Counting,
}

/// Checks kept of each credential.
const KEPT_OF_EACH: i64 = 100;

impl Store {
    /// Writes checks down and answers each credential's failures in a row afterwards; `None` where the credential has
    /// changed its state since it was checked, or is gone: then only the history knows of the check.
    pub async fn credential_check_append(&self, notes: &[CheckNote]) -> Result<Vec<Option<u32>>, StoreError> {
        if notes.is_empty() {
            return Ok(Vec::new());
        }
        let (mut failures, mut moved) = (Vec::with_capacity(notes.len()), false);
        let mut txn = self.pool.begin_write().await?;
        for CheckNote { credential_id: id, seen_version, line, counting } in notes {
            let CheckLine { at, probe, result, status, latency_ms, message, remedy } = line;
            txn.execute(
                "INSERT INTO credential_checks (credential_id, at, probe, result, status, latency_ms, message,
                    remedy)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                args![
                    *id,
                    *at,
                    probe.as_str(),
                    result.as_str(),
                    *status,
                    i64::try_from(*latency_ms).unwrap_or(i64::MAX),
                    message.clone(),
                    remedy.clone(),
                ],
            )
            .await?;
            let before = txn
                .row_opt(
                    "SELECT check_failures FROM credentials
                     WHERE id = $1 AND state_version = $2 AND deleted_at IS NULL",
                    args![*id, *seen_version],
                )
                .await?;
            let Some(before) = before else {
                failures.push(None);
                continue;
            };
            let before = before.int("check_failures")?;
            let after = match counting {
                Counting::Keep => before,
                Counting::More => before.saturating_add(1),
                Counting::Anew => 0,
            };
            moved |= before != after;
            txn.execute(
                "UPDATE credentials SET check_failures = $2, checked_at = $3, check_result = $4, check_message = $5,
                    check_remedy = $6
                 WHERE id = $1",
                args![*id, after, *at, result.as_str(), message.clone(), remedy.clone()],
            )
            .await?;
            failures.push(Some(u32::try_from(after).unwrap_or(u32::MAX)));
        }
        if moved {
            // Other instances learn by it whose failures a success has to end.
            bump_in_txn(&mut txn).await?;
        }
        txn.commit().await?;
        Ok(failures)
    }

    /// Lets the failures of one credential, or of all, begin anew; answers how many had any. With `change` it is an
    /// administrator's doing: it is written down, and a check that is under way counts for nothing.
    pub async fn credential_check_reset(
        &self,
        id: Option<CredentialId>,
        change: Option<Change>,
    ) -> Result<u64, StoreError> {
        // What a person resets, no check that is under way may move again.
        let step = i64::from(change.is_some());
        let mut txn = self.pool.begin_write().await?;
        let touched = if let Some(id) = id {
            let sql = "UPDATE credentials SET check_failures = 0, state_version = state_version + $1
                 WHERE check_failures > 0 AND deleted_at IS NULL AND id = $2";
            txn.execute(sql, args![step, id]).await?
        } else {
            let sql = "UPDATE credentials SET check_failures = 0, state_version = state_version + $1
                 WHERE check_failures > 0 AND deleted_at IS NULL";
            txn.execute(sql, args![step]).await?
        };
        if let Some(change) = change {
            commit_change(txn, change).await?;
        } else if touched > 0 {
            bump_in_txn(&mut txn).await?;
            txn.commit().await?;
        }
        Ok(touched)
    }

    /// Switches a credential off (with the reason) or, if the checker had done that, on again; false if its state is
    /// another by now than the one that was seen, or it is switched so already.
    pub async fn credential_switch(
        &self,
        seen_version: i64,
        off: Option<&str>,
        event: &CredentialEvent,
        change: Change,
    ) -> Result<bool, StoreError> {
        let (id, at) = (event.credential_id, event.at);
        let mut txn = self.pool.begin_write().await?;
        let touched = match off {
            Some(reason) => {
                txn.execute(
                    "UPDATE credentials SET enabled = $3, disabled_by = $4, disabled_at = $5, disabled_reason = $6,
                        updated_at = $5, version = version + 1, state_version = state_version + 1
                     WHERE id = $1 AND state_version = $2 AND deleted_at IS NULL AND enabled = $7",
                    args![id, seen_version, false, DisabledBy::HealthCheck.as_str(), at, reason, true],
                )
                .await?
            }
            None => {
                txn.execute(
                    "UPDATE credentials SET enabled = $3, disabled_by = NULL, disabled_at = NULL,
                        disabled_reason = NULL, check_failures = 0, updated_at = $5, version = version + 1,
                        state_version = state_version + 1
                     WHERE id = $1 AND state_version = $2 AND deleted_at IS NULL AND disabled_by = $4",
                    args![id, seen_version, true, DisabledBy::HealthCheck.as_str(), at],
                )
                .await?
            }
        };
        if touched == 0 {
            return Ok(false);
        }
        credential_event_in_txn(&mut txn, event).await?;
        audit_append_in_txn(&mut txn, change).await?;
        bump_in_txn(&mut txn).await?;
        txn.commit().await?;
        Ok(true)
    }

    /// Keeps what a vendor said of an account, unless something later is kept. It changes no revision: what requests use
    /// of it is in memory.
    pub async fn credential_allowance_put(
        &self,
        id: CredentialId,
        allowance: &Allowance,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE credentials SET allowance = $2, allowance_at = $3
             WHERE id = $1 AND (allowance_at IS NULL OR allowance_at < $3)";
        self.pool.execute(sql, args![id, json(allowance)?, allowance.at]).await?;
        Ok(())
    }

    /// The last checks of a credential, the latest first.
    pub async fn credential_check_list(
        &self,
        id: CredentialId,
        most: u32,
    ) -> Result<Vec<CheckLine>, StoreError> {
        let sql = "SELECT * FROM credential_checks WHERE credential_id = $1 ORDER BY id DESC LIMIT $2";
        self.pool.rows(sql, args![id, most]).await?.iter().map(check_line).collect()
    }

    /// What checks found since then, by result, and when the last one ended.
    pub async fn credential_check_counts(
        &self,
        since: Timestamp,
    ) -> Result<(CheckCounts, Option<Timestamp>), StoreError> {
        let sql = "SELECT result, COUNT(*) AS n, MAX(at) AS last FROM credential_checks WHERE at >= $1
             GROUP BY result";
        let (mut counts, mut last) = (CheckCounts::default(), None);
        for row in self.pool.rows(sql, args![since]).await? {
            let result: CheckResult = row.named("result")?;
            counts.add(result, row.number("n")?);
            last = last.max(row.time_opt("last")?);
        }
        if last.is_none() {
            let row = self.pool.row("SELECT MAX(at) AS last FROM credential_checks", args![]).await?;
            last = row.time_opt("last")?;
        }
        Ok((counts, last))
    }

    /// When each live credential was last checked, for those that were.
    pub async fn credential_check_times(&self) -> Result<Vec<(CredentialId, Timestamp, u32)>, StoreError> {
        let sql = "SELECT id, checked_at, check_failures FROM credentials
             WHERE deleted_at IS NULL AND checked_at IS NOT NULL ORDER BY id";
        let rows = self.pool.rows(sql, args![]).await?;
        let time = |row: &Row| {
            Ok((CredentialId(row.int("id")?), row.time("checked_at")?, row.number("check_failures")?))
        };
        rows.iter().map(time).collect()
    }

    /// Deletes checks from before the given time, and of each credential all but the last hundred; answers how many.
    pub async fn credential_check_prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let old = self.pool.execute("DELETE FROM credential_checks WHERE at < $1", args![before]).await?;
        let many = self
            .pool
            .execute(
                "DELETE FROM credential_checks WHERE id IN (SELECT id FROM (
                    SELECT id, ROW_NUMBER() OVER (PARTITION BY credential_id ORDER BY id DESC) AS place
                    FROM credential_checks) AS placed WHERE place > $1)",
                args![KEPT_OF_EACH],
            )
            .await?;
        Ok(old + many)
    }
}

/// Reads what the vendor said.
pub(super) fn allowance(row: &Row) -> Result<Option<Allowance>, StoreError> {
    if row.time_opt("allowance_at")?.is_none() { Ok(None) } else { row.json("allowance").map(Some) }
}

/// Whether a credential is switched on, and its state; `None` if there is none.
pub(super) async fn switch_in_txn(
    txn: &mut Txn,
    id: CredentialId,
) -> Result<Option<(bool, CredentialState)>, StoreError> {
    let row = txn.row_opt("SELECT enabled, state FROM credentials WHERE id = $1", args![id]).await?;
    row.map(|row| Ok((row.flag("enabled")?, row.named("state")?))).transpose()
}

/// Notes who switched a credential off, or forgets it and the failures of a credential that was off before, and writes
/// that down in its history. Whoever saves one without touching the switch changes nothing.
pub(super) async fn switched_in_txn(
    txn: &mut Txn,
    id: CredentialId,
    was: Option<(bool, CredentialState)>,
    enabled: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    if enabled {
        txn.execute(
            "UPDATE credentials SET check_failures = 0, disabled_by = NULL, disabled_at = NULL,
                disabled_reason = NULL, state_version = state_version + 1
             WHERE id = $1 AND disabled_by IS NOT NULL",
            args![id],
        )
        .await?;
    } else {
        txn.execute(
            "UPDATE credentials SET disabled_by = $2, disabled_at = $3
             WHERE id = $1 AND disabled_by IS NULL",
            args![id, DisabledBy::Admin.as_str(), at],
        )
        .await?;
    }
    let Some((_, state)) = was.filter(|(was, _)| *was != enabled) else { return Ok(()) };
    let (from, to) =
        if enabled { (CredentialState::Disabled, state) } else { (state, CredentialState::Disabled) };
    let (reason, cause) = (None, "admin".to_owned());
    let event =
        CredentialEvent { credential_id: id, at, from, to, until: None, reason, cause, request_id: None };
    credential_event_in_txn(txn, &event).await
}

/// Reads what checks know of a credential.
pub(super) fn standing(row: &Row) -> Result<CheckStanding, StoreError> {
    Ok(CheckStanding {
        failures: row.number("check_failures")?,
        at: row.time_opt("checked_at")?,
        result: row.named_opt("check_result")?,
        message: row.text_opt("check_message")?,
        remedy: row.text_opt("check_remedy")?,
        disabled_by: row.named_opt("disabled_by")?,
        disabled_at: row.time_opt("disabled_at")?,
        disabled_reason: row.text_opt("disabled_reason")?,
    })
}

fn check_line(row: &Row) -> Result<CheckLine, StoreError> {
    Ok(CheckLine {
        at: row.time("at")?,
        probe: row.text("probe")?,
        result: row.named("result")?,
        status: row.number_opt("status")?,
        latency_ms: u64::try_from(row.int("latency_ms")?).unwrap_or(0),
        message: row.text_opt("message")?,
        remedy: row.text_opt("remedy")?,
    })
}

#[cfg(test)]
mod tests;
