//! A member's own keys.

use types::Problem;
use types::api_key::ApiKeyView;

use super::Member;
use crate::identity::api_key_view;
use crate::identity::problem::store_problem;

impl Member {
    /// His keys that are not deleted.
    pub async fn key_list(&self) -> Result<Vec<ApiKeyView>, Problem> {
        let wrong = |error| store_problem(error, "key");
        let rows = self.core.store.key_list(false).await.map_err(wrong)?;
        let own: Vec<_> = rows.into_iter().filter(|row| row.user_id == self.user_id).collect();
        let ids: Vec<_> = own.iter().map(|row| row.id).collect();
        let stats = self.core.store.key_stats(&ids).await.map_err(wrong)?;
        let view = |row: store::ApiKeyRow| {
            let stats = stats.get(&row.id).copied().unwrap_or_default();
            api_key_view(row, self.name.clone(), stats)
        };
        Ok(own.into_iter().map(view).collect())
    }
}
