//! Measured against what vendors counted, where recorded exchanges are at hand.

use std::path::Path;

use protocol::Dialect;
use protocol::translate::{Call, read_request};
use serde_json::Value;

use crate::{Count, LEAST_TOKENS, WITHIN_PERCENT, count};

/// A recorded request with the vendor's count of it.
struct Counted {
    id: String,
    model: String,
    told: u64,
    ours: Count,
}

fn recorded() -> Option<Vec<Counted>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/cassettes");
    if !folder.is_dir() {
        println!("SKIP: no recorded data at {}", folder.display());
        return None;
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let text = std::fs::read_to_string(path).unwrap();
            found.extend(text.lines().filter_map(|line| one(&serde_json::from_str(line).unwrap())));
        }
    }
    Some(found)
}

fn one(record: &Value) -> Option<Counted> {
    let dialect = match record["api"].as_str()? {
        "chat" => Dialect::OpenAiChat,
        "responses" => Dialect::OpenAiResponses,
        _ => return None,
    };
    let asked = &record["req"];
    let body = record["body"].as_str()?;
    if record["status"] != 200 || !asked.is_object() {
        return None;
    }
    let told = ["\"prompt_tokens\":", "\"input_tokens\":"].iter().find_map(|name| {
        let behind = body.rsplit_once(name)?.1.trim_start();
        behind.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
    });
    let told = told.filter(|told| *told > 0)?;
    let request = read_request(dialect, asked.to_string().as_bytes(), Call::default()).ok()?;
    // What the vendor added of its own account is nobody's to know beforehand.
    if !asked["previous_response_id"].is_null() {
        return None;
    }
    let model = asked["model"].as_str()?.to_owned();
    let ours = count(&request, &model, dialect);
    Some(Counted { id: record["id"].as_str()?.to_owned(), model, told, ours })
}

fn share(tokens: u64) -> f64 {
    f64::from(u32::try_from(tokens).unwrap())
}

/// Prints how far off each is, and says how many are within what they say, of how many.
fn within(all: &[&Counted]) -> (usize, usize) {
    let mut good = 0;
    for one in all {
        let off = one.ours.tokens.abs_diff(one.told);
        let allowed = LEAST_TOKENS.max(one.told * u64::from(WITHIN_PERCENT) / 100);
        good += usize::from(off <= allowed);
        println!(
            "{} {:24} {:>6} told {:>6} ours, {:+.0} %: {}",
            if off <= allowed { " " } else { "!" },
            one.model.chars().take(24).collect::<String>(),
            one.told,
            one.ours.tokens,
            100.0 * (share(one.ours.tokens) / share(one.told) - 1.0),
            one.id
        );
    }
    (good, all.len())
}

#[test]
fn nine_in_ten_counts_are_as_near_as_they_say() {
    let Some(all) = recorded() else { return };
    let (sure, other): (Vec<&Counted>, Vec<&Counted>) =
        all.iter().partition(|one| one.ours.within_percent.is_some());
    let (good, known) = within(&sure);
    println!(
        "of known models, texts and tools: {good} of {known} within {WITHIN_PERCENT} % or {LEAST_TOKENS} tokens\n"
    );
    assert!(known > 90 && good * 10 >= known * 9, "{good} of {known}");
    let exact = sure.iter().filter(|one| one.ours.tokens.abs_diff(one.told) <= 3).count();
    println!("{exact} of them within 3 tokens");
    let (good, unknown) = within(&other);
    println!("of all others: {good} of {unknown} within {WITHIN_PERCENT} % or {LEAST_TOKENS} tokens");
}
