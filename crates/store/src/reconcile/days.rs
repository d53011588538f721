//! Sums by day against the sums by hour that they are made of, and made of them anew.

use std::collections::BTreeMap;

use types::books::Reconciliation;
use types::usage::UsageTotals;

use super::{Span, note};
use crate::StoreError;
use crate::pool::Txn;
use crate::sql::{Row, args};
use crate::usage::{next_day, sums, totals};

/// One kind of sums by day. `$1` and `$2` are the span, in whole days.
struct Kind {
    name: &'static str,
    /// Made of the sums by hour.
    hours: &'static str,
    /// Writes them.
    write: &'static str,
}

macro_rules! kind {
    ($kind:literal, $id:literal, $name:literal) => {
        Kind {
            name: $kind,
            hours: sums!(
                concat!("SELECT ", $id, " AS id, ", $name, " AS name,"),
                "FROM usage_hour h WHERE h.bucket >= $1 AND h.bucket < $2 GROUP BY 1, 2"
            ),
            write: concat!(
                "INSERT INTO usage_day
                 SELECT '", $kind, "', ", $id, ", ", $name, ", h.bucket - h.bucket % 86400000, SUM(h.requests),
                    SUM(h.errors), SUM(h.refused), SUM(h.input_tokens), SUM(h.output_tokens),
                    SUM(h.cache_read_tokens), SUM(h.cache_write_tokens), SUM(h.unpriced), SUM(h.cost_nano),
                    SUM(h.base_cost_nano), SUM(h.provider_cost_nano)
                 FROM usage_hour h WHERE h.bucket >= $1 AND h.bucket < $2 GROUP BY 2, 3, 4"
            ),
        }
    };
}

const KINDS: [Kind; 8] = [
    kind!("all", "CAST(0 AS BIGINT)", "CAST('' AS TEXT)"),
    kind!("user", "h.user_id", "CAST('' AS TEXT)"),
    kind!("key", "h.key_id", "CAST('' AS TEXT)"),
    kind!("provider", "h.provider_id", "CAST('' AS TEXT)"),
    kind!("credential", "h.credential_id", "CAST('' AS TEXT)"),
    kind!("package", "h.grant_id", "CAST('' AS TEXT)"),
    kind!("group", "CAST(0 AS BIGINT)", "h.group_name"),
    kind!("model", "CAST(0 AS BIGINT)", "h.model"),
];

const KEPT: &str = sums!(
    "SELECT h.id, h.name,",
    "FROM usage_day h WHERE h.day >= $1 AND h.day < $2 AND h.kind = $3 GROUP BY h.id, h.name"
);
const KEPT_BY_DAY: &str = sums!(
    "SELECT h.day AS id, CAST('' AS TEXT) AS name,",
    "FROM usage_day h WHERE h.day >= $1 AND h.day < $2 AND h.kind = 'all' GROUP BY h.day"
);
const HOURS_BY_DAY: &str = sums!(
    "SELECT h.bucket - h.bucket % 86400000 AS id, CAST('' AS TEXT) AS name,",
    "FROM usage_hour h WHERE h.bucket >= $1 AND h.bucket < $2 GROUP BY 1"
);

/// Compares the days that the span touches. They are sums over everybody, so a question about one user compares
/// nothing but him.
pub(super) async fn compare(txn: &mut Txn, found: &mut Reconciliation, span: Span) -> Result<(), StoreError> {
    let (since, until) = (span.since.day_start(), next_day(span.until));
    for kind in &KINDS {
        let mut hours = lines(&txn.rows(kind.hours, args![since, until]).await?, kind.name)?;
        let mut kept = lines(&txn.rows(KEPT, args![since, until, kind.name]).await?, kind.name)?;
        if let Some(user) = span.user_id {
            let line = format!("user {user}");
            hours.retain(|name, _| *name == line);
            kept.retain(|name, _| *name == line);
        }
        note(found, "day", &hours, &kept);
    }
    if span.user_id.is_none() {
        let hours = lines(&txn.rows(HOURS_BY_DAY, args![since, until]).await?, "day")?;
        let kept = lines(&txn.rows(KEPT_BY_DAY, args![since, until]).await?, "day")?;
        note(found, "day", &hours, &kept);
    }
    Ok(())
}

/// Makes the sums of all days anew that the span touches.
pub(super) async fn rebuild(txn: &mut Txn, span: Span) -> Result<(), StoreError> {
    let (since, until) = (span.since.day_start(), next_day(span.until));
    txn.execute("DELETE FROM usage_day WHERE day >= $1 AND day < $2", args![since, until]).await?;
    for kind in &KINDS {
        txn.execute(kind.write, args![since, until]).await?;
    }
    Ok(())
}

fn lines(rows: &[Row], kind: &str) -> Result<BTreeMap<String, UsageTotals>, StoreError> {
    let line = |row: &Row| {
        let name = match (row.int("id")?, row.text("name")?) {
            (0, name) if !name.is_empty() => format!("{kind} {name}"),
            (id, _) => format!("{kind} {id}"),
        };
        Ok((name, totals(row)?))
    };
    rows.iter().map(line).collect()
}
