//! The statements that read the rest of the minute of a reset of usage, one set for each kind of budget. They differ
//! in their columns only.

use types::quota::ScopeKind;

/// Statements for one kind of budget; `$1` is the instant from which minutes are told.
pub(super) struct Reset {
    pub(super) scope: ScopeKind,
    /// Requests in the minute of a reset, after it.
    pub(super) rows: &'static str,
    /// Losses likewise, for those that are charged what providers charge.
    pub(super) losses: Option<&'static str>,
}

// Rows of `x` within the minute of the reset of `s`, after it.
macro_rules! within {
    () => {
        "s.usage_reset_at >= $1 AND x.created_at >= s.usage_reset_at
            AND x.created_at < (s.usage_reset_at + 59999) / 60000 * 60000"
    };
}

macro_rules! reset {
    ($scope:ident, $table:literal, $column:literal = $id:literal, $cost:literal) => {
        Reset {
            scope: ScopeKind::$scope,
            rows: concat!(
                "SELECT s.id, x.created_at, x.",
                $cost,
                " AS cost
                 FROM ",
                $table,
                " s JOIN requests x ON x.",
                $column,
                " = s.",
                $id,
                " WHERE ",
                within!()
            ),
            losses: None,
        }
    };
    ($scope:ident, $table:literal, $column:literal = $id:literal, $cost:literal, losses) => {
        Reset {
            losses: Some(concat!(
                "SELECT s.id, x.created_at, x.",
                $cost,
                " AS cost
                 FROM ",
                $table,
                " s JOIN request_loss x ON x.",
                $column,
                " = s.",
                $id,
                " WHERE ",
                within!()
            )),
            ..reset!($scope, $table, $column = $id, $cost)
        }
    };
}

pub(super) const RESETS: [Reset; 7] = [
    Reset {
        scope: ScopeKind::Global,
        // `meta` holds the reset of the whole gateway as text.
        rows: concat!(
            "SELECT CAST(0 AS BIGINT) AS id, x.created_at, x.cost_nano AS cost
             FROM (SELECT CAST(value AS BIGINT) AS usage_reset_at FROM meta WHERE name = 'usage_reset_at') s
             CROSS JOIN requests x WHERE ",
            within!()
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
