//! `CLIProxyAPI`'s folder of accounts: one JSON file for each, told apart by `type`.

use types::Secret;
use types::provider::CreateProvider;

use crate::plan::{Auth, Format, Plan, PlannedCredential, PlannedProvider};
use crate::tree::Node;
use crate::vendor::{self, Accounts};

/// Fields that are read or that mean nothing elsewhere.
const UNDERSTOOD: &[&str] = &[
    "type",
    "id_token",
    "access_token",
    "refresh_token",
    "last_refresh",
    "email",
    "expired",
    "account_id",
    "token",
    "project_id",
    "auto",
    "checked",
    "resource_url",
    "api_key",
    "token_type",
    "scope",
    "service_account",
    "location",
    "disabled",
    "proxy_url",
    "expires_in",
    "timestamp",
    "priority",
];

/// Whether a document is such a file.
pub(crate) fn is_it(node: &Node<'_>) -> bool {
    let holds = ["access_token", "refresh_token", "token", "service_account", "api_key"];
    node.text_of("type").is_some_and(|kind| kind != "service_account")
        && holds.iter().any(|name| node.get(name).is_some())
}

/// Reads the files; one that is no account is noted.
pub(crate) fn read<'a>(files: impl Iterator<Item = Node<'a>>) -> Plan {
    let mut plan = Plan::new(Format::CliProxy);
    let mut accounts = Accounts::default();
    for file in files {
        if is_it(&file) {
            one(&file, &mut plan, &mut accounts);
        } else {
            let place = if file.place.is_empty() { "the file".to_owned() } else { file.place };
            plan.note(place, "is no account file");
        }
    }
    accounts.finish(&mut plan);
    plan
}

fn one(file: &Node<'_>, plan: &mut Plan, accounts: &mut Accounts) {
    let kind = file.text_of("type").unwrap_or_default();
    let place = if file.place.is_empty() { kind.clone() } else { file.place.clone() };
    file.leftover(UNDERSTOOD, plan);
    let credential = match kind.as_str() {
        "vertex" => return vertex(file, place, plan),
        // An iFlow account is used by the key that its sign-in brought.
        "iflow" if file.text_of("api_key").is_some() => {
            let key = file.text_of("api_key").unwrap_or_default();
            Some(PlannedCredential::new(place.clone(), Auth::ApiKey, Secret::new(key)))
        }
        _ => {
            let token = file.get("token").filter(Node::is_object);
            let set = vendor::tokens(token.as_ref().unwrap_or(file));
            set.map(|set| vendor::account(place.clone(), &kind, set))
        }
    };
    let Some(mut credential) = credential else {
        plan.note(place, "holds no access token");
        return;
    };
    let expiry = file.get("expired").or_else(|| file.get("token")?.first(&["expiry", "expires_at"]));
    credential.expires_at = expiry.and_then(|node| vendor::time(&node));
    credential.scopes = file.text_of("scope");
    describe(file, &mut credential);
    let address = file.text_of("resource_url").map(|host| {
        let host = host.trim_end_matches('/').to_owned();
        if host.contains("://") { host } else { format!("https://{host}") }
    });
    accounts.add(&kind, address, credential, plan);
}

fn describe(file: &Node<'_>, credential: &mut PlannedCredential) {
    credential.account = file.first(&["email", "account_id"]).and_then(|node| node.text());
    credential.name.clone_from(&credential.account);
    credential.enabled = !file.flag_of("disabled").unwrap_or(false);
    credential.proxy_url = file.secret_of("proxy_url");
}

fn vertex(file: &Node<'_>, place: String, plan: &mut Plan) {
    let Some(key_file) = file.get("service_account").filter(Node::is_object) else {
        plan.note(place, "holds no service account");
        return;
    };
    let secret = key_file.value.to_string();
    let project = file.text_of("project_id").or_else(|| vendor::project_of(&secret));
    let location = file.text_of("location").unwrap_or_else(|| "global".to_owned());
    let base_url = vendor::vertex_home(None, project.as_deref(), &location);
    let mut credential = PlannedCredential::new(place.clone(), Auth::ServiceAccount, Secret::new(secret));
    describe(file, &mut credential);
    let same = plan.providers.iter_mut().find(|known| known.input.base_url == base_url);
    match same {
        Some(known) => known.credentials.push(credential),
        None => plan.providers.push(PlannedProvider {
            place,
            input: CreateProvider::new("Vertex AI", "vertex", &base_url),
            credentials: vec![credential],
        }),
    }
}
