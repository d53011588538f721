//! What a file is, by its content: packed or not, JSON or YAML, and whose.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::archive::{Entry, unpack};
use crate::plan::{Fault, Format, Plan};
use crate::tree::{Node, Tree, json};
use crate::yaml::yaml;
use crate::{MAX_BYTES, MAX_ENTRIES, auth_folder, channels, hub, litellm, own, relay};

/// Reads a file: text, an archive in base64 (with or without `data:…;base64,` before it), or several JSON documents
/// behind each other. A sealed export has to be opened first.
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
        None if named => Ok(Some(vec![Entry { name: "file".to_owned(), bytes }])),
        None => Ok(None),
    }
}

/// Files of an archive: one of the other formats if there is only one file, else a folder of accounts.
fn archive(entries: Vec<Entry>, wanted: Option<Format>) -> Result<Plan, Fault> {
    let mut files: Vec<(String, String)> = Vec::new();
    for Entry { name, bytes } in entries {
        let name: String = name.chars().filter(|c| !c.is_control()).take(120).collect();
        let plain = name.rsplit('/').next().unwrap_or_default();
        // What file managers leave behind.
        if plain.starts_with('.') || name.starts_with("__MACOSX/") {
            continue;
        }
        let in_file = |fault| Fault::InFile { file: name.clone(), fault: Box::new(fault) };
        let text = String::from_utf8(bytes).map_err(|_binary| in_file(Fault::Unknown))?;
        if !text.trim().is_empty() {
            files.push((name, text));
        }
    }
    match files.as_slice() {
        [] => Err(Fault::Empty),
        [(_, text)] if own::is_sealed(text) => {
            Err(Fault::Archive("it holds a sealed export; unpack it first"))
        }
        [(_, text)] => document(text.trim(), wanted),
        _ => {
            let mut trees = Vec::new();
            for (name, text) in &files {
                let tree = json(text)
                    .map_err(|fault| Fault::InFile { file: name.clone(), fault: Box::new(fault) })?;
                trees.push((name.clone(), tree));
            }
            Ok(auth_folder::read(trees.iter().map(|(name, tree)| {
                let place = name.clone();
                Node { value: &tree.0, place }
            })))
        }
    }
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
