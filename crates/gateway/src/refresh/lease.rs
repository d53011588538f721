//! Who may refresh a token, and what is left of a refresh whose process died over it (U31, RF-06).
//!
//! Those that end a refresh take its lease away. One that is left over says that the vendor may have spent the refresh
//! token for an answer that nobody has: the sooner it is asked, the sooner a lost account is known.

use types::oauth::TokenFault;
use types::{CredentialId, Timestamp};

use super::{Lost, find};
use crate::authenticate::Auth;
use crate::core::Core;

/// How long other instances leave a token alone while this one refreshes it.
const LASTS_MS: i64 = 45_000;

/// Takes or prolongs the lease of one stored token; false while another instance has it.
pub(super) async fn take(core: &Core, id: CredentialId, version: i64) -> Result<bool, Lost> {
    Ok(core.store.credential_token_lease(id, version, &core.config.node, LASTS_MS).await?)
}

/// Has those refreshed whose refresh nobody ends: it was this instance's and is not under way, or its lease is over.
pub(crate) async fn remind(core: &Core) -> Result<(), store::StoreError> {
    let left = core.store.credential_token_leases_left(&core.config.node).await?;
    let snapshot = core.snapshot();
    for left in left {
        let Some((_, credential)) = find(&snapshot, left.id) else { continue };
        let Auth::Token(slot) = &credential.auth else { continue };
        // One that has ended since the look has raised the version.
        if !slot.is_in_flight() && slot.version() == left.version && slot.ask() {
            tracing::info!(
                credential.id = left.id.0,
                credential.name = credential.spec.name,
                "[TokenManager] A refresh was cut off; the vendor is asked again"
            );
        }
    }
    Ok(())
}

/// Why a refresh failed. Where an earlier one was cut off, the vendor may have spent the old token for its answer.
pub(super) fn told(why: String, fault: TokenFault, cut_off: Option<Timestamp>) -> String {
    match cut_off.filter(|_| fault != TokenFault::Transient) {
        None => why,
        Some(until) => format!(
            "{why} (the refresh that began at {} was cut off before its answer was stored)",
            until.plus_ms(-LASTS_MS).display_utc(),
        ),
    }
}
