//! Each format from a fixture of its own, and what holds for every file.

mod bounds;
mod formats;

use crate::{Plan, read};

const FIXTURES: [(&str, &str); 7] = [
    ("litellm", include_str!("../fixtures/litellm.yaml")),
    ("new-api", include_str!("../fixtures/new-api.json")),
    ("one-api", include_str!("../fixtures/one-api.json")),
    ("claude-relay-service", include_str!("../fixtures/relay-sync.json")),
    ("claude-relay-service", include_str!("../fixtures/relay-backup.json")),
    ("claude-code-hub", include_str!("../fixtures/hub.json")),
    ("cliproxyapi", include_str!("../fixtures/cliproxy.json")),
];

fn plan(name: &str) -> Plan {
    let (_, text) = FIXTURES.iter().find(|(known, _)| *known == name).unwrap();
    read(text).unwrap()
}

/// A plan in short lines: providers, then credentials, then notes.
fn told(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for provider in &plan.providers {
        let input = &provider.input;
        lines.push(format!("{} {} {} {}", input.kind, input.base_url, input.name, input.models.join(",")));
        for credential in &provider.credentials {
            lines.push(format!("  {} {}", credential.auth.as_str(), credential.secret.expose()));
        }
    }
    lines.extend(plan.notes.iter().map(|note| format!("! {}: {}", note.place, note.what)));
    lines
}
