//! What runs here: versions, configuration with its sources, tasks, health.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::oauth::CallbackPort;

/// One effective configuration value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigLine {
    /// `PORT`, `DATABASE_URL`, …
    pub name: String,
    /// The value; secrets and passwords inside are masked.
    pub value: String,
    /// `environment`, `.env`, `tollgate.toml`, `generated` or `default`.
    pub source: String,
}

/// State of one background task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskView {
    /// `reload_snapshot`, `prune`, …
    pub name: String,
    /// Period in seconds; null if it runs on demand only.
    pub period_s: Option<u64>,
    /// Last start.
    pub last_run_at: Option<Timestamp>,
    /// How long it took.
    pub last_duration_ms: Option<u64>,
    /// What it did, or what went wrong.
    pub last_result: Option<String>,
    /// Whether the last run failed.
    pub failed: bool,
}

/// State of one dependency, as `/health` reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthCheck {
    /// `ok`, `degraded`, `failed` or `not_configured`.
    pub status: String,
    /// One sentence; null if there is nothing to say.
    pub detail: Option<String>,
    /// How long the check took.
    pub latency_ms: Option<u64>,
}

/// The whole health report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    /// `healthy`, `degraded` or `unhealthy`.
    pub status: String,
    /// When it was made.
    pub timestamp: Timestamp,
    /// Tollgate's version.
    pub version: String,
    /// By name: `database`, `redis`, `cache`, `ai_service`, `pool`.
    pub checks: std::collections::BTreeMap<String, HealthCheck>,
}

/// Everything that the system page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SystemView {
    /// Tollgate's version.
    pub version: String,
    /// Source revision it was built from, or `unknown`.
    pub revision: String,
    /// `development` or `production`.
    pub profile: String,
    /// When this process started.
    pub started_at: Timestamp,
    /// Now, on the server.
    pub now: Timestamp,
    /// `sqlite 3.51.3` or `postgres 15.18`.
    pub database: String,
    /// Number of the newest applied migration.
    pub migration: i64,
    /// Version of the configuration that requests use now.
    pub config_revision: i64,
    /// Identity of the key that seals secrets now.
    pub encryption_key_id: String,
    /// Resident memory in bytes; null where the system does not tell.
    pub memory_bytes: Option<u64>,
    /// Records in the journal that the database does not hold yet.
    pub journal_backlog: u64,
    /// Bytes of the journal's files.
    pub journal_bytes: u64,
    /// Health, as `/health` reports it.
    pub health: Health,
    /// Background tasks.
    pub tasks: Vec<TaskView>,
    /// Ports that vendors fixed for their redirects.
    #[serde(default)]
    pub ports: Vec<CallbackPort>,
    /// Effective configuration.
    pub config: Vec<ConfigLine>,
}

/// Answer of `POST /api/admin/scheduler/refresh`: what selection works with from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refreshed {
    /// Version of the configuration in force now.
    pub revision: i64,
    /// How old the one before was, in milliseconds.
    pub age_ms: u64,
    /// Providers in it.
    pub providers: u32,
    /// Their credentials.
    pub credentials: u32,
}
