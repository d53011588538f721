//! The histories of states: of credentials and of circuit breakers. Rows are only added, listed and pruned.

use types::breaker::BreakerEvent;
use types::credential::{CredentialEvent, CredentialState};
use types::page::page_size;
use types::{CredentialId, Page, ProviderId, Timestamp};

use crate::audit::page;
use crate::pool::Txn;
use crate::sql::{Args, Conditions, Row, Sql, args, insert_many, pieces};
use crate::{Store, StoreError};

const BREAKER_COLUMNS: usize = 7;

impl Store {
    /// Lists changes of credentials' states, newest first; of one credential if it is named. At most 500 a page.
    pub async fn credential_event_list(
        &self,
        credential: Option<CredentialId>,
        limit: u32,
        cursor: Option<String>,
    ) -> Result<Page<CredentialEvent>, StoreError> {
        let mut conditions = before(cursor.as_deref())?;
        conditions.and_some("credential_id = ?", credential);
        let size = page_size(Some(limit));
        let built = conditions.build(
            "SELECT * FROM credential_events",
            " ORDER BY id DESC LIMIT ?",
            i64::from(size) + 1,
        );
        self.event_page(built, size, credential_event).await
    }

    /// How many suspensions requests met with since the credential was valid last: in a row, whatever restarted or
    /// wrote them down.
    pub async fn credential_suspensions(&self, id: CredentialId) -> Result<u32, StoreError> {
        let sql = "SELECT COUNT(*) AS n FROM credential_events
             WHERE credential_id = $1 AND to_state = $2 AND cause = $3 AND id > COALESCE(
                (SELECT MAX(id) FROM credential_events WHERE credential_id = $1 AND to_state = $4), 0)";
        let (suspended, valid) = (CredentialState::Suspended, CredentialState::Valid);
        self.pool.row(sql, args![id, suspended.as_str(), "upstream", valid.as_str()]).await?.number("n")
    }

    /// Writes changes of breakers down, in this order.
    pub async fn breaker_event_append(&self, events: &[BreakerEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut txn = self.pool.begin_write().await?;
        for piece in pieces(events) {
            let head = "INSERT INTO breaker_events
                (at, provider_id, credential_id, model, from_state, to_state, reason) VALUES";
            let sql = insert_many(txn.placeholders(), head, BREAKER_COLUMNS, piece.len(), "");
            let mut args = Args::with_capacity(piece.len() * BREAKER_COLUMNS);
            for BreakerEvent { at, provider_id, credential_id, model, from, to, reason } in piece {
                args.extend(args![
                    *at,
                    *provider_id,
                    *credential_id,
                    model.clone(),
                    from.as_str(),
                    to.as_str(),
                    reason.as_str(),
                ]);
            }
            txn.execute(sql, args).await?;
        }
        txn.commit().await
    }

    /// Lists changes of breakers, newest first; of one provider if it is named. At most 500 a page.
    pub async fn breaker_event_list(
        &self,
        provider: Option<ProviderId>,
        limit: u32,
        cursor: Option<String>,
    ) -> Result<Page<BreakerEvent>, StoreError> {
        let mut conditions = before(cursor.as_deref())?;
        conditions.and_some("provider_id = ?", provider);
        let size = page_size(Some(limit));
        let built = conditions.build(
            "SELECT * FROM breaker_events",
            " ORDER BY id DESC LIMIT ?",
            i64::from(size) + 1,
        );
        self.event_page(built, size, breaker_event).await
    }

    /// Deletes what both histories hold from before the given time; answers how many rows.
    pub async fn event_prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let credentials = "DELETE FROM credential_events WHERE at < $1";
        let breakers = "DELETE FROM breaker_events WHERE at < $1";
        let pruned = self.pool.execute(credentials, args![before]).await?;
        Ok(pruned + self.pool.execute(breakers, args![before]).await?)
    }

    async fn event_page<T>(
        &self,
        (sql, args): (Sql, Args),
        size: u32,
        read: fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let rows = self.pool.rows(sql, args).await?;
        let items = rows
            .iter()
            .map(|row| Ok((row.int("id")?, read(row)?)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        let Page { items, next } = page(items, size, |(id, _)| id.to_string());
        Ok(Page { items: items.into_iter().map(|(_, event)| event).collect(), next })
    }
}

/// Writes the event of a change of a credential's state.
pub(crate) async fn credential_event_in_txn(
    txn: &mut Txn,
    event: &CredentialEvent,
) -> Result<(), StoreError> {
    let CredentialEvent { credential_id, at, from, to, until, reason, cause, request_id } = event;
    txn.execute(
        "INSERT INTO credential_events
            (credential_id, at, from_state, to_state, until, reason, cause, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![
            *credential_id,
            *at,
            from.as_str(),
            to.as_str(),
            *until,
            reason.clone(),
            cause.as_str(),
            request_id.map(|id| id.to_string()),
        ],
    )
    .await?;
    Ok(())
}

fn before(cursor: Option<&str>) -> Result<Conditions, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(cursor) = cursor {
        let last: i64 = cursor.parse().map_err(|_no_number| StoreError::Filter { field: "cursor" })?;
        conditions.and_value("id < ?", last);
    }
    Ok(conditions)
}

fn credential_event(row: &Row) -> Result<CredentialEvent, StoreError> {
    Ok(CredentialEvent {
        credential_id: CredentialId(row.int("credential_id")?),
        at: row.time("at")?,
        from: row.named("from_state")?,
        to: row.named("to_state")?,
        until: row.time_opt("until")?,
        reason: row.text_opt("reason")?,
        cause: row.text("cause")?,
        request_id: row.named_opt("request_id")?,
    })
}

fn breaker_event(row: &Row) -> Result<BreakerEvent, StoreError> {
    Ok(BreakerEvent {
        at: row.time("at")?,
        provider_id: ProviderId(row.int("provider_id")?),
        credential_id: CredentialId(row.int("credential_id")?),
        model: row.text_opt("model")?,
        from: row.named("from_state")?,
        to: row.named("to_state")?,
        reason: row.text("reason")?,
    })
}

#[cfg(test)]
mod tests;
