//! Takes a credential out of what its upstream says: careless ones repeat the key that they refuse, and their
//! words go to callers, into the log and into the books.
//!
//! It looks at errors only. What an upstream says in a good answer passes untouched.

use bytes::Bytes;

use crate::snapshot::Credential;

/// The text without the credential.
pub(super) fn cleaned(text: String, credential: &Credential) -> String {
    credential.auth.redacted(&text).unwrap_or(text)
}

/// The same for a body. One that is no UTF-8 and repeats the credential loses what is not UTF-8 as well.
pub(super) fn cleaned_body(body: Bytes, credential: &Credential) -> Bytes {
    credential.auth.redacted(&String::from_utf8_lossy(&body)).map_or(body, Bytes::from)
}

#[cfg(test)]
mod tests {
    use types::Secret;
    use types::credential::CredentialSpec;

    use super::*;

    fn credential(secret: &str) -> Credential {
        let spec = CredentialSpec::named("c");
        let auth = crate::authenticate::Auth::Key(Secret::new(secret.to_owned()));
        Credential {
            id: types::CredentialId(1),
            spec,
            auth,
            proxy: crate::snapshot::Proxy::Default,
            mark: types::credential::CredentialMark::default(),
            vendor: None,
            check: types::check::CheckStanding::default(),
            gauge: std::sync::Arc::default(),
        }
    }

    #[test]
    fn v9_an_upstream_that_repeats_the_credential_is_not_quoted() {
        let known = credential("sk-upstream-0001");
        assert_eq!(cleaned("no such key sk-upstream-0001!".into(), &known), "no such key [redacted]!");
        assert_eq!(
            cleaned_body(Bytes::from_static(b"{\"a\":\"sk-upstream-0001\"}"), &known),
            "{\"a\":\"[redacted]\"}"
        );
        assert_eq!(cleaned("fine".into(), &known), "fine");
        assert_eq!(cleaned_body(Bytes::from_static(b"\xff\xfe"), &known), b"\xff\xfe"[..]);
        assert_eq!(cleaned("a key".into(), &credential("a")), "a key");
    }
}
