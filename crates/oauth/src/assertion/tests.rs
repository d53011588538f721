//! Tests of service accounts. The key was made for these tests and opens nothing.

use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::*;
use crate::scripted::{NOW, Scripted, value, vendor};

const KEY: &str = include_str!("test_key.pem");

fn file(change: impl FnOnce(&mut serde_json::Value)) -> Secret<String> {
    let mut file = json!({
        "type": "service_account", "project_id": "p-1", "private_key_id": "k-1", "private_key": KEY,
        "client_email": "robot@p-1.example.com", "token_uri": "https://oauth2.example.com/token",
    });
    change(&mut file);
    Secret::new(file.to_string())
}

#[tokio::test]
async fn a_statement_is_signed_with_the_accounts_key_and_becomes_a_token() {
    let account = ServiceAccount::parse(&file(|_| ())).unwrap();
    let wire = Scripted::answering(&[(200, r#"{"access_token":"ya29","expires_in":3599}"#)]);
    let granted = mint(&vendor(|_| ()).spec, &account, &wire, NOW).await.unwrap();
    assert_eq!(
        (granted.set.access_token.expose().as_str(), granted.expires_at),
        ("ya29", Some(NOW.plus_ms(3_599_000)))
    );
    assert_eq!(granted.account.as_deref(), Some("robot@p-1.example.com"));
    let form = wire.form(0);
    assert_eq!(value(&form, "grant_type").as_deref(), Some("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    let statement = value(&form, "assertion").unwrap();
    let (signed, signature) = statement.rsplit_once('.').unwrap();
    let key = account.key().unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref().to_vec());
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let claims: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split('.').nth(1).unwrap()).unwrap()).unwrap();
    assert_eq!(claims["aud"], "https://oauth2.example.com/token");
    assert_eq!(claims["scope"], "openid inference");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3_600);
    // A clock that is a little ahead of the vendor's does not make it come from the future.
    assert!(claims["iat"].as_i64().unwrap() < NOW.0 / 1_000);
    assert_eq!(wire.asked.lock().unwrap()[0].uri(), "https://oauth2.example.com/token");
}

#[test]
fn a_wrong_file_is_refused_in_a_sentence_without_the_key() {
    for (text, expected) in [
        (Secret::new("sk-key".to_owned()), "no key file"),
        (Secret::new("{}".to_owned()), "no key file"),
        (file(|file| file["private_key"] = "none".into()), "no RSA key"),
        (file(|file| file["private_key"] = KEY.replace("MII", "AAA").into()), "no RSA key"),
    ] {
        let error = ServiceAccount::parse(&text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert!(!format!("{:?}", ServiceAccount::parse(&file(|_| ())).unwrap()).contains("MII"));
}

/// The same key with another name around it: PKCS #8 is 26 bytes of what it is, and then PKCS #1.
fn pkcs1() -> String {
    let body: String = KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let inner = STANDARD.encode(&STANDARD.decode(body).unwrap()[26..]);
    format!("-----BEGIN RSA PRIVATE KEY-----\n{inner}\n-----END RSA PRIVATE KEY-----\n")
}

#[test]
fn a_key_is_read_however_it_was_carried_here() {
    let modulus = |key: &str| {
        let account = ServiceAccount::parse(&file(|file| file["private_key"] = key.into())).unwrap();
        account.key().unwrap().public_key().as_ref().to_vec()
    };
    let own = modulus(KEY);
    for key in [KEY.replace('\n', "\\n"), KEY.replace('\n', "\r\n"), KEY.trim().to_owned(), pkcs1()] {
        assert_eq!(modulus(&key), own, "{key}");
    }
}
