//! Accounts of claude-relay-service: what its sync route exports, and the backup that its transfer script writes.
//!
//! The script writes the fields of the database as they are: everything is text, and JSON stands in texts.

use serde_json::Value;
use types::Secret;
use types::credential::Tier;
use types::provider::CreateProvider;

use crate::plan::{Auth, Fault, Format, Plan, PlannedCredential, PlannedProvider};
use crate::tree::{Node, Tree, json};
use crate::vendor::{self, Accounts};

const LISTS: [&str; 6] = [
    "claudeAccounts",
    "claudeConsoleAccounts",
    "openaiOAuthAccounts",
    "openaiResponsesAccounts",
    "geminiAccounts",
    "bedrockAccounts",
];

/// Whether a node holds at least one of its lists.
pub(crate) fn is_it(node: &Node<'_>) -> bool {
    LISTS.iter().any(|list| node.get(list).is_some_and(|list| list.value.is_array()))
}

/// Reads all lists.
pub(crate) fn read(root: &Node<'_>, data: &Node<'_>) -> Result<Plan, Fault> {
    let mut plan = Plan::new(Format::RelayService);
    let mut accounts = Accounts::default();
    if root.get("metadata").and_then(|metadata| metadata.flag_of("sanitized")) == Some(true) {
        plan.note("metadata.sanitized", "the export was made without secrets; make one with them");
    }
    for (list, vendor) in
        [("claudeAccounts", "claude"), ("openaiOAuthAccounts", "codex"), ("geminiAccounts", "gemini")]
    {
        for entry in data.get(list).map(|list| list.list()).transpose()?.unwrap_or_default() {
            signed_in(&entry, vendor, &mut plan, &mut accounts);
        }
    }
    for (list, kind, official) in [
        ("claudeConsoleAccounts", "anthropic", ""),
        ("openaiResponsesAccounts", "openai-compatible", "https://api.openai.com"),
    ] {
        for entry in data.get(list).map(|list| list.list()).transpose()?.unwrap_or_default() {
            with_key(&entry, kind, official, &mut plan);
        }
    }
    for entry in data.get("bedrockAccounts").map(|list| list.list()).transpose()?.unwrap_or_default() {
        bedrock(&entry, &mut plan);
    }
    for list in ["apiKeys", "admins"] {
        if data.get(list).is_some_and(|list| !list.is_empty()) {
            plan.note(list, "callers' keys and administrators are not taken over; issue new ones");
        }
    }
    accounts.finish(&mut plan);
    Ok(plan)
}

fn plan_text(node: &Node<'_>, name: &str) -> Option<Tree> {
    match node.get(name)?.value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => json(text).ok(),
        value @ (Value::Object(_) | Value::Array(_)) => Some(Tree(value.clone())),
        _ => None,
    }
}

/// Values that the script could not decrypt: 32 hexadecimal digits, a colon, more of them.
fn is_sealed(text: &str) -> bool {
    let hex = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_once(':').is_some_and(|(nonce, rest)| nonce.len() == 32 && hex(nonce) && hex(rest))
}

fn hidden(text: &str) -> bool {
    is_sealed(text) || text.contains("[REDACTED]")
}

fn signed_in(entry: &Node<'_>, vendor: &str, plan: &mut Plan, accounts: &mut Accounts) {
    let old = plan_text(entry, "claudeAiOauth").or_else(|| plan_text(entry, "geminiOauth"));
    let old = old.as_ref().map(|tree| Node { value: &tree.0, place: entry.place.clone() });
    let inner = entry.get("credentials").filter(Node::is_object);
    let sources: Vec<&Node<'_>> = inner.iter().chain(std::iter::once(entry)).chain(old.iter()).collect();
    let Some((source, set)) = sources.iter().find_map(|source| Some((*source, vendor::tokens(source)?)))
    else {
        plan.note(&entry.place, "holds no access token");
        return;
    };
    let parts = ["access_token", "accessToken", "refresh_token", "refreshToken"];
    if parts.iter().any(|name| source.text_of(name).is_some_and(|text| hidden(&text))) {
        plan.note(&entry.place, "its tokens are still encrypted or blanked out; export with decryption");
        return;
    }
    let mut account = vendor::account(entry.place.clone(), vendor, set);
    account.name = entry.text_of("name");
    let extra = entry.get("extra");
    let email = entry.text_of("email").or_else(|| extra.as_ref()?.text_of("crs_email"));
    account.account = email.filter(|email| !hidden(email));
    let expiry = |source: &&Node<'_>| vendor::time(&source.first(&["expires_at", "expiresAt"])?);
    account.expires_at = sources.iter().find_map(expiry);
    account.scopes = sources.iter().find_map(|source| {
        let node = source.first(&["scope", "scopes"])?;
        let words: Vec<_> = node.items().filter_map(|item| item.text()).collect();
        if words.is_empty() { node.text() } else { Some(words.join(" ")) }
    });
    common(entry, &mut account, plan);
    accounts.add(vendor, None, account, plan);
}

