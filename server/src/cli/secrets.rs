//! `tollgate secrets status|rotate`: under which key secrets are stored, and sealing them anew (CR-04).
//!
//! A gateway that runs on this data folder does it itself and is only asked; without one the database is worked on
//! directly, and no gateway can start meanwhile. Of several instances on one database all must be stopped, or have both
//! secrets.

use std::path::Path;
use std::time::Duration;

use clap::Subcommand;
use gateway::vault::{StoredSecrets, VaultError, key_id_of_secret};
use ledger::{Closed, JournalError};
use serde_json::Value;
use types::Secret;
use types::rotation::{Rotation, RotationPhase, SecretsView};

use super::running::Running;
use super::{block_on, print};
use crate::boot::{BootError, Exit, database, generated};
use crate::config::ServerConfig;

/// For one answer of the running gateway.
const SOON: Duration = Duration::from_secs(10);
/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(250);

/// Look after the stored secrets and the key that seals them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(super) enum Secrets {
    /// Say how many secrets are sealed under which key; exit code 0 if all are under the current one.
    Status,
    /// Seal everything with `ENCRYPTION_SECRET`, opening with that or `ENCRYPTION_SECRET_PREVIOUS`. Can be repeated.
    Rotate,
}

pub(super) fn run(command: Secrets, mut config: ServerConfig) -> Result<(), BootError> {
    generated::find(&mut config);
    let Some(secret) = config.encryption_secret.clone() else {
        return Err(BootError::new(
            Exit::Encryption,
            "there is no ENCRYPTION_SECRET",
            "Set it, or run this where `tollgate serve` has made one (DATA_DIR).",
        ));
    };
    match closed(&config.data_dir.join("journal"))? {
        Journal::Free(guard) => {
            let outcome = block_on(Box::pin(offline(command, &config, &secret)))?;
            drop(guard);
            outcome
        }
        Journal::Open(pid) => online(command, &config, &secret, pid),
    }
}

/// Whether a gateway runs on this data folder.
enum Journal {
    /// None does, and none can start while this lives.
    Free(Option<Closed>),
    /// The process that does.
    Open(u32),
}

fn closed(dir: &Path) -> Result<Journal, BootError> {
    if !dir.is_dir() {
        return Ok(Journal::Free(None));
    }
    match ledger::keep_closed(dir) {
        Ok(guard) => Ok(Journal::Free(Some(guard))),
        Err(JournalError::Locked { pid }) => Ok(Journal::Open(pid)),
        Err(error) => Err(BootError::new(
            Exit::DataDir,
            format!("{error} ({})", dir.display()),
            "Run this as the user that the gateway runs as.",
        )),
    }
}

async fn offline(command: Secrets, config: &ServerConfig, secret: &Secret<String>) -> Result<(), BootError> {
    let store = database::connect(config).await?;
    let secrets = StoredSecrets::open(secret, &config.encryption_previous, store.clone())
        .await
        .map_err(|error| refused(&error))?;
    if command == Secrets::Rotate {
        let at = gateway::clock::system_now();
        let done = secrets.rotate(at, tell).await.map_err(|error| refused(&error))?;
        finished(&done)?;
    }
    let view = secrets.view().await.map_err(|error| refused(&error))?;
    store.close().await;
    judged(command, &view)
}

fn refused(error: &VaultError) -> BootError {
    match error {
        VaultError::Store(_) => BootError::new(
            Exit::Database,
            error.to_string(),
            "Check the database with `tollgate doctor db` and run this again: it goes on with what is left.",
        ),
        _ => BootError::new(
            Exit::Encryption,
            error.to_string(),
            "Put the secret that sealed what is stored into ENCRYPTION_SECRET_PREVIOUS and run this again.",
        ),
    }
}

fn tell(now: &Rotation) {
    print(&format!("{} of {} looked at, {} sealed anew", now.seen, now.total, now.resealed));
}

fn finished(done: &Rotation) -> Result<(), BootError> {
    tell(done);
    if done.phase == RotationPhase::Done {
        return Ok(());
    }
    Err(BootError::new(
        Exit::Other,
        done.error.clone().unwrap_or_else(|| "the gateway was stopped meanwhile".to_owned()),
        "Run this again: it goes on with what is left.",
    ))
}

/// Prints the table and says whether anything is left to do.
fn judged(command: Secrets, view: &SecretsView) -> Result<(), BootError> {
    print(&format!("{:<18} {:>7} {:>8} {:>7} {:>8}", "kind", "stored", "current", "former", "unknown"));
    for line in &view.lines {
        print(&format!(
            "{:<18} {:>7} {:>8} {:>7} {:>8}",
            line.kind, line.total, line.current, line.former, line.unknown
        ));
    }
    let count = |of: fn(&types::rotation::SealedLine) -> u64| view.lines.iter().map(of).sum::<u64>();
    let (former, unknown, current) =
        (count(|line| line.former), count(|line| line.unknown), count(|line| line.current));
    if former + unknown == 0 {
        print(&format!("everything is sealed with key {}; former secrets are needed no more", view.key_id));
        return Ok(());
    }
    let what = format!(
        "{current} are sealed with key {}, {former} with a former key, {unknown} with a key that is not configured",
        view.key_id
    );
    let advice = match command {
        Secrets::Status if unknown == 0 => "Run `tollgate secrets rotate`.",
        _ => {
            "Add the secret that sealed them to ENCRYPTION_SECRET_PREVIOUS and run this again, or enter what is \
             `unreadable` on the dashboard anew."
        }
    };
    Err(BootError::new(Exit::Other, what, advice))
}

fn online(
    command: Secrets,
    config: &ServerConfig,
    secret: &Secret<String>,
    pid: u32,
) -> Result<(), BootError> {
    let running = Running::of(config);
    let ask = |method: &str, path: &str| -> Result<SecretsView, BootError> {
        let answer = running.call(method, path, config.admin_token.as_ref(), SOON);
        let answer = answer.map_err(|error| error.to_string()).and_then(|answer| match answer.status {
            200 => serde_json::from_str::<Value>(&answer.body)
                .and_then(serde_json::from_value)
                .map_err(|_| "it is another version of Tollgate".to_owned()),
            401 => Err("it has another admin token than this configuration".to_owned()),
            status => Err(format!("it answered {status}")),
        });
        answer.map_err(|why| {
            BootError::new(
                Exit::Other,
                format!(
                    "a gateway runs on this data folder (process {pid}) and could not be asked at {}: {why}",
                    running.address()
                ),
                "Stop it, or give this command the environment that it runs with.",
            )
        })
    };
    let mut view = ask("GET", "/api/admin/secrets")?;
    let own = key_id_of_secret(secret).map_err(|error| refused(&error))?;
    if own != view.key_id {
        return Err(BootError::new(
            Exit::Encryption,
            format!(
                "the running gateway (process {pid}) seals with key {}, and ENCRYPTION_SECRET here makes key {own}",
                view.key_id
            ),
            "Restart it with both secrets, which seals everything anew, or stop it and run this again.",
        ));
    }
    if command == Secrets::Rotate {
        view = ask("POST", "/api/admin/secrets/rotate")?;
        while view.rotation.phase == RotationPhase::Running {
            tell(&view.rotation);
            std::thread::sleep(LOOK);
            view = ask("GET", "/api/admin/secrets")?;
        }
        finished(&view.rotation)?;
    }
    judged(command, &view)
}
