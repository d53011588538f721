//! From a configuration to a running engine, in a fixed order that each step depends on:
//! data folder, port (bound, not yet accepting), secrets, database, migrations, journal, engine.
//!
//! A step that fails leaves nothing half-started: everything before it is dropped on the way out.

use gateway::Gateway;
use ledger::{JournalError, Ledger, Recovery};
use store::Store;
use tokio::net::TcpListener;

use crate::config::ServerConfig;

pub mod banner;
pub mod data_dir;
pub mod database;
mod error;
pub mod generated;
pub mod notify;
mod port;
#[cfg(test)]
mod tests;

pub use error::{BootError, Exit};

/// Everything that a server needs to accept its first connection.
#[derive(Debug)]
pub struct Booted {
    /// The configuration, complete with its secrets.
    pub config: ServerConfig,
    /// Bound, with connections waiting in the kernel.
    pub listener: TcpListener,
    /// The database, for the sessions.
    pub store: Store,
    /// The engine, started.
    pub gateway: Gateway,
    /// The admin token, if this start made it: to be shown once.
    pub new_admin_token: Option<types::Secret<String>>,
}

/// Runs every step.
pub async fn boot(mut config: ServerConfig) -> Result<Booted, BootError> {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    data_dir::prepare(&config.data_dir)?;
    let listener = port::take(config.listen_address())?;
    let (secrets, new_admin_token) = generated::complete(&mut config)?;
    let store = database::connect(&config).await?;
    database::migrate(&config, &store).await?;
    let (ledger, recovery) = open_books(&config)?;
    let engine = gateway::Config {
        data_dir: config.data_dir.clone(),
        site: config.site(),
        admin_token: secrets.admin_token,
        encryption_secret: secrets.encryption_secret,
        encryption_previous: config.encryption_previous.clone(),
        outbound: config.outbound.clone(),
        dns: config.dns.clone(),
        unsafe_disable_tls_check: config.unsafe_disable_tls_check,
        api_test_timeout_ms: config.api_test_timeout_ms,
        extra_ca_file: config.extra_ca_file.clone(),
        oauth_callback_host: config.oauth_callback_host,
        enforce_limits: config.enable_rate_limit,
        breaker_on_network_errors: config.breaker_on_network_errors,
        env_lists: config.pool_lists.clone(),
        config_lines: config.lines.clone(),
        node: secrets.node,
        set_log_level: config.set_log_level.clone(),
    };
    let gateway = Gateway::start(engine, store.clone(), ledger, recovery, config.clock.clone())
        .await
        .map_err(|error| BootError::engine(&error))?;
    Ok(Booted { config, listener, store, gateway, new_admin_token })
}

/// Opens the journal; it also keeps a second process away from this data folder (S6).
fn open_books(config: &ServerConfig) -> Result<(Ledger, Recovery), BootError> {
    let dir = config.data_dir.join("journal");
    let options = ledger::Options {
        dir: dir.clone(),
        // The engine takes over the setting as soon as it has read it.
        strict: false,
        segment_bytes: 64 << 20,
        now: gateway::clock::system_now,
    };
    Ledger::open(options).map_err(|error| match error {
        JournalError::Locked { pid } => BootError::new(
            Exit::DataDir,
            format!("{error} ({})", dir.display()),
            format!("Stop the other Tollgate (process {pid}) or give this one a DATA_DIR of its own."),
        ),
        JournalError::Corrupt { .. } => BootError::new(
            Exit::Other,
            format!("{error} ({})", dir.display()),
            format!(
                "Restore {} from a backup, or move it away to start with an empty journal.",
                dir.display()
            ),
        ),
        JournalError::Full => BootError::new(
            Exit::DataDir,
            format!("{error} ({})", dir.display()),
            format!("Free some space on the disk of {} and start again.", dir.display()),
        ),
        error => BootError::new(
            Exit::DataDir,
            format!("{error} ({})", dir.display()),
            format!("Check owner, mode and disk of {} and start again.", dir.display()),
        ),
    })
}
