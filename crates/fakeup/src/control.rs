//! Scripting and reading the invoice over HTTP, for tests that run in another process.
//!
//! `POST /__fakeup/script` adds a [`Rule`] (or a list of them), `DELETE /__fakeup/script` forgets all,
//! `POST /__fakeup/release` lets held answers go on, `GET /__fakeup/invoice` reads, `DELETE /__fakeup/invoice`
//! empties.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::request::Received;
use crate::rule::Rule;
use crate::server::Shared;

/// The answer, if the request is for this page.
pub(crate) fn answer(shared: &Shared, request: &Received) -> Option<Bytes> {
    let verb = request.path().strip_prefix("/__")?;
    let verb = verb.strip_prefix("fakeup/").unwrap_or(verb);
    let (status, body) = match (request.method.as_str(), verb) {
        ("POST", "script") => match rules(&request.body) {
            Ok(rules) => {
                for rule in rules {
                    shared.script(rule);
                }
                (200, json!({"ok": true}))
            }
            Err(error) => (400, json!({"error": error.to_string()})),
        },
        ("DELETE", "script") => {
            shared.forget();
            (200, json!({"ok": true}))
        }
        ("POST", "release") => {
            shared.release();
            (200, json!({"ok": true}))
        }
        ("GET", "invoice") => {
            let entries: Vec<Value> = shared.invoice.entries().iter().map(crate::Entry::to_json).collect();
            (200, json!({"connections": shared.connections(), "entries": entries}))
        }
        ("DELETE", "invoice") => {
            shared.invoice.clear();
            (200, json!({"ok": true}))
        }
        _ => (404, json!({"error": "expected script, release or invoice"})),
    };
    let body = body.to_string();
    Some(
        format!(
            "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into(),
    )
}

fn rules(body: &[u8]) -> serde_json::Result<Vec<Rule>> {
    let value: Value = serde_json::from_slice(body)?;
    if value.is_array() { serde_json::from_value(value) } else { Ok(vec![serde_json::from_value(value)?]) }
}
