//! Channels of one-api and of new-api: a table of rows, as their API or their database gives it in JSON.

use std::collections::BTreeMap;

use types::Secret;
use types::provider::CreateProvider;

use crate::channel_type::{Meaning, meaning};
use crate::plan::{Auth, Fault, Format, Plan, PlannedCredential, PlannedProvider};
use crate::tree::{Node, json};
use crate::vendor::{self, Accounts};

/// Counters, times and results of tests: nothing that could be taken over.
const UNDERSTOOD: &[&str] = &[
    "id",
    "type",
    "key",
    "status",
    "name",
    "weight",
    "base_url",
    "models",
    "group",
    "model_mapping",
    "priority",
    "created_time",
    "test_time",
    "response_time",
    "balance",
    "balance_updated_time",
    "used_quota",
    "other_info",
    "test_model",
    "auto_ban",
    "tag",
    "remark",
    "channel_info",
    "setting",
    "need_reconcile",
    "other",
];

fn is_row(node: &Node<'_>) -> bool {
    ["type", "key", "models"].iter().all(|name| node.value.get(name).is_some())
        && node.number_of("type").is_some()
}

/// The list of rows, wherever the export put it.
pub(crate) fn find<'a>(root: &Node<'a>) -> Option<Node<'a>> {
    let data = root.get("data");
    let places = [
        Some(root.clone()),
        root.get("channels"),
        root.get("items"),
        data.clone(),
        data.as_ref().and_then(|data| data.get("items")),
        data.as_ref().and_then(|data| data.get("channels")),
    ];
    places.into_iter().flatten().find(|place| place.items().next().is_some_and(|first| is_row(&first)))
}

fn format(rows: &Node<'_>) -> Format {
    let of_new =
        ["channel_info", "tag", "auto_ban", "setting", "param_override", "header_override", "remark"];
    let has = |row: Node<'_>| of_new.iter().any(|name| row.value.get(name).is_some());
    if rows.items().any(has) { Format::NewApi } else { Format::OneApi }
}

/// Reads the rows.
pub(crate) fn read(rows: &Node<'_>) -> Result<Plan, Fault> {
    let mut plan = Plan::new(format(rows));
    let mut accounts = Accounts::default();
    for row in rows.items() {
        let number =
            row.number_of("type").ok_or_else(|| row.expected("a channel with a number as its `type`"))?;
        channel(&row, number, &mut plan, &mut accounts)?;
    }
    accounts.finish(&mut plan);
    Ok(plan)
}

fn channel(row: &Node<'_>, number: i64, plan: &mut Plan, accounts: &mut Accounts) -> Result<(), Fault> {
    let other = row.text_of("other");
    let base_url = row.text_of("base_url");
    let (kind, address, auth) = match meaning(plan.format, number) {
        Meaning::Kind(kind, usual) => (kind, base_url.unwrap_or_else(|| usual.to_owned()), Auth::ApiKey),
        Meaning::Bedrock => ("bedrock", base_url.unwrap_or_default(), Auth::Aws),
        Meaning::Vertex => ("vertex", vertex(base_url, other.as_deref()), Auth::ServiceAccount),
        Meaning::Codex => {
            codex(row, plan, accounts);
            return Ok(());
        }
        Meaning::Foreign => {
            plan.note(&row.place, format!("channel type {number} speaks a protocol that Tollgate does not"));
            return Ok(());
        }
        Meaning::Unknown => {
            plan.note(&row.place, format!("channel type {number} is unknown"));
            return Ok(());
        }
    };
    let name =
        row.text_of("name").unwrap_or_else(|| format!("channel {}", row.text_of("id").unwrap_or_default()));
    let mut credentials = keys(row, auth, plan)?;
    let address = match (auth, credentials.first()) {
        (Auth::Aws, Some(first)) if address.is_empty() => bedrock(first).unwrap_or_default(),
        _ => address,
    };
    if address.is_empty() {
        plan.note(row.place.clone(), "names no address, and its type has none of its own");
        return Ok(());
    }
    let mut input = CreateProvider::new(&name, kind, &address);
    input.enabled = Some(row.number_of("status").unwrap_or(1) == 1);
    if row.number_of("status") == Some(3) {
        plan.note(
            format!("{}.status", row.place),
            "was switched off by a failed test, and comes switched off",
        );
    }
    input.groups = words(row.text_of("group"));
    input.models = words(row.text_of("models"));
    input.model_redirects = redirects(row, plan);
    // There, the highest number is first; here, the lowest.
    input.priority = row.number_of("priority").map(|n| bounded(-n.clamp(-1_000, 1_000)));
    input.weight = row.number_of("weight").and_then(|n| u32::try_from(n.clamp(1, 100)).ok());
    input.proxy_url = settings(row, plan);
    if credentials.is_empty() {
        plan.note(
            format!("{}.key", row.place),
            "holds no key; add it by hand, or export the channels with their keys",
        );
    }
    for credential in &mut credentials {
        credential.name = None;
    }
    row.leftover(UNDERSTOOD, plan);
    plan.providers.push(PlannedProvider { place: row.place.clone(), input, credentials });
    Ok(())
}

