//! The pages of the handbook as a reader's program sees them: headings, anchors, links. It judges nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One page.
pub(super) struct Page {
    /// `errors.md`
    pub(super) name: String,
    pub(super) text: String,
}

fn folder() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).join("docs/handbook")
}

/// Every page, sorted by name.
pub(super) fn handbook() -> Vec<Page> {
    let mut pages: Vec<Page> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "md"))
        .map(|path| Page {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            text: std::fs::read_to_string(&path).unwrap(),
        })
        .collect();
    pages.sort_by(|a, b| a.name.cmp(&b.name));
    pages
}

/// One page by its name.
pub(super) fn page(name: &str) -> Page {
    handbook()
        .into_iter()
        .find(|page| page.name == name)
        .unwrap_or_else(|| panic!("docs/handbook/{name} is missing"))
}

/// Whether a link that leaves the handbook leads to a file of the repository.
pub(super) fn outside(file: &str) -> bool {
    folder().join(file).exists()
}

impl Page {
    /// The text without fenced code.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut fenced = false;
        self.text.lines().filter(move |line| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fence && !fenced
        })
    }

    fn headings(&self) -> impl Iterator<Item = &str> {
        self.prose().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim())
    }

    /// What stands alone between backticks in third-level headings.
    fn terms(&self) -> impl Iterator<Item = &str> {
        self.prose()
            .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
            .filter(|term| !term.contains(['`', ' ']))
    }

    /// Third-level headings that are one lower-case word: error codes.
    pub(super) fn words_in_headings(&self) -> BTreeSet<String> {
        self.terms()
            .filter(|term| !term.contains(|c: char| c.is_ascii_uppercase()))
            .map(str::to_owned)
            .collect()
    }

    /// Third-level headings that are one upper-case name: environment variables.
    pub(super) fn names_in_headings(&self) -> BTreeSet<String> {
        self.terms()
            .filter(|term| !term.contains(|c: char| c.is_ascii_lowercase()))
            .map(str::to_owned)
            .collect()
    }

    /// The anchors that headings make, by the rule that code forges use for Markdown.
    pub(super) fn anchors(&self) -> BTreeSet<String> {
        self.headings()
            .map(|heading| {
                heading
                    .to_lowercase()
                    .chars()
                    .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                    .map(|c| if c == ' ' { '-' } else { c })
                    .collect()
            })
            .collect()
    }

    /// Targets of links, code left out.
    pub(super) fn links(&self) -> Vec<&str> {
        self.prose()
            .flat_map(|line| {
                line.match_indices("](").map(move |(at, _)| line.get(at + 2..).unwrap_or_default())
            })
            .filter_map(|rest| rest.split(')').next())
            .collect()
    }
}
