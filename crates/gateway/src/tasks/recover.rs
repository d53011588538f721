//! Takes stored rests back whose time is over (AC-04). Selection does not wait for it: it looks at the clock itself.
//! And keeps what vendors said of how far accounts are used up.

use std::sync::Arc;

use types::credential::CredentialState;

use crate::core::Core;
use crate::events::{self, NewState};

pub(super) async fn run(core: &Arc<Core>) -> Result<String, String> {
    let (snapshot, now) = (core.snapshot(), core.clock.now());
    let mut recovered = 0_u32;
    for credential in snapshot.providers.iter().flat_map(|provider| &provider.credentials) {
        let mark = &credential.mark;
        let rests = matches!(mark.state, CredentialState::RateLimited | CredentialState::Overloaded);
        if rests && mark.until.is_some_and(|until| until <= now) {
            let state = CredentialState::Valid;
            let new = NewState { state, until: None, reason: None, cause: "recovery", request: None };
            events::mark(core, credential, new);
            recovered += 1;
        }
    }
    let mut kept = 0_u32;
    for credential in snapshot.providers.iter().flat_map(|provider| &provider.credentials) {
        // What vendors said of their windows, so that a restart knows it (EX-12).
        let Some(allowance) = credential.gauge.keep_allowance() else { continue };
        let put = core.store.credential_allowance_put(credential.id, &allowance).await;
        put.map_err(|error| error.to_string())?;
        kept += 1;
    }
    Ok(format!("{recovered} credentials are back, {kept} usage windows kept"))
}
