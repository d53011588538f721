//! What a LiteLLM deployment authenticates with: a key, AWS keys, a service account's key file, a client of Entra ID.

use serde_json::json;

use crate::litellm_vendor::Vendor;
use crate::plan::{Auth, Plan};
use crate::tree::Node;
use crate::vendor;

/// What stands for a value that LiteLLM takes out of its environment.
pub(crate) fn variable(text: &str) -> Option<&str> {
    text.strip_prefix("os.environ/")
}

/// The first of several spellings in the first source that has one.
pub(crate) fn find<'a>(sources: &[&Node<'a>], names: &[&str]) -> Option<Node<'a>> {
    sources.iter().find_map(|source| source.first(names)).filter(|node| !node.is_empty())
}

/// A variable's name as it may be told: nothing that only looks like one.
pub(crate) fn plain(name: &str) -> String {
    let fits =
        name.len() <= 80 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if fits { name.to_owned() } else { "that it names".to_owned() }
}

pub(crate) const CREDENTIALS: [&str; 2] = ["vertex_credentials", "vertex_ai_credentials"];

/// The project that a deployment names, or its key file.
pub(crate) fn project(sources: &[&Node<'_>]) -> Option<String> {
    let named = find(sources, &["vertex_project", "vertex_ai_project"]).and_then(|node| node.text());
    named.filter(|text| variable(text).is_none()).or_else(|| {
        let file = find(sources, &CREDENTIALS)?;
        let text = file.text().unwrap_or_else(|| file.value.to_string());
        vendor::project_of(&text)
    })
}

/// How it authenticates, and with what; nothing if that is elsewhere.
pub(crate) fn secret(sources: &[&Node<'_>], kind: Vendor, plan: &mut Plan) -> (Auth, Option<String>) {
    let place = sources.first().map(|source| source.place.clone()).unwrap_or_default();
    let mut part = |names: &[&str]| -> Option<String> {
        let node = find(sources, names)?;
        // A key file stands there as a path, as JSON in a text, or as an object.
        let text = node.text().unwrap_or_else(|| node.value.to_string());
        match variable(&text) {
            Some(name) => {
                let name = plain(name);
                plan.note(
                    node.place,
                    format!("the key is in the environment variable {name}; add it by hand"),
                );
                None
            }
            None => Some(text),
        }
    };
    let named = |names: &[&str]| names.iter().any(|name| find(sources, &[name]).is_some());
    match kind.kind {
        "bedrock" => {
            let (id, key) = (part(&["aws_access_key_id"]), part(&["aws_secret_access_key"]));
            let (session, region) = (part(&["aws_session_token"]), part(&["aws_region_name"]));
            let whole = id.zip(key);
            let aws = whole.map(|(id, key)| vendor::aws(&id, &key, session.as_deref(), region.as_deref()));
            if aws.is_some() {
                return (Auth::Aws, aws);
            }
            if let Some(key) = part(&["api_key"]) {
                return (Auth::ApiKey, Some(key));
            }
            if !named(&["aws_access_key_id", "aws_secret_access_key", "api_key"]) {
                plan.note(
                    place,
                    "names no AWS keys; LiteLLM takes them from its surroundings; add them by hand",
                );
            }
            (Auth::Aws, None)
        }
        "vertex" => {
            let file = part(&CREDENTIALS);
            let inline = file.clone().filter(|text| text.trim_start().starts_with('{'));
            if file.is_some() && inline.is_none() {
                plan.note(place, "its key file lies beside the configuration; add it by hand");
            } else if file.is_none()
                && let Some(key) = part(&["api_key"])
            {
                return (Auth::ApiKey, Some(key));
            }
            (Auth::ServiceAccount, inline)
        }
        "azure-openai" if named(&["client_id", "client_secret", "tenant_id"]) => {
            let (tenant, id) = (part(&["tenant_id"]), part(&["client_id"]));
            let (secret, key) = (part(&["client_secret"]), part(&["api_key"]));
            let client = tenant.zip(id).zip(secret).map(|((tenant, id), secret)| {
                json!({ "tenant": tenant, "client_id": id, "client_secret": secret }).to_string()
            });
            match (client, key) {
                (None, Some(key)) => (Auth::ApiKey, Some(key)),
                (client, _) => (Auth::ClientCredentials, client),
            }
        }
        _ => {
            let key = part(&["api_key"]);
            if !named(&["api_key"]) && !kind.variable.is_empty() {
                let variable = kind.variable;
                plan.note(place, format!("names no key; LiteLLM takes it from {variable}; add it by hand"));
            }
            (Auth::ApiKey, key)
        }
    }
}
