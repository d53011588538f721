//! The request log and the live feed, for the administrator.

use std::sync::Arc;

use tokio::sync::broadcast;
use types::request::{LiveEvent, RequestFilter, RequestRow};
use types::{Page, Problem};

use super::Admin;
use crate::identity::problem::{not_found, store_problem};

const OBJECT: &str = "request";

impl Admin {
    /// Requests, newest first, without their decisions.
    pub async fn request_list(&self, filter: RequestFilter) -> Result<Page<RequestRow>, Problem> {
        self.core.store.request_list(&filter).await.map_err(|e| store_problem(e, OBJECT))
    }

    /// One request with its decision, by Tollgate's id or by the caller's own.
    pub async fn request_fetch(&self, id: String) -> Result<RequestRow, Problem> {
        let row = self.core.store.request_fetch(id.trim()).await.map_err(|e| store_problem(e, OBJECT))?;
        row.ok_or_else(|| not_found(OBJECT))
    }

    /// Events of requests as they happen, from memory.
    pub fn live(&self) -> broadcast::Receiver<Arc<LiveEvent>> {
        self.core.live.subscribe()
    }
}
