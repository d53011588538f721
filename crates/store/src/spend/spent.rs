//! What one budget has spent since an instant: whole days and hours from the sums, the first piece of an hour from
//! the rows.

use types::quota::ScopeKind;
use types::{Money, Timestamp};

use crate::StoreError;
use crate::pool::Txn;
use crate::reconcile::next_hour;
use crate::sql::args;
use crate::usage::next_day;

// `$1` is the identity, `$2` the instant, `$3` the first whole hour after it, `$4` the first whole day.
macro_rules! spent {
    ($day:expr, $thing:expr, $cost:literal, $losses:expr) => {
        concat!(
            "SELECT (SELECT COALESCE(CAST(SUM(d.",
            $cost,
            ") AS BIGINT), 0) FROM usage_day d
                 WHERE ",
            $day,
            " AND d.day >= $4)
              + (SELECT COALESCE(CAST(SUM(x.",
            $cost,
            ") AS BIGINT), 0) FROM usage_hour x
                 WHERE ",
            $thing,
            " AND x.bucket >= $3 AND x.bucket < $4)
              + (SELECT COALESCE(CAST(SUM(x.",
            $cost,
            ") AS BIGINT), 0) FROM requests x
                 WHERE ",
            $thing,
            " AND x.created_at >= $2 AND x.created_at < $3)",
            $losses,
            " AS spent"
        )
    };
    ($kind:literal, $column:literal) => {
        spent!(
            concat!("d.kind = '", $kind, "' AND d.id = $1 AND d.name = ''"),
            concat!("x.", $column, " = $1"),
            "cost_nano",
            ""
        )
    };
    ($kind:literal, $column:literal, losses) => {
        spent!(
            concat!("d.kind = '", $kind, "' AND d.id = $1 AND d.name = ''"),
            concat!("x.", $column, " = $1"),
            "provider_cost_nano",
            concat!(
                " + (SELECT COALESCE(CAST(SUM(x.provider_cost_nano) AS BIGINT), 0) FROM request_loss x
                 WHERE x.",
                $column,
                " = $1 AND x.created_at >= $2 AND x.created_at < $3)"
            )
        )
    };
}

/// What a budget has spent since an instant.
pub(crate) async fn since(
    txn: &mut Txn,
    scope: ScopeKind,
    id: i64,
    since: Timestamp,
) -> Result<Money, StoreError> {
    let sql = match scope {
        ScopeKind::Global => spent!("d.kind = 'all' AND d.id = $1", "$1 = 0", "cost_nano", ""),
        ScopeKind::User => spent!("user", "user_id"),
        ScopeKind::Key => spent!("key", "key_id"),
        ScopeKind::Group => spent!(
            "d.kind = 'group' AND d.name = (SELECT g.name FROM provider_groups g WHERE g.id = $1)",
            "x.group_name = (SELECT g.name FROM provider_groups g WHERE g.id = $1)",
            "cost_nano",
            ""
        ),
        ScopeKind::Package => spent!("package", "grant_id"),
        ScopeKind::Provider => spent!("provider", "provider_id", losses),
        ScopeKind::Credential => spent!("credential", "credential_id", losses),
    };
    txn.row(sql, args![id, since, next_hour(since), next_day(since)]).await?.money("spent")
}
