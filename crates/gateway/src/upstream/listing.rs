//! The models that an upstream lists, page after page. It keeps nothing and judges no names.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use types::Timestamp;

use super::probe::{Failure, dialect, explain, judge, present};
use super::{Call, Upstreams, prepare};
use crate::snapshot::{Credential, Provider};

/// Members that hold the list of models, and those that hold a model's name, as vendors call them.
const LISTS: [&str; 4] = ["data", "models", "publisherModels", "modelSummaries"];
const NAMES: [&str; 3] = ["id", "modelId", "name"];
/// Most names and most pages of a list; the longest known ones have a few hundred names.
const MOST_NAMES: usize = 5_000;
const MOST_PAGES: usize = 20;
/// Longest mark of a next page that is sent back.
const LONGEST_MARK: usize = 2_000;

/// The names of the models that an upstream lists, sorted. All pages together have the time; a list of which a page
/// is missing is none.
pub(crate) async fn list_models(
    upstreams: &Upstreams,
    now: Timestamp,
    timeout_ms: u64,
    provider: &Provider,
    credential: &Arc<Credential>,
) -> Result<Vec<String>, String> {
    let asked = all_pages(upstreams, now, provider, credential);
    tokio::time::timeout(Duration::from_millis(timeout_ms), asked)
        .await
        .map_err(|_| format!("no answer within {timeout_ms} ms"))?
}

async fn all_pages(
    upstreams: &Upstreams,
    now: Timestamp,
    provider: &Provider,
    credential: &Credential,
) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    let mut after: Option<String> = None;
    for page in 1..=MOST_PAGES {
        let (_, body) = ask_list(upstreams, now, provider, credential, after.as_deref()).await.map_err(
            |(_, message)| {
                if page == 1 { message } else { format!("page {page} of the list: {message}") }
            },
        )?;
        names.extend(names_of(&body)?);
        let next = next_of(&body);
        // Who knows no pages may answer the first one for ever.
        if next.is_none() || next == after || names.len() >= MOST_NAMES {
            break;
        }
        after = next;
    }
    names.truncate(MOST_NAMES);
    names.sort();
    names.dedup();
    Ok(names)
}

fn names_of(body: &Value) -> Result<impl Iterator<Item = String>, String> {
    let list = LISTS.iter().find_map(|name| body.get(name)).and_then(Value::as_array);
    let items = list.ok_or("the answer holds no list of models")?;
    let named = |model: &Value| {
        let name = NAMES.iter().find_map(|name| model.get(name)).and_then(Value::as_str)?;
        Some(name.rsplit_once("models/").map_or(name, |(_, name)| name).to_owned())
    };
    Ok(items.iter().filter_map(named))
}

/// Where the next page begins: Google's `nextPageToken`, or Anthropic's `last_id` if there is more.
fn next_of(body: &Value) -> Option<String> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let more = body.get("has_more").and_then(Value::as_bool) == Some(true);
    let mark = text("nextPageToken").or_else(|| text("last_id").filter(|_| more))?;
    (1..=LONGEST_MARK).contains(&mark.len()).then(|| mark.to_owned())
}

/// Asks for one page of the list: the first, or the one after a mark.
pub(super) async fn ask_list(
    upstreams: &Upstreams,
    now: Timestamp,
    provider: &Provider,
    credential: &Credential,
    after: Option<&str>,
) -> Result<(u16, Value), Failure> {
    let presented = present(credential, now)?;
    let spec = &provider.spec;
    let (call, base_url) = (Call::Models { after }, spec.base_url.as_str());
    let request = prepare(spec.kind, base_url, &presented, &call, &HeaderMap::new(), Bytes::new())
        .map_err(|error| (None, error.to_string()))?;
    let answer =
        upstreams.fetch(provider, &credential.proxy, request).await.map_err(|error| explain(&error))?;
    let status = answer.status.as_u16();
    judge(dialect(spec.kind), answer).await.map(|body| (status, body))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_next_page_begins_where_the_vendor_says() {
        let long = "x".repeat(LONGEST_MARK + 1);
        for (body, expected) in [
            (json!({"models": [], "nextPageToken": "t-2"}), Some("t-2")),
            (json!({"models": [], "nextPageToken": ""}), None),
            (json!({"models": [], "nextPageToken": 7}), None),
            (json!({"models": [], "nextPageToken": long}), None),
            (json!({"data": [], "has_more": true, "last_id": "claude-b"}), Some("claude-b")),
            (json!({"data": [], "has_more": false, "last_id": "claude-b"}), None),
            (json!({"data": []}), None),
            (json!([]), None),
        ] {
            assert_eq!(next_of(&body).as_deref(), expected, "{body}");
        }
    }
}
