//! Rolled-up usage over any range.

use types::usage::{UsageFilter, UsageLine};
use types::{Problem, Timestamp};

use super::Admin;
use crate::identity::problem::store_problem;

/// Without `since`, the last 30 days.
const DEFAULT_SPAN_MS: i64 = 30 * Timestamp::DAY_MS;
/// Lines that a filter may ask for.
const LINES: u32 = 1_000;

impl Admin {
    /// Sums by day, hour, model, user, key, provider, credential, group or package. Ranges are widened to whole
    /// hours, the books' grain.
    pub async fn usage(&self, filter: UsageFilter) -> Result<Vec<UsageLine>, Problem> {
        let limit = filter.limit.map(|limit| limit.clamp(1, LINES));
        self.usage_lines(UsageFilter { limit, ..filter }).await
    }

    pub(super) async fn usage_lines(&self, filter: UsageFilter) -> Result<Vec<UsageLine>, Problem> {
        let until = filter.until.unwrap_or_else(|| self.core.clock.now().plus_ms(1));
        let since = filter.since.unwrap_or_else(|| until.plus_ms(-DEFAULT_SPAN_MS)).hour_start();
        if since >= until {
            return Err(Problem::field("since", "must be before until"));
        }
        let filter = UsageFilter { since: Some(since), until: Some(until), ..filter };
        self.core.store.usage_by(&filter).await.map_err(|error| store_problem(error, "usage"))
    }
}
