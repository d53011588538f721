//! Whose account a token is, and the provider that such accounts belong to.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use types::provider::CreateProvider;
use types::{Secret, Timestamp};

use crate::plan::{Auth, Plan, PlannedCredential, PlannedProvider};
use crate::tree::Node;

/// Name, kind and address of the provider for a vendor's accounts; `None` if they cannot be used here.
fn home(vendor: &str) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match vendor {
        "claude" => ("Claude accounts", "anthropic", "https://api.anthropic.com"),
        "qwen" => ("Qwen accounts", "openai-compatible", "https://portal.qwen.ai"),
        "iflow" => ("iFlow accounts", "openai-compatible", "https://apis.iflow.cn"),
        _ => return None,
    })
}

/// Accounts, gathered by where they belong.
#[derive(Default)]
pub(crate) struct Accounts(BTreeMap<(String, String), PlannedProvider>);

impl Accounts {
    /// Puts an account with the others of its vendor; `address` replaces the vendor's own.
    pub(crate) fn add(
        &mut self,
        vendor: &str,
        address: Option<String>,
        account: PlannedCredential,
        plan: &mut Plan,
    ) {
        let Some((name, kind, base_url)) = home(vendor) else {
            plan.note(account.place, "accounts of this vendor speak a protocol that Tollgate does not");
            return;
        };
        let base_url = address.unwrap_or_else(|| base_url.to_owned());
        let place = account.place.clone();
        self.0
            .entry((vendor.to_owned(), base_url.clone()))
            .or_insert_with(|| PlannedProvider {
                place,
                input: CreateProvider::new(name, kind, &base_url),
                credentials: Vec::new(),
            })
            .credentials
            .push(account);
    }

    /// Hands the gathered providers to the plan.
    pub(crate) fn finish(self, plan: &mut Plan) {
        plan.providers.extend(self.0.into_values());
    }
}

/// The token set of a node with snake-case or camel-case fields; `None` without an access token.
pub(crate) fn tokens(node: &Node<'_>) -> Option<String> {
    let mut set = Map::new();
    for (name, other) in [
        ("access_token", "accessToken"),
        ("refresh_token", "refreshToken"),
        ("id_token", "idToken"),
        ("token_type", "tokenType"),
    ] {
        if let Some(text) = node.first(&[name, other]).and_then(|node| node.text()) {
            set.insert(name.to_owned(), Value::String(text));
        }
    }
    set.contains_key("access_token").then(|| Value::Object(set).to_string())
}

/// A credential of a token set.
pub(crate) fn account(place: String, vendor: &str, tokens: String) -> PlannedCredential {
    let mut account = PlannedCredential::new(place, Auth::OAuth, Secret::new(tokens));
    account.vendor = Some(vendor.to_owned());
    account
}

/// A time as text (RFC 3339), seconds or milliseconds.
pub(crate) fn time(node: &Node<'_>) -> Option<Timestamp> {
    match node.number() {
        Some(number) if number > 100_000_000_000 => Some(Timestamp(number)),
        Some(number) if number > 0 => number.checked_mul(1_000).map(Timestamp),
        Some(_) => None,
        None => node.text()?.parse().ok(),
    }
}

/// The parts of an AWS key as its secret.
pub(crate) fn aws(id: &str, secret: &str, session: Option<&str>, region: Option<&str>) -> String {
    let mut parts = json!({ "access_key_id": id, "secret_access_key": secret });
    for (name, part) in [("session_token", session), ("region", region)] {
        if let (Some(part), Some(fields)) = (part, parts.as_object_mut()) {
            fields.insert(name.to_owned(), Value::String(part.to_owned()));
        }
    }
    parts.to_string()
}

/// Whether a text can be part of an address: a region, a project.
fn is_plain(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':');
    (1..=63).contains(&text.len()) && text.bytes().all(fits)
}

/// Where Bedrock is in a region; `None` if that is none.
pub(crate) fn bedrock_home(region: &str) -> Option<String> {
    is_plain(region).then(|| format!("https://bedrock-runtime.{region}.amazonaws.com"))
}

/// Where Vertex is for a project in a region, or without a project as far as that is known.
pub(crate) fn vertex_home(base_url: Option<&str>, project: Option<&str>, region: &str) -> String {
    let region = if is_plain(region) { region } else { "global" };
    let host = match base_url {
        Some(text) => text.trim_end_matches('/').trim_end_matches("/v1").to_owned(),
        None if region == "global" => "https://aiplatform.googleapis.com".to_owned(),
        None => format!("https://{region}-aiplatform.googleapis.com"),
    };
    match project.filter(|project| is_plain(project) && !host.contains("/projects/")) {
        Some(project) => format!("{host}/v1/projects/{project}/locations/{region}"),
        None => base_url.map_or(host, |text| text.trim_end_matches('/').to_owned()),
    }
}

/// The project that a key file names.
pub(crate) fn project_of(file: &str) -> Option<String> {
    let tree = crate::tree::json(file).ok()?;
    Node::root(&tree).text_of("project_id")
}

/// The parts of a proxy's address put together.
pub(crate) fn proxy(node: &Node<'_>) -> Option<String> {
    if let Some(text) = node.text() {
        return text.contains("://").then_some(text);
    }
    let scheme = node.first(&["protocol", "type", "scheme"])?.text()?;
    let (host, port) = (node.text_of("host")?, node.number_of("port")?);
    let user = match (node.text_of("username"), node.text_of("password")) {
        (Some(user), Some(password)) => format!("{}:{}@", coded(&user), coded(&password)),
        (Some(user), None) => format!("{}@", coded(&user)),
        _ => String::new(),
    };
    Some(format!("{scheme}://{user}{host}:{port}"))
}

fn coded(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut coded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            coded.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(coded, "%{byte:02X}");
        }
        coded
    })
}
