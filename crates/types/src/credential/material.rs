//! What a credential is made of when it is no API key: key files, clients and AWS keys, as they are typed and as they
//! are sealed. Whether a private key can be read and a region is known is the engine's to say.

use serde::Deserialize;
use serde_json::{Value, json};

use super::CredentialAuth;
use crate::Secret;
use crate::problem::FieldErrors;
use crate::provider::ProviderKind;

/// In place of `api_key`: at most one of these.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MaterialInput {
    /// The JSON key file of a Google service account, as text. For `vertex`.
    pub service_account: Option<Secret<String>>,
    /// A client of Microsoft Entra ID. For `azure-openai`.
    pub client_credentials: Option<ClientInput>,
    /// Access keys of AWS. For `bedrock`.
    pub aws: Option<AwsInput>,
}

/// A client that proves who it is with a secret.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClientInput {
    /// Directory (tenant): its id or one of its domains.
    pub tenant: String,
    /// Application (client) id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret<String>,
}

/// Access keys.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AwsInput {
    /// `AKIA…`, or `ASIA…` of temporary keys.
    pub access_key_id: String,
    /// Its secret half.
    pub secret_access_key: Secret<String>,
    /// Comes with temporary keys.
    #[serde(default)]
    pub session_token: Option<Secret<String>>,
    /// Such as `us-east-1`; may be absent where the provider's address names it.
    #[serde(default)]
    pub region: Option<String>,
}

/// What is sealed, and what views show of it.
#[derive(Debug)]
pub struct Material {
    /// What it is.
    pub auth: CredentialAuth,
    /// What is sealed: the key itself, else JSON.
    pub text: Secret<String>,
    /// The mask of a key, an account's e-mail, a client's id, an access key's id.
    pub hint: String,
    /// The input field that it came from.
    pub field: &'static str,
}

impl ProviderKind {
    /// Whether a credential of this nature can be used there.
    pub fn takes(self, auth: CredentialAuth) -> bool {
        match auth {
            CredentialAuth::ApiKey => true,
            CredentialAuth::Oauth => self != Self::Bedrock,
            CredentialAuth::ServiceAccount => self == Self::Vertex,
            CredentialAuth::ClientCredentials => self == Self::AzureOpenAi,
            CredentialAuth::Aws => self == Self::Bedrock,
        }
    }
}

impl MaterialInput {
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.given().is_empty()
    }

    fn given(&self) -> Vec<&'static str> {
        let fields = [
            ("service_account", self.service_account.is_some()),
            ("client_credentials", self.client_credentials.is_some()),
            ("aws", self.aws.is_some()),
        ];
        fields.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }

    /// Notes what is wrong with it and with the key beside it; `None` for the key means that none was given.
    pub(super) fn check(&self, api_key: Option<&Secret<String>>, required: bool, errors: &mut FieldErrors) {
        let given = self.given();
        match api_key {
            Some(key) if given.is_empty() => check_secret(key, errors),
            Some(_) => errors.add("api_key", "give a key or something in its place, not both"),
            None if given.is_empty() && required => errors.add("api_key", "must not be empty"),
            None => {}
        }
        if let Some(second) = given.get(1) {
            errors.add(second, "only one kind of secret at a time");
        }
        if let Some(file) = &self.service_account {
            check_file(file, errors);
        }
        if let Some(client) = &self.client_credentials {
            check_name(&client.tenant, "client_credentials.tenant", errors);
            check_name(&client.client_id, "client_credentials.client_id", errors);
            check_text(&client.client_secret, "client_credentials.client_secret", errors);
        }
        if let Some(keys) = &self.aws {
            check_name(&keys.access_key_id, "aws.access_key_id", errors);
            check_text(&keys.secret_access_key, "aws.secret_access_key", errors);
            if let Some(token) = &keys.session_token {
                check_text(token, "aws.session_token", errors);
            }
            if let Some(region) = &keys.region {
                let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                if region.len() > 40 || !region.contains('-') || !region.bytes().all(fits) {
                    errors.add("aws.region", "expected a region such as us-east-1");
                }
            }
        }
    }

    /// What was given, ready to be sealed; `None` if nothing was. It has to be checked before.
    pub fn material(&self, api_key: Option<&Secret<String>>) -> Option<Material> {
        let of = |auth, text: String, hint: &str, field| {
            Some(Material { auth, text: Secret::new(text), hint: hint.trim().to_owned(), field })
        };
        if let Some(file) = &self.service_account {
            let auth = CredentialAuth::ServiceAccount;
            let value: Value = serde_json::from_str(file.expose()).unwrap_or_default();
            return of(auth, file.expose().clone(), member(&value, "client_email"), "service_account");
        }
        if let Some(client) = &self.client_credentials {
            let text = json!({
                "tenant": client.tenant.trim(), "client_id": client.client_id.trim(),
                "client_secret": client.client_secret.expose(),
            });
            let auth = CredentialAuth::ClientCredentials;
            return of(auth, text.to_string(), &client.client_id, "client_credentials");
        }
        if let Some(keys) = &self.aws {
            let text = json!({
                "access_key_id": keys.access_key_id.trim(),
                "secret_access_key": keys.secret_access_key.expose(),
                "session_token": keys.session_token.as_ref().map(Secret::expose),
                "region": keys.region,
            });
            return of(CredentialAuth::Aws, text.to_string(), &keys.access_key_id, "aws");
        }
        let key = api_key?;
        of(CredentialAuth::ApiKey, key.expose().clone(), &key.masked(), "api_key")
    }
}

