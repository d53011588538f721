//! Seals the secrets of others with AES-256-GCM, so that a stolen database is useless.
//!
//! It is the only user of the cipher. It does not decide who may open what, and it never shows a secret.
//!
//! Envelope: `v1` ‖ key id (8 hex characters) ‖ nonce (12 random bytes) ‖ ciphertext and tag. The purpose (table
//! and column), the row's id and the version are authenticated with it, so that a ciphertext moved to another
//! row or column does not open.
//!
//! The key is made from `ENCRYPTION_SECRET` by HKDF-SHA256 (RFC 5869) with a fixed label for each use. A slow
//! hash such as argon2 would defend guessable words, but this secret is generated (and production demands 32
//! characters), so stretching would add nothing but a slower start.

pub(crate) mod canary;
pub(crate) mod parcel;
pub(crate) mod rotation;

use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use hkdf::Hkdf;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use types::Secret;
use zeroize::Zeroizing;

pub use rotation::{StoredSecrets, key_id_of_secret};

const VERSION: &[u8; 2] = b"v1";
const KEY_ID_LENGTH: usize = 8;
const NONCE_LENGTH: usize = 12;
const SALT: &[u8] = b"tollgate";
const VAULT_LABEL: &[u8] = b"tollgate/vault/aes-256-gcm/v1";

/// What a sealed value is, as table and column. Part of what is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The API key of a credential.
    CredentialSecret,
    /// The outbound proxy of a provider, which may hold a password.
    ProviderProxy,
    /// The outbound proxy of a credential.
    CredentialProxy,
    /// The secret of the client that the operator registered with a vendor.
    VendorSecret,
    /// Verifier or device code of a sign-in under way.
    FlowSecret,
    /// A known text that proves the key; see [`canary`].
    Canary,
    /// The secret that API keys are hashed with.
    KeyPepper,
    /// The summary of a user's conversation. It is stored nowhere: the client holds it.
    Summary,
}

impl Purpose {
    fn table_and_column(self) -> (&'static str, &'static str) {
        match self {
            Self::CredentialSecret => ("credential", "secret"),
            Self::ProviderProxy => ("provider", "proxy"),
            Self::CredentialProxy => ("credential", "proxy"),
            Self::VendorSecret => ("oauth_vendor", "client_secret"),
            Self::FlowSecret => ("oauth_flow", "secret"),
            Self::Canary => ("meta", "vault_canary"),
            Self::KeyPepper => ("meta", "key_pepper"),
            Self::Summary => ("user", "summary"),
        }
    }

    // Lengths stand before the names: without them ("ab", "c") and ("a", "bc") would be the same bytes.
    fn associated_data(self, row_id: i64) -> Vec<u8> {
        let (table, column) = self.table_and_column();
        let mut data = Vec::with_capacity(48);
        for name in [table, column] {
            data.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
            data.extend_from_slice(name.as_bytes());
        }
        data.extend_from_slice(&row_id.to_be_bytes());
        data.extend_from_slice(VERSION);
        data
    }
}

/// Why a value could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Not an envelope at all.
    #[error("the sealed value is damaged: it is too short")]
    Malformed,
    /// Written by a newer Tollgate.
    #[error("the sealed value has the unknown version '{0}'")]
    UnknownVersion(String),
    /// Sealed with a secret that is configured no more.
    #[error("Decryption failed: sealed with key id {0}, which is none of the configured secrets")]
    UnknownKey(String),
    /// The tag does not fit: damaged, altered, or moved from another row or column.
    #[error("Decryption failed: the sealed value was altered or belongs to another row")]
    Altered,
    /// It opened, but holds no text.
    #[error("the sealed value holds no text")]
    NotText,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
    /// The secret is not the one that this installation was set up with (CR-01).
    #[error(
        "Decryption failed: ENCRYPTION_SECRET does not fit the stored credentials; \
         use the secret that was used at first encryption (key id {0})"
    )]
    WrongSecret(String),
    /// What the vault keeps in the database could not be read or written.
    #[error("the vault could not reach the database: {0}")]
    Store(#[from] store::StoreError),
    /// A key of this length cannot be derived. Lengths are constants, so this does not happen.
    #[error("the key could not be derived")]
    Derivation,
}

struct SealingKey {
    id: String,
    cipher: Aes256Gcm,
}

