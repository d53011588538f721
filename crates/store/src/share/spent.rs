//! What one budget has spent since an instant: whole hours from the sums, the first piece of an hour from the rows.

use types::quota::ScopeKind;
use types::{Money, Timestamp};

use crate::StoreError;
use crate::pool::Txn;
use crate::reconcile::next_hour;
use crate::sql::args;

// `$1` is the identity, `$2` the instant, `$3` the first whole hour after it.
macro_rules! spent {
    ($hour:literal, $row:literal, $cost:literal) => {
        concat!(
            "SELECT (SELECT COALESCE(CAST(SUM(h.",
            $cost,
            ") AS BIGINT), 0) FROM usage_hour h
                 WHERE ",
            $hour,
            " AND h.bucket >= $3)
              + (SELECT COALESCE(CAST(SUM(r.",
            $cost,
            ") AS BIGINT), 0) FROM requests r
                 WHERE ",
            $row,
            " AND r.created_at >= $2 AND r.created_at < $3) AS spent"
        )
    };
    ($hour:literal, $row:literal, $cost:literal, $loss:literal) => {
        concat!(
            "SELECT (SELECT COALESCE(CAST(SUM(h.",
            $cost,
            ") AS BIGINT), 0) FROM usage_hour h
                 WHERE ",
            $hour,
            " AND h.bucket >= $3)
              + (SELECT COALESCE(CAST(SUM(r.",
            $cost,
            ") AS BIGINT), 0) FROM requests r
                 WHERE ",
            $row,
            " AND r.created_at >= $2 AND r.created_at < $3)
              + (SELECT COALESCE(CAST(SUM(l.",
            $cost,
            ") AS BIGINT), 0) FROM request_loss l
                 WHERE ",
            $loss,
            " AND l.created_at >= $2 AND l.created_at < $3) AS spent"
        )
    };
}

/// What a budget has spent since an instant.
pub(super) async fn since(
    txn: &mut Txn,
    scope: ScopeKind,
    id: i64,
    since: Timestamp,
) -> Result<Money, StoreError> {
    let sql = match scope {
        ScopeKind::Global => spent!("$1 = 0", "$1 = 0", "cost_nano"),
        ScopeKind::User => spent!("h.user_id = $1", "r.user_id = $1", "cost_nano"),
        ScopeKind::Key => spent!("h.key_id = $1", "r.key_id = $1", "cost_nano"),
        ScopeKind::Group => spent!(
            "h.group_name = (SELECT g.name FROM provider_groups g WHERE g.id = $1)",
            "r.group_name = (SELECT g.name FROM provider_groups g WHERE g.id = $1)",
            "cost_nano"
        ),
        ScopeKind::Package => spent!("h.grant_id = $1", "r.grant_id = $1", "cost_nano"),
        ScopeKind::Provider => {
            spent!("h.provider_id = $1", "r.provider_id = $1", "provider_cost_nano", "l.provider_id = $1")
        }
        ScopeKind::Credential => {
            spent!(
                "h.credential_id = $1",
                "r.credential_id = $1",
                "provider_cost_nano",
                "l.credential_id = $1"
            )
        }
    };
    txn.row(sql, args![id, since, next_hour(since)]).await?.money("spent")
}
