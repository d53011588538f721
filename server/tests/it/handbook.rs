//! Holds the operator's handbook (`docs/handbook`) against the code (DC-01): every error code, environment
//! variable, setting, outcome and metric is described, and nothing is described that does not exist.
//!
//! Codes are found by looking at the text of the sources, for they are plain literals at the place where an
//! answer is made. It does not judge whether a description is good.

mod pages;
#[path = "tidy/sources.rs"]
#[expect(
    dead_code,
    clippy::duplicate_mod,
    reason = "the tidy rules keep it to themselves and use the rest of it"
)]
mod sources;

use std::collections::BTreeSet;

use server::config::keys::KEYS;
use types::request::{AttemptOutcome, Outcome};
use types::setting::SETTINGS;

use pages::{Page, handbook, page};
use sources::{Source, all, code};

/// Calls whose arguments name an error code.
const MAKERS: &[&str] = &[
    "Refusal::new(",
    "Refusal::upstream(",
    "Problem::new(",
    "of_bad_answer(",
    "note_error(",
    "to_login(",
    "SignInProblem(",
    "error_code = Some(",
];

/// Folders and files in which answers are made.
const ANSWERING: &[&str] =
    &["app/src/", "crates/gateway/src/", "crates/ledger/src/record.rs", "crates/types/src/", "server/src/"];

fn is_word(text: &str) -> bool {
    text.len() > 3 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The text literals of a piece of code, in order, each with what follows it.
fn literals(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, tail)) = rest.split_once('"') {
        let mut escaped = false;
        let end = tail.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let Some(end) = end else { break };
        let (literal, after) = tail.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        found.push((literal, rest));
    }
    found
}

/// What stands between an opening bracket and its closing one. Brackets inside texts come in pairs.
fn arguments(text: &str) -> &str {
    let mut depth = 1_u32;
    let end = text.find(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn words_after<'a>(text: &'a str, maker: &'a str) -> impl Iterator<Item = String> + 'a {
    text.match_indices(maker)
        .flat_map(move |(at, _)| literals(arguments(text.get(at + maker.len()..).unwrap_or_default())))
        .map(|(literal, _)| literal.to_owned())
        .filter(|literal| is_word(literal))
}

/// `(502, "upstream_tls_error", …`: a status and its code, on their way to a refusal.
fn words_after_a_status(text: &str) -> impl Iterator<Item = String> + '_ {
    text.match_indices(", \"").filter_map(|(at, _)| {
        let before = text.get(..at)?;
        let digits = before.chars().rev().take_while(char::is_ascii_digit).count();
        let opened = before.get(..before.len() - digits)?.ends_with('(');
        let (literal, _) = literals(text.get(at..)?).into_iter().next()?;
        (digits == 3 && opened && is_word(literal)).then(|| literal.to_owned())
    })
}

/// A code in front of its sentence: `"client_gone", "the caller left before the end"`.
fn words_before_a_sentence(text: &str) -> impl Iterator<Item = String> + '_ {
    literals(text).into_iter().filter_map(|(literal, rest)| {
        let (next, _) = literals(rest).into_iter().next()?;
        let follows = rest.trim_start().strip_prefix(',')?.trim_start().starts_with('"');
        (follows && is_word(literal) && next.contains(' ')).then(|| literal.to_owned())
    })
}

fn codes_of(file: &Source) -> BTreeSet<String> {
    let text = code(file);
    let mut found: BTreeSet<String> =
        MAKERS.iter().flat_map(|maker| words_after(&text, maker).collect::<Vec<_>>()).collect();
    match file.path.as_str() {
        "crates/gateway/src/error.rs" => found.extend(words_after(&text, "Self::new(")),
        "server/src/auth.rs" => found.extend(words_after(&text, "reason.unwrap_or(")),
        "server/src/middleware/session.rs"
        | "app/src/error.rs"
        | "crates/gateway/src/serve/refuse_limit.rs" => {
            let arms = text.split("=> ").skip(1).filter(|arm| arm.starts_with('"'));
            // What is made a text of its own is part of a sentence.
            let is_code = |(word, rest): &(&str, &str)| is_word(word) && !rest.starts_with(".to_owned()");
            let words = arms.filter_map(|arm| literals(arm).into_iter().next().filter(is_code));
            found.extend(words.map(|(word, _)| word.to_owned()));
        }
        _ => {}
    }
    // The simulator answers the dashboard: its words are fields.
    if file.path.starts_with("crates/gateway/src/serve/") && !file.path.ends_with("/simulate.rs") {
        found.extend(words_after_a_status(&text));
        found.extend(words_before_a_sentence(&text));
    }
    if text.contains("code: \"invalid_input\"") {
        found.insert("invalid_input".to_owned());
    }
    found
}

/// Every code in the sources, each with the files that make it.
fn codes() -> Vec<(String, Vec<String>)> {
    let files: Vec<Source> = all()
        .into_iter()
        .filter(|file| file.is("rs") && !file.path.ends_with("/tests.rs"))
        .filter(|file| {
            !file.path.contains("/tests/") && ANSWERING.iter().any(|start| file.path.starts_with(start))
        })
        .collect();
    let by_file: Vec<_> = files.iter().map(|file| (&file.path, codes_of(file))).collect();
    let every: BTreeSet<String> = by_file.iter().flat_map(|(_, codes)| codes.iter().cloned()).collect();
    every
        .into_iter()
        .map(|code| {
            let makers = by_file
                .iter()
                .filter(|(_, codes)| codes.contains(&code))
                .map(|(path, _)| (*path).clone())
                .collect();
            (code, makers)
        })
        .collect()
}

fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}\n  {}", found.join("\n  "));
}

#[test]
fn the_scan_finds_codes_in_every_form_in_which_they_are_written() {
    let found = codes();
    for (known, path) in [
        ("key_invalid", "crates/gateway/src/error.rs"),
        ("upstream_dns_error", "crates/gateway/src/serve/verdict.rs"),
        ("upstream_cut_off", "crates/gateway/src/serve/relay/farewell.rs"),
        ("upstream_bad_body", "crates/gateway/src/serve/judge.rs"),
        ("client_gone", "crates/gateway/src/serve/settle.rs"),
        ("interrupted", "crates/ledger/src/record.rs"),
        ("invalid_input", "crates/types/src/problem.rs"),
        ("payload_too_large", "server/src/middleware/body_limit.rs"),
        ("cookie_refused", "server/src/auth/login.rs"),
        ("token_expired", "server/src/middleware/session.rs"),
        ("weekly_limit_exceeded", "crates/gateway/src/serve/refuse_limit.rs"),
        ("ip_rate_limited", "server/src/middleware/ip_limit.rs"),
    ] {
        let makers = found.iter().find(|(code, _)| code == known).map(|(_, makers)| makers.clone());
        assert!(makers.clone().is_some_and(|makers| makers.iter().any(|m| m == path)), "{known}: {makers:?}");
    }
}

#[test]
fn dc_01_every_error_code_has_an_anchor_and_every_anchor_a_code() {
    let codes = codes();
    let described = page("errors.md").words_in_headings();
    let missing: Vec<String> = codes
        .iter()
        .filter(|(code, _)| !described.contains(code))
        .map(|(code, makers)| format!("{code} ({})", makers.join(", ")))
        .collect();
    assert_none(&missing, "docs/handbook/errors.md has no heading for these codes");
    let strange: Vec<String> =
        described.into_iter().filter(|word| !codes.iter().any(|(code, _)| code == word)).collect();
    assert_none(&strange, "docs/handbook/errors.md describes codes that nothing makes");
}

#[test]
fn dc_01_every_environment_variable_is_described_and_no_other() {
    let page = page("configuration.md");
    let described = page.names_in_headings();
    let mut known: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    for file in all().iter().filter(|file| file.path.starts_with("server/src/config/") && file.is("rs")) {
        let text = code(file);
        for call in ["env::var(", "env::var_os("] {
            for (at, _) in text.match_indices(call) {
                let arguments = arguments(text.get(at + call.len()..).unwrap_or_default());
                known.extend(literals(arguments).into_iter().map(|(name, _)| name.to_owned()));
            }
        }
    }
    assert!(known.contains("NOTIFY_SOCKET"), "the scan of the sources found no call");
    assert_eq!(described, known, "headings of docs/handbook/configuration.md (left) and the code (right)");
    for alias in KEYS.iter().filter_map(|key| key.alias) {
        assert!(
            page.text.contains(&format!("`{alias}`")),
            "configuration.md does not name the alias {alias}"
        );
    }
}

#[test]
fn dc_01_every_setting_outcome_and_metric_is_described() {
    let settings = page("configuration.md");
    for (name, _) in SETTINGS {
        assert!(settings.text.contains(&format!("| `{name}` |")), "configuration.md has no row for {name}");
    }
    let requests = page("requests.md");
    let outcomes = Outcome::ALL.iter().map(|outcome| outcome.as_str());
    for name in outcomes.chain(AttemptOutcome::ALL.iter().map(|outcome| outcome.as_str())) {
        assert!(requests.text.contains(&format!("| `{name}` |")), "requests.md has no row for {name}");
    }
    let operations = page("operations.md");
    let metrics = all().into_iter().find(|file| file.path == "crates/gateway/src/metrics.rs");
    let text = metrics.as_ref().map(code).unwrap_or_default();
    let names: Vec<String> = ["registry.register(", "registry.register_with_unit("]
        .iter()
        .flat_map(|call| words_after(&text, call).collect::<Vec<_>>())
        .collect();
    assert!(names.len() > 5, "the metrics were not found: {names:?}");
    let edge = all().into_iter().find(|file| file.path == "server/src/middleware/ip_limit.rs");
    let edge = edge.as_ref().map(code).unwrap_or_default();
    let own =
        edge.split("# TYPE tollgate_").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    assert!(is_word(own), "the edge's metric was not found: {own:?}");
    let names = names.into_iter().chain([own.to_owned()]);
    for name in names {
        assert!(operations.text.contains(&format!("`tollgate_{name}")), "operations.md does not name {name}");
    }
}

#[test]
fn dc_01_every_link_of_the_handbook_resolves() {
    let pages = handbook();
    assert!(pages.len() >= 11, "{} pages", pages.len());
    let mut broken = Vec::new();
    for page in &pages {
        for link in page.links() {
            if !resolves(page, link, &pages) {
                broken.push(format!("{}: {link}", page.name));
            }
        }
        if page.name != "README.md"
            && !pages.iter().any(|p| p.name == "README.md" && p.text.contains(&page.name))
        {
            broken.push(format!("README.md does not lead to {}", page.name));
        }
    }
    assert_none(&broken, "links that lead nowhere");
}

fn resolves(from: &Page, link: &str, pages: &[Page]) -> bool {
    if link.starts_with("https://") || link.starts_with("http://") {
        return true;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let target = if file.is_empty() { Some(from) } else { pages.iter().find(|page| page.name == file) };
    match (target, anchor) {
        (Some(_), None) => true,
        (Some(target), Some(anchor)) => target.anchors().contains(anchor),
        (None, None) => pages::outside(file),
        (None, Some(_)) => false,
    }
}
