//! Providers of claude-code-hub, as rows of its database or as its interface names the fields.

use std::collections::BTreeMap;

use types::limits::LimitsInput;
use types::provider::{CreateProvider, Timeouts};
use types::{Money, Patch, Secret};

use crate::plan::{Auth, Fault, Format, Plan, PlannedCredential, PlannedProvider};
use crate::tree::Node;

/// Fields that are read, or that are only kept by that program for itself. Compared without case and underscores.
const UNDERSTOOD: &[&str] = &[
    "id",
    "name",
    "url",
    "key",
    "maskedkey",
    "providertype",
    "isenabled",
    "weight",
    "priority",
    "costmultiplier",
    "grouptag",
    "modelredirects",
    "allowedmodels",
    "allowedclients",
    "proxyurl",
    "proxyfallbacktodirect",
    "limit5husd",
    "limitdailyusd",
    "dailyresetmode",
    "dailyresettime",
    "limitweeklyusd",
    "limitmonthlyusd",
    "limittotalusd",
    "firstbytetimeoutstreamingms",
    "streamingidletimeoutms",
    "requesttimeoutnonstreamingms",
    "createdat",
    "updatedat",
    "deletedat",
    "providervendorid",
    "websiteurl",
    "faviconurl",
    "totalcostresetat",
    "mcppassthroughtype",
    "tpm",
    "rpm",
    "rpd",
    "cc",
    "description",
    "limit5hresetmode",
];

/// The same field by either spelling.
fn field<'a>(row: &Node<'a>, name: &str) -> Option<Node<'a>> {
    row.get(name)
        .or_else(|| row.fields().into_iter().find(|(key, _)| bare(key) == bare(name)).map(|(_, node)| node))
        .filter(|node| !node.value.is_null())
}

fn bare(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

fn is_row(node: &Node<'_>) -> bool {
    field(node, "providerType").is_some() && field(node, "url").is_some() && field(node, "name").is_some()
}

/// The list of rows, wherever the export put it.
pub(crate) fn find<'a>(root: &Node<'a>) -> Option<Node<'a>> {
    let data = root.get("data");
    let places = [
        Some(root.clone()),
        root.get("providers"),
        data.clone(),
        data.as_ref().and_then(|data| data.get("providers")),
        data.as_ref().and_then(|data| data.get("items")),
        root.get("items"),
    ];
    places.into_iter().flatten().find(|place| place.items().next().is_some_and(|first| is_row(&first)))
}

/// Reads the rows; users and keys beside them are only named.
pub(crate) fn read(root: &Node<'_>, rows: &Node<'_>) -> Result<Plan, Fault> {
    let mut plan = Plan::new(Format::CodeHub);
    for row in rows.list()? {
        provider(&row, &mut plan)?;
    }
    for list in ["users", "keys"] {
        if root.get(list).is_some_and(|list| !list.is_empty()) {
            plan.note(list, "callers and their keys are not taken over; issue new ones");
        }
    }
    Ok(plan)
}

fn provider(row: &Node<'_>, plan: &mut Plan) -> Result<(), Fault> {
    let text = |name: &str| field(row, name).and_then(|node| node.text());
    let row = row.object()?;
    if field(row, "deletedAt").is_some_and(|node| !node.is_empty()) {
        plan.note(&row.place, "was deleted there");
        return Ok(());
    }
    let (Some(name), Some(url), Some(kind)) = (text("name"), text("url"), text("providerType")) else {
        return Err(row.expected("a provider with `name`, `url` and `providerType`"));
    };
    let kind = match kind.as_str() {
        "claude" | "claude-auth" => "anthropic",
        "codex" if url.contains("://api.openai.com") => "openai",
        "codex" | "openai-compatible" => "openai-compatible",
        "gemini" => "gemini",
        _ => {
            plan.note(format!("{}.providerType", row.place), "speaks a protocol that Tollgate does not");
            return Ok(());
        }
    };
    let mut input = CreateProvider::new(&name, kind, url.trim_end_matches('/'));
    input.enabled = field(row, "isEnabled").and_then(|node| node.flag());
    input.priority = whole(row, "priority").and_then(|n| i32::try_from(n.clamp(-1_000, 1_000)).ok());
    input.weight = whole(row, "weight").and_then(|n| u32::try_from(n.clamp(1, 100)).ok());
    input.groups = text("groupTag").unwrap_or_default().split(',').map(|tag| tag.trim().to_owned()).collect();
    input.groups.retain(|tag| !tag.is_empty());
    input.cost_multiplier = text("costMultiplier").and_then(|text| text.parse().ok());
    input.proxy_url = text("proxyUrl").map(Secret::new);
    input.routing.proxy_fallback_to_direct = field(row, "proxyFallbackToDirect").and_then(|node| node.flag());
    input.limits = limits(row);
    input.timeouts = timeouts(row);
    (input.models, input.model_redirects) = models(row, plan);
    let mut credentials = Vec::new();
    match field(row, "key").and_then(|node| Some((node.text()?, node.place))) {
        Some((key, place)) if !is_masked(&key) => {
            credentials.push(PlannedCredential::new(place, Auth::ApiKey, Secret::new(key)));
        }
        _ => plan.note(format!("{}.key", row.place), "holds no key, or only its mask; add it by hand"),
    }
    for (name, node) in row.fields() {
        if !UNDERSTOOD.contains(&bare(name).as_str())
            && !node.is_empty()
            && node.text().as_deref() != Some("inherit")
        {
            plan.note(node.place, "is not taken over");
        }
    }
    plan.providers.push(PlannedProvider { place: row.place.clone(), input, credentials });
    Ok(())
}

