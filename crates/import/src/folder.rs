//! Several files in one text, as `tail -n +1 *.json` writes them: before each a line `==> name <==`.
//!
//! `types::import::together` writes the same. So a folder can be pasted where nothing can be uploaded, and each file
//! keeps its name.

use crate::MAX_FILES;
use crate::archive::Entry;
use crate::plan::Fault;

/// The name in such a line.
fn name_in(line: &str) -> Option<&str> {
    line.trim_end().strip_prefix("==> ")?.strip_suffix(" <==")
}

/// Whether a text begins like that.
pub(crate) fn is_it(content: &str) -> bool {
    content.lines().next().is_some_and(|line| name_in(line).is_some())
}

/// The files of such a text.
pub(crate) fn taken_apart(content: &str) -> Result<Vec<Entry>, Fault> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in content.lines() {
        match (name_in(line), entries.last_mut()) {
            (Some(name), _) => entries.push(Entry { name: name.to_owned(), bytes: Vec::new() }),
            (None, Some(entry)) => {
                entry.bytes.extend_from_slice(line.as_bytes());
                entry.bytes.push(b'\n');
            }
            (None, None) => {}
        }
        if entries.len() > MAX_FILES {
            return Err(Fault::TooLarge("at most 2,000 files"));
        }
    }
    Ok(entries)
}
