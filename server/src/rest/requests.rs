//! `/api/admin/requests`.

use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use types::request::{Attempt, Decision, LiveEvent, Outcome, RequestFilter, RequestRow};
use types::simulation::Counterfactual;
use types::{RequestId, Timestamp};

use super::endpoint::{Call, Endpoint, endpoint, stream};
use super::input::{NoBody, NoQuery};
use crate::live;

/// Why a request went where it went.
#[derive(Debug, Serialize, JsonSchema)]
struct Explanation {
    /// Identity.
    request_id: RequestId,
    /// Arrival.
    created_at: Timestamp,
    /// The model asked for.
    model: Option<String>,
    /// The status that the caller got.
    status_code: u16,
    /// How it ended.
    outcome: Outcome,
    /// Stable code if it did not end well.
    error_code: Option<String>,
    /// The sentence that the caller got.
    error_message: Option<String>,
    /// Candidates and what each filter removed; null where no selection took place.
    decision: Option<Decision>,
    /// The attempt chain.
    attempts: Vec<Attempt>,
    /// What would have had to be different for another candidate to be first, the smallest change first.
    changes: Vec<Counterfactual>,
}

impl Explanation {
    fn of(row: RequestRow, changes: Vec<Counterfactual>) -> Self {
        let record = row.record;
        Self {
            request_id: record.request_id,
            created_at: record.created_at,
            model: record.model,
            status_code: record.status_code,
            outcome: record.outcome,
            error_code: record.error_code,
            error_message: record.error_message,
            decision: record.decision,
            attempts: record.attempts,
            changes,
        }
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/requests",
            "List requests, newest first",
            |admin, call: Call<(), RequestFilter, NoBody>| async move { admin.request_list(call.query).await },
        ),
        stream::<LiveEvent, _>(
            "/requests/live",
            "Watch requests as they start and end (server-sent events)",
            |state, admin| live::open(state.gateway, admin.live(), None),
        ),
        endpoint(
            Method::GET,
            "/requests/{request_id}",
            "Fetch a request by its id or by the caller's own",
            |admin, call: Call<String, NoQuery, NoBody>| async move { admin.request_fetch(call.path).await },
        ),
        endpoint(
            Method::GET,
            "/requests/{request_id}/explain",
            "Explain where a request went and why",
            |admin, call: Call<String, NoQuery, NoBody>| async move {
                let changes = admin.request_changes(call.path.clone()).await?;
                admin.request_fetch(call.path).await.map(|row| Explanation::of(row, changes))
            },
        ),
    ]
}
