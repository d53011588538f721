//! Descriptors: everything that differs between vendors, as data that the operator can change.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::ProbeSpec;
use super::flow::PortView;
use crate::dialect::named;
use crate::problem::FieldErrors;
use crate::{Patch, Problem, Secret, Timestamp};

named! {
    /// Ways to a token that a vendor offers.
    Grant {
        /// In the browser, with a redirect (RFC 6749 section 4.1).
        AuthorizationCode = "authorization_code",
        /// With a code that is typed in on another page (RFC 8628).
        DeviceCode = "device_code",
        /// With the client's own id and secret (RFC 6749 section 4.4).
        ClientCredentials = "client_credentials",
        /// With a signed statement of a service account (RFC 7523).
        JwtBearer = "jwt_bearer",
    }
}

named! {
    /// How a token request is written.
    BodyForm {
        /// As the standard says.
        Form = "form",
        /// As a JSON object.
        Json = "json",
        /// As a JSON object with names in camel case, read so too.
        JsonCamel = "json_camel",
    }
}

named! {
    /// How the client proves who it is at the token endpoint.
    ClientAuth {
        /// Id and secret in the body.
        Body = "body",
        /// HTTP Basic.
        Basic = "basic",
    }
}

named! {
    /// Whether the vendor's terms allow a gateway to use such an account.
    Terms {
        /// They provide for it.
        Allowed = "allowed",
        /// They do not say so plainly: read them first.
        Unclear = "unclear",
        /// They reserve such accounts for the vendor's own programs.
        Restricted = "restricted",
    }
}

/// A vendor's descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct VendorSpec {
    /// Name for people.
    pub label: String,
    /// What the vendor's terms say about it.
    pub terms: Terms,
    /// The same in a sentence.
    pub terms_note: String,
    /// Ways to a token, the usual one first.
    pub grants: Vec<Grant>,
    /// Where the browser is sent.
    pub authorize_url: String,
    /// Where codes and refresh tokens become access tokens.
    pub token_url: String,
    /// Where a device code is asked for.
    pub device_url: String,
    /// A second step: this address, asked with the vendor's token, answers the short-lived one that requests carry.
    pub session_url: String,
    /// Who the account is, asked with the access token; empty: only what the answer itself says.
    pub userinfo_url: String,
    /// Scopes to ask for.
    pub scopes: Vec<String>,
    /// Whether PKCE (S256) goes with it. A vendor that ignores it is not hurt by it.
    pub pkce: bool,
    /// How token requests are written.
    pub body: BodyForm,
    /// How the client proves who it is.
    pub client_auth: ClientAuth,
    /// More parameters of the browser's address.
    pub authorize_params: BTreeMap<String, String>,
    /// More parameters of each token request.
    pub token_params: BTreeMap<String, String>,
    /// More parameters of the request for a device code.
    pub device_params: BTreeMap<String, String>,
    /// The fixed port of the redirect that is registered for the client: `http://localhost:{port}{path}`.
    pub callback_port: Option<u16>,
    /// Path of that redirect.
    pub callback_path: String,
    /// A page of the vendor that shows the code to be pasted; in place of a redirect to here.
    pub paste_redirect: String,
    /// Whether `state` also goes into the exchange.
    pub state_in_exchange: bool,
    /// Header that carries the access token upstream.
    pub token_header: String,
    /// Word in front of it; may be empty.
    pub token_scheme: String,
    /// Headers that go with each request of such an account. Values of lists are added to the caller's.
    pub extra_headers: BTreeMap<String, String>,
    /// Address that shows whether an account works: whole, or a path at the provider's own host; empty: the provider's
    /// model list.
    pub probe_url: String,
    /// How it is asked and what its answers mean; null: as the preset of the same name does, else as usual.
    pub probe: Option<ProbeSpec>,
    /// Where the operator registers a client.
    pub register_url: String,
    /// Kinds of provider that it suits; empty: all.
    pub provider_kinds: Vec<String>,
}

