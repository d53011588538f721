//! The audit log, read side.

use types::audit::{AuditFilter, AuditRow};
use types::{Page, Problem};

use super::Admin;
use crate::identity::problem::store_problem;

impl Admin {
    /// Audit rows, newest first.
    pub async fn audit_list(&self, filter: AuditFilter) -> Result<Page<AuditRow>, Problem> {
        self.core.store.audit_list(&filter).await.map_err(|e| store_problem(e, "audit row"))
    }
}