fn member<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

// A secret travels in a header, so anything that is no visible ASCII would fail at the first request
// instead of here. Quotes and blanks around it are the usual paste accidents.
fn check_secret(secret: &Secret<String>, errors: &mut FieldErrors) {
    let text = secret.expose();
    if text.is_empty() || text.len() > 16_384 || !text.bytes().all(|b| b.is_ascii_graphic()) {
        errors.add("api_key", "expected 1 to 16,384 visible characters without blanks or line ends");
    } else if text.starts_with(['"', '\'']) {
        errors.add("api_key", "leave out the quotation marks");
    }
}

fn check_file(file: &Secret<String>, errors: &mut FieldErrors) {
    let what = match serde_json::from_str::<Value>(file.expose()) {
        _ if file.expose().len() > 16_384 => "this is too long for a key file",
        Err(_) => "this is no JSON: paste the whole key file as it was downloaded",
        Ok(value) if member(&value, "type") != "service_account" => {
            "this JSON is no key file of a service account (its type is not service_account)"
        }
        Ok(value) if !member(&value, "client_email").contains('@') => "the key file has no client_email",
        Ok(value) if member(&value, "private_key").is_empty() => "the key file has no private_key",
        Ok(_) => return,
    };
    errors.add("service_account", what);
}

fn check_name(text: &str, field: &'static str, errors: &mut FieldErrors) {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let text = text.trim();
    if text.is_empty() || text.len() > 200 || !text.bytes().all(fits) {
        errors.add(field, "expected 1 to 200 letters, digits, '-', '.' or '_'");
    }
}

fn check_text(secret: &Secret<String>, field: &'static str, errors: &mut FieldErrors) {
    let text = secret.expose();
    if text.is_empty() || text.len() > 8_192 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        errors.add(field, "expected 1 to 8,192 visible characters without blanks or line ends");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str, key: Option<&str>) -> Vec<String> {
        let input: MaterialInput = serde_json::from_str(text).unwrap();
        let mut errors = FieldErrors::default();
        input.check(key.map(|key| Secret::new(key.to_owned())).as_ref(), true, &mut errors);
        errors.finish(()).map_or_else(|problem| problem.fields.into_keys().collect(), |()| Vec::new())
    }

    #[test]
    fn every_fault_of_a_secret_names_its_field() {
        let file = |text: &str| json!({ "service_account": text }).to_string();
        for (text, key, expected) in [
            ("{}".to_owned(), None, vec!["api_key"]),
            ("{}".to_owned(), Some("sk-1"), vec![]),
            (file("{"), None, vec!["service_account"]),
            (file(r#"{"type":"authorized_user"}"#), None, vec!["service_account"]),
            (file(r#"{"type":"service_account","client_email":"a@b"}"#), None, vec!["service_account"]),
            (file(r#"{"type":"service_account","client_email":"a@b","private_key":"k"}"#), None, vec![]),
            (file(r#"{"type":"service_account","client_email":"a@b","private_key":"k"}"#), Some("k"), vec!["api_key"]),
            (
                r#"{"aws":{"access_key_id":"","secret_access_key":"a b","session_token":"","region":"here"}}"#.to_owned(),
                None,
                vec!["aws.access_key_id", "aws.region", "aws.secret_access_key", "aws.session_token"],
            ),
            (
                r#"{"client_credentials":{"tenant":"a/b","client_id":"","client_secret":""}}"#.to_owned(),
                None,
                vec![
                    "client_credentials.client_id",
                    "client_credentials.client_secret",
                    "client_credentials.tenant",
                ],
            ),
            (
                r#"{"aws":{"access_key_id":"A","secret_access_key":"b"},"client_credentials":{"tenant":"t","client_id":"c","client_secret":"s"}}"#.to_owned(),
                None,
                vec!["aws"],
            ),
        ] {
            assert_eq!(faults(&text, key), expected, "{text}");
        }
    }

    #[test]
    fn views_show_who_it_is_and_never_the_secret() {
        let input: MaterialInput = serde_json::from_str(
            r#"{"aws":{"access_key_id":"AKIA1","secret_access_key":"very-secret","region":"us-east-1"}}"#,
        )
        .unwrap();
        let material = input.material(None).unwrap();
        assert_eq!((material.auth, material.hint.as_str()), (CredentialAuth::Aws, "AKIA1"));
        assert!(material.text.expose().contains("very-secret"));
        assert!(!format!("{material:?} {input:?}").contains("very-secret"));
        assert!(MaterialInput::default().material(None).is_none());
        for kind in ProviderKind::ALL {
            assert!(kind.takes(CredentialAuth::ApiKey));
            assert_eq!(kind.takes(CredentialAuth::Aws), *kind == ProviderKind::Bedrock);
        }
    }
}
