//! The admin token: compared without showing it. It does not count failures (`throttle` does).
//!
//! Only an argon2id hash of the token is held for comparing, as for any password, because an operator may have
//! chosen a word of his own in development. One such check takes some 20 ms of a core, which a script that calls
//! the admin REST API would pay on every call. So the keyed digest of the last token that proved right is
//! remembered under a random key of this process: the same token again costs one HMAC, and a wrong one still
//! costs the slow check. Digests are compared in constant time.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use hmac::{Hmac, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use types::{Problem, Secret};

use super::password::{Passwords, Verdict, hash_now};

/// What is held of the admin token.
pub(crate) struct AdminToken {
    /// PHC text; `None` if it could not be made, and then nothing is right.
    hash: Option<String>,
    /// Keyed digest of the last token that was right; `None` before the first.
    proven: ArcSwapOption<[u8; 32]>,
    digest: Option<Hmac<Sha256>>,
    fingerprint: String,
    turn: tokio::sync::Mutex<()>,
}

impl AdminToken {
    /// Hashes the configured token; takes some 20 ms.
    pub(crate) fn new(token: &Secret<String>) -> Self {
        let mut key = zeroize::Zeroizing::new([0_u8; 32]);
        // Without random bytes nothing is remembered, and every call takes the slow way.
        let digest = OsRng
            .try_fill_bytes(key.as_mut_slice())
            .ok()
            .and_then(|()| Hmac::<Sha256>::new_from_slice(key.as_slice()).ok());
        // An empty token is no token: it must never open anything.
        let hash = Some(token.expose())
            .filter(|text| !text.is_empty())
            .and_then(|text| hash_now(text.as_bytes()).ok());
        Self {
            hash,
            proven: ArcSwapOption::empty(),
            digest,
            fingerprint: fingerprint(token.expose()),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// The first 8 hex characters of the token's SHA-256 (AU-02).
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// One proof at a time: of many right calls at once after a start, the first is checked slowly and the
    /// others then find it remembered, instead of being counted as tries.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Whether this is the very text that proved right before: quick. Ask it only from within
    /// `Throttle::begin`, or it would let guesses through uncounted.
    pub(crate) fn is_proven(&self, presented: &Secret<String>) -> bool {
        let (Some(now), Some(before)) = (self.digest(presented), self.proven.load_full()) else {
            return false;
        };
        now.ct_eq(before.as_slice()).into()
    }

    /// Whether the token is right, by the slow hash.
    pub(crate) async fn verify(&self, presented: &Secret<String>) -> Result<bool, Problem> {
        let right = match &self.hash {
            Some(hash) => {
                let verdict = Passwords::shared().verify(presented.clone(), Some(hash.clone())).await?;
                verdict != Verdict::Mismatch
            }
            None => false,
        };
        if let (true, Some(digest)) = (right, self.digest(presented)) {
            self.proven.store(Some(Arc::new(digest)));
        }
        Ok(right)
    }

    fn digest(&self, text: &Secret<String>) -> Option<[u8; 32]> {
        let mut state = self.digest.clone()?;
        state.update(text.expose().as_bytes());
        Some(state.finalize().into_bytes().into())
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminToken").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// The first 8 hex characters of a text's SHA-256.
pub fn fingerprint(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes())).chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn only_the_whole_token_is_right_and_then_it_is_remembered() {
        let token = AdminToken::new(&secret("tg-admin-0123456789abcdef0123456789abcdef"));
        let right = secret("tg-admin-0123456789abcdef0123456789abcdef");
        assert!(!token.is_proven(&right), "nothing is remembered before a proof");
        for wrong in ["", "tg-admin", "tg-admin-0123456789abcdef0123456789abcdeF"] {
            assert!(!token.verify(&secret(wrong)).await.unwrap(), "{wrong}");
            assert!(!token.is_proven(&secret(wrong)));
        }
        assert!(token.verify(&right).await.unwrap());
        assert!(token.is_proven(&right));
        assert!(!token.is_proven(&secret("tg-admin-0123456789abcdef0123456789abcdeF")));
    }

    #[tokio::test]
    async fn an_empty_token_opens_nothing() {
        let token = AdminToken::new(&secret(""));
        assert!(!token.verify(&secret("")).await.unwrap());
        assert!(!token.is_proven(&secret("")));
    }

    #[test]
    fn au_02_the_fingerprint_is_the_start_of_sha_256() {
        let token = AdminToken::new(&secret("abc"));
        assert_eq!(token.fingerprint(), "ba7816bf");
        assert_eq!(format!("{token:?}"), "AdminToken { fingerprint: \"ba7816bf\", .. }");
    }
}
