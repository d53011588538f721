//! What runs here: versions, configuration with its sources, tasks and health.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use types::Problem;
use types::oauth::CallbackPort;
use types::system::SystemView;

use super::{Admin, Subject};
use crate::identity::problem::{not_found, store_problem};

impl Admin {
    /// Everything that the system page shows.
    pub async fn system(&self) -> Result<SystemView, Problem> {
        let core = &self.core;
        let (migration, _) =
            core.store.migration_state().await.map_err(|error| store_problem(error, "migration"))?;
        let profile = if core.config.site.production { "production" } else { "development" };
        Ok(SystemView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: option_env!("TOLLGATE_REVISION").unwrap_or("unknown").to_owned(),
            profile: profile.to_owned(),
            started_at: core.started_at,
            now: core.clock.now(),
            database: core.store.backend(),
            migration,
            config_revision: core.snapshot().revision,
            encryption_key_id: core.vault.key_id().to_owned(),
            memory_bytes: resident_bytes(),
            journal_backlog: core.ledger.backlog(),
            journal_bytes: core.ledger.bytes(),
            health: crate::health::report(core).await,
            tasks: core.tasks.views(),
            ports: self.callback_ports().await,
            config: core.config.config_lines.clone(),
        })
    }

    /// OA-02: what the ports do that vendors send browsers to.
    async fn callback_ports(&self) -> Vec<CallbackPort> {
        let core = &self.core;
        let mut ports: BTreeMap<u16, Vec<String>> = BTreeMap::new();
        for (name, spec) in &core.snapshot().vendors {
            if let Some(port) = spec.callback_port {
                ports.entry(port).or_default().push(name.clone());
            }
        }
        let looks = ports.into_iter().map(async |(port, vendors)| {
            let port = core.loopback.look(core.config.oauth_callback_host, port).await;
            CallbackPort { port, vendors }
        });
        join_all(looks).await
    }

    /// Runs a background task now; it starts at once and its result shows on the system page.
    pub async fn task_run(&self, name: String) -> Result<(), Problem> {
        if !self.core.tasks.wake(&name) {
            return Err(not_found("task"));
        }
        let change =
            self.change("run", &Subject { object: "task", id: name.clone(), name: &name }, None, None);
        self.core.store.audit_append(change).await.map_err(|error| store_problem(error, "task"))
    }
}

/// `VmRSS` of Linux's `/proc/self/status`, in bytes; `None` elsewhere.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}
