//! Patterns over model names: plain names, `*`, and regular expressions behind `re:`.
//!
//! Compiled once per configuration. Expressions run in linear time and are bounded in size, so that nobody who may
//! write one can stop the gateway with it.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use types::pattern::pattern_matches;

/// Longest pattern in bytes, the same as for model names.
const MAX_BYTES: usize = 200;
/// Largest compiled expression in bytes; classes of Unicode letters with a small count still fit.
const MAX_COMPILED: usize = 256 * 1024;

/// Says what is wrong with a pattern.
///
/// # Errors
///
/// It is empty, too long, has blanks, is no regular expression or too large a one; the text is one sentence.
pub fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("a pattern must not be empty".to_owned());
    }
    if text.len() > MAX_BYTES {
        return Err(format!("a pattern has at most {MAX_BYTES} bytes"));
    }
    if let Some(expression) = text.strip_prefix("re:") {
        return compiled(expression).map(drop);
    }
    if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err("a pattern must not contain blanks".to_owned());
    }
    Ok(())
}

fn compiled(expression: &str) -> Result<Regex, String> {
    if expression.is_empty() {
        return Err("an expression is missing after re:".to_owned());
    }
    RegexBuilder::new(expression)
        .case_insensitive(true)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(32)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
            // The last line says what; those above draw the expression.
            other => {
                let text = other.to_string();
                let what = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("no regular expression: {what}")
            }
        })
}

#[derive(Clone, Debug)]
enum Matcher {
    Exact(Box<str>),
    Glob(Box<str>),
    Expression(Regex),
}

impl Matcher {
    fn compile(text: &str) -> Option<Self> {
        check(text).ok()?;
        if let Some(expression) = text.strip_prefix("re:") {
            return compiled(expression).ok().map(Self::Expression);
        }
        Some(if text.contains('*') { Self::Glob(text.into()) } else { Self::Exact(text.into()) })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => text.eq_ignore_ascii_case(name),
            Self::Glob(text) => pattern_matches(text, name),
            Self::Expression(expression) => expression.is_match(name),
        }
    }
}

/// A list of patterns, of which one has to match. Case is ignored; expressions match anywhere in a name.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    matchers: Vec<Matcher>,
    empty: bool,
}

impl Patterns {
    /// Reads a list; a pattern that [`check`] refuses matches nothing.
    pub fn compile(texts: &[String]) -> Self {
        Self {
            matchers: texts.iter().filter_map(|text| Matcher::compile(text)).collect(),
            empty: texts.is_empty(),
        }
    }

    /// Whether one of them covers a name.
    pub fn matches(&self, name: &str) -> bool {
        self.matchers.iter().any(|matcher| matcher.matches(name))
    }

    /// Whether the list was empty; one of only bad patterns is not, and matches nothing.
    pub fn is_empty(&self) -> bool {
        self.empty
    }
}

/// Model names and what is sent upstream in their place.
#[derive(Clone, Debug, Default)]
pub struct Redirects {
    exact: Vec<(Box<str>, Box<str>)>,
    patterns: Vec<(Matcher, Box<str>)>,
}

impl Redirects {
    /// Reads a table of patterns and targets; a pattern that [`check`] refuses matches nothing.
    pub fn compile(table: &BTreeMap<String, String>) -> Self {
        let mut redirects = Self::default();
        for (text, target) in table {
            match Matcher::compile(text) {
                Some(Matcher::Exact(name)) => redirects.exact.push((name, target.as_str().into())),
                Some(matcher) => redirects.patterns.push((matcher, target.as_str().into())),
                None => {}
            }
        }
        redirects
    }

