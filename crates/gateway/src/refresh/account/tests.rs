//! Tests of the material of clients.

use super::*;

#[test]
fn the_tenant_goes_into_the_token_address() {
    let client =
        Client::parse(&Secret::new(r#"{"client_id":"c","client_secret":"s","tenant":"t-1"}"#.to_owned()))
            .unwrap();
    let registered = client.of(oauth::preset("azure").unwrap().clone());
    assert_eq!(registered.spec.token_url, "https://login.microsoftonline.com/t-1/oauth2/v2.0/token");
}
