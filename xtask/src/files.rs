//! Lists source files and tells whether they changed.
//!
//! No file watching by the kernel: some hundred small files are looked at in a few milliseconds.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::shell::root;

/// All files below `start` (or `start` itself), sorted, without build output and hidden entries below it.
pub(crate) fn below(start: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![start.to_path_buf()];
    while let Some(path) = waiting.pop() {
        if path.is_file() {
            found.push(path);
            continue;
        }
        let Ok(entries) = std::fs::read_dir(&path) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                waiting.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// One number for the names and contents of everything below `parts`, which are relative to the repository's root.
pub(crate) fn fingerprint(parts: &[&str]) -> u64 {
    let root = root();
    let mut hasher = DefaultHasher::new();
    for part in parts {
        for path in below(&root.join(part)) {
            path.strip_prefix(&root).unwrap_or(&path).hash(&mut hasher);
            std::fs::read(&path).unwrap_or_default().hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// When each file below `parts` was last written.
pub(crate) fn times(parts: &[&str]) -> BTreeMap<PathBuf, SystemTime> {
    let root = root();
    parts
        .iter()
        .flat_map(|part| below(&root.join(part)))
        .filter_map(|path| {
            let modified = path.metadata().ok()?.modified().ok()?;
            Some((path, modified))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_output_and_hidden_entries_are_no_sources() {
        let dir = std::env::temp_dir().join(format!("tollgate-xtask-files-{}", std::process::id()));
        for folder in ["src", "target/debug", ".git", "node_modules/x"] {
            std::fs::create_dir_all(dir.join(folder)).unwrap();
            std::fs::write(dir.join(folder).join("a.rs"), "x").unwrap();
        }
        let found = below(&dir);
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(found, [dir.join("src/a.rs")]);
    }

    #[test]
    fn a_fingerprint_follows_the_content_and_not_the_time() {
        let once = fingerprint(&["xtask/src/files.rs"]);
        assert_eq!(once, fingerprint(&["xtask/src/files.rs"]));
        assert_ne!(once, fingerprint(&["xtask/src/main.rs"]));
    }
}
