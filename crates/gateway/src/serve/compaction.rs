//! Summaries that conversations were compacted to: sealed for the user whose conversation it was, opened for no other.
//!
//! What a summary is and how it is asked for is `protocol`'s business; the keys are the vault's. Nothing is stored.

use bytes::Bytes;
use protocol::translate::compaction::{Sealer, unfold};
use types::dialect::Endpoint;
use types::{Secret, UserId};

use super::Ingress;
use crate::core::Core;
use crate::error::Refusal;
use crate::vault::Purpose;

/// Seals for a user.
pub(super) fn sealer(core: &Core, user: UserId) -> Sealer {
    let vault = core.vault.clone();
    Sealer::new(move |summary| {
        let sealed = vault.seal(Purpose::Summary, user.0, &Secret::new(summary.to_owned()));
        sealed.inspect_err(|error| tracing::error!(%error, "a summary could not be sealed")).ok()
    })
}

/// Puts the words of every summary that the user got from here in the place of what it was sealed to, so that any
/// upstream can read them: those of the caller's own dialect too.
pub(super) fn resolve(core: &Core, user: UserId, ingress: &mut Ingress) -> Result<(), Refusal> {
    if !matches!(ingress.endpoint, Endpoint::Responses | Endpoint::ResponsesCompact) {
        return Ok(());
    }
    let open = |sealed: &[u8]| {
        let opened = core.vault.open(Purpose::Summary, user.0, sealed);
        opened.ok().map(|summary| summary.expose().clone())
    };
    match unfold(&ingress.body, open) {
        Ok(None) => Ok(()),
        Ok(Some(body)) => {
            ingress.body = Bytes::from(body);
            Ok(())
        }
        Err(fault) => Err(unreadable(fault.at().unwrap_or("input"))),
    }
}

fn unreadable(field: &str) -> Refusal {
    let message = format!(
        "'{field}' is a summary that cannot be opened: it was changed on the way, or given to another user, or sealed \
         with a secret that is configured no more; go on without it, or begin a new conversation"
    );
    Refusal::new(400, "compaction_unreadable", message).with("field", field)
}
