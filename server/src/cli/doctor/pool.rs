//! Is there anything that could serve a request.

use store::ConfigRows;
use types::credential::CredentialState;

use super::Findings;

pub(super) fn examine(rows: &ConfigRows, findings: &mut Findings) {
    if rows.providers.is_empty() {
        return findings.odd("no provider is set up yet");
    }
    for provider in &rows.providers {
        let name = &provider.spec.name;
        if !provider.spec.enabled {
            findings.odd(&format!("provider {name} is switched off"));
            continue;
        }
        let credentials: Vec<_> =
            rows.credentials.iter().filter(|row| row.provider_id == provider.id).collect();
        let refused = |state| state == CredentialState::Invalid;
        let usable = credentials.iter().filter(|row| row.spec.enabled && !refused(row.mark.state)).count();
        let rejected = credentials.iter().filter(|row| refused(row.mark.state)).count();
        if usable == 0 {
            findings.bad(&format!(
                "provider {name} has no usable credential ({rejected} refused by the upstream)"
            ));
        } else if rejected > 0 {
            findings.odd(&format!(
                "provider {name}: {usable} usable credentials, {rejected} refused by the upstream"
            ));
        } else {
            findings.good(&format!("provider {name}: {usable} usable credentials"));
        }
    }
    findings.good(&format!("{} users, {} keys", rows.users.len(), rows.keys.len()));
}