fn bounded(number: i64) -> i32 {
    i32::try_from(number).unwrap_or_default()
}

fn words(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The keys of a channel: one in each line, or a JSON list of objects.
fn keys(row: &Node<'_>, auth: Auth, plan: &mut Plan) -> Result<Vec<PlannedCredential>, Fault> {
    let Some(node) = row.get("key").filter(|node| !node.is_empty()) else { return Ok(Vec::new()) };
    let Some(text) = node.text() else { return Err(node.expected("a text")) };
    let texts: Vec<String> = if auth == Auth::ServiceAccount {
        match json(&text) {
            Ok(tree) if tree.0.is_array() => {
                Node::root(&tree).items().map(|item| item.value.to_string()).collect()
            }
            Ok(tree) if tree.0.is_object() => vec![tree.0.to_string()],
            _ => {
                plan.note(node.place, "is no key file of a service account");
                return Ok(Vec::new());
            }
        }
    } else {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let several = texts.len() > 1;
    let states = row.get("channel_info").and_then(|info| info.get("multi_key_status_list"));
    let mut credentials = Vec::new();
    for (at, text) in texts.into_iter().enumerate() {
        let place = if several { format!("{}, key {}", node.place, at + 1) } else { node.place.clone() };
        let secret = if auth == Auth::Aws { aws(&text) } else { Some(text) };
        let Some(secret) = secret else {
            plan.note(place, "is no AWS key (id, secret and region with bars between)");
            continue;
        };
        let mut credential = PlannedCredential::new(place, auth, Secret::new(secret));
        let state = states.as_ref().and_then(|states| states.number_of(&at.to_string()));
        credential.enabled = state.is_none_or(|state| state == 1);
        credentials.push(credential);
    }
    Ok(credentials)
}

fn aws(text: &str) -> Option<String> {
    let mut parts = text.split('|').map(str::trim);
    let (id, secret, region) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = !id.is_empty() && !secret.is_empty() && parts.next().is_none();
    whole.then(|| vendor::aws(id, secret, None, Some(region)))
}

fn bedrock(credential: &PlannedCredential) -> Option<String> {
    let tree = json(credential.secret.expose()).ok()?;
    let region = Node::root(&tree).text_of("region")?;
    Some(format!("https://bedrock-runtime.{region}.amazonaws.com"))
}

/// The region stands alone, or as the default of a JSON object by models.
fn vertex(base_url: Option<String>, other: Option<&str>) -> String {
    if let Some(base_url) = base_url {
        return base_url;
    }
    let other = other.unwrap_or_default();
    let region = json(other).ok().and_then(|tree| Node::root(&tree).text_of("default"));
    match region.as_deref().unwrap_or(other) {
        "" | "global" => "https://aiplatform.googleapis.com".to_owned(),
        region => format!("https://{region}-aiplatform.googleapis.com"),
    }
}

fn redirects(row: &Node<'_>, plan: &mut Plan) -> BTreeMap<String, String> {
    let Some(node) = row.get("model_mapping").filter(|node| !node.is_empty()) else { return BTreeMap::new() };
    let text = node.text();
    let tree = text.as_deref().and_then(|text| json(text).ok());
    let mapping = match &tree {
        Some(tree) => Node { value: &tree.0, place: node.place.clone() },
        None => node.clone(),
    };
    if !mapping.is_object() {
        plan.note(node.place, "is no JSON object of model names");
        return BTreeMap::new();
    }
    mapping.fields().into_iter().filter_map(|(from, to)| Some((from.to_owned(), to.text()?))).collect()
}

/// The proxy of new-api's settings, which are JSON in a text; what else they say is noted.
fn settings(row: &Node<'_>, plan: &mut Plan) -> Option<Secret<String>> {
    let node = row.get("setting").filter(|node| !node.is_empty())?;
    let text = node.text();
    let tree = text.as_deref().and_then(|text| json(text).ok());
    let inner = match &tree {
        Some(tree) => Node { value: &tree.0, place: node.place.clone() },
        None => node,
    };
    inner.leftover(&["proxy"], plan);
    inner.secret_of("proxy")
}

fn codex(row: &Node<'_>, plan: &mut Plan, accounts: &mut Accounts) {
    let key = row.text_of("key");
    let tree = key.as_deref().and_then(|text| json(text).ok());
    let place = format!("{}.key", row.place);
    let set = tree.as_ref().map(Node::root);
    let Some((set, tokens)) = set.and_then(|set| vendor::tokens(&set).map(|tokens| (set, tokens))) else {
        plan.note(place, "holds no token set");
        return;
    };
    let mut account = vendor::account(place, "codex", tokens);
    account.account = set.first(&["email", "account_id"]).and_then(|node| node.text());
    account.expires_at = set.first(&["expired", "expires_at"]).and_then(|node| vendor::time(&node));
    accounts.add("codex", None, account, plan);
}
