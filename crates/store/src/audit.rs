//! The audit log: who changed what. It is written in the transaction that makes the change.
//!
//! What goes into `before` and `after` is the caller's choice; secrets must never be part of it.

use serde_json::Value as Json;
use types::audit::{AuditFilter, AuditRow};
use types::page::page_size;
use types::{AuditId, Page, Timestamp};

use crate::column::json;
use crate::pool::Txn;
use crate::sql::{Conditions, Row, args};
use crate::{Store, StoreError};

/// Who changes something, when, and what to write into the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When; also the row's new `updated_at`.
    pub at: Timestamp,
    /// `admin`, `admin-api` or `user:<name>`.
    pub actor: String,
    /// From where.
    pub client_ip: Option<String>,
    /// `provider.create`, `key.update`, …
    pub action: String,
    /// `provider`, `credential`, `user`, `key`, `setting`, `session`.
    pub object: String,
    /// Identity of the object as text; leave it empty when inserting and the new id is filled in.
    pub object_id: String,
    /// The object's name.
    pub object_name: String,
    /// The fields that change, before.
    pub before: Option<Json>,
    /// The fields that change, after.
    pub after: Option<Json>,
}

impl Change {
    /// The same change with the identity of the row that was just made.
    pub(crate) fn of_new(mut self, id: i64) -> Self {
        if self.object_id.is_empty() {
            self.object_id = id.to_string();
        }
        self
    }
}

impl Store {
    /// Writes a row for something that is no change of configuration, such as a failed sign-in.
    pub async fn audit_append(&self, change: Change) -> Result<(), StoreError> {
        let mut txn = self.pool.begin_write().await?;
        audit_append_in_txn(&mut txn, change).await?;
        txn.commit().await
    }

    /// Lists rows, newest first.
    pub async fn audit_list(&self, filter: &AuditFilter) -> Result<Page<AuditRow>, StoreError> {
        let AuditFilter { object, object_id, action, limit, cursor } = filter;
        let mut conditions = Conditions::default();
        if let Some(cursor) = cursor {
            let last: i64 = cursor.parse().map_err(|_no_number| StoreError::Filter { field: "cursor" })?;
            conditions.and_value("id < ?", last);
        }
        conditions.and_some("object = ?", object.clone());
        conditions.and_some("object_id = ?", object_id.clone());
        // No LIKE: it would need escapes, and ignores case on one of the two databases.
        if let Some(prefix) = action {
            let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
            conditions.and_value("substr(action, 1, CAST(? AS INTEGER))", length);
            conditions.continue_value(" = ?", prefix.clone());
        }
        let size = page_size(*limit);
        let (sql, args) = conditions.build(
            "SELECT id, at, actor, client_ip, action, object, object_id, object_name, before_json, after_json
             FROM audit_log",
            " ORDER BY id DESC LIMIT ?",
            i64::from(size) + 1,
        );
        let rows = self.pool.rows(sql, args).await?;
        let items = rows.iter().map(audit_row).collect::<Result<Vec<_>, _>>()?;
        Ok(page(items, size, |row| row.id.to_string()))
    }

    /// Deletes rows older than the given time; answers how many.
    pub async fn audit_prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.pool.execute("DELETE FROM audit_log WHERE at < $1", args![before]).await
    }
}

/// Writes the audit row of a change.
pub(crate) async fn audit_append_in_txn(txn: &mut Txn, change: Change) -> Result<(), StoreError> {
    let Change { at, actor, client_ip, action, object, object_id, object_name, before, after } = change;
    let before = before.map(|value| json(&value)).transpose()?;
    let after = after.map(|value| json(&value)).transpose()?;
    txn.execute(
        "INSERT INTO audit_log
            (at, actor, client_ip, action, object, object_id, object_name, before_json, after_json)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![at, actor, client_ip, action, object, object_id, object_name, before, after],
    )
    .await?;
    Ok(())
}

/// Turns up to `size` + 1 rows into a page: the surplus row only shows that there are more.
pub(crate) fn page<T>(mut items: Vec<T>, size: u32, cursor: impl Fn(&T) -> String) -> Page<T> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let more = items.len() > size;
    items.truncate(size);
    let next = if more { items.last().map(cursor) } else { None };
    Page { items, next }
}

fn audit_row(row: &Row) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        id: AuditId(row.int("id")?),
        at: row.time("at")?,
        actor: row.text("actor")?,
        client_ip: row.text_opt("client_ip")?,
        action: row.text("action")?,
        object: row.text("object")?,
        object_id: row.text("object_id")?,
        object_name: row.text("object_name")?,
        before: row.json_opt("before_json")?,
        after: row.json_opt("after_json")?,
    })
}
