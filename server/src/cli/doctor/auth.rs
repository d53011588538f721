//! Is there an admin token, and which one: its fingerprint is also what the sign-in page shows (AU-02).

use super::Findings;
use crate::config::{ServerConfig, secret};

pub(super) fn examine(config: &ServerConfig, findings: &mut Findings) {
    match &config.admin_token {
        Some(token) => {
            let fingerprint = gateway::identity::fingerprint(token.expose());
            findings.good(&format!("admin token with fingerprint {fingerprint}"));
            if let Some(why) = secret::weakness(token.expose()) {
                findings.odd(&format!("admin token: {why}"));
            }
        }
        None => findings.odd("there is no admin token yet: it is made at the first start"),
    }
    match &config.encryption_secret {
        Some(secret) => match secret::weakness(secret.expose()) {
            Some(why) => findings.odd(&format!("ENCRYPTION_SECRET: {why}")),
            None => findings.good("encryption secret"),
        },
        None => findings.odd("there is no encryption secret yet: it is made at the first start"),
    }
    if !config.secure_cookies && config.production {
        findings
            .odd("ENABLE_SECURE_COOKIES is off in production: the sign-in cookie also travels without TLS");
    }
}
