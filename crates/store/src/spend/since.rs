//! The statements that sum what was spent since a reset of usage, one set for each kind of budget. They differ in
//! their columns only.

use types::quota::ScopeKind;

/// Statements for one kind of budget.
pub(super) struct Reset {
    pub(super) scope: ScopeKind,
    /// Whole hours after each reset; `$1` and `$2` are the first whole hours of week and month.
    pub(super) hours: &'static str,
    /// Requests in the hour of a reset, after it.
    pub(super) rows: &'static str,
    /// Losses in the hour of a reset, after it, for those that are charged what providers charge.
    pub(super) losses: Option<&'static str>,
}

// The first whole hour after the reset of `s`.
macro_rules! hour_after {
    () => {
        "(s.usage_reset_at + 3599999) / 3600000 * 3600000"
    };
}

macro_rules! reset {
    ($scope:ident, $table:literal, $column:literal = $id:literal, $cost:literal) => {
        Reset {
            scope: ScopeKind::$scope,
            hours: concat!(
                "SELECT s.id, CAST(SUM(h.",
                $cost,
                ") AS BIGINT) AS total,
                    CAST(SUM(CASE WHEN h.bucket >= $1 THEN h.",
                $cost,
                " ELSE 0 END) AS BIGINT) AS week,
                    CAST(SUM(CASE WHEN h.bucket >= $2 THEN h.",
                $cost,
                " ELSE 0 END) AS BIGINT) AS month
                 FROM ",
                $table,
                " s JOIN usage_hour h ON h.",
                $column,
                " = s.",
                $id,
                "
                 WHERE s.usage_reset_at IS NOT NULL AND h.bucket >= ",
                hour_after!(),
                " GROUP BY s.id"
            ),
            rows: concat!(
                "SELECT s.id, r.created_at, r.",
                $cost,
                " AS cost
                 FROM ",
                $table,
                " s JOIN requests r ON r.",
                $column,
                " = s.",
                $id,
                "
                 WHERE s.usage_reset_at IS NOT NULL AND r.created_at >= s.usage_reset_at
                    AND r.created_at < ",
                hour_after!()
            ),
            losses: None,
        }
    };
    ($scope:ident, $table:literal, $column:literal = $id:literal, $cost:literal, losses) => {
        Reset {
            losses: Some(concat!(
                "SELECT s.id, l.created_at, l.",
                $cost,
                " AS cost
                 FROM ",
                $table,
                " s JOIN request_loss l ON l.",
                $column,
                " = s.",
                $id,
                "
                 WHERE s.usage_reset_at IS NOT NULL AND l.created_at >= s.usage_reset_at
                    AND l.created_at < ",
                hour_after!()
            )),
            ..reset!($scope, $table, $column = $id, $cost)
        }
    };
}

// `meta` holds the reset of the whole gateway as text; the constant columns make it look like the other tables.
macro_rules! gateway {
    () => {
        "(SELECT 0 AS id, CAST(value AS BIGINT) AS usage_reset_at FROM meta WHERE name = 'usage_reset_at')"
    };
}

pub(super) const RESETS: [Reset; 7] = [
    Reset {
        scope: ScopeKind::Global,
        hours: concat!(
            "SELECT CAST(0 AS BIGINT) AS id, COALESCE(CAST(SUM(h.cost_nano) AS BIGINT), 0) AS total,
                COALESCE(CAST(SUM(CASE WHEN h.bucket >= $1 THEN h.cost_nano ELSE 0 END) AS BIGINT), 0) AS week,
                COALESCE(CAST(SUM(CASE WHEN h.bucket >= $2 THEN h.cost_nano ELSE 0 END) AS BIGINT), 0) AS month
             FROM ", gateway!(), " s CROSS JOIN usage_hour h WHERE h.bucket >= ", hour_after!()
        ),
        rows: concat!(
            "SELECT CAST(0 AS BIGINT) AS id, r.created_at, r.cost_nano AS cost
             FROM ", gateway!(), " s CROSS JOIN requests r
             WHERE r.created_at >= s.usage_reset_at AND r.created_at < ", hour_after!()
        ),
        losses: None,
    },
    reset!(User, "users", "user_id" = "id", "cost_nano"),
    reset!(Key, "api_keys", "key_id" = "id", "cost_nano"),
    reset!(Group, "provider_groups", "group_name" = "name", "cost_nano"),
    reset!(Package, "grants", "grant_id" = "id", "cost_nano"),
    reset!(Provider, "providers", "provider_id" = "id", "provider_cost_nano", losses),
    reset!(Credential, "credentials", "credential_id" = "id", "provider_cost_nano", losses),
];
