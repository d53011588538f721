//! Rolled-up usage over any range.

use types::usage::{UsageBy, UsageLine};
use types::{Problem, Timestamp};

use super::Admin;
use crate::identity::problem::store_problem;

/// Without `since`, the last 30 days.
const DEFAULT_SPAN_MS: i64 = 30 * Timestamp::DAY_MS;
/// Most lines of one answer: 31 days by hour fit.
const MAX_LINES: u32 = 1_000;

impl Admin {
    /// Sums by day, hour, model, user, key or provider. Ranges are widened to whole hours, the books' grain.
    pub async fn usage(
        &self,
        by: UsageBy,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<UsageLine>, Problem> {
        let until = until.unwrap_or_else(|| self.core.clock.now().plus_ms(1));
        let since = since.unwrap_or_else(|| until.plus_ms(-DEFAULT_SPAN_MS)).hour_start();
        if since >= until {
            return Err(Problem::field("since", "must be before until"));
        }
        self.core
            .store
            .usage_by(by, since, until, None, None, MAX_LINES)
            .await
            .map_err(|error| store_problem(error, "usage"))
    }
}
