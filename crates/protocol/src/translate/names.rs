//! Names of tools and ids of calls that every vendor accepts, and the way back to the caller's own.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::neutral::ToolKind;

/// Longest name of a tool that every vendor accepts.
const MAX_NAME: usize = 64;
/// Hexadecimal digits of a digest that keep shortened names apart.
const TAIL: usize = 8;

/// A tool as the caller knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Responses: its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// What it takes.
    pub kind: ToolKind,
}

/// How the tools of a request were named upstream.
#[derive(Clone, Debug, Default)]
pub struct Names {
    sent: HashMap<String, Known>,
}

impl Names {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name to send for a tool: its own where it fits (`[A-Za-z_][A-Za-z0-9_-]*`, at most 64), prefixed by its
    /// namespace (unless that is the same), else mended and told apart by a digest. The same tool gets the same name every time.
    ///
    /// A custom tool that was offered is found by a history that calls it a function, and the other way round.
    pub fn send(&mut self, namespace: Option<&str>, name: &str, kind: ToolKind) -> String {
        let space = namespace.filter(|space| *space != name);
        let whole = space.map_or_else(|| name.to_owned(), |space| format!("{space}__{name}"));
        let known = Known { namespace: namespace.map(str::to_owned), name: name.to_owned(), kind };
        let plain = fit(&whole, MAX_NAME, true);
        // OpenAI gives a function that its search for tools found its own name as namespace: it is the one offered.
        let same = |other: &Known| other.name == known.name && space_of(other) == space;
        if self.sent.get(&plain).is_none_or(same) {
            self.sent.entry(plain.clone()).or_insert(known);
            return plain;
        }
        // Another tool has that name already (`a.b` and `a_b`).
        let apart = shorten(&plain, &whole, MAX_NAME);
        self.sent.entry(apart.clone()).or_insert(known);
        apart
    }

    /// The caller's tool behind a name that the vendor used; `None` for one that was never sent.
    pub fn known(&self, sent: &str) -> Option<&Known> {
        self.sent.get(sent)
    }

    /// Whether some name or kind has to be put right on the way back.
    pub fn changes(&self) -> bool {
        self.sent.iter().any(|(sent, known)| {
            known.kind == ToolKind::Custom || known.namespace.is_some() || *sent != known.name
        })
    }
}

/// A tool's namespace, unless it is only its name once more.
fn space_of(known: &Known) -> Option<&str> {
    known.namespace.as_deref().filter(|space| *space != known.name)
}

/// A call's id in the letters that every vendor accepts (`[A-Za-z0-9_-]`), at most `max` bytes. The same id gives the
/// same result, so that calls and results still meet.
pub(super) fn call_id(id: &str, max: usize) -> String {
    fit(id, max, false)
}

fn fit(text: &str, max: usize, starts_with_letter: bool) -> String {
    let mut fitted: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' })
        .collect();
    if starts_with_letter && !fitted.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        fitted.insert(0, '_');
    }
    if fitted.len() > max || (!starts_with_letter && fitted != text) {
        return shorten(&fitted, text, max);
    }
    fitted
}

/// The beginning of `fitted` and a digest of the whole.
fn shorten(fitted: &str, whole: &str, max: usize) -> String {
    let digest = Sha256::digest(whole.as_bytes());
    let tail = digest.iter().take(TAIL / 2).fold(String::new(), |tail, byte| format!("{tail}{byte:02x}"));
    let head: String = fitted.chars().take(max.saturating_sub(TAIL + 1)).collect();
    format!("{head}_{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_stay_and_bad_ones_come_back_as_they_were() {
        let mut names = Names::new();
        assert_eq!(names.send(None, "get_weather", ToolKind::Function), "get_weather");
        assert!(!names.changes());
        let long = "x".repeat(100);
        for name in ["a.b", "a_b", "a:b", "7up", &long, "名前", ""] {
            let sent = names.send(None, name, ToolKind::Function);
            assert!(sent.len() <= 64 && !sent.is_empty(), "{sent}");
            assert!(sent.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{sent}");
            assert_eq!(names.known(&sent).unwrap().name, name);
            assert_eq!(names.send(None, name, ToolKind::Function), sent);
        }
        let spaced = names.send(Some("collab"), "spawn", ToolKind::Function);
        assert_eq!(spaced, "collab__spawn");
        assert_eq!(names.known(&spaced).unwrap().namespace.as_deref(), Some("collab"));
        assert!(names.changes());
    }

    #[test]
    fn a_namespace_that_is_called_like_its_tool_is_not_said_twice() {
        let mut names = Names::new();
        let sent = names.send(Some("lookup"), "lookup", ToolKind::Function);
        assert_eq!(sent, "lookup");
        assert_eq!(names.known(&sent).unwrap().namespace.as_deref(), Some("lookup"));
        assert!(names.changes(), "its namespace comes back");
        // What was offered without a namespace and is called with it is one tool.
        assert_eq!(names.send(None, "lookup", ToolKind::Function), sent);
        let mut offered = Names::new();
        assert_eq!(offered.send(None, "lookup", ToolKind::Function), "lookup");
        assert_eq!(offered.send(Some("lookup"), "lookup", ToolKind::Function), "lookup");
        assert_eq!(offered.send(Some("other"), "lookup", ToolKind::Function), "other__lookup");
    }

    #[test]
    fn ids_fit_and_stay_apart() {
        assert_eq!(call_id("call_1", 40), "call_1");
        assert_ne!(call_id("a.b", 40), call_id("a:b", 40));
        let (a, b) = (call_id(&"x".repeat(50), 40), call_id(&"x".repeat(51), 40));
        assert!(a.len() <= 40 && b.len() <= 40 && a != b);
    }
}
