//! A member's own usage.

use types::usage::{OwnUsage, UsageBy, UsageFilter};
use types::{Problem, Timestamp};

use super::Member;
use crate::identity::problem::store_problem;

/// Models listed.
const MODELS: u32 = 50;
/// Days listed, today included.
const DAYS: u32 = 30;

impl Member {
    /// What he used today and in the last 30 days.
    pub async fn me(&self) -> Result<OwnUsage, Problem> {
        let now = self.core.clock.now();
        let until = now.plus_ms(1);
        let today = now.day_start();
        let since = today.plus_ms(-i64::from(DAYS - 1) * Timestamp::DAY_MS);
        let user = Some(self.user_id);
        let store = &self.core.store;
        let wrong = |error| store_problem(error, "usage");
        let by = |by, limit| UsageFilter {
            by: Some(by),
            since: Some(since),
            until: Some(until),
            user_id: user,
            limit: Some(limit),
            ..UsageFilter::default()
        };
        Ok(OwnUsage {
            user_id: self.user_id,
            user_name: self.name.clone(),
            key_id: None,
            key_name: None,
            today: store.usage_totals(today, until, user).await.map_err(wrong)?,
            last_30_days: store.usage_totals(since, until, user).await.map_err(wrong)?,
            by_day: store.usage_by(&by(UsageBy::Day, DAYS)).await.map_err(wrong)?,
            by_model: store.usage_by(&by(UsageBy::Model, MODELS)).await.map_err(wrong)?,
            quotas: Vec::new(),
            packages: Vec::new(),
        })
    }
}
