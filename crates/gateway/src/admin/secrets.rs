//! Sealing everything anew after the encryption secret was changed (CR-04): begun at a start or by a person, done beside
//! the requests, and shown while it goes on.

use std::ops::ControlFlow;
use std::sync::Arc;

use types::Problem;
use types::rotation::{Rotation, RotationPhase, SecretsView};

use super::Admin;
use crate::core::Core;
use crate::identity::problem::store_problem;
use crate::vault::VaultError;

const OBJECT: &str = "secrets";

impl Admin {
    /// What is sealed under which key, and how a rotation stands.
    pub async fn secrets_view(&self) -> Result<SecretsView, Problem> {
        let core = &self.core;
        core.vault.view(&core.store, core.rotation.view()).await.map_err(|error| match error {
            VaultError::Store(error) => store_problem(error, OBJECT),
            error => Problem::new("internal", error.to_string()),
        })
    }

    /// Begins to seal every stored secret with the current key, unless that is under way. Safe to repeat.
    pub async fn secrets_rotate(&self) -> Result<SecretsView, Problem> {
        begin(&self.core, self.actor.via);
        self.secrets_view().await
    }
}

/// The same at a start with `ENCRYPTION_SECRET_PREVIOUS`: afterwards it can be taken out again.
pub(crate) fn rotate_at_start(core: &Arc<Core>) {
    if !core.config.encryption_previous.is_empty() {
        begin(core, "start");
    }
}

fn begin(core: &Arc<Core>, actor: &'static str) {
    if core.rotation.begin(core.clock.now()) {
        let core_of_task = core.clone();
        core.tracker.spawn(async move { run(&core_of_task, actor).await });
    }
}

async fn run(core: &Arc<Core>, actor: &str) {
    let board = &core.rotation;
    let note = |now: &Rotation| {
        board.note(now);
        if core.draining.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let outcome = core.vault.rotate(&core.store, note).await;
    let ended_at = Some(core.clock.now());
    let now = match outcome {
        Ok(done) => {
            if let Err(error) = core.vault.write_down(&core.store, &done, core.clock.now(), actor).await {
                tracing::error!(%error, "the rotation is through, but could not be written into the audit log");
            }
            if done.phase == RotationPhase::Done {
                tracing::info!(
                    resealed = done.resealed,
                    unreadable = done.unreadable,
                    key.id = core.vault.key_id(),
                    "stored secrets are sealed with the current key; ENCRYPTION_SECRET_PREVIOUS is needed no more"
                );
            } else {
                tracing::warn!(
                    seen = done.seen,
                    total = done.total,
                    "the rotation goes on at the next start"
                );
            }
            Rotation { ended_at, ..done }
        }
        Err(error) => {
            tracing::error!(%error, "the rotation stopped half way and can be begun again");
            let error = Some(error.to_string());
            Rotation { phase: RotationPhase::Stopped, ended_at, error, ..board.view() }
        }
    };
    board.note(&now);
}
