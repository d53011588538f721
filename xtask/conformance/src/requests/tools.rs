//! The tools of a request.

use serde_json::Value;

use super::Checking;
use crate::asked::{Asked, same_schema};
use crate::tally::Verdict;

/// Whether a choice among some tools is said by offering no others.
pub(super) fn narrowed(wanted: &Asked, got: &Asked) -> bool {
    let Some(choice) = &wanted.choice else { return false };
    let (must, names) =
        choice.strip_prefix("required ").map_or((None, choice.as_str()), |names| (Some("required"), names));
    let mut names: Vec<&str> = names.split(' ').collect();
    let mut offered: Vec<&str> = got.tools.iter().map(|tool| tool.name.as_str()).collect();
    names.sort_unstable();
    offered.sort_unstable();
    names == offered && got.choice.as_deref() == must
}

pub(super) fn compare(checking: &mut Checking<'_>, wanted: &Asked, got: &Asked, body: &Value) {
    for tool in &wanted.tools {
        if !tool.native.is_empty() {
            // Every vendor can search the web.
            let searches = |kind: &str| {
                let kind = kind.replace('_', "").to_ascii_lowercase();
                kind.contains("websearch") || kind.contains("googlesearch")
            };
            let found = body.get("web_search_options").is_some()
                || got.tools.iter().any(|other| searches(&other.native));
            let verdict = checking.verdict(searches(&tool.native) && found, &tool.at);
            checking.field("vendor's own", verdict, &tool.at, tool.native.clone(), String::new());
            continue;
        }
        let found = got.tools.iter().find(|other| same_name(&tool.name, &other.name));
        // One that must not be used need not be offered.
        let barred = narrowed(wanted, got) && found.is_none();
        let verdict = checking.verdict(found.is_some() || barred, &tool.at);
        let names = || got.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(" ");
        checking.field("tools", verdict, &tool.at, tool.name.clone(), names());
        let Some(found) = found else { continue };
        let right = tool.description.is_empty() || tool.description == found.description;
        let verdict = checking.verdict(right, &tool.at);
        checking.field("tools", verdict, &tool.at, tool.description.clone(), found.description.clone());
        let right = same_schema(&tool.schema, &found.schema);
        let verdict = checking.verdict(right, &tool.at);
        checking.field("tool schemas", verdict, &tool.at, tool.schema.to_string(), found.schema.to_string());
    }
    if got.tools.len() > wanted.tools.len() {
        let names: Vec<&str> = got.tools.iter().map(|tool| tool.name.as_str()).collect();
        checking.field("tools", Verdict::Wrong, "tools", "no more tools".into(), names.join(" "));
    }
}

/// The same name, or a mended one where vendors would refuse it.
pub(super) fn same_name(wanted: &str, got: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if wanted.len() <= 64 && wanted.chars().all(fits) && !wanted.is_empty() {
        return wanted == got;
    }
    let mended: String = wanted.chars().map(|c| if fits(c) { c } else { '_' }).take(40).collect();
    !got.is_empty() && got.len() <= 64 && got.chars().all(fits) && got.contains(mended.as_str())
}