fn is_masked(key: &str) -> bool {
    key.contains(['*', '•', '…']) || key.contains("...")
}

fn whole(row: &Node<'_>, name: &str) -> Option<i64> {
    field(row, name)?.number()
}

fn limits(row: &Node<'_>) -> LimitsInput {
    let usd = |name: &str| -> Patch<Money> {
        let amount = field(row, name).and_then(|node| node.text()).and_then(|text| text.parse().ok());
        amount.map_or(Patch::Keep, Patch::Set)
    };
    let text = |name: &str| field(row, name).and_then(|node| node.text());
    LimitsInput {
        limit_5h_usd: usd("limit5hUsd"),
        daily_limit_usd: usd("limitDailyUsd"),
        daily_mode: text("dailyResetMode").and_then(|text| text.parse().ok()).map_or(Patch::Keep, Patch::Set),
        daily_reset_time: text("dailyResetTime")
            .and_then(|text| text.parse().ok())
            .map_or(Patch::Keep, Patch::Set),
        limit_weekly_usd: usd("limitWeeklyUsd"),
        limit_monthly_usd: usd("limitMonthlyUsd"),
        limit_total_usd: usd("limitTotalUsd"),
        ..LimitsInput::default()
    }
}

/// There, 0 means no bound; here, the default is meant.
fn timeouts(row: &Node<'_>) -> Timeouts {
    let ms = |name: &str| {
        whole(row, name).filter(|ms| (1_000..=3_600_000).contains(ms)).and_then(|ms| u64::try_from(ms).ok())
    };
    Timeouts {
        connect_ms: None,
        first_byte_ms: ms("firstByteTimeoutStreamingMs"),
        idle_ms: ms("streamingIdleTimeoutMs"),
        total_ms: ms("requestTimeoutNonStreamingMs"),
    }
}

type Models = (Vec<String>, BTreeMap<String, String>);

/// Names, or rules with a kind of matching; of those only exact ones and plain prefixes can be said here.
fn models(row: &Node<'_>, plan: &mut Plan) -> Models {
    let (mut allowed, mut redirects) = (Vec::new(), BTreeMap::new());
    if let Some(list) = field(row, "allowedModels") {
        for item in list.items() {
            match item.text().or_else(|| pattern(&item, "pattern")) {
                Some(model) => allowed.push(model),
                None => plan.note(item.place, "is a rule that no pattern here can say"),
            }
        }
    }
    if let Some(rules) = field(row, "modelRedirects") {
        for (from, to) in rules.fields() {
            if let Some(to) = to.text() {
                redirects.insert(from.to_owned(), to);
            }
        }
        for rule in rules.items() {
            match pattern(&rule, "source").zip(rule.text_of("target")) {
                // The first that matches counts there.
                Some((from, to)) => {
                    redirects.entry(from).or_insert(to);
                }
                None => plan.note(rule.place, "is a rule that no redirect here can say"),
            }
        }
    }
    (allowed, redirects)
}

fn pattern(rule: &Node<'_>, name: &str) -> Option<String> {
    let text = rule.text_of(name).filter(|text| !text.contains('*'))?;
    match rule.text_of("matchType").as_deref() {
        Some("exact") | None => Some(text),
        Some("prefix") => Some(format!("{text}*")),
        Some("suffix") => Some(format!("*{text}")),
        Some("contains") => Some(format!("*{text}*")),
        Some(_) => None,
    }
}