impl Default for VendorSpec {
    fn default() -> Self {
        Self {
            label: String::new(),
            terms: Terms::Unclear,
            terms_note: String::new(),
            grants: vec![Grant::AuthorizationCode],
            authorize_url: String::new(),
            token_url: String::new(),
            device_url: String::new(),
            session_url: String::new(),
            userinfo_url: String::new(),
            scopes: Vec::new(),
            pkce: true,
            body: BodyForm::Form,
            client_auth: ClientAuth::Body,
            authorize_params: BTreeMap::new(),
            token_params: BTreeMap::new(),
            device_params: BTreeMap::new(),
            callback_port: None,
            callback_path: "/callback".to_owned(),
            paste_redirect: String::new(),
            state_in_exchange: false,
            token_header: "authorization".to_owned(),
            token_scheme: "Bearer".to_owned(),
            extra_headers: BTreeMap::new(),
            probe_url: String::new(),
            probe: None,
            register_url: String::new(),
            provider_kinds: Vec::new(),
        }
    }
}

/// A vendor as shown: never the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VendorView {
    /// Its name in addresses: letters, digits, `-` and `_`.
    pub name: String,
    /// Its descriptor.
    pub spec: VendorSpec,
    /// The client id that the operator registered; empty if there is none yet.
    pub client_id: String,
    /// First and last characters of the client secret; null if there is none.
    pub secret_hint: Option<String>,
    /// Whether it comes with the program.
    pub preset: bool,
    /// Whether the operator changed it.
    pub changed: bool,
    /// Whether somebody could sign in now; if not, what is missing.
    pub missing: Option<String>,
    /// What its fixed port does now; null without one.
    pub port: Option<PortView>,
    /// The redirects to register with the vendor. The one to this gateway is missing while `BASE_URL` is not set.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Credentials of this vendor.
    pub credentials: u32,
    /// Last change; null for an untouched preset.
    pub updated_at: Option<Timestamp>,
    /// Grows with each change; 0 for an untouched preset.
    pub version: i64,
}

/// Body of `PUT /api/admin/oauth/vendors/{name}`: absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PutVendor {
    /// The whole descriptor.
    pub spec: Option<VendorSpec>,
    /// The client id that you registered with the vendor.
    pub client_id: Option<String>,
    /// Its secret; null removes it.
    pub client_secret: Patch<Secret<String>>,
    /// If given, must equal the stored version; 0 for an untouched preset or a new one.
    pub version: Option<i64>,
}

/// Parameters that a sign-in sets itself. A second one beside it could undo what it protects, and a secret among them
/// would lie in the open: descriptors are shown and stored as they are.
const OWN_PARAMS: [&str; 16] = [
    "assertion",
    "client_assertion",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "device_code",
    "grant_type",
    "password",
    "redirect_uri",
    "refresh_token",
    "response_type",
    "state",
    "subject_token",
];

/// Most entries of a list or map of a descriptor.
pub(super) const MOST: usize = 32;
/// Longest text of a descriptor.
const LONGEST: usize = 2_000;

