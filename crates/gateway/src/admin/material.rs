//! Checks what a credential is made of against the provider that it is for, before it is sealed.

use types::credential::{CredentialAuth, Material};
use types::provider::ProviderSpec;
use types::{Problem, Secret};

use crate::authenticate::{AwsKey, region_of};

/// Refuses what could never authenticate there, with the field named.
pub(super) fn check(provider: &ProviderSpec, material: &Material) -> Result<(), Problem> {
    let refuse = |field: &str, what: String| Err(Problem::field(field, what));
    let (kind, base_url) = (provider.kind, provider.base_url.as_str());
    if !kind.takes(material.auth) {
        return refuse(
            material.field,
            format!("a provider of kind '{kind}' does not take {}", name(material.auth)),
        );
    }
    match material.auth {
        CredentialAuth::ServiceAccount => {
            if !(base_url.contains("/projects/") && base_url.contains("/locations/")) {
                let what = "the provider's address has to name project and location: \
                    https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}";
                return refuse("base_url", what.to_owned());
            }
            check_key_file(&material.text).or_else(|what| refuse("service_account", what))
        }
        CredentialAuth::Aws => {
            let host =
                base_url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
            let keys = AwsKey::parse(&material.text);
            let known = keys.is_some_and(|keys| keys.region.is_some() || region_of(host).is_some());
            if known {
                Ok(())
            } else {
                refuse(
                    "aws.region",
                    "the provider's address names no region, so it has to stand here".to_owned(),
                )
            }
        }
        CredentialAuth::ApiKey | CredentialAuth::Oauth | CredentialAuth::ClientCredentials => Ok(()),
    }
}

fn name(auth: CredentialAuth) -> &'static str {
    match auth {
        CredentialAuth::ApiKey => "API keys",
        CredentialAuth::Oauth => "accounts",
        CredentialAuth::ServiceAccount => "service accounts",
        CredentialAuth::ClientCredentials => "client credentials",
        CredentialAuth::Aws => "AWS keys",
    }
}

fn check_key_file(text: &Secret<String>) -> Result<(), String> {
    let account = oauth::ServiceAccount::parse(text)?;
    let address = account.token_uri.filter(|address| !address.is_empty());
    if address.is_none_or(|address| is_private(&address)) {
        Ok(())
    } else {
        Err("the token_uri of this file has to be an https address".to_owned())
    }
}

/// What proves the account goes there, so nobody on the way may read it.
fn is_private(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    let is_loopback = match url.host() {
        Some(url::Host::Ipv4(host)) => host.is_loopback(),
        Some(url::Host::Ipv6(host)) => host.is_loopback(),
        _ => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}
