//! What a file is, by its content: packed or not, JSON or YAML, and whose.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::archive::{Entry, unpack};
use crate::plan::{Fault, Format, Plan};
use crate::tree::{Node, Tree, json};
use crate::yaml::yaml;
use crate::{MAX_BYTES, MAX_ENTRIES, auth_folder, channels, folder, hub, litellm, own, relay};

/// Reads a file: text, an archive in base64 (with or without `data:…;base64,` before it), several files in one text (see
/// [`types::import::together`]), or several JSON documents behind each other. A sealed export has to be opened first.
pub fn read(content: &str) -> Result<Plan, Fault> {
    read_as(content, None)
}

/// The same, for a file of which somebody says what it is: tells one-api from new-api where the content does not, and
/// refuses anything else.
pub fn read_as(content: &str, wanted: Option<Format>) -> Result<Plan, Fault> {
    // An archive in base64 is a third longer than its bytes.
    if content.len() > MAX_BYTES / 3 * 4 + 1024 {
        return Err(Fault::TooLarge("at most 8 MiB"));
    }
    let content = content.trim_start_matches('\u{feff}').trim();
    if content.is_empty() {
        return Err(Fault::Empty);
    }
    let plan = match packed(content)? {
        Some(entries) => archive(entries, wanted)?,
        None if content.len() <= MAX_BYTES && folder::is_it(content) => {
            archive(folder::taken_apart(content)?, wanted)?
        }
        None if content.len() > MAX_BYTES => return Err(Fault::TooLarge("at most 8 MiB")),
        None => document(content, wanted)?,
    };
    if let Some(wanted) = wanted.filter(|wanted| *wanted != plan.format) {
        return Err(Fault::Another { found: plan.format.as_str(), wanted: wanted.as_str() });
    }
    if plan.entries() > MAX_ENTRIES { Err(Fault::TooLarge("at most 5,000 entries")) } else { Ok(plan) }
}

/// The files of an archive in base64; `None` if the content is plain text.
fn packed(content: &str) -> Result<Option<Vec<Entry>>, Fault> {
    let (named, coded) = match content.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((_, coded)) => (true, coded),
        None => (false, content),
    };
    let coded: String = coded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let Ok(bytes) = STANDARD.decode(&coded) else {
        return if named { Err(Fault::Archive("its base64 is damaged")) } else { Ok(None) };
    };
    match unpack(&bytes) {
        Some(entries) => entries.map(Some),
        // What is no UTF-8 comes in base64 too.
        None if named || is_utf16(&bytes) => Ok(Some(vec![Entry { name: "file".to_owned(), bytes }])),
        None => Ok(None),
    }
}

fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff])
}

/// The text of a file, without the mark of its encoding: UTF-8, or UTF-16 as Windows' shells write it; `None` if it is
/// no text.
fn text_of(bytes: Vec<u8>) -> Option<String> {
    if !is_utf16(&bytes) {
        let text = String::from_utf8(bytes).ok()?;
        return Some(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned));
    }
    let read = if bytes.first() == Some(&0xff) { u16::from_le_bytes } else { u16::from_be_bytes };
    let units = bytes.get(2..)?.chunks_exact(2).filter_map(|pair| Some(read(pair.try_into().ok()?)));
    char::decode_utf16(units).collect::<Result<String, _>>().ok()
}

