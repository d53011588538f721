//! The conversation of a request.

use serde_json::Value;

use super::Checking;
use super::tools::same_name;
use crate::asked::{Asked, Item, Role, Turn, What, merged};
use crate::tally::Verdict;

pub(super) fn compare(checking: &mut Checking<'_>, wanted: Asked, got: Asked) {
    texts(checking, "system", &wanted.system, &got.system);
    results(checking, &wanted.turns, &got.turns);
    let (wanted, got) = aligned(checking, wanted.turns, got.turns);
    for (wanted, got) in wanted.iter().zip(&got) {
        texts(checking, "text", &wanted.items, &got.items);
        media(checking, &wanted.items, &got.items);
        calls(checking, &wanted.items, &got.items);
        for item in wanted.items.iter().filter(|item| item.what == What::Native) {
            let verdict = checking.verdict(false, &item.at);
            checking.field("vendor's own", verdict, &item.at, "named as lost".into(), "silence".into());
        }
    }
}

fn roles(turns: &[Turn]) -> Vec<Role> {
    turns.iter().map(|turn| turn.role).collect()
}

/// The turns side by side. Where their order differs without a word, all are taken as one.
fn aligned(checking: &mut Checking<'_>, wanted: Vec<Turn>, got: Vec<Turn>) -> (Vec<Turn>, Vec<Turn>) {
    if wanted.is_empty() {
        return (wanted, got);
    }
    if roles(&wanted) == roles(&got) {
        checking.field("turns", Verdict::Right, "", String::new(), String::new());
        return (wanted, got);
    }
    // Instructions in mid-conversation may become a user's words, and turns may vanish with all that they held, if
    // the losses say so.
    let told = |turn: &Turn| turn.items.iter().all(|item| checking.lists(&item.at));
    let nothing = |turn: &Turn| turn.items.iter().all(|item| item.what == What::Native) && told(turn);
    let folded = merged(wanted.iter().filter(|turn| !nothing(turn)).cloned().map(|mut turn| {
        if turn.role == Role::System && told(&turn) {
            turn.role = Role::User;
        }
        turn
    }));
    if roles(&folded) == roles(&got) {
        let gone: Vec<&Item> =
            wanted.iter().filter(|turn| nothing(turn)).flat_map(|turn| &turn.items).collect();
        checking.field("turns", Verdict::Listed, "", String::new(), String::new());
        for item in gone {
            checking.field("vendor's own", Verdict::Listed, &item.at, String::new(), String::new());
        }
        return (folded, got);
    }
    let shown = |turns: &[Turn]| format!("{:?}", roles(turns));
    checking.field("turns", Verdict::Wrong, "", shown(&wanted), shown(&got));
    let one = |turns: Vec<Turn>| {
        vec![Turn { role: Role::User, items: turns.into_iter().flat_map(|turn| turn.items).collect() }]
    };
    (one(wanted), one(got))
}

fn text_of(item: &Item) -> Option<&str> {
    match &item.what {
        What::Text(text) => Some(text),
        _ => None,
    }
}

/// Every text must be there, whole and in order, and nothing else.
fn texts(checking: &mut Checking<'_>, feature: &'static str, wanted: &[Item], got: &[Item]) {
    let all = got.iter().filter_map(text_of).collect::<Vec<_>>().join("\n");
    let (mut rest, mut between) = (all.as_str(), String::new());
    let mut told = false;
    for item in wanted {
        let Some(text) = text_of(item) else {
            told |= checking.lists(&item.at);
            continue;
        };
        let verdict = match rest.split_once(text) {
            Some((before, behind)) => {
                between += before;
                rest = behind;
                Verdict::Right
            }
            None => checking.verdict(false, &item.at),
        };
        told |= checking.lists(&item.at);
        checking.field(feature, verdict, &item.at, text.to_owned(), rest.to_owned());
    }
    between += rest;
    if !between.trim().is_empty() && !told && !checking.lists_word(&["format", "schema"]) {
        checking.field(feature, Verdict::Wrong, "", "nothing more".into(), between);
    }
}

fn media(checking: &mut Checking<'_>, wanted: &[Item], got: &[Item]) {
    let count = |items: &[Item]| -> usize {
        let of = |item: &Item| match &item.what {
            What::Media => 1,
            What::Result { media, .. } => *media,
            _ => 0,
        };
        items.iter().map(of).sum()
    };
    let (want, have) = (count(wanted), count(got));
    if want == 0 && have == 0 {
        return;
    }
    let told = wanted.iter().any(|item| !matches!(item.what, What::Text(_)) && checking.lists(&item.at));
    let verdict = match (want == have, told) {
        (true, _) => Verdict::Right,
        (false, true) => Verdict::Listed,
        (false, false) => Verdict::Wrong,
    };
    let at = wanted.first().map(|item| item.at.as_str()).unwrap_or_default();
    checking.field("media", verdict, at, want.to_string(), have.to_string());
}

fn calls(checking: &mut Checking<'_>, wanted: &[Item], got: &[Item]) {
    let mut others = got.iter().filter_map(|item| match &item.what {
        What::Call { name, arguments, .. } => Some((name, arguments)),
        _ => None,
    });
    for item in wanted {
        let What::Call { name, arguments, .. } = &item.what else { continue };
        let found = others.next();
        // Where objects alone are taken, others are wrapped.
        let wrapped = serde_json::json!({ "_raw": arguments });
        let right = found
            .is_some_and(|(other, said)| same_name(name, other) && (said == arguments || *said == wrapped));
        let verdict = checking.verdict(right, &item.at);
        checking.field("tool calls", verdict, &item.at, format!("{name} {arguments}"), format!("{found:?}"));
    }
}

/// Every result must answer the same call as before.
fn results(checking: &mut Checking<'_>, wanted: &[Turn], got: &[Turn]) {
    let found = answered(got);
    for (item, place, text) in answered(wanted) {
        let other = found.iter().find(|(_, other, _)| *other == place).map(|(_, _, text)| *text);
        // Two dialects have no mark for a tool that failed; both are told in words.
        let other = other.map(|other| other.strip_prefix("The tool failed:").unwrap_or(other).trim_start());
        let right = place.is_some() && other.is_some_and(|other| plain(text) == plain(other));
        let verdict = checking.verdict(right, &item.at);
        checking.field(
            "tool results",
            verdict,
            &item.at,
            text.to_owned(),
            other.unwrap_or("none").to_owned(),
        );
    }
}

/// Results with the number of the call that they answer.
fn answered(turns: &[Turn]) -> Vec<(&Item, Option<usize>, &str)> {
    let items: Vec<&Item> = turns.iter().flat_map(|turn| &turn.items).collect();
    let calls: Vec<&str> = items
        .iter()
        .filter_map(|item| match &item.what {
            What::Call { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    let result = |item: &&'_ Item| matches!(item.what, What::Result { .. });
    items
        .iter()
        .copied()
        .filter(result)
        .filter_map(|item| match &item.what {
            What::Result { id, text, .. } => {
                Some((item, calls.iter().position(|call| call == id), text.as_str()))
            }
            _ => None,
        })
        .collect()
}

/// A result apart from the object that Gemini wants around it.
fn plain(text: &str) -> Value {
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    if value.as_object().is_some_and(serde_json::Map::is_empty) {
        return Value::String(String::new());
    }
    let Some(map) = value.as_object().filter(|map| map.len() == 1) else { return value };
    let inner =
        ["output", "result", "error", "content", "return_value"].iter().find_map(|name| map.get(*name));
    match inner {
        Some(Value::String(text)) => plain(text),
        Some(other) => other.clone(),
        None => value,
    }
}