impl SealingKey {
    fn derive(secret: &Secret<String>) -> Result<Self, VaultError> {
        let key = derive_key(secret, VAULT_LABEL)?;
        let cipher = Aes256Gcm::new_from_slice(key.as_slice()).map_err(|_| VaultError::Derivation)?;
        Ok(Self { id: key_id(key.as_slice()), cipher })
    }
}

/// Seals with the current key, opens with the current and the previous ones. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Vault(Arc<Keys>);

struct Keys {
    current: SealingKey,
    previous: Vec<SealingKey>,
}

impl Vault {
    /// Derives the keys from the configured secrets.
    pub(crate) fn new(secret: &Secret<String>, previous: &[Secret<String>]) -> Result<Self, VaultError> {
        let current = SealingKey::derive(secret)?;
        let previous = previous.iter().map(SealingKey::derive).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(Arc::new(Keys { current, previous })))
    }

    /// Identity of the key that seals now; safe to show.
    pub(crate) fn key_id(&self) -> &str {
        &self.0.current.id
    }

    /// Whether an envelope was sealed with the current key.
    pub(crate) fn is_current(&self, sealed: &[u8]) -> bool {
        Envelope::parse(sealed).is_ok_and(|envelope| envelope.key_id == self.key_id())
    }

    /// Seals a secret for one row of one column. The nonce is random and cannot be chosen (X24).
    pub(crate) fn seal(
        &self,
        purpose: Purpose,
        row_id: i64,
        secret: &Secret<String>,
    ) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_LENGTH];
        OsRng.try_fill_bytes(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        self.seal_with_nonce(purpose, row_id, secret, nonce)
    }

    fn seal_with_nonce(
        &self,
        purpose: Purpose,
        row_id: i64,
        secret: &Secret<String>,
        nonce: [u8; NONCE_LENGTH],
    ) -> Result<Vec<u8>, VaultError> {
        let key = &self.0.current;
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &purpose.associated_data(row_id) };
        let body =
            key.cipher.encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| VaultError::Malformed)?;
        Ok([VERSION, key.id.as_bytes(), &nonce, &body].concat())
    }

    /// Opens what was sealed for this row and column.
    pub(crate) fn open(
        &self,
        purpose: Purpose,
        row_id: i64,
        sealed: &[u8],
    ) -> Result<Secret<String>, VaultError> {
        let envelope = Envelope::parse(sealed)?;
        let key = std::iter::once(&self.0.current)
            .chain(&self.0.previous)
            .find(|key| key.id == envelope.key_id)
            .ok_or_else(|| VaultError::UnknownKey(envelope.key_id.to_owned()))?;
        let payload = Payload { msg: envelope.body, aad: &purpose.associated_data(row_id) };
        let clear = key
            .cipher
            .decrypt(Nonce::from_slice(envelope.nonce), payload)
            .map_err(|_| VaultError::Altered)?;
        String::from_utf8(clear).map(Secret::new).map_err(|_| VaultError::NotText)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("key_id", &self.key_id()).finish_non_exhaustive()
    }
}

struct Envelope<'a> {
    key_id: &'a str,
    nonce: &'a [u8],
    body: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn parse(sealed: &'a [u8]) -> Result<Self, VaultError> {
        let (version, rest) = sealed.split_at_checked(VERSION.len()).ok_or(VaultError::Malformed)?;
        if version != VERSION {
            return Err(VaultError::UnknownVersion(version.escape_ascii().to_string()));
        }
        let (key_id, rest) = rest.split_at_checked(KEY_ID_LENGTH).ok_or(VaultError::Malformed)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LENGTH).ok_or(VaultError::Malformed)?;
        let key_id = std::str::from_utf8(key_id)
            .ok()
            .filter(|id| id.bytes().all(|b| b.is_ascii_hexdigit()))
            .ok_or(VaultError::Malformed)?;
        Ok(Self { key_id, nonce, body })
    }
}

/// A key of 32 bytes for one use, named by its label (RFC 5869).
pub(crate) fn derive_key(secret: &Secret<String>, label: &[u8]) -> Result<Zeroizing<[u8; 32]>, VaultError> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(SALT), secret.expose().as_bytes())
        .expand(label, key.as_mut_slice())
        .map_err(|_| VaultError::Derivation)?;
    Ok(key)
}

/// The first 8 hex characters of SHA-256: tells keys apart and gives nothing away.
pub(crate) fn key_id(key: &[u8]) -> String {
    hex::encode(Sha256::digest(key)).chars().take(KEY_ID_LENGTH).collect()
}

#[cfg(test)]
mod tests;
