//! The vault against a vector made with another implementation, and against tampering.

use proptest::prelude::*;
use types::Secret;

use super::*;

const SECRET: &str = "golden-encryption-secret-0123456789abcdef";
// Made with Python's `cryptography`: HKDF, then AES-GCM with nonce 00..0b over "sk-upstream-example", row 7.
const GOLDEN: &str = "76313539356662363863000102030405060708090a0b58184ce411a32537a17d764b2b04e18df636330750c14686\
                      cb8235e21253f646f1ba01";

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn vault(current: &str, previous: &[&str]) -> Vault {
    Vault::new(&secret(current), &previous.iter().map(|p| secret(p)).collect::<Vec<_>>()).unwrap()
}

#[test]
fn the_envelope_equals_the_golden_vector() {
    let vault = vault(SECRET, &[]);
    assert_eq!(vault.key_id(), "595fb68c");
    let nonce = std::array::from_fn(|n| u8::try_from(n).unwrap());
    let sealed =
        vault.seal_with_nonce(Purpose::CredentialSecret, 7, &secret("sk-upstream-example"), nonce).unwrap();
    assert_eq!(hex::encode(&sealed), GOLDEN);
    assert_eq!(vault.open(Purpose::CredentialSecret, 7, &sealed).unwrap().expose(), "sk-upstream-example");
}

#[test]
fn x23_a_ciphertext_opens_only_in_its_own_row_and_column() {
    let vault = vault(SECRET, &[]);
    let sealed = vault.seal(Purpose::CredentialSecret, 1, &secret("upstream")).unwrap();
    for (purpose, row) in [
        (Purpose::CredentialSecret, 2),
        (Purpose::CredentialSecret, -1),
        (Purpose::ProviderProxy, 1),
        (Purpose::Canary, 1),
        (Purpose::KeyPepper, 1),
        (Purpose::Summary, 1),
    ] {
        assert!(matches!(vault.open(purpose, row, &sealed), Err(VaultError::Altered)));
    }
}

#[test]
fn x23_any_flipped_bit_is_noticed() {
    let vault = vault(SECRET, &[]);
    let sealed = vault.seal(Purpose::CredentialSecret, 1, &secret("upstream")).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut altered = sealed.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(vault.open(Purpose::CredentialSecret, 1, &altered).is_err(), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(vault.open(Purpose::CredentialSecret, 1, &sealed[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn x24_a_nonce_is_never_used_twice() {
    let vault = vault(SECRET, &[]);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..10_000 {
        let sealed = vault.seal(Purpose::CredentialSecret, 1, &secret("x")).unwrap();
        assert!(seen.insert(Envelope::parse(&sealed).unwrap().nonce.to_vec()));
    }
}

#[test]
fn unknown_versions_and_keys_have_their_own_errors() {
    let sealed = vault("another-secret-another-secret-xx", &[])
        .seal(Purpose::CredentialSecret, 1, &secret("x"))
        .unwrap();
    let vault = vault(SECRET, &[]);
    assert!(matches!(vault.open(Purpose::CredentialSecret, 1, &sealed), Err(VaultError::UnknownKey(_))));
    let mut newer = sealed;
    newer[1] = b'2';
    assert!(matches!(
        vault.open(Purpose::CredentialSecret, 1, &newer),
        Err(VaultError::UnknownVersion(version)) if version == "v2"
    ));
}

#[test]
fn a_previous_secret_opens_but_never_seals() {
    let old = vault("the-old-secret-the-old-secret-xx", &[]);
    let sealed = old.seal(Purpose::CredentialSecret, 3, &secret("upstream")).unwrap();
    let both = vault(SECRET, &["the-old-secret-the-old-secret-xx"]);
    assert_eq!(both.open(Purpose::CredentialSecret, 3, &sealed).unwrap().expose(), "upstream");
    assert!(!both.is_current(&sealed));
    let again = both.seal(Purpose::CredentialSecret, 3, &secret("upstream")).unwrap();
    assert!(both.is_current(&again));
    assert!(old.open(Purpose::CredentialSecret, 3, &again).is_err());
}

#[test]
fn debug_output_shows_no_key() {
    let vault = vault(SECRET, &["the-old-secret-the-old-secret-xx"]);
    assert_eq!(format!("{vault:?}"), "Vault { key_id: \"595fb68c\", .. }");
}

proptest! {
    #[test]
    fn every_text_comes_back(text in ".{0,200}", row in any::<i64>()) {
        let vault = vault(SECRET, &[]);
        let sealed = vault.seal(Purpose::ProviderProxy, row, &secret(&text)).unwrap();
        let opened = vault.open(Purpose::ProviderProxy, row, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), &text);
    }

    #[test]
    fn opening_garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        prop_assert!(vault(SECRET, &[]).open(Purpose::Canary, 0, &bytes).is_err());
    }
}
