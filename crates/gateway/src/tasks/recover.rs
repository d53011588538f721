//! Takes stored rests back whose time is over (AC-04). Selection does not wait for it: it looks at the clock itself.

use std::sync::Arc;

use types::credential::CredentialState;

use crate::core::Core;
use crate::events::{self, NewState};

pub(super) fn run(core: &Arc<Core>) -> String {
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
    format!("{recovered} credentials are back")
}