    /// What is sent for a name: by the entry for exactly that name, then but for case, then by the first pattern in
    /// the order of their texts; else the name itself.
    pub fn target<'a>(&'a self, name: &'a str) -> &'a str {
        let exact = |same: fn(&str, &str) -> bool| self.exact.iter().find(|(text, _)| same(text, name));
        if let Some((_, target)) = exact(|a, b| a == b).or_else(|| exact(str::eq_ignore_ascii_case)) {
            return target;
        }
        self.patterns.iter().find(|(matcher, _)| matcher.matches(name)).map_or(name, |(_, target)| target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Patterns {
        Patterns::compile(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn names_globs_and_expressions_match_but_for_case() {
        for (pattern, name, expected) in [
            ("gpt-4o", "GPT-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("claude-*", "claude-sonnet-4-5", true),
            ("re:^claude-(opus|sonnet)-4", "Claude-Opus-4-1", true),
            ("re:^claude-(opus|sonnet)-4", "claude-haiku-4-5", false),
            ("re:mini$", "gpt-4o-mini", true),
            ("re:4o", "gpt-4o-mini", true),
            ("re:(", "(", false),
            ("", "", false),
        ] {
            assert_eq!(patterns(&[pattern]).matches(name), expected, "{pattern} ~ {name}");
        }
    }

    #[test]
    fn a_list_of_bad_patterns_allows_nothing_instead_of_everything() {
        assert!(patterns(&[]).is_empty());
        let bad = patterns(&["re:(", "re:"]);
        assert!(!bad.is_empty());
        assert!(!bad.matches("("));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, words) in [
            ("", "empty"),
            ("re:", "missing"),
            ("two words", "blanks"),
            ("re:(", "unclosed group"),
            ("re:a{1000}{1000}", "too large"),
            (r"re:\w{150}\w{150}", "too large"),
        ] {
            let problem = check(text).unwrap_err();
            assert!(problem.contains(words), "{text}: {problem}");
            assert!(!problem.contains('\n'), "{problem}");
        }
        assert!(check(&"x".repeat(201)).is_err());
        assert!(check(&format!("re:{}", "(".repeat(197))).is_err());
        assert!(check(r"re:^gpt-\d+(\.\d+)?(-\w+){0,3}$").is_ok());
    }

    #[test]
    fn redirects_prefer_the_exact_name_then_the_first_pattern() {
        let table = [
            ("*", "everything"),
            ("claude-*", "some-claude"),
            ("claude-opus", "big"),
            ("re:^gpt-5", "five"),
            ("GPT-4o", "upper"),
            ("gpt-4o", "lower"),
        ];
        let table = table.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<BTreeMap<_, _>>();
        let redirects = Redirects::compile(&table);
        assert_eq!(redirects.target("claude-opus"), "big");
        assert_eq!(redirects.target("Claude-Opus"), "big");
        assert_eq!(redirects.target("gpt-4o"), "lower");
        assert_eq!(redirects.target("GPT-4o"), "upper");
        assert_eq!(redirects.target("claude-haiku"), "everything", "'*' comes first in the order of texts");
        let mut table = table;
        table.remove("*");
        let redirects = Redirects::compile(&table);
        assert_eq!(redirects.target("claude-haiku"), "some-claude");
        assert_eq!(redirects.target("gpt-5-mini"), "five");
        assert_eq!(redirects.target("gemini-2.5-pro"), "gemini-2.5-pro");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn no_text_is_slow_or_breaks_it(text in "(re:)?[a-c*+?(){}|\\[\\]^$\\\\.0-9,]{0,40}", name in "[a-c]{0,200}") {
            let compiled = patterns(&[text.as_str()]);
            proptest::prop_assert!(check(&text).is_ok() || !compiled.matches(&name));
        }
    }

    #[test]
    fn expressions_that_blow_up_elsewhere_are_linear_here() {
        let name = format!("{}!", "a".repeat(199));
        for text in ["re:^(a+)+$", "re:^(a|aa)+$", "re:^(a|a?)+$", "re:(.*a){12}$"] {
            // A backtracking engine would need more than 10^30 steps and never come back from this.
            assert!(!patterns(&[text]).matches(&name), "{text}");
        }
    }
}
