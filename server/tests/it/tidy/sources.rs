//! The repository's own text files, as the tidy rules see them. It judges nothing.

use std::path::{Path, PathBuf};

/// One text file of the repository.
pub(crate) struct Source {
    /// From the repository's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// Whether the name ends so: `rs`, `toml`, or a whole name such as `Dockerfile`.
    pub(crate) fn is(&self, ending: &str) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == ending || name.rsplit_once('.').is_some_and(|(_, ext)| ext == ending)
    }
}

fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// Folders (and one file) that hold nothing written by us.
const SKIPPED: &[&str] =
    &["target", "node_modules", ".venv", ".git", "artifacts", "data", "fixtures", "snapshots"];

/// Every text file that belongs to the repository, sorted by path. Binary files are left out.
pub(crate) fn all() -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    let mut waiting = vec![root.clone()];
    while let Some(dir) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            // `.git` is a file where the checkout is one of several of the same repository.
            if SKIPPED.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let shown = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            found.push(Source { path: shown, text });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// `path:line` of each line that `matches`.
pub(crate) fn lines_of(file: &Source, matches: impl Fn(&str) -> bool) -> Vec<String> {
    file.text
        .lines()
        .enumerate()
        .filter(|(_, line)| matches(line))
        .map(|(at, line)| format!("{}:{}: {}", file.path, at + 1, line.trim()))
        .collect()
}

/// A Rust file without its comments and without its test module.
pub(crate) fn code(file: &Source) -> String {
    let before_tests = file.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    before_tests
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Sorted file names directly below a folder.
pub(crate) fn names_below(dir: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join(dir))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
