//! Keys that Tollgate issues: made, recognised and hashed here. It does not say what a key may do.
//!
//! Form: `sk-tg-` ‖ 8 characters to recognise it by ‖ 32 random base62 characters (190 bits) ‖ 6 characters of
//! CRC-32, so that a typing mistake is refused without a look-up and secret scanners can recognise a key.
//!
//! Stored is `HMAC-SHA256(pepper, whole key)`. A slow hash such as argon2 protects guessable passwords; against
//! 190 random bits it would only cost 50 ms on every request. The HMAC makes a stolen database useless for
//! trying keys and keeps others from planting rows (KE-02). The lookup is by the whole hash, so two keys can
//! never be taken for each other, however alike they look (X26).

use std::fmt;

use hmac::{Hmac, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::Sha256;
use store::Store;
use types::{Problem, Secret};
use zeroize::Zeroizing;

use crate::vault::{Purpose, Vault, VaultError, derive_key, key_id};

/// Every key begins so.
pub const PREFIX: &str = "sk-tg-";

const LOOKUP_LENGTH: usize = 8;
const RANDOM_LENGTH: usize = 32;
const CHECKSUM_LENGTH: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PEPPER_LABEL: &[u8] = b"tollgate/api-key/hmac-sha256/v1";
const PEPPER_META: &str = "key_pepper";

/// A new key, whole; it is shown once and forgotten.
#[derive(Debug)]
pub(crate) struct MintedKey {
    /// The whole key.
    pub(crate) key: Secret<String>,
    /// `sk-tg-` and the eight characters that stay visible.
    pub(crate) prefix: String,
    /// What is stored.
    pub(crate) hash: [u8; 32],
}

/// Whether a text has the form of a key, its checksum included. Says nothing about whether it was issued.
pub fn is_well_formed(text: &str) -> bool {
    lookup_id(text).is_some()
}

/// The eight visible characters of a well-formed key.
pub(crate) fn lookup_id(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(PREFIX)?;
    if rest.len() != LOOKUP_LENGTH + RANDOM_LENGTH + CHECKSUM_LENGTH
        || !rest.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        return None;
    }
    let (body, sum) = text.split_at_checked(text.len() - CHECKSUM_LENGTH)?;
    (checksum(body) == sum).then(|| rest.get(..LOOKUP_LENGTH)).flatten()
}

fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = letter(rest % 62);
        rest /= 62;
    }
    digits.iter().map(|d| char::from(*d)).collect()
}

fn letter(index: u32) -> u8 {
    usize::try_from(index).ok().and_then(|at| ALPHABET.get(at)).copied().unwrap_or(b'0')
}

/// Random base62 from the operating system. Bytes of 248 and more are thrown away, because 256 is no multiple
/// of 62 and the first letters would come up more often.
fn random_text(length: usize) -> Result<Zeroizing<String>, VaultError> {
    let mut text = Zeroizing::new(String::with_capacity(length));
    let mut bytes = Zeroizing::new([0_u8; 64]);
    while text.len() < length {
        OsRng.try_fill_bytes(bytes.as_mut_slice()).map_err(|_| VaultError::NoRandomness)?;
        for byte in bytes.iter().filter(|byte| **byte < 248).take(length - text.len()) {
            text.push(char::from(letter(u32::from(*byte) % 62)));
        }
    }
    Ok(text)
}

/// Hashes keys. The state after the pepper is kept and cloned, so one hash costs well under a microsecond.
#[derive(Clone)]
pub struct KeyHasher {
    state: Hmac<Sha256>,
    pepper_id: String,
}

impl KeyHasher {
    /// Takes the pepper of this installation, or makes it at the first start.
    ///
    /// At first it is derived from the encryption secret with a label of its own. It is then kept, sealed, in the
    /// store and stays the same when the encryption secret is rotated: if it followed the secret, a rotation
    /// would end every issued key, because the keys themselves are nowhere stored to be hashed again.
    pub(crate) async fn load(
        vault: &Vault,
        store: &Store,
        encryption_secret: &Secret<String>,
    ) -> Result<Self, VaultError> {
        let stored = if let Some(stored) = store.meta_get(PEPPER_META).await? {
            stored
        } else {
            let pepper = derive_key(encryption_secret, PEPPER_LABEL)?;
            let pepper = Secret::new(hex::encode(pepper.as_slice()));
            let sealed = hex::encode(vault.seal(Purpose::KeyPepper, 0, &pepper)?);
            store.meta_put_if_absent(PEPPER_META, &sealed).await?
        };
        let sealed = hex::decode(&stored).map_err(|_| VaultError::Malformed)?;
        let pepper = vault.open(Purpose::KeyPepper, 0, &sealed)?;
        let pepper = Zeroizing::new(hex::decode(pepper.expose()).map_err(|_| VaultError::NotText)?);
        Self::from_pepper(&pepper)
    }