impl VendorSpec {
    /// Checks a descriptor as far as it can be without asking anybody.
    pub fn check(&self) -> Result<(), Problem> {
        let mut errors = FieldErrors::default();
        if self.label.trim().is_empty() || self.label.len() > 100 {
            errors.add("label", "expected 1 to 100 characters");
        }
        if self.grants.is_empty() {
            errors.add("grants", "expected at least one");
        }
        let urls = [
            ("authorize_url", &self.authorize_url),
            ("token_url", &self.token_url),
            ("device_url", &self.device_url),
            ("session_url", &self.session_url),
            ("userinfo_url", &self.userinfo_url),
            ("paste_redirect", &self.paste_redirect),
            ("register_url", &self.register_url),
        ];
        for (field, url) in urls {
            if !url.is_empty() && !is_url(url) {
                errors.add(field, "expected an http:// or https:// address without blanks, user or fragment");
            } else if !matches!(field, "paste_redirect" | "register_url") && is_open_to_others(url) {
                errors.add(
                    field,
                    "expected https://: secrets go there, and http:// stays within your own network",
                );
            }
        }
        let probed_at = &self.probe_url;
        if !probed_at.is_empty() && !is_url(probed_at) && !is_path(probed_at) {
            errors.add("probe_url", "expected an address, or a path that begins with /");
        }
        if let Some(probe) = &self.probe {
            probe.check(&mut errors);
        }
        if self.token_url.is_empty() {
            errors.add("token_url", "is needed");
        }
        if self.grants.contains(&Grant::AuthorizationCode) && self.authorize_url.is_empty() {
            errors.add("authorize_url", "is needed to sign in with the browser");
        }
        if self.grants.contains(&Grant::DeviceCode) && self.device_url.is_empty() {
            errors.add("device_url", "is needed to sign in with a device code");
        }
        if !self.callback_path.starts_with('/') || self.callback_path.contains(['?', '#', ' ']) {
            errors.add("callback_path", "expected a path that begins with /");
        }
        if self.callback_port.is_some_and(|port| port < 1024) {
            errors.add("callback_port", "expected 1024 to 65535");
        }
        if !is_header(&self.token_header) {
            errors.add("token_header", "expected the name of a header");
        }
        let forbidden = [
            "host",
            "content-length",
            "user-agent",
            "connection",
            "transfer-encoding",
            "authorization",
            "proxy-authorization",
            "cookie",
            "x-api-key",
            "x-goog-api-key",
            "api-key",
        ];
        let bad = |(name, value): (&String, &String)| {
            !is_header(name) || forbidden.contains(&name.to_ascii_lowercase().as_str()) || !is_visible(value)
        };
        if self.extra_headers.len() > MOST || self.extra_headers.iter().any(bad) {
            errors.add(
                "extra_headers",
                "expected names and values of headers, and none that the connection owns or that carries a secret",
            );
        }
        let params = [
            ("authorize_params", &self.authorize_params),
            ("token_params", &self.token_params),
            ("device_params", &self.device_params),
        ];
        for (field, map) in params {
            // Anthropic's page wants `code=true`.
            let is_own = |name: &&String| {
                let name = name.to_ascii_lowercase();
                OWN_PARAMS.contains(&name.as_str()) && (field, name.as_str()) != ("authorize_params", "code")
            };
            if let Some(own) = map.keys().find(is_own) {
                let what = format!(
                    "'{own}' is set by the sign-in itself; a client's id and secret have their own fields"
                );
                errors.add(field, what);
            } else if map.len() > MOST
                || map.iter().any(|(name, value)| name.is_empty() || name.len() + value.len() > LONGEST)
            {
                errors.add(field, "expected at most 32 names with short values");
            }
        }
        if self.scopes.len() > MOST || self.scopes.iter().any(|scope| scope.is_empty() || !is_visible(scope))
        {
            errors.add("scopes", "expected at most 32 scopes without blanks");
        }
        errors.finish(())
    }
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    !host.is_empty()
        && !host.contains('@')
        && text.len() <= LONGEST
        && !text.contains('#')
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether what goes there could be read on the way: plain HTTP to somewhere else than this machine or network.
fn is_open_to_others(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("http://") else { return false };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => !(v4.is_loopback() || v4.is_private()),
        Ok(IpAddr::V6(v6)) => !(v6.is_loopback() || v6.is_unique_local()),
        Err(_) => {
            let name = name.to_ascii_lowercase();
            let own = [".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test"];
            name.contains('.') && !own.iter().any(|end| name.ends_with(end))
        }
    }
}

/// A path of the provider's own host; `//` would begin another host.
fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= LONGEST
        && !text.contains(['#', '\\'])
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(super) fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

pub(super) fn is_visible(text: &str) -> bool {
    text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// Whether a text may name a vendor.
pub fn is_vendor_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}
