//! When two secrets are the same account. Compared by hashes that never leave memory.

use std::collections::HashSet;

use serde_json::Value;
use sha2::{Digest, Sha256};
use types::Secret;
use types::credential::CredentialAuth;

/// Hashes of what identifies an account; two are the same if they share one.
pub(super) type Prints = HashSet<[u8; 32]>;

/// Of a key the key itself; of anything else the parts that stay when the rest is renewed.
pub(super) fn prints(auth: CredentialAuth, secret: &Secret<String>) -> Prints {
    let fields: &[&str] = match auth {
        CredentialAuth::ApiKey => return Prints::from([print("", secret.expose())]),
        CredentialAuth::Oauth => &["access_token", "refresh_token"],
        CredentialAuth::ServiceAccount => &["private_key"],
        CredentialAuth::ClientCredentials => &["client_secret"],
        CredentialAuth::Aws => &["secret_access_key"],
    };
    let parts: Value = serde_json::from_str(secret.expose()).unwrap_or_default();
    let texts = fields.iter().filter_map(|field| Some((*field, parts.get(field)?.as_str()?)));
    let prints: Prints = texts.map(|(field, text)| print(field, text)).collect();
    if prints.is_empty() { Prints::from([print("", secret.expose())]) } else { prints }
}

fn print(field: &str, text: &str) -> [u8; 32] {
    Sha256::new().chain_update(field).chain_update([0]).chain_update(text).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(auth: CredentialAuth, text: &str) -> Prints {
        prints(auth, &Secret::new(text.to_owned()))
    }

    #[test]
    fn a_renewed_token_set_is_still_the_same_account() {
        let before = of(CredentialAuth::Oauth, r#"{"access_token":"a","refresh_token":"r"}"#);
        let after = of(CredentialAuth::Oauth, r#"{"access_token":"b","refresh_token":"r","id_token":"i"}"#);
        let other = of(CredentialAuth::Oauth, r#"{"access_token":"c","refresh_token":"s"}"#);
        assert!(!before.is_disjoint(&after) && before.is_disjoint(&other));
        assert!(of(CredentialAuth::ApiKey, "a").is_disjoint(&before));
        assert_eq!(of(CredentialAuth::ApiKey, "a"), of(CredentialAuth::ApiKey, "a"));
    }
}