    fn from_pepper(pepper: &[u8]) -> Result<Self, VaultError> {
        let state = Hmac::<Sha256>::new_from_slice(pepper).map_err(|_| VaultError::Derivation)?;
        Ok(Self { state, pepper_id: key_id(pepper) })
    }

    /// Hash of a whole key, as it is stored and looked up.
    pub fn hash(&self, key: &str) -> [u8; 32] {
        let mut state = self.state.clone();
        state.update(key.as_bytes());
        state.finalize().into_bytes().into()
    }

    /// Which pepper this is; stored beside each hash.
    pub fn pepper_id(&self) -> &str {
        &self.pepper_id
    }

    /// Makes a new key.
    pub(crate) fn mint(&self) -> Result<MintedKey, Problem> {
        let random = random_text(LOOKUP_LENGTH + RANDOM_LENGTH)
            .map_err(|error| Problem::new("internal", error.to_string()))?;
        let body = Zeroizing::new(format!("{PREFIX}{}", random.as_str()));
        let prefix = body.chars().take(PREFIX.len() + LOOKUP_LENGTH).collect();
        let key = Secret::new(format!("{}{}", body.as_str(), checksum(&body)));
        let hash = self.hash(key.expose());
        Ok(MintedKey { key, prefix, hash })
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyHasher").field("pepper_id", &self.pepper_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // Made with Python: HKDF, HMAC and zlib's CRC-32 over the same texts.
    const GOLDEN_KEY: &str = "sk-tg-AbCdEf120123456789abcdefghijABCDEFGHIJ013ZJmB2";
    const GOLDEN_HASH: &str = "5b84d51cdaf4945d928eb88da6658c31452ae5a0f071be8604341da8fadf4539";

    fn hasher() -> KeyHasher {
        let secret = Secret::new("golden-encryption-secret-0123456789abcdef".to_owned());
        KeyHasher::from_pepper(derive_key(&secret, PEPPER_LABEL).unwrap().as_slice()).unwrap()
    }

    #[test]
    fn ke_02_hash_and_checksum_equal_the_golden_vector() {
        let hasher = hasher();
        assert_eq!(hasher.pepper_id(), "53985aad");
        assert_eq!(lookup_id(GOLDEN_KEY), Some("AbCdEf12"));
        assert_eq!(hex::encode(hasher.hash(GOLDEN_KEY)), GOLDEN_HASH);
    }

    #[test]
    fn a_minted_key_is_well_formed_and_shows_eight_characters() {
        let hasher = hasher();
        let first = hasher.mint().unwrap();
        let second = hasher.mint().unwrap();
        assert!(is_well_formed(first.key.expose()), "{}", first.key.expose());
        assert_eq!(first.prefix.len(), PREFIX.len() + 8);
        assert!(first.key.expose().starts_with(&first.prefix));
        assert_eq!(first.hash, hasher.hash(first.key.expose()));
        assert_ne!(first.hash, second.hash);
        assert!(!format!("{first:?}").contains(first.key.expose()));
    }

    #[test]
    fn typing_mistakes_are_noticed_by_the_checksum() {
        let key = GOLDEN_KEY;
        for at in PREFIX.len()..key.len() {
            let mut wrong = key.as_bytes().to_vec();
            wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
            assert!(!is_well_formed(std::str::from_utf8(&wrong).unwrap()), "at {at}");
        }
        let swapped = key.replacen("bC", "Cb", 1);
        for wrong in ["", "sk-tg-", &key[..key.len() - 1], &format!("{key}0"), &key.to_uppercase(), &swapped]
        {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn x26_distinct_keys_have_distinct_hashes(a in ".{1,80}", b in ".{1,80}") {
            let hasher = hasher();
            prop_assert_eq!(a == b, hasher.hash(&a) == hasher.hash(&b));
        }

        #[test]
        fn x26_prefixes_and_case_make_another_identity(tail in "[a-zA-Z0-9]{1,20}") {
            let hasher = hasher();
            let longer = format!("{GOLDEN_KEY}{tail}");
            prop_assert_ne!(hasher.hash(GOLDEN_KEY), hasher.hash(&longer));
            prop_assert_ne!(hasher.hash(GOLDEN_KEY), hasher.hash(&GOLDEN_KEY.to_lowercase()));
        }

        #[test]
        fn recognising_a_key_never_panics(text in "\\PC{0,80}") {
            let _ = is_well_formed(&text);
            let _ = is_well_formed(&format!("sk-tg-{text}"));
        }
    }
}
