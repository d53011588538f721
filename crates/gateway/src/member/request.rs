//! A member's own requests.

use types::request::{RequestFilter, RequestRow};
use types::{Page, Problem};

use super::Member;
use super::redact::without_upstreams;
use crate::identity::problem::{not_found, store_problem};

const OBJECT: &str = "request";

impl Member {
    /// His requests, newest first. Whatever user, provider or credential the filter names is not asked.
    pub async fn request_list(&self, filter: RequestFilter) -> Result<Page<RequestRow>, Problem> {
        let filter =
            RequestFilter { user_id: Some(self.user_id), provider_id: None, credential_id: None, ..filter };
        let page = self.core.store.request_list(&filter).await.map_err(|e| store_problem(e, OBJECT))?;
        Ok(Page { items: page.items.into_iter().map(without_upstreams).collect(), next: page.next })
    }

    /// One of his requests. Somebody else's is answered like one that does not exist.
    pub async fn request_fetch(&self, id: String) -> Result<RequestRow, Problem> {
        let row = self.core.store.request_fetch_of(self.user_id, id.trim()).await;
        let row = row.map_err(|e| store_problem(e, OBJECT))?;
        row.map(without_upstreams).ok_or_else(|| not_found(OBJECT))
    }
}
