//! The floors of the engine: a module of `crates/gateway` uses what lies below it, never sideways on the top floor
//! and never upwards. The façade (`lib`, `facade`) stands above all of it and is not a module's business.

use super::sources::{Source, all, code};

/// Each top-level module of `crates/gateway` with its floor.
const FLOORS: &[(&str, u8)] = &[
    ("clock", 0),
    ("config", 0),
    ("disk", 0),
    ("error", 0),
    ("live", 0),
    ("metrics", 0),
    ("model_lists", 0),
    ("outbox", 0),
    ("pool", 0),
    ("queue", 0),
    ("reach", 0),
    ("rounds", 0),
    ("task_board", 0),
    ("vault", 0),
    ("affinity", 1),
    ("authenticate", 1),
    ("continuation", 1),
    ("keepers", 1),
    ("credential", 1),
    ("identity", 1),
    ("used_keys", 1),
    ("snapshot", 2),
    ("price", 1),
    ("quota", 3),
    ("upstream", 3),
    ("loopback", 3),
    ("core", 4),
    ("accounts", 5),
    ("catalogue", 5),
    ("environment", 5),
    ("events", 5),
    ("house", 5),
    ("pricelist", 5),
    ("standing", 5),
    ("refresh", 6),
    ("checks", 7),
    ("health", 7),
    ("admin", 8),
    ("member", 8),
    ("serve", 8),
    ("sign_in", 8),
    ("tasks", 8),
    ("start", 9),
    ("facade", 10),
    ("lib", 11),
];

/// Uses that the floors forbid and that stand all the same: the first uses the second, and why. A use that is gone
/// must leave this list.
const EXCEPTIONS: &[(&str, &str, &str)] =
    &[("admin", "serve", "the simulator asks the selection that serves, not a second one")];

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// The top-level module a file belongs to.
fn module_of(file: &Source) -> Option<String> {
    let inside = file.path.strip_prefix("crates/gateway/src/")?;
    Some(inside.split('/').next()?.trim_end_matches(".rs").to_owned())
}

/// The top-level modules that a file names by `crate::`, wherever in a line.
fn used(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in text.split("crate::").skip(1) {
        if let Some(group) = part.strip_prefix('{') {
            let group = group.split_once("};").map_or(group, |(inside, _)| inside);
            names.extend(group.split(',').map(|item| first_word(item.trim())));
        } else {
            names.push(first_word(part));
        }
    }
    names
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect()
}

#[test]
fn the_engine_keeps_to_its_floors() {
    let files: Vec<Source> = all()
        .into_iter()
        .filter(|file| module_of(file).is_some() && !file.path.ends_with("/tests.rs"))
        .collect();
    assert!(files.len() > 10, "the engine's sources were not found");
    let mut wrong = Vec::new();
    let mut excused = Vec::new();
    for file in &files {
        let Some(own) = module_of(file) else { continue };
        let Some(own_floor) = floor(&own) else {
            wrong.push(format!("{}: module `{own}` has no floor in tidy/floors.rs", file.path));
            continue;
        };
        for name in used(&code(file)) {
            // What is re-exported at the root has no floor of its own; the module that defines it has.
            let Some(floor) = floor(&name) else { continue };
            if name == own || floor < own_floor {
                continue;
            }
            match EXCEPTIONS.iter().find(|(from, to, _)| *from == own && *to == name) {
                Some(exception) => excused.push(exception),
                None => wrong.push(format!(
                    "{}: `{own}` (floor {own_floor}) uses `{name}` (floor {floor})",
                    file.path
                )),
            }
        }
    }
    let gone = EXCEPTIONS.iter().filter(|exception| !excused.contains(exception));
    wrong.extend(gone.map(|(from, to, _)| format!("`{from}` no longer uses `{to}`: take it off the list")));
    wrong.dedup();
    assert!(wrong.is_empty(), "the engine's floors, see ARCHITECTURE.md\n  {}", wrong.join("\n  "));
}

#[test]
fn a_use_is_found_in_every_way_it_can_be_written() {
    let text = "use crate::serve::Reply;\nuse crate::{admin::Admin, tasks};\nlet x: crate::vault::Vault;";
    assert_eq!(used(text), ["serve", "admin", "tasks", "vault"]);
}
