//! The floors of the engine: a module of `crates/gateway` uses what lies below it, never sideways on the top floor
//! and never upwards. The façade (`lib`, `facade`) stands above all of it and is not a module's business.

use super::sources::{Source, all, code};

/// Each top-level module of `crates/gateway` with its floor.
const FLOORS: &[(&str, u8)] = &[
    ("clock", 0),
    ("config", 0),
    ("error", 0),
    ("live", 0),
    ("metrics", 0),
    ("signal", 0),
    ("vault", 0),
    ("accounts", 1),
    ("identity", 1),
    ("snapshot", 1),
    ("credential", 2),
    ("upstream", 2),
    ("core", 3),
    ("admin", 4),
    ("health", 4),
    ("member", 4),
    ("serve", 4),
    ("tasks", 4),
    ("facade", 5),
    ("lib", 5),
];

/// Modules on one floor that may meet: the first uses the second.
const SIDEWAYS: &[(&str, &str)] = &[
    ("snapshot", "identity"),
    ("snapshot", "vault"),
    ("error", "config"),
    ("vault", "config"),
    ("live", "clock"),
    ("metrics", "clock"),
    ("upstream", "credential"),
];

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
    for file in &files {
        let Some(own) = module_of(file) else { continue };
        let Some(own_floor) = floor(&own) else {
            wrong.push(format!("{}: module `{own}` has no floor in tidy/floors.rs", file.path));
            continue;
        };
        for name in used(&code(file)) {
            // What is re-exported at the root has no floor of its own; the module that defines it has.
            let Some(floor) = floor(&name) else { continue };
            let fits = name == own || floor < own_floor || SIDEWAYS.contains(&(own.as_str(), name.as_str()));
            if !fits {
                wrong.push(format!(
                    "{}: `{own}` (floor {own_floor}) uses `{name}` (floor {floor})",
                    file.path
                ));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "the engine's floors, see ARCHITECTURE.md\n  {}", wrong.join("\n  "));
}

#[test]
fn a_use_is_found_in_every_way_it_can_be_written() {
    let text = "use crate::serve::Reply;\nuse crate::{admin::Admin, tasks};\nlet x: crate::vault::Vault;";
    assert_eq!(used(text), ["serve", "admin", "tasks", "vault"]);
}
