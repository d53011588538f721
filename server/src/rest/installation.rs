//! `/api/admin/audit`, `/api/admin/system`, `/api/admin/secrets` and `/api/admin/tasks`: what was changed, what runs, and
//! under which key secrets are stored.

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
            Method::GET,
            "/secrets",
            "How many stored secrets are sealed under which key, and how far a rotation is",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.secrets_view().await },
        ),
        endpoint(
            Method::POST,
            "/secrets/rotate",
            "Begin to seal every stored secret with the current key; GET /secrets says how far it is",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.secrets_rotate().await },
        ),
        endpoint(
            Method::POST,
            "/tasks/{name}/run",
            "Run a background task now",
            |admin, call: Call<String, NoQuery, NoBody>| async move { admin.task_run(call.path).await },
        ),
    ]
}
