//! `/api/admin/audit`, `/api/admin/system` and `/api/admin/tasks`: what was changed and what runs.

use http::Method;
use types::audit::AuditFilter;

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{NoBody, NoQuery};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/audit",
            "List changes, newest first",
            |admin, call: Call<(), AuditFilter, NoBody>| async move { admin.audit_list(call.query).await },
        ),
        endpoint(
            Method::GET,
            "/system",
            "Version, health, tasks and effective configuration, secrets masked",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.system().await },
        ),
        endpoint(
            Method::POST,
            "/tasks/{name}/run",
            "Run a background task now",
            |admin, call: Call<String, NoQuery, NoBody>| async move { admin.task_run(call.path).await },
        ),
    ]
}
