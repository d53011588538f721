//! A member's own usage.

use types::Problem;
use types::usage::OwnUsage;

use super::Member;
use crate::identity::problem::store_problem;
use crate::standing;

impl Member {
    /// What he used today and in the last 30 days, his limits and his packages.
    pub async fn me(&self) -> Result<OwnUsage, Problem> {
        let own = standing::own_usage(&self.core, self.user_id, None).await;
        own.map_err(|error| store_problem(error, "usage"))
    }
}
