//! Sealing everything anew after the encryption secret was changed (CR-04).

use std::sync::Arc;

use store::Change;
use types::Problem;

use super::{Admin, Subject};
use crate::core::Core;
use crate::vault::VaultError;
use crate::vault::rotation::Rotated;

const OBJECT: &str = "secrets";

impl Admin {
    /// Seals every stored secret with the current key. Safe to repeat.
    pub async fn secrets_rotate(&self) -> Result<Rotated, Problem> {
        let subject = Subject { object: OBJECT, id: String::new(), name: "" };
        let change = self.change("rotate", &subject, None, None);
        let done = self.core.vault.rotate(&self.core.store, change).await.map_err(|error| {
            tracing::error!(%error, "the stored secrets could not be sealed anew");
            Problem::new("internal", "the rotation stopped half way and can be repeated; the log says why")
        })?;
        self.take_effect().await?;
        Ok(done)
    }
}

/// The same at start, when `ENCRYPTION_SECRET_PREVIOUS` is set: afterwards it can be taken out again.
pub(crate) async fn rotate_at_start(core: &Arc<Core>) -> Result<(), VaultError> {
    if core.config.encryption_previous.is_empty() {
        return Ok(());
    }
    let change = Change {
        at: core.clock.now(),
        actor: "start".to_owned(),
        client_ip: None,
        action: format!("{OBJECT}.rotate"),
        object: OBJECT.to_owned(),
        object_id: String::new(),
        object_name: String::new(),
        before: None,
        after: None,
    };
    let done = core.vault.rotate(&core.store, change).await?;
    tracing::info!(
        resealed = done.resealed,
        unreadable = done.unreadable,
        key.id = core.vault.key_id(),
        "stored secrets are sealed with the current key; ENCRYPTION_SECRET_PREVIOUS is needed no more"
    );
    Ok(())
}