/// Files of an archive: one of the other formats if one file is of those, else a folder of accounts. A file that cannot
/// be read is left out with its fault; whoever packed thirty accounts shall have the other twenty-nine.
fn archive(entries: Vec<Entry>, wanted: Option<Format>) -> Result<Plan, Fault> {
    let mut files: Vec<(String, Result<String, Fault>)> = Vec::new();
    for Entry { name, bytes } in entries {
        let name: String = name.chars().filter(|c| !c.is_control()).take(120).collect();
        let plain = name.rsplit('/').next().unwrap_or_default();
        // What file managers leave behind.
        if plain.starts_with('.') || name.starts_with("__MACOSX/") {
            continue;
        }
        match text_of(bytes) {
            Some(text) if text.trim().is_empty() => {}
            Some(text) => files.push((name, Ok(text))),
            None => files.push((name, Err(Fault::Binary))),
        }
    }
    match files.as_slice() {
        [] => return Err(Fault::Empty),
        [(_, Ok(text))] if own::is_sealed(text) => {
            return Err(Fault::Archive("it holds a sealed export; unpack it first"));
        }
        [(name, Ok(text))] => return document(text.trim(), wanted).map_err(|fault| in_file(name, fault)),
        _ => {}
    }
    let tree = |text: &String| match text.trim() {
        text if text.starts_with(['{', '[']) => json(text),
        _ => Err(Fault::Unknown),
    };
    let trees: Vec<(String, Result<Tree, Fault>)> = files
        .iter()
        .map(|(name, text)| (name.clone(), text.as_ref().map_err(Fault::clone).and_then(tree)))
        .collect();
    let accounts = |tree: &Tree| auth_folder::is_it(&Node::root(tree));
    if !trees.iter().any(|(_, tree)| tree.as_ref().is_ok_and(accounts))
        && let Some(plan) = only_one(&files, wanted)
    {
        return Ok(plan);
    }
    let (good, bad): (Vec<_>, Vec<_>) = trees.iter().partition(|(_, tree)| tree.is_ok());
    if let ([], [(name, Err(fault)), ..]) = (good.as_slice(), bad.as_slice()) {
        return Err(in_file(name, fault.clone()));
    }
    let nodes = good.into_iter().filter_map(|(name, tree)| {
        let place = name.clone();
        Some(Node { value: &tree.as_ref().ok()?.0, place })
    });
    let mut plan = auth_folder::read(nodes);
    for (name, tree) in bad {
        match tree {
            Err(Fault::Unknown) => plan.note(name, "is no account file"),
            Err(fault) => plan.note(name, fault.to_string()),
            Ok(_) => {}
        }
    }
    Ok(plan)
}

fn in_file(name: &str, fault: Fault) -> Fault {
    Fault::InFile { file: name.to_owned(), fault: Box::new(fault) }
}

/// The plan of the one file among others that is of a known format.
fn only_one(files: &[(String, Result<String, Fault>)], wanted: Option<Format>) -> Option<Plan> {
    let read = |text: &Result<String, Fault>| document(text.as_ref().ok()?.trim(), wanted).ok();
    let mut found = files.iter().filter_map(|(name, text)| Some((name, read(text)?)));
    let (Some((taken, mut plan)), None) = (found.next(), found.next()) else { return None };
    for (name, _) in files.iter().filter(|(name, _)| name != taken) {
        plan.note(name, "is not taken over");
    }
    Some(plan)
}

fn document(text: &str, wanted: Option<Format>) -> Result<Plan, Fault> {
    let tree = if text.starts_with(['{', '[']) { json(text)? } else { yaml(text)? };
    known(&tree, wanted)
}

fn known(tree: &Tree, wanted: Option<Format>) -> Result<Plan, Fault> {
    let root = Node::root(tree);
    if root.get("model_list").is_some() {
        return litellm::read(&root);
    }
    if root.get(own::MARK).is_some() {
        return own::read(&root);
    }
    if let Some(data) = root.get("data").filter(relay::is_it) {
        return relay::read(&root, &data);
    }
    if relay::is_it(&root) {
        return relay::read(&root, &root);
    }
    if let Some(providers) = hub::find(&root) {
        return hub::read(&root, &providers);
    }
    if let Some(channels) = channels::find(&root) {
        return channels::read(&channels, wanted);
    }
    if auth_folder::is_it(&root) {
        return Ok(auth_folder::read(std::iter::once(root)));
    }
    if matches!(tree.0, Value::Array(_))
        && root.items().next().is_some_and(|first| auth_folder::is_it(&first))
    {
        return Ok(auth_folder::read(root.items()));
    }
    Err(Fault::Unknown)
}
