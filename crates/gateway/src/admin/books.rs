//! The books: audits of their invariants, and reconciliation of requests with everything that is summed from them.

use types::books::{AuditReport, ReconcileFilter, Reconciliation};
use types::{Problem, Timestamp};

use super::{Admin, Subject};
use crate::identity::problem::store_problem;

const OBJECT: &str = "ledger";
/// Without `since`, the last seven days.
const DEFAULT_SPAN_MS: i64 = 7 * Timestamp::DAY_MS;

impl Admin {
    /// Checks the invariants of the books and of the budgets.
    pub async fn ledger_audit(&self) -> Result<AuditReport, Problem> {
        crate::accounts::audit::run(&self.core).await.map_err(|e| store_problem(e, OBJECT))
    }

    /// Compares requests with the sums that are kept; changes nothing.
    pub async fn reconcile(&self, filter: ReconcileFilter) -> Result<Reconciliation, Problem> {
        let filter = self.span(&filter)?;
        let found = self.core.store.reconcile(&filter).await.map_err(|e| store_problem(e, OBJECT))?;
        Ok(self.until_now(found))
    }

    /// Makes the sums anew from the requests, where those are still kept; answers what differed before.
    pub async fn rebuild(&self, filter: ReconcileFilter) -> Result<Reconciliation, Problem> {
        let filter = self.span(&filter)?;
        let after = serde_json::json!({
            "user_id": filter.user_id,
            "since": filter.since,
            "until": filter.until,
        });
        let subject = Subject { object: OBJECT, id: "usage".to_owned(), name: "usage" };
        let change = self.change("rebuild", &subject, None, Some(after));
        let rebuilt = self.core.store.rebuild(&filter, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.spend_anew().await?;
        Ok(self.until_now(rebuilt))
    }

    /// An open span reaches to this instant, as far as anybody can read.
    fn until_now(&self, found: Reconciliation) -> Reconciliation {
        Reconciliation { until: found.until.min(self.core.clock.now()), ..found }
    }

    fn span(&self, filter: &ReconcileFilter) -> Result<ReconcileFilter, Problem> {
        let ReconcileFilter { user_id, since, until } = *filter;
        let end = until.unwrap_or_else(|| self.core.clock.now());
        let since = since.unwrap_or_else(|| end.plus_ms(-DEFAULT_SPAN_MS));
        if since >= end {
            return Err(Problem::field("since", "must be before until"));
        }
        Ok(ReconcileFilter { user_id, since: Some(since), until })
    }
}