/// What every account has.
fn common(entry: &Node<'_>, account: &mut PlannedCredential, plan: &mut Plan) {
    account.enabled =
        entry.flag_of("isActive").unwrap_or(true) && entry.flag_of("schedulable").unwrap_or(true);
    account.priority = entry.number_of("priority").and_then(|n| i32::try_from(n.clamp(-1_000, 1_000)).ok());
    account.max_concurrency = entry
        .number_of("maxConcurrentTasks")
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| *number > 0);
    if entry.text_of("accountType").as_deref() == Some("dedicated") {
        account.tier = Tier::Shared;
        plan.note(
            format!("{}.accountType", entry.place),
            "belonged to chosen keys only; here it serves whoever its provider's groups let in",
        );
    }
    let proxy = plan_text(entry, "proxy");
    let proxy = proxy.as_ref().map(|tree| Node { value: &tree.0, place: entry.place.clone() });
    account.proxy_url = proxy.and_then(|proxy| vendor::proxy(&proxy)).map(Secret::new);
}

/// An account at Bedrock, as its database has it once its secrets are opened: AWS keys or an API key, and a region.
fn bedrock(entry: &Node<'_>, plan: &mut Plan) {
    let keys = plan_text(entry, "awsCredentials");
    let keys = keys.as_ref().map(|tree| Node { value: &tree.0, place: entry.place.clone() });
    let part = |name: &str| keys.as_ref()?.text_of(name).filter(|text| !hidden(text));
    let region = entry.text_of("region").unwrap_or_else(|| "us-east-1".to_owned());
    let Some(address) = vendor::bedrock_home(&region) else {
        plan.note(&entry.place, "names no region");
        return;
    };
    let session = part("sessionToken");
    let whole = part("accessKeyId").zip(part("secretAccessKey"));
    let bearer = entry.text_of("bearerToken").filter(|text| !hidden(text));
    let found = match (whole, bearer) {
        (Some((id, secret)), _) => {
            Some((Auth::Aws, vendor::aws(&id, &secret, session.as_deref(), Some(&region))))
        }
        (None, Some(key)) => Some((Auth::ApiKey, key)),
        (None, None) => {
            plan.note(&entry.place, "holds no AWS keys, or ones that are still encrypted; add them by hand");
            None
        }
    };
    let name = entry.text_of("name").unwrap_or_else(|| "Bedrock".to_owned());
    let mut input = CreateProvider::new(&name, "bedrock", &address);
    let mut credentials = Vec::new();
    if let Some((auth, secret)) = found {
        let mut account = PlannedCredential::new(entry.place.clone(), auth, Secret::new(secret));
        common(entry, &mut account, plan);
        input.enabled = Some(account.enabled);
        input.priority = account.priority.take();
        account.enabled = true;
        credentials.push(account);
    }
    plan.providers.push(PlannedProvider { place: entry.place.clone(), input, credentials });
}

fn with_key(entry: &Node<'_>, kind: &str, official: &str, plan: &mut Plan) {
    let inner = entry.get("credentials").filter(Node::is_object);
    let sources: Vec<&Node<'_>> = inner.iter().chain(std::iter::once(entry)).collect();
    let text = |names: &[&str]| sources.iter().find_map(|source| source.first(names)?.text());
    let Some(address) = text(&["base_url", "apiUrl", "baseApi"]) else {
        plan.note(&entry.place, "names no address");
        return;
    };
    let kind = if !official.is_empty() && address.starts_with(official) { "openai" } else { kind };
    let name = entry.text_of("name").unwrap_or_else(|| "account".to_owned());
    let mut input = CreateProvider::new(&name, kind, address.trim_end_matches('/'));
    let key = text(&["api_key", "apiKey"]).filter(|key| !hidden(key));
    let mut credentials = Vec::new();
    match key {
        None => plan.note(&entry.place, "holds no key, or one that is still encrypted; add it by hand"),
        Some(key) => {
            let mut account = PlannedCredential::new(entry.place.clone(), Auth::ApiKey, Secret::new(key));
            common(entry, &mut account, plan);
            input.enabled = Some(account.enabled);
            input.priority = account.priority.take();
            account.enabled = true;
            credentials.push(account);
        }
    }
    let models = sources.iter().find_map(|source| {
        plan_text(source, "model_mapping").or_else(|| plan_text(source, "supportedModels"))
    });
    if let Some(models) = &models {
        let models = Node { value: &models.0, place: entry.place.clone() };
        input.models.extend(models.items().filter_map(|model| model.text()));
        for (from, to) in models.fields() {
            input.models.push(from.to_owned());
            if let Some(to) = to.text().filter(|to| to != from) {
                input.model_redirects.insert(from.to_owned(), to);
            }
        }
    }
    plan.providers.push(PlannedProvider { place: entry.place.clone(), input, credentials });
}
