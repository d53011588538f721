//! Channels of one-api and of new-api: a table of rows, as their API or their database gives it in JSON.

use std::collections::BTreeMap;

use types::Secret;
use types::provider::CreateProvider;

use crate::channel_secret::{self, Extra, Held};
use crate::channel_type::{Meaning, meaning};
use crate::plan::{Fault, Format, Plan, PlannedCredential, PlannedProvider};
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
    "config",
    "settings",
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

/// Says so where nothing but a guess tells one from the other, and the guess decides.
fn doubt(rows: &Node<'_>, plan: &mut Plan) {
    // A column that only one-api has.
    if plan.format == Format::NewApi || rows.items().any(|row| row.value.get("config").is_some()) {
        return;
    }
    let differs = |number: i64| meaning(Format::OneApi, number) != meaning(Format::NewApi, number);
    if let Some(row) = rows.items().find(|row| row.number_of("type").is_some_and(differs)) {
        plan.note(
            format!("{}.type", row.place),
            "is read as one-api's; in new-api it is another vendor: if the file is new-api's, say so",
        );
    }
}

/// Reads the rows.
pub(crate) fn read(rows: &Node<'_>, wanted: Option<Format>) -> Result<Plan, Fault> {
    // They differ in what the numbers of their types mean, and not always in anything else.
    let known = wanted.filter(|wanted| matches!(wanted, Format::OneApi | Format::NewApi));
    let mut plan = Plan::new(known.unwrap_or_else(|| format(rows)));
    if known.is_none() {
        doubt(rows, &mut plan);
    }
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
    let (base_url, extra) = (row.text_of("base_url"), Extra::of(row));
    let (kind, usual, held) = match meaning(plan.format, number) {
        Meaning::Kind(kind, usual) => (kind, usual.to_owned(), channel_secret::plain(row)?),
        Meaning::Bedrock => ("bedrock", String::new(), channel_secret::aws(row, &extra, plan)?),
        Meaning::Vertex => {
            let host = vendor::vertex_home(None, None, &channel_secret::region(row, &extra));
            ("vertex", host, channel_secret::vertex(row, &extra, base_url.as_deref(), plan)?)
        }
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
    // An address that the operator gave holds for all keys; but a key file belongs to its project.
    let own = base_url.clone().unwrap_or(usual);
    let mut homes: Vec<(String, Vec<PlannedCredential>)> = Vec::new();
    for Held { address, credential } in held {
        let address =
            address.filter(|_| base_url.is_none() || kind == "vertex").unwrap_or_else(|| own.clone());
        match homes.iter_mut().find(|(known, _)| *known == address) {
            Some((_, credentials)) => credentials.push(credential),
            None => homes.push((address, vec![credential])),
        }
    }
    if homes.is_empty() {
        homes.push((own, Vec::new()));
        plan.note(
            format!("{}.key", row.place),
            "holds no key; add it by hand, or export the channels with their keys",
        );
    }
    for (address, credentials) in homes {
        provider(row, (kind, &address), credentials, plan);
    }
    if row.number_of("status") == Some(3) {
        plan.note(
            format!("{}.status", row.place),
            "was switched off by a failed test, and comes switched off",
        );
    }
    extra.leftover(row, plan);
    row.leftover(UNDERSTOOD, plan);
    Ok(())
}

fn provider(
    row: &Node<'_>,
    (kind, address): (&str, &str),
    credentials: Vec<PlannedCredential>,
    plan: &mut Plan,
) {
    if address.is_empty() {
        plan.note(row.place.clone(), "names no address, and its type has none of its own");
        return;
    }
    let name =
        row.text_of("name").unwrap_or_else(|| format!("channel {}", row.text_of("id").unwrap_or_default()));
    let mut input = CreateProvider::new(&name, kind, address);
    input.enabled = Some(row.number_of("status").unwrap_or(1) == 1);
    input.groups = words(row.text_of("group"));
    input.models = words(row.text_of("models"));
    input.model_redirects = redirects(row, plan);
    // There, the highest number is first; here, the lowest.
    input.priority = row.number_of("priority").map(|n| bounded(-n.clamp(-1_000, 1_000)));
    input.weight = row.number_of("weight").and_then(|n| u32::try_from(n.clamp(1, 100)).ok());
    input.proxy_url = settings(row, plan);
    plan.providers.push(PlannedProvider { place: row.place.clone(), input, credentials });
}

fn bounded(number: i64) -> i32 {
    i32::try_from(number).unwrap_or_default()
}

fn words(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
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
